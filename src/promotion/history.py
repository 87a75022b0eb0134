"""Command `history`: what was in service, when, by whom and why, the newest first."""

from collections.abc import Sequence

from src import logs
from src.cli import Parser
from src.config import load_store_settings
from src.errors import exit_on_error
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


def main() -> None:
    Parser("src.promotion.history", __doc__).parse_args()
    logs.setup()
    settings = load_store_settings()
    with open_store(settings) as store:
        steps, description = store.steps(), store.description
    served = in_models(settings)
    if served is not None:
        print(f"{settings.model_dir} holds {served.manifest.name} version {served.manifest.version}\n")
    print(table(steps) if steps else f"{description}: nothing was published yet; make train does")


if __name__ == "__main__":
    exit_on_error(main)
