"""A model store in a folder: its bundles, which of them is champion, and which were before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from src import bundle as bundles
from src.bundle import Bundle
from src.errors import BundleError, RegistryError
from src.frozen import Frozen
from src.registry.champion import POINTER, Pointer, load_bundle, read_pointer
from src.registry.files import FolderFiles, fetch_from
from src.registry.lock import locked
from src.registry.sealed import Sealed, read_sealed

BUNDLES = "bundles"
LEDGER = "ledger.jsonl"
LOCK = ".lock"


class Promotion(Frozen):
    """A line of the ledger."""

    time: str  # ISO 8601, UTC
    version: str
    bundle: str
    manifest_sha256: str
    previous: str | None  # the bundle that a rollback from this one returns to


class FolderStore:
    """Every file is written beside and renamed: a reader sees the old one or the new one, whole."""

    def __init__(self, root: Path) -> None:
        self.description = f"model store {root}"
        self._root = root
        self._files = FolderFiles(root)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with locked(self._root / LOCK):
            yield

    def add(self, sealed: Sealed) -> None:
        pointer = pointer_to(sealed.bundle)
        try:
            load_bundle(self._files, pointer)
        except BundleError:  # not there yet, or damaged
            bundles.write_folder(self._root / pointer.bundle, sealed.files)

    def find(self, version: str) -> Sealed:
        names = self._names()
        found = [name for name in names if version in (name, name.rpartition("-")[0])]
        if len(found) == 1:
            return self._read(f"{BUNDLES}/{found[0]}")
        problem = f"version {version} has several bundles, name one" if found else f"no version {version}"
        raise RegistryError(f"{self.description}: {problem}; there are: {', '.join(names) or 'none'}")

    def promote(self, bundle: Bundle) -> None:
        champion = self._champion()
        self._point_to(bundle, previous=champion.bundle if champion else None)

    def before_champion(self) -> Sealed:
        champion = self._champion()
        previous = None if champion is None else self._previous(champion.bundle)
        if previous is None:
            raise RegistryError(f"{self.description}: there was no champion before this one")
        return self._read(previous)

    def return_to(self, bundle: Bundle) -> None:
        self._point_to(bundle, previous=self._previous(pointer_to(bundle).bundle))

    def ledger(self) -> list[Promotion]:
        """Return the promotions, the oldest first."""
        file = self._root / LEDGER
        try:
            lines = file.read_bytes().splitlines()
            return [Promotion.model_validate_json(line) for line in lines]
        except FileNotFoundError:
            return []
        except ValidationError as error:
            raise RegistryError(f"{file}: not a ledger of this version") from error

    def _names(self) -> list[str]:
        try:
            return sorted(path.name for path in (self._root / BUNDLES).iterdir() if path.name[0] != ".")
        except FileNotFoundError:
            return []

    def _read(self, path: str) -> Sealed:
        sealed = read_sealed(fetch_from(self._files, path))
        if pointer_to(sealed.bundle).bundle != path:
            raise BundleError(f"{self.description}: {path} is not the bundle that was put there")
        return sealed

    def _champion(self) -> Pointer | None:
        try:
            return read_pointer(self._files)
        except BundleError:  # a damaged pointer is mended by the next promotion
            return None

    def _previous(self, path: str) -> str | None:
        return next((line.previous for line in reversed(self.ledger()) if line.bundle == path), None)

    def _point_to(self, bundle: Bundle, previous: str | None) -> None:
        pointer = pointer_to(bundle)
        if pointer == self._champion():
            return
        line = Promotion(
            time=utc_now(),
            version=bundle.manifest.version,
            bundle=pointer.bundle,
            manifest_sha256=pointer.manifest_sha256,
            previous=previous,
        )
        # The ledger first: a line too many does no harm, a champion without one could not be rolled back.
        ledger = "".join(f"{entry.model_dump_json()}\n" for entry in [*self.ledger(), line])
        _write(self._root / LEDGER, ledger.encode())
        _write(self._root / POINTER, bundles.dump_json(pointer.model_dump()))


def pointer_to(bundle: Bundle) -> Pointer:
    """Return what `champion.json` says when `bundle` is champion."""
    version = bundle.manifest.version
    try:
        pointer = Pointer(bundle=f"{BUNDLES}/{version}-{bundle.digest[:12]}", manifest_sha256=bundle.digest)
    except ValidationError as error:
        raise BundleError(f"version {version!r} cannot be the name of a folder") from error
    if "/" in version:
        raise BundleError(f"version {version!r} cannot be the name of a folder")
    return pointer


def utc_now() -> str:
    """Return the time as ISO 8601, UTC, in whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(file: Path, content: bytes) -> None:
    beside = file.with_name(f".{file.name}.new")
    with beside.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    beside.replace(file)
