"""Progress of long work: a spinner on a terminal, a plain log line otherwise."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console

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
