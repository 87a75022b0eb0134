"""One at a time: locks that the system lets go of when a process dies."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)


class _Held(threading.local):
    """The folders this thread holds, by device and inode: `flock` would wait for its own thread for ever."""

    def __init__(self) -> None:
        self.folders: set[tuple[int, int]] = set()


_held = _Held()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Wait until nobody else holds `file`, and hold it."""
    import fcntl

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        _wait(fcntl.LOCK_EX, handle.fileno(), file)
        yield


@contextmanager
def folder_locked(folder: Path, wait: bool = True) -> Iterator[bool]:
    """Hold `folder` itself, without a file in it; a thread may hold it twice.

    Gives False, and holds nothing, where that is impossible: there is no such folder, the file system or
    the system does not lock folders, or somebody else holds it and `wait` is False.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, AttributeError):  # Windows opens no folders
        yield False
        return
    try:
        status = os.fstat(handle)
        identity = status.st_dev, status.st_ino
        if identity in _held.folders:
            yield True
        elif not _lock_folder(handle, folder, wait):
            yield False
        else:
            _held.folders.add(identity)
            try:
                yield True
            finally:
                _held.folders.discard(identity)
    finally:
        os.close(handle)


def _lock_folder(handle: int, folder: Path, wait: bool) -> bool:
    import fcntl

    try:
        if wait:
            _wait(fcntl.LOCK_EX, handle, folder)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by somebody, or a network's file system that locks only files
        return False
    return True


def _wait(operation: int, handle: int, where: Path) -> None:
    import fcntl

    try:
        fcntl.flock(handle, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.info("waiting for another command, which holds %s", where)
        fcntl.flock(handle, operation)


@contextmanager
def try_locked(file: Path) -> Iterator[bool]:
    """Hold `file`, which is made where there is none; gives False at once when somebody else holds it."""
    import fcntl

    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        # Whoever held it may have removed it meanwhile.
        yield file.exists() and os.path.samestat(os.fstat(handle.fileno()), file.stat())
