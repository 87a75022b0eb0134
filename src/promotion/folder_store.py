"""A model store in a folder: its bundles, which of them is champion, and which were before."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.disk.files import write_file
from src.disk.lock import locked
from src.errors import BundleError, RegistryError
from src.promotion.sealed import Sealed, read_sealed
from src.promotion.step import Author, Step
from src.store.files import FolderFiles, fetch_from
from src.store.history import Action, Stack, after, settled
from src.store.ledger import (
    LEDGER,
    Measures,
    Promotion,
    append_to_ledger,
    completed,
    read_ledger,
    stack_of,
    verify_chain,
)
from src.store.numbers import BUNDLES, kept_versions
from src.store.pointer import POINTER, Pointer, load_bundle, read_pointer

LOCK = ".lock"


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
            self._refuse_a_taken_number(sealed.bundle)
            bundles.write_folder(self._root / pointer.bundle, sealed.files)

    def find(self, version: str) -> Sealed:
        names = self._names()
        found = [name for name in names if version in (name, name.rpartition("-")[0])]
        if len(found) == 1:
            return self._read(f"{BUNDLES}/{found[0]}")
        problem = f"version {version} has several bundles, name one" if found else f"no version {version}"
        raise RegistryError(f"{self.description}: {problem}; there are: {', '.join(names) or 'none'}")

    def move(self, bundle: Bundle, action: Action, author: Author) -> None:
        pointer = pointer_to(bundle)
        lines, stack = self._history()
        moved = after(stack, action, pointer.bundle)
        if moved != stack:
            line = Promotion(
                time=utc_now(),
                action=action,
                version=bundle.manifest.version,
                bundle=pointer.bundle,
                manifest_sha256=pointer.manifest_sha256,
                previous=moved[-2] if len(moved) > 1 else None,
                replaced=stack[-1] if stack else None,
                measures=bundle.manifest.measures,
                replaced_measures=self._measures(stack[-1]) if stack else None,
                revokes_last=len(lines) < len(completed(self.ledger())),
                **author._asdict(),
            )
            # The ledger first: a line too many is seen, a champion without one could not be rolled back.
            append_to_ledger(self._root, line)
        if pointer != self._champion():
            write_file(self._root / POINTER, bundles.dump_json(pointer.model_dump()))

    def champion(self) -> Sealed:
        pointer = self._champion()
        if pointer is None:
            raise RegistryError(f"{self.description}: there is no champion")
        return self._read(pointer.bundle)

    def before_champion(self) -> Sealed:
        _, stack = self._history()
        if self._champion() is None or len(stack) < 2:
            raise RegistryError(f"{self.description}: there was no champion before this one")
        return self._read(stack[-2])

    def rolled_back_from(self, bundle: Bundle) -> bool:
        lines, stack = self._history()
        before = stack_of(lines[:-1])
        return len(stack) < len(before) and before[-1] == pointer_to(bundle).bundle

    def steps(self) -> list[Step]:
        lines, _ = self._history()
        return [
            Step(
                line.time,
                line.action or "promote",
                line.replaced_version,
                line.version,
                Author(line.user, line.host, line.reason),
            )
            for line in lines
        ]

    def every_step(self) -> list[Step]:
        return self.steps()

    def verify(self) -> str:
        chained = verify_chain(self._root)
        lines = self.ledger()
        self._refuse_another_champion(lines)
        pointers: dict[tuple[str, str], int] = {}
        for number, line in enumerate(lines, 1):
            pointers.setdefault((line.bundle, line.manifest_sha256), number)
        whole = 0
        for (bundle, digest), number in pointers.items():
            if (self._root / bundle).exists():
                try:
                    load_bundle(self._files, Pointer(bundle=bundle, manifest_sha256=digest))
                except (BundleError, ValidationError) as error:
                    where = f"{bundle}, of line {number} of {LEDGER}"
                    raise RegistryError(f"{self.description}: {where}: {error}") from error
                whole += 1
        return (
            f"{self.description}: {LEDGER} is whole, {len(lines)} lines of which the digests of {chained}"
            f" vouch for each other; of {len(pointers)} bundles {whole} are there, and whole"
        )

    def ledger(self) -> list[Promotion]:
        """Return the promotions that were begun, the oldest first."""
        return read_ledger(self._root)

    def _history(self) -> tuple[list[Promotion], Stack]:
        """Return the promotions that were completed, and the stack they make with the champion on top."""
        lines, champion = completed(self.ledger()), self._champion()
        before, written = stack_of(lines[:-1]), stack_of(lines)
        if champion is None:
            return lines, written
        stack = settled(before, written, champion.bundle)
        return (lines[:-1] if stack == before != written else lines), stack

    def _refuse_another_champion(self, lines: Sequence[Promotion]) -> None:
        """The last step may not have been completed; a champion beyond that came by no command."""
        champion = self._champion()
        if champion is None:
            return
        last = [(line.bundle, line.manifest_sha256) for line in completed(lines)[-2:]]
        if (champion.bundle, champion.manifest_sha256) not in last:
            raise RegistryError(
                f"{self.description}: {POINTER} names {champion.bundle}, and the end of {LEDGER} does not:"
                " lines are missing, or the champion was moved by hand"
            )

    def _measures(self, bundle: str) -> Measures | None:
        """Return what the manifest of a kept bundle says it measured; None when it cannot be read."""
        try:
            manifest = fetch_from(self._files, bundle)(bundles.MANIFEST)
            return bundles.parse_manifest(manifest).measures
        except (BundleError, RegistryError):
            return None

    def _refuse_a_taken_number(self, bundle: Bundle) -> None:
        """A version may be measured again, but a model of another record has its number by chance."""
        new = bundle.manifest
        for kept in kept_versions(self._root):
            if (kept.name, kept.version) == (
                new.name,
                new.version,
            ) and kept.mlflow_run_id != new.mlflow_run_id:
                raise RegistryError(
                    f"{self.description}: version {new.version} is the model of run {kept.mlflow_run_id}, and"
                    f" this is the one of run {new.mlflow_run_id}; train it here, for a number of its own"
                )

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
