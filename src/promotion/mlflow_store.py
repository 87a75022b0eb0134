"""An MLflow server as a model store: bundles are artifacts of their runs, the champion is an alias."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import StoreSettings
from src.disk.lock import locked
from src.errors import ConfigError, RegistryError
from src.params import load_params
from src.promotion.folder_store import LOCK, utc_now
from src.promotion.sealed import Sealed, read_sealed
from src.promotion.step import Author, Step
from src.schema.columns import Schema
from src.store.history import Action, Stack, after, settled
from src.store.mlflow import ALIAS, DIGEST_TAG, ModelVersion, Server, bundle_folder
from src.strict_model import StrictModel
from src.tracking.client import connected

if TYPE_CHECKING:
    from mlflow import MlflowClient

HISTORY_TAG = "champion_history"  # on the registered model: MLflow keeps no history of an alias
KEPT = 50  # versions a history goes back
# On the model version, for those who look at it.
PROMOTED_TAG = "promoted_at"
PREVIOUS_TAG = "previous_champion"
NO_LEDGER = "{}: keeps the last step of each version alone, and no ledger that this could be told from"
STEP_TAG = "promotion"  # the version's last `Step`, as a JSON array


class History(StrictModel):
    """`champion_history`: the versions in service before the last step and after it, the champion last."""

    before: Stack = ()
    after: Stack = ()


class ServerStore:
    """Writes through MLflow's client; reads as serving does, so that what is promoted can be served."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._server = Server(settings)
        self.description = f"MLflow server {self._server.description}"

    @cached_property
    def _name(self) -> str:
        """The registered model: MODEL_NAME, else the one that `params.yaml` and the prepared table name."""
        if self._settings.model_name is not None:
            return self._settings.model_name
        data = load_params().data
        task = data.task
        if task is None and paths.SCHEMA.is_file():
            fetch = bundles.folder_fetch(paths.SCHEMA.parent)
            task = bundles.parse(Schema, paths.SCHEMA.name, fetch(paths.SCHEMA.name)).task
        return data.model_name(task or data.target_task)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with locked(paths.of_project(paths.BUNDLE.parent) / LOCK):
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

    def move(self, bundle: Bundle, action: Action, author: Author) -> None:
        name, version = bundle.manifest.name, bundle.manifest.version
        champion = self._server.champion(name)
        with connected(self._settings) as client:
            stack = self._stack(self._history(client, name), champion)
            moved = after(stack, action, version)
            if moved != stack:
                history = History(before=stack[-KEPT:], after=moved[-KEPT:])
                client.set_registered_model_tag(name, HISTORY_TAG, json.dumps(history.model_dump()))
                if action != "rollback" and stack:
                    client.set_model_version_tag(name, version, PREVIOUS_TAG, stack[-1])
            step = Step(utc_now(), action, stack[-1] if stack else None, version, author)
            client.set_model_version_tag(name, version, STEP_TAG, json.dumps(step))
            client.set_model_version_tag(name, version, PROMOTED_TAG, step.time)
            # Of the champion's own version, the tag moves those who follow: its files are there by now.
            client.set_model_version_tag(name, version, DIGEST_TAG, bundle.digest)
            client.set_registered_model_alias(name, ALIAS, version)

    def champion(self) -> Sealed:
        champion = self._server.champion(self._name)
        if champion is None:
            raise RegistryError(f"{self.description}: there is no champion of {self._name}")
        return self._read(champion)

    def before_champion(self) -> Sealed:
        champion = self._server.champion(self._name)
        with connected(self._settings) as client:
            stack = self._stack(self._history(client, self._name), champion)
        if champion is None or len(stack) < 2:
            raise RegistryError(f"{self.description}: there was no champion of {self._name} before this one")
        return self.find(stack[-2])

    def rolled_back_from(self, bundle: Bundle) -> bool:
        champion = self._server.champion(self._name)
        with connected(self._settings) as client:
            history = self._history(client, self._name)
        if history is None or self._stack(history, champion) != history.after:
            return False
        left = history.before[len(history.after) :]
        return bundle.manifest.name == self._name and left == (bundle.manifest.version,)

    def steps(self) -> list[Step]:
        """Return each version's last step alone: the server keeps no more."""
        with connected(self._settings) as client:
            versions = client.search_model_versions(f"name='{self._name}'")
        found = [_step(str(version.version), version.tags) for version in versions]
        return sorted(step for step in found if step is not None)

    def every_step(self) -> list[Step]:
        raise ConfigError(NO_LEDGER.format(self.description))

    def verify(self) -> str:
        raise ConfigError(NO_LEDGER.format(self.description))

    def _read(self, version: ModelVersion) -> Sealed:
        return read_sealed(self._server.fetch(version.run_id, version.digest), version.digest)

    def _history(self, client: "MlflowClient", name: str) -> History | None:
        """Return what was written down; None before the first step."""
        from mlflow.exceptions import MlflowException

        try:
            tag = client.get_registered_model(name).tags.get(HISTORY_TAG)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        try:
            return None if tag is None else History.model_validate_json(tag)
        except ValidationError as error:
            raise RegistryError(
                f"{self.description}: the tag {HISTORY_TAG} of {name} is not a history"
            ) from error

    def _stack(self, history: History | None, champion: ModelVersion | None) -> Stack:
        """Return the versions that were in service, the champion last."""
        if history is None:
            return () if champion is None else self._followed(champion)
        return history.after if champion is None else settled(history.before, history.after, champion.version)

    def _followed(self, champion: ModelVersion) -> Stack:
        """Return what led to `champion` by the tags alone: earlier versions wrote nothing else."""
        stack = [champion.version]
        version: ModelVersion | None = champion
        while version is not None and len(stack) < KEPT:
            previous = version.tag(PREVIOUS_TAG)
            if previous is None or previous in stack:  # a promotion of an old version made a circle
                break
            stack.append(previous)
            version = self._server.version(champion.name, previous)
        return tuple(reversed(stack))


def _step(version: str, tags: Mapping[str, str]) -> Step | None:
    """Return what the tags of `version` say; earlier releases wrote the time alone."""
    if STEP_TAG in tags:
        time, action, replaced, _, author = json.loads(tags[STEP_TAG])
        return Step(time, action, replaced, version, Author(*author))
    if PROMOTED_TAG in tags:
        return Step(tags[PROMOTED_TAG], "promote", tags.get(PREVIOUS_TAG), version, Author(None, None, None))
    return None
