"""A step in the history of a model store: what replaced what, when, by whom and why."""

import getpass
import socket
from typing import NamedTuple

from src.errors import ConfigError
from src.store.history import Action

MAX_REASON = 500  # characters; MLflow's tags hold no more than a few thousand


class Author(NamedTuple):
    """Who took a step, where, and why; what is not known is None."""

    user: str | None
    host: str | None
    reason: str | None

    def __str__(self) -> str:
        return "@".join(part for part in (self.user, self.host) if part)


class Step(NamedTuple):
    """A model that became champion."""

    time: str  # ISO 8601, UTC
    action: Action
    replaced: str | None  # the version that was champion until then
    version: str
    author: Author


def author(reason: str | None = None) -> Author:
    """Return who runs this command; ConfigError when `reason` is not one line of reasonable length."""
    if reason is not None and not (reason.isprintable() and 0 < len(reason.strip()) <= MAX_REASON):
        raise ConfigError(f"--reason: must be one line of 1 to {MAX_REASON} characters")
    try:
        user: str | None = getpass.getuser()
    except (KeyError, OSError):  # in a container, a user id without a name
        user = None
    return Author(user, socket.gethostname() or None, reason.strip() if reason else None)
