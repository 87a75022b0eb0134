"""Logging for the commands of the pipeline; the server has its own in `src.serving.logs`."""

import logging
import sys


def setup(level: int = logging.INFO) -> None:
    """Send the project's log to stderr, one plain line an event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)-7s %(name)s: %(message)s"))
    project = logging.getLogger("src")
    project.handlers[:] = [handler]
    project.setLevel(level)
    project.propagate = False
