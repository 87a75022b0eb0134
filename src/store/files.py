"""The files of a model store, read without trusting them."""

from pathlib import Path
from typing import Protocol

from src.bundle import bundle as bundles
from src.disk.reading import read_within
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
        try:
            return read_within(self.root, name, limit)
        except OSError as error:
            raise RegistryError(f"{self.root / name}: {error.strerror or error}") from error


def fetch_from(files: Files, folder: str = "") -> bundles.Fetch:
    """Return a `Fetch` of the bundle in `folder` of `files`."""

    def fetch(name: str) -> bytes:
        path = f"{folder}/{name}".lstrip("/")
        content = files.read(path, bundles.max_bytes(name))
        if content is None:
            raise BundleError(f"{files.description}: no {path}")
        return content

    return fetch
