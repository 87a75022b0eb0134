"""`ledger.jsonl`: every promotion of a model store, one a line; and the stack they make.

A line is only ever added. It ends with its own digest, and holds the digest of the line before it: a line
that was changed, taken out or moved is found. Lines of earlier versions have neither, and stay readable.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from src.bundle.bundle import sha256
from src.disk.files import write_file
from src.errors import RegistryError
from src.store.history import Action, Stack, after
from src.strict_model import StrictModel

LEDGER = "ledger.jsonl"
_DIGEST = re.compile(rb'(?P<content>.*),"digest":"(?P<digest>[0-9a-f]{64})"\}', re.DOTALL)

Measures = Mapping[str, float]


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
    measures: Measures | None = None  # of this version, as its manifest has them
    replaced_measures: Measures | None = None  # of the one it replaced, where its bundle is still there
    revokes_last: bool = False  # the step before was killed before its version came into service
    line_before: str | None = None  # SHA-256 of the whole line before; of nothing, for the first
    digest: str | None = None  # SHA-256 of this line without this; the last of its fields

    @property
    def replaced_version(self) -> str | None:
        """The version that was champion until then, where the line says so."""
        bundle = self.replaced or (self.previous if self.action != "rollback" else None)
        return None if bundle is None else bundle.rpartition("/")[2].rpartition("-")[0]


def read_ledger(root: Path) -> list[Promotion]:
    """Return the promotions of the store in `root`, the oldest first; RegistryError when they are damaged."""
    try:
        return parse_ledger(_content(root))
    except ValidationError as error:
        raise RegistryError(f"{root / LEDGER}: not a ledger of this version") from error


def parse_ledger(content: bytes) -> list[Promotion]:
    """Return the promotions in `content`, a line each; raises ValidationError when a line is none."""
    return [Promotion.model_validate_json(line) for line in content.splitlines()]


def append_to_ledger(root: Path, line: Promotion) -> None:
    """Add `line` to the ledger of the store in `root`, and its digests to the line; hold the store's lock."""
    known = _content(root).splitlines()
    chained = line.model_copy(update={"line_before": sha256(known[-1] if known else b"")})
    unsigned = chained.model_dump_json(exclude={"digest"}).encode()
    added = unsigned[:-1] + b',"digest":"%s"}' % sha256(unsigned).encode()
    write_file(root / LEDGER, b"".join(b"%s\n" % one for one in [*known, added]))


def verify_chain(root: Path) -> int:
    """Return how many of the ledger's lines, the last ones, their digests vouch for.

    Raises:
        RegistryError: names the first line that is not as it was written, or not where it was.
    """
    raw = _content(root).splitlines()
    chained = 0
    for number, content in enumerate(raw, 1):
        where = f"{root / LEDGER}, line {number}"
        try:
            line = Promotion.model_validate_json(content)
        except ValidationError as error:
            raise RegistryError(f"{where}: is no line of a ledger") from error
        if line.line_before is None and line.digest is None and not chained:
            continue  # written by an earlier version
        found = _DIGEST.fullmatch(content)
        if found is None or sha256(found["content"] + b"}") != found["digest"].decode():
            raise RegistryError(f"{where}: was changed, its digest is not that of its content")
        if line.line_before != sha256(raw[number - 2] if number > 1 else b""):
            raise RegistryError(f"{where}: does not follow the line before it; one was changed or is missing")
        chained += 1
    return chained


def completed(lines: Sequence[Promotion]) -> list[Promotion]:
    """Return `lines` without those that a later one revokes: their versions never came into service."""
    revoked = [line.revokes_last for line in lines[1:]] + [False]
    return [line for line, gone in zip(lines, revoked, strict=False) if not gone]


def stack_of(lines: Sequence[Promotion]) -> Stack:
    """Return the bundles that were in service, and that rollbacks return to; the last one is on top.

    Args:
        lines: completed ones.
    """
    stack: Stack = ()
    followed: dict[str, str | None] = {}  # what each bundle's last line says it followed
    for line in lines:
        action = line.action or _guessed(line, followed)
        if action != "rollback":
            stack = _with_top(stack, line.previous)
        stack = after(stack, action, line.bundle)
        followed[line.bundle] = line.previous
    return stack


def _content(root: Path) -> bytes:
    try:
        return (root / LEDGER).read_bytes()
    except FileNotFoundError:
        return b""


def _guessed(line: Promotion, followed: dict[str, str | None]) -> Action:
    """Return what an early line was: a rollback wrote again what the bundle followed when it came."""
    returned = line.bundle in followed and followed[line.bundle] == line.previous
    return "rollback" if returned else "promote"


def _with_top(stack: Stack, champion: str | None) -> Stack:
    """Return `stack` as it was when `champion` was followed: a step that never happened is no part of it."""
    if champion is None or stack[-1:] == (champion,):
        return stack
    return stack[:-1] if stack[-2:-1] == (champion,) else (*stack, champion)
