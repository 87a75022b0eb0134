"""Write a file whole or not at all, and have it on the disk."""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from src.disk.lock import folder_locked

Kind = Literal["new", "old"]


def write_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`: a reader, and who comes after a crash, sees the old or the new, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder_locked(path.parent) as alone:
        if alone:
            for left in leftovers(path, "new"):
                left.unlink(missing_ok=True)
        incoming = beside(path, "new")
        try:
            write_synced(incoming, content)
            incoming.replace(path)
        finally:
            incoming.unlink(missing_ok=True)
        sync_folder(path.parent)


def write_synced(path: Path, content: bytes) -> None:
    """Write `content` to a new file and wait until the disk has it."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def put_synced(incoming: Path, path: Path) -> None:
    """Let the written file `incoming` stand at `path`, once the disk has it."""
    with incoming.open("rb") as file:
        os.fsync(file.fileno())
    incoming.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in `folder`: a rename is in its folder, not in its file."""
    if os.name == "nt":  # which opens no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network's file systems sync files only
            raise
    finally:
        os.close(handle)


def beside(path: Path, kind: Kind) -> Path:
    """Return a hidden name beside `path` that nobody else is given: no two writers share one."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.{kind}")


def leftovers(path: Path, kind: Kind) -> Iterator[Path]:
    """Yield what killed writers of `path` left beside it; and living ones, unless they are locked out."""
    # Without the token: as they were named once.
    name = re.compile(rf"\.{re.escape(path.name)}(\.[0-9a-f]{{16}})?\.{kind}")
    try:
        names = os.listdir(path.parent)
    except FileNotFoundError:
        return
    for found in sorted(names):
        if name.fullmatch(found):
            yield path.with_name(found)
