"""Where a model comes from: the commit of the code, and the libraries that ran it."""

import platform
import subprocess
from importlib.metadata import version
from typing import NamedTuple

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn")


class Origin(NamedTuple):
    """What a model is made from."""

    data_digest: str  # SHA-256 of the raw table
    git_commit: str | None


def git_commit() -> str | None:
    """Return the commit that is checked out, with `-dirty` when tracked files differ; None outside Git."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit


def libraries() -> dict[str, str]:
    """Return the versions of Python and of what decides what a model answers."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git here, or no checkout
        return None
    return result.stdout.strip()
