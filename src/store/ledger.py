"""`ledger.jsonl`: every promotion of a model store, one a line, and the stack they make."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from src.disk.files import write_file
from src.errors import RegistryError
from src.store.history import Action, Stack, after
from src.strict_model import StrictModel

LEDGER = "ledger.jsonl"


class Promotion(StrictModel):
    """A line of the ledger."""

    time: str  # ISO 8601, UTC
    action: Action | None = None  # lines of earlier versions do not say
    version: str
    bundle: str
    manifest_sha256: str
    previous: str | None  # the bundle that a rollback from this one returns to
    replaced: str | None = None  # the bundle that was champion until then
    user: str | None = None  # who ran the command, where lines say so
    host: str | None = None
    reason: str | None = None

    @property
    def replaced_version(self) -> str | None:
        """The version that was champion until then, where the line says so."""
        bundle = self.replaced or (self.previous if self.action != "rollback" else None)
        return None if bundle is None else bundle.rpartition("/")[2].rpartition("-")[0]


def read_ledger(root: Path) -> list[Promotion]:
    """Return the promotions of the store in `root`, the oldest first; RegistryError when they are damaged."""
    file = root / LEDGER
    try:
        return parse_ledger(file.read_bytes())
    except FileNotFoundError:
        return []
    except ValidationError as error:
        raise RegistryError(f"{file}: not a ledger of this version") from error


def parse_ledger(content: bytes) -> list[Promotion]:
    """Return the promotions in `content`, a line each; raises ValidationError when a line is none."""
    return [Promotion.model_validate_json(line) for line in content.splitlines()]


def write_ledger(root: Path, lines: Sequence[Promotion]) -> None:
    """Let the store in `root` have these promotions."""
    write_file(root / LEDGER, "".join(f"{line.model_dump_json()}\n" for line in lines).encode())


def stack_of(lines: Sequence[Promotion]) -> Stack:
    """Return the bundles that were in service, and that rollbacks return to; the last one is on top."""
    stack: Stack = ()
    followed: dict[str, str | None] = {}  # what each bundle's last line says it followed
    for line in lines:
        action = line.action or _guessed(line, followed)
        if action != "rollback":
            stack = _with_top(stack, line.previous)
        stack = after(stack, action, line.bundle)
        followed[line.bundle] = line.previous
    return stack


def _guessed(line: Promotion, followed: dict[str, str | None]) -> Action:
    """Return what an early line was: a rollback wrote again what the bundle followed when it came."""
    returned = line.bundle in followed and followed[line.bundle] == line.previous
    return "rollback" if returned else "promote"


def _with_top(stack: Stack, champion: str | None) -> Stack:
    """Return `stack` as it was when `champion` was followed: a step that never happened is no part of it."""
    if champion is None or stack[-1:] == (champion,):
        return stack
    return stack[:-1] if stack[-2:-1] == (champion,) else (*stack, champion)
