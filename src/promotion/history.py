"""Command `history`: what was in service, when, by whom and why, the newest first."""

from collections.abc import Sequence
from datetime import UTC, datetime

from src import logs
from src.cli import Parser
from src.config import load_store_settings
from src.errors import ConfigError, exit_on_error
from src.promotion.service import open_store
from src.promotion.step import Step
from src.store.models import in_models

HEADER = ("time", "action", "from", "to", "by", "reason")


def table(steps: Sequence[Step]) -> str:
    """Return `steps`, the oldest first, as a table with the newest on top."""
    rows = [
        (
            step.time,
            step.action,
            step.replaced or "-",
            step.version,
            str(step.author),
            step.author.reason or "",
        )
        for step in reversed(steps)
    ]
    widths = [max(map(len, column)) for column in zip(HEADER, *rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (HEADER, *rows)]
    return "\n".join(lines)


def in_service(steps: Sequence[Step], at: datetime) -> str:
    """Return a line that says which version was in service at the moment `at`.

    Args:
        steps: all there were, the oldest first.
    """
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    before = [step for step in steps if datetime.fromisoformat(step.time) <= at]
    if not before:
        first = f"; the first came at {steps[0].time}" if steps else ""
        return f"no version was in service at {moment}{first}"
    step = before[-1]
    by = f" by {step.author}" if str(step.author) else ""
    why = f": {step.author.reason}" if step.author.reason else ""
    return f"version {step.version} was in service at {moment}, since {step.time} ({step.action}{by}{why})"


def moment_of(text: str) -> datetime:
    """Return the time that `text` is, as ISO 8601 with its zone; ConfigError when it is none, or to come."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigError(f"--at: {text!r} is no time with its zone, such as 2026-11-01T12:00Z")
    if at > datetime.now(UTC):
        raise ConfigError(f"--at: {text} is still to come")
    return at


def main() -> None:
    parser = Parser("src.promotion.history", __doc__)
    one_of = parser.add_mutually_exclusive_group()
    one_of.add_argument("--verify", action="store_true", help="prove the ledger and the bundles it names")
    one_of.add_argument("--at", help="say what was in service then, such as 2026-11-01T12:00Z")
    arguments = parser.parse_args()
    logs.setup()
    settings = load_store_settings()
    at = None if arguments.at is None else moment_of(arguments.at)
    with open_store(settings) as store:
        if arguments.verify:
            print(store.verify())
            return
        if at is not None:
            print(in_service(store.every_step(), at))
            return
        steps, description = store.steps(), store.description
    served = in_models(settings)
    if served is not None:
        print(f"{settings.model_dir} holds {served.manifest.name} version {served.manifest.version}\n")
    print(table(steps) if steps else f"{description}: nothing was published yet; make train does")


if __name__ == "__main__":
    exit_on_error(main)
