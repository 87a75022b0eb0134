"""Exchange what stands at two paths in one step, where the system can."""

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

_AT_FDCWD = -100  # paths are relative to the folder we are in
_RENAME_EXCHANGE = 2  # of Linux; macOS calls it RENAME_SWAP


def swapped(one: Path, other: Path) -> bool:
    """Exchange `one` and `other`; return False, with nothing changed, where that cannot be done."""
    rename = _rename()
    return rename is not None and rename(os.fsencode(one), os.fsencode(other)) == 0


@cache
def _rename() -> Callable[[bytes, bytes], int] | None:
    """Return the system's call; None where it has none. A file system may still refuse it."""
    if sys.platform not in ("linux", "darwin"):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    try:
        call = library.renameat2 if sys.platform == "linux" else library.renamex_np
    except AttributeError:  # an old C library
        return None
    if sys.platform == "linux":
        return lambda one, other: int(call(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE))
    return lambda one, other: int(call(one, other, _RENAME_EXCHANGE))
