"""The files of a model store, read without trusting them."""

import os
from pathlib import Path
from typing import Protocol

from src import bundle as bundles
from src.errors import BundleError, RegistryError


class Files(Protocol):
    """Named files, wherever they lie; names are relative paths."""

    @property
    def description(self) -> str:
        """Where that is, without secrets."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """Return the content of `name`; None when there is no such file.

        Raises:
            BundleError: it is not a file of this place, or is larger than `limit` bytes.
            RegistryError: it cannot be reached.
        """
        ...


class FolderFiles:
    """Files under a folder; a link that leads out of it is refused."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def description(self) -> str:
        return str(self.root)

    def read(self, name: str, limit: int) -> bytes | None:
        path = self.root / name
        try:
            real = Path(os.path.realpath(path))  # `resolve` raises on a link to itself
            if not real.is_relative_to(os.path.realpath(self.root)):
                raise BundleError(f"{path}: leads out of {self.root}")
            if not real.exists():
                return None
            if not real.is_file():  # reading a pipe or a device may never end
                raise BundleError(f"{path}: not a file")
            with real.open("rb") as file:
                content = file.read(limit + 1)
        except OSError as error:
            raise RegistryError(f"{path}: {error.strerror or error}") from error
        if len(content) > limit:
            raise BundleError(f"{path}: larger than {limit} bytes")
        return content


def fetch_from(files: Files, folder: str) -> bundles.Fetch:
    """Return a `Fetch` of the bundle in `folder` of `files`."""

    def fetch(name: str) -> bytes:
        path = f"{folder}/{name}"
        content = files.read(path, bundles.MAX_BYTES)
        if content is None:
            raise BundleError(f"{files.description}: no {path}")
        return content

    return fetch
