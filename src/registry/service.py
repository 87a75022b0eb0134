"""Put a verified bundle into service: the model store's champion, `models/`, and the record's alias."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from src import bundle as bundles
from src.bundle import Bundle, Manifest
from src.config import StoreSettings
from src.errors import RegistryError
from src.registry.folder_store import FolderStore
from src.registry.location import locate, store_folder, tracking_uri
from src.registry.mlflow_server import ALIAS
from src.registry.sealed import Sealed
from src.registry.server_store import ServerStore
from src.registry.tracking import connected, has_database

logger = logging.getLogger(__name__)


class ModelStore(Protocol):
    """Where published bundles are kept; every method raises RegistryError when it cannot be reached."""

    description: str

    def locked(self) -> AbstractContextManager[None]:
        """Keep other publishers out."""
        ...

    def add(self, sealed: Sealed) -> None:
        """Keep a bundle; one that is there and whole stays as it is."""
        ...

    def find(self, version: str) -> Sealed:
        """Return a kept bundle, verified; RegistryError names those that exist."""
        ...

    def promote(self, bundle: Bundle) -> None:
        """Make a kept bundle the champion, and remember which one it follows."""
        ...

    def before_champion(self) -> Sealed:
        """Return the bundle that the champion followed; RegistryError when there is none."""
        ...

    def return_to(self, bundle: Bundle) -> None:
        """Make `bundle` the champion again: the next rollback goes further back, not forth."""
        ...


@contextmanager
def open_store(settings: StoreSettings) -> Iterator[ModelStore]:
    """Give the model store that is published to, locked; a failure of the disk becomes one line.

    Raises:
        ConfigError: MLFLOW_TRACKING_URI is a bucket, or nothing we know.
    """
    tracking_uri(settings)  # refuses what can only be read
    store: ModelStore
    if locate(settings).kind == "server":
        store = ServerStore(settings)
    else:
        store = FolderStore(store_folder(settings))
    try:
        with store.locked():
            yield store
    except OSError as error:
        raise RegistryError(f"{error.filename or store.description}: {error.strerror or error}") from error


def put_in_service(settings: StoreSettings, sealed: Sealed, move: Callable[[Bundle], None]) -> None:
    """Make a kept bundle the one that is served; `move` makes it its store's champion."""
    manifest = sealed.bundle.manifest
    models = settings.model_dir.resolve()
    # What can be expected to fail (a full disk, a server that is away) comes before the first change
    # that anybody sees. What is left is the pointer, then one rename: each shows the old or the new
    # bundle, whole. Should it end between them, promoting the version brings them together.
    incoming = bundles.stage_folder(models, sealed.files)
    try:
        move(sealed.bundle)
        bundles.replace_folder(incoming, models)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    if locate(settings).kind != "server":  # there the alias is the pointer
        _move_alias(settings, manifest)
    logger.info("%s version %s is in service, in %s", manifest.name, manifest.version, settings.model_dir)


def _move_alias(settings: StoreSettings, manifest: Manifest) -> None:
    """Let `models:/<name>@champion` mean this version, for those who use MLflow; serving does not."""
    if has_database(settings):
        with connected(settings) as client:
            for version in client.search_model_versions(f"name='{manifest.name}'"):
                if (str(version.version), version.run_id) == (manifest.version, manifest.mlflow_run_id):
                    client.set_registered_model_alias(manifest.name, ALIAS, manifest.version)
                    return
    logger.warning(
        "the MLflow record has no %s version %s: its alias %s stays where it was",
        manifest.name,
        manifest.version,
        ALIAS,
    )
