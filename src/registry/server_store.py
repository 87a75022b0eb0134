"""An MLflow server as a model store: bundles are artifacts of their runs, the champion is an alias."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from src import bundle as bundles
from src import paths
from src.bundle import Bundle
from src.config import StoreSettings
from src.errors import RegistryError
from src.registry.folder_store import LOCK, utc_now
from src.registry.lock import locked
from src.registry.mlflow_server import ALIAS, DIGEST_TAG, ModelVersion, Server, bundle_folder
from src.registry.sealed import Sealed, read_sealed
from src.registry.tracking import connected

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Tags of the model version: MLflow keeps no history of an alias.
PROMOTED_TAG = "promoted_at"
PREVIOUS_TAG = "previous_champion"


class ServerStore:
    """Writes through MLflow's client; reads as serving does, so that what is promoted can be served."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._server = Server(settings)
        self._name = settings.model_name
        self.description = f"MLflow server {self._server.description}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        with locked(paths.BUNDLE.parent / LOCK):
            yield

    def add(self, sealed: Sealed) -> None:
        manifest, digest = sealed.bundle.manifest, sealed.bundle.digest
        known = self._server.version(manifest.name, manifest.version)
        if known is None or known.run_id != manifest.mlflow_run_id:
            raise RegistryError(
                f"{self.description}: {manifest.name} version {manifest.version} is not from run"
                f" {manifest.mlflow_run_id}; train with the same MLFLOW_TRACKING_URI as you publish"
            )
        with connected(self._settings) as client, tempfile.TemporaryDirectory() as folder:
            for name, content in sealed.files.items():
                (Path(folder) / name).write_bytes(content)
            client.log_artifacts(known.run_id, folder, bundle_folder(digest))
        bundles.load(self._server.fetch(known.run_id, digest), digest)

    def find(self, version: str) -> Sealed:
        known = self._server.version(self._name, version) if version.isdecimal() else None
        if known is None:
            with connected(self._settings) as client:
                versions = client.search_model_versions(f"name='{self._name}'")
            published = sorted((v.version for v in versions if DIGEST_TAG in v.tags), key=int)
            raise RegistryError(
                f"{self.description}: no version {version} of {self._name};"
                f" there are: {', '.join(published) or 'none'}"
            )
        return self._read(known)

    def promote(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        champion = self._server.champion(manifest.name)
        with connected(self._settings) as client:
            if champion is not None and champion.version != manifest.version:
                client.set_model_version_tag(manifest.name, manifest.version, PREVIOUS_TAG, champion.version)
            self._set_alias(client, bundle)

    def before_champion(self) -> Sealed:
        champion = self._server.champion(self._name)
        previous = None if champion is None else champion.tag(PREVIOUS_TAG)
        if previous is None:
            raise RegistryError(f"{self.description}: there was no champion of {self._name} before this one")
        return self.find(previous)

    def return_to(self, bundle: Bundle) -> None:
        with connected(self._settings) as client:
            self._set_alias(client, bundle)

    def _read(self, version: ModelVersion) -> Sealed:
        return read_sealed(self._server.fetch(version.run_id, version.digest), version.digest)

    def _set_alias(self, client: "MlflowClient", bundle: Bundle) -> None:
        name, version = bundle.manifest.name, bundle.manifest.version
        client.set_model_version_tag(name, version, PROMOTED_TAG, utc_now())
        # Of the champion's own version, the tag moves those who follow: its files are there by now.
        client.set_model_version_tag(name, version, DIGEST_TAG, bundle.digest)
        client.set_registered_model_alias(name, ALIAS, version)
