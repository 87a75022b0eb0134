"""Write a folder whole or not at all: beside its place, and then in one step into it."""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from src.disk.files import beside, leftovers, sync_folder, write_synced
from src.disk.lock import folder_locked
from src.disk.swap import swapped


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put `files` at `folder`, whole or not at all; what was there before goes."""
    place = Path(os.path.realpath(folder))
    with alone(place):
        replace_folder(stage_folder(place, files), place)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other writers of `folder` out, and clear away what killed ones left beside it.

    Raises:
        OSError: it is a file or a mount point, which nothing can be renamed to.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _refuse_what_stays(folder)
    with folder_locked(folder.parent) as held:
        if held:
            _put_back(folder, leftovers(folder, "old"), Path.is_dir)  # to replace it is not to lose it
            for left in [*leftovers(folder, "new"), *leftovers(folder, "old")]:
                shutil.rmtree(left, ignore_errors=True)
        yield


def stage_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write `files` to disk beside `folder`; return where, for `replace_folder`."""
    incoming = beside(folder, "new")
    incoming.mkdir(parents=True)
    try:
        for name, content in files.items():
            write_synced(incoming / name, content)
        sync_folder(incoming)
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    return incoming


def replace_folder(incoming: Path, folder: Path) -> None:
    """Let `incoming` stand at `folder`, where something stands at every moment; what stood there goes."""
    try:
        if not folder.exists():
            incoming.rename(folder)
        elif not swapped(incoming, folder):
            _replace_in_two_steps(incoming, folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def recover_folder(folder: Path, is_whole: Callable[[Path], bool]) -> bool:
    """Put back what a killed writer left beside `folder` when nothing stands there; return whether it did.

    A writer that lives is left alone.
    """
    place = Path(os.path.realpath(folder))
    if place.exists():
        return False
    with folder_locked(place.parent, wait=False) as held:
        # To undo what was killed between two steps is to be where the next try begins; what had nothing
        # to replace is ended.
        return held and _put_back(place, [*leftovers(place, "old"), *leftovers(place, "new")], is_whole)


def _put_back(folder: Path, found: Iterable[Path], is_whole: Callable[[Path], bool]) -> bool:
    if folder.exists():
        return False
    for left in found:
        if is_whole(left):
            left.rename(folder)
            sync_folder(folder.parent)
            return True
    return False


def _replace_in_two_steps(incoming: Path, folder: Path) -> None:
    """Rename twice, for systems that cannot exchange: killed between, `recover_folder` undoes the first."""
    outgoing = beside(folder, "old")
    folder.rename(outgoing)
    try:
        incoming.rename(folder)
    except BaseException:
        if not folder.exists():
            outgoing.rename(folder)
        raise
    shutil.rmtree(outgoing, ignore_errors=True)


def _refuse_what_stays(folder: Path) -> None:
    if _is_mount(folder):
        hint = "is a mount point, which cannot be replaced; name a folder inside it"
        raise OSError(errno.EBUSY, hint, str(folder))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def _is_mount(folder: Path) -> bool:
    if os.path.ismount(folder):
        return True
    # A folder of the same file system, mounted here, is none to Python.
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:  # not Linux
        return False
    return any(_unescaped(line.split(" ")[4]) == str(folder) for line in lines)


def _unescaped(path: str) -> str:
    """Return `path` without the octal codes that mountinfo has for spaces and the like."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path)
