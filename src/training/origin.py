"""Where a model comes from: the commit of the code, and the libraries that ran it."""

import logging
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn")


class Origin(NamedTuple):
    """What a model is made from."""

    data_digest: str  # SHA-256 of the raw table
    test_digest: str  # SHA-256 of the rows held out from it
    git_commit: str | None


def git_commit() -> str | None:
    """Return the commit that is checked out, with `-dirty` when tracked files differ, or may differ.

    None outside a Git checkout; inside one, a commit that cannot be read is a warning, too.
    """
    if not any((folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents)):
        return None
    try:
        commit = _git("rev-parse", "--verify", "HEAD")
    except _Unreadable as error:
        logger.warning("the model's origin has no commit: %s", error)
        return None
    try:
        return f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit
    except _Unreadable as error:
        logger.warning("whether files differ from the commit is not known: %s", error)
        return f"{commit}-dirty"


def libraries() -> dict[str, str]:
    """Return the versions of Python and of what decides what a model answers."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


class _Unreadable(Exception):
    """What Git says of a checkout that it does not read."""


def _git(*arguments: str) -> str:
    # Git does not read another user's checkout, such as one mounted into a container, lest it run programs
    # that its configuration names; the code that runs here is of that checkout itself.
    command = ["git", "-c", "safe.directory=*", *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    except OSError as error:
        raise _Unreadable(f"git: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise _Unreadable((error.stderr.strip().splitlines() or ["git failed"])[0]) from error
    return result.stdout.strip()
