"""Logging for the commands of the pipeline; the server has its own in `src.serving.logs`."""

import logging
import sys


class _StderrHandler(logging.Handler):
    """Writes to whatever stderr is now: while a spinner turns, rich puts lines above it."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


def setup(level: int = logging.INFO) -> None:
    """Send the project's log to stderr, one plain line an event."""
    handler = _StderrHandler()
    handler.setFormatter(logging.Formatter("%(levelname)-7s %(message)s"))
    for name in ("src", "__main__"):  # a module that is run is called __main__
        project = logging.getLogger(name)
        project.handlers[:] = [handler]
        project.setLevel(level)
        project.propagate = False
