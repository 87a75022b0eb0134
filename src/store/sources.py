"""What serving follows: the folder in service, a model store, or an MLflow server."""

import logging
from pathlib import Path
from typing import Protocol

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import StoreSettings
from src.errors import RegistryError
from src.store.bucket import BucketFiles
from src.store.files import Files, FolderFiles, fetch_from
from src.store.location import locate
from src.store.mlflow import ALIAS, Server
from src.store.models import recover
from src.store.pointer import POINTER, load_bundle, read_pointer

logger = logging.getLogger(__name__)


class Source(Protocol):
    """Where the champion is found."""

    description: str  # for logs, without secrets

    def current(self) -> str | None:
        """Return the digest of the champion's manifest, cheaply; None while there is no champion.

        Raises:
            RegistryError: the source cannot be reached.
            BundleError: what should lead to the champion is malformed.
        """
        ...

    def load(self) -> Bundle:
        """Return the champion, verified; raises as `current` does, and when there is none."""
        ...


def source_for(settings: StoreSettings) -> Source:
    """Return what MLFLOW_TRACKING_URI names; MODEL_DIR when that is unset or a database.

    Raises:
        ConfigError: MLFLOW_TRACKING_URI names no kind of source we know.
    """
    kind, address = locate(settings)
    if kind == "server":
        return ServerSource(Server(settings), settings.model_name)
    if kind == "bucket":
        return StoreSource(BucketFiles(address))
    if kind == "folder" and settings.mlflow_tracking_uri is not None:
        return StoreSource(FolderFiles(Path(address)))
    return FolderSource(settings.model_dir)


class FolderSource:
    """One bundle in a folder, `models/`."""

    def __init__(self, folder: Path) -> None:
        self.description = f"folder {folder}"
        self._files = FolderFiles(folder)

    def current(self) -> str | None:
        manifest = self._manifest()
        if manifest is None and self._recovered():
            manifest = self._manifest()
        return None if manifest is None else bundles.sha256(manifest)

    def load(self) -> Bundle:
        return bundles.load(fetch_from(self._files))

    def _manifest(self) -> bytes | None:
        return self._files.read(bundles.MANIFEST, bundles.max_bytes(bundles.MANIFEST))

    def _recovered(self) -> bool:
        try:
            return recover(self._files.root)
        except OSError:  # nothing can be renamed here: a command can
            return False


class StoreSource:
    """The champion of a model store."""

    def __init__(self, files: Files) -> None:
        self.description = f"model store {files.description}"
        self._files = files

    def current(self) -> str | None:
        pointer = read_pointer(self._files)
        return None if pointer is None else pointer.manifest_sha256

    def load(self) -> Bundle:
        pointer = read_pointer(self._files)
        if pointer is None:
            raise RegistryError(f"{self._files.description}: no {POINTER}")
        return load_bundle(self._files, pointer)


class ServerSource:
    """The version of a registered model that an MLflow server calls champion."""

    def __init__(self, server: Server, name: str | None) -> None:
        self._server = server
        self._follow(name)

    def _follow(self, name: str | None) -> None:
        self._name = name
        self.description = f"MLflow server {self._server.description}" + (f", {name}@{ALIAS}" if name else "")

    def current(self) -> str | None:
        name = self._known_name()
        version = None if name is None else self._server.champion(name)
        return None if version is None else version.digest

    def load(self) -> Bundle:
        name = self._known_name()
        version = None if name is None else self._server.champion(name)
        if version is None:
            raise RegistryError(f"{self._server.description}: {name or 'no model'} has no alias {ALIAS}")
        return bundles.load(self._server.fetch(version.run_id, version.digest), version.digest)

    def _known_name(self) -> str | None:
        """Return the model to follow, once it is known the same for good; None while none has a champion.

        Raises:
            RegistryError: several have one, and nobody said which.
        """
        if self._name is None:
            names = self._server.with_champion()
            if len(names) > 1:
                raise RegistryError(
                    f"{self._server.description}: {', '.join(names[:10])} have a champion each;"
                    " set MODEL_NAME to the one to serve"
                )
            if names:
                self._follow(*names)
                logger.info("MODEL_NAME is not set: following %s, the only model with a champion", *names)
        return self._name
