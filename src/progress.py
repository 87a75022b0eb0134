"""Progress of long work: a spinner or a bar on a terminal, plain log lines otherwise."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

logger = logging.getLogger(__name__)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show that `text` is being done while the block runs, and log how long it took."""
    console = Console(stderr=True)
    started = perf_counter()
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        yield
    logger.info("%s: %.1f s", text, perf_counter() - started)


@contextmanager
def counted(text: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far `text` is; gives what counts rows that are done, and their share of `total`.

    On a terminal a bar with rows a second and the time left, otherwise a log line a tenth.
    """
    started, rows, done, said = perf_counter(), 0, 0, 0
    console = Console(stderr=True)
    columns = (
        "{task.description}",
        BarColumn(),
        TaskProgressColumn(),
        "{task.fields[speed]}",
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        shown = bar.add_task(text, total=total, speed="")

        def count(more: int, size: int) -> None:
            nonlocal rows, done, said
            rows, done = rows + more, min(done + size, total)
            speed = f"{rows / max(perf_counter() - started, 1e-9):,.0f} rows/s"
            bar.update(shown, completed=done, speed=speed)
            if not console.is_terminal and (tenth := 10 * done // max(total, 1)) > said:
                said = tenth
                logger.info("%s: %d rows, %d %%, %s", text, rows, 10 * tenth, speed)

        yield count
    logger.info("%s: %d rows in %.1f s", text, rows, perf_counter() - started)
