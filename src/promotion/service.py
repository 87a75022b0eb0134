"""Put a verified bundle into service: the model store's champion, `models/`, and the record's alias."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from src.bundle.bundle import Bundle, Manifest
from src.config import StoreSettings
from src.disk.folders import alone, replace_folder, stage_folder
from src.errors import RegistryError
from src.promotion.folder_store import FolderStore
from src.promotion.mlflow_store import ServerStore
from src.promotion.sealed import Sealed
from src.promotion.step import Author, Step
from src.store.history import Action
from src.store.location import locate, store_folder, tracking_uri
from src.store.mlflow import ALIAS
from src.store.models import models_folder, recover
from src.tracking.client import connected, has_database

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

    def move(self, bundle: Bundle, action: Action, author: Author) -> None:
        """Make a kept bundle the champion, and remember how it came to be, as `history` says."""
        ...

    def champion(self) -> Sealed:
        """Return the champion, verified; RegistryError when there is none."""
        ...

    def before_champion(self) -> Sealed:
        """Return the bundle that a rollback returns to; RegistryError when there is none."""
        ...

    def steps(self) -> list[Step]:
        """Return how the champion came to be, the oldest step first."""
        ...

    def every_step(self) -> list[Step]:
        """Return the same, and nothing left out; ConfigError where the store does not keep that."""
        ...

    def verify(self) -> str:
        """Prove that the ledger and its bundles are as they were written; return what was proven, a line.

        Raises:
            RegistryError: names the first line or bundle that is not.
            ConfigError: the store keeps no ledger.
        """
        ...

    def rolled_back_from(self, bundle: Bundle) -> bool:
        """Return whether the last step was a rollback, from `bundle`."""
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
            recover(models_folder(settings))
            yield store
    except OSError as error:
        raise RegistryError(f"{error.filename or store.description}: {error.strerror or error}") from error


def put_in_service(
    settings: StoreSettings, store: ModelStore, sealed: Sealed, action: Action, author: Author
) -> None:
    """Make a kept bundle the champion of its store, and the one that is served."""
    manifest = sealed.bundle.manifest
    models = models_folder(settings)
    with alone(models):
        # What can be expected to fail (a full disk, a server that is away) comes before the first change
        # that anybody sees. What is left is the pointer, then one rename: each shows the old or the new
        # bundle, whole. `models/` is last: while it is behind the champion, the command has not ended, and
        # the next one sees that.
        incoming = stage_folder(models, sealed.files)
        try:
            store.move(sealed.bundle, action, author)
            try:
                if locate(settings).kind != "server":  # there the alias is the pointer
                    _move_alias(settings, manifest)
            finally:
                replace_folder(incoming, models)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
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
