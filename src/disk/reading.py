"""A file of a folder that others may write to, read without trusting what stands there."""

import os
import stat
from pathlib import Path

from src.errors import BundleError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # opening a pipe waits for its writer


def read_within(root: Path, name: str, limit: int) -> bytes | None:
    """Return the file `name` under `root`; None when there is none.

    Links are followed, as volumes of Kubernetes and git-sync have them, while they stay within `root`;
    `root` itself may be a link.

    Raises:
        BundleError: it leads out of `root`, is no regular file, or is larger than `limit` bytes.
        OSError: it cannot be read.
    """
    path = root / name
    top = os.path.realpath(root)
    real = os.path.realpath(path)  # `Path.resolve` raises on a link to itself
    if not Path(real).is_relative_to(top):
        raise BundleError(f"{path}: leads out of {root}")
    try:
        descriptor = _open_within(top, Path(real).relative_to(top).parts)
    except FileNotFoundError:
        return None
    if descriptor is None:
        raise BundleError(f"{path}: not a file")
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):  # put there after it was looked at
            raise BundleError(f"{path}: not a file")
        content = file.read(min(found.st_size, limit) + 1)
    if len(content) > limit:
        raise BundleError(f"{path}: larger than {limit} bytes")
    return content


def _open_within(top: str, parts: tuple[str, ...]) -> int | None:
    """Return a descriptor of the file that `parts` lead to from `top`, step by step; None when it is none.

    What was a folder when the path was resolved and is a link by now is not followed.
    """
    place = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER, dir_fd=place)
            os.close(place)
            place = below
        return _open_file(parts[-1] if parts else ".", place)
    finally:
        os.close(place)


def _open_file(name: str, place: int) -> int | None:
    """Return a descriptor of the file `name` in `place`; None when it is something else.

    It is looked at before: to open a device can have effects, and a socket cannot be opened.
    """
    mode = os.stat(name, dir_fd=place, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):  # to itself, or put there in this moment
        raise FileNotFoundError
    return os.open(name, _FILE, dir_fd=place) if stat.S_ISREG(mode) else None
