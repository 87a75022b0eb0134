"""The record of what was done: runs, their numbers and pictures, and the versions of the model."""

import json
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.config import StoreSettings
from src.errors import RegistryError
from src.tracking.client import connected
from src.tracking.experiment import DELETED, experiment_id_of, restore_experiment
from src.tracking.versions import create_version

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from sklearn.pipeline import Pipeline

logger = logging.getLogger(__name__)

EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Dataset:
    """A table, as the record names it."""

    name: str
    digest: str
    source: str
    rows: int
    columns: Mapping[str, str]  # and their types, as MLflow names those


@dataclass(frozen=True)
class Run:
    """One run of the record; every method raises RegistryError when MLflow fails."""

    settings: StoreSettings
    run_id: str
    experiment_id: str

    def log(
        self,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Keep all of it at once; a parameter keeps its first value, MLflow shows the last of the others."""
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        with connected(self.settings) as client:
            client.log_batch(
                self.run_id,
                metrics=[Metric(name, value, now, 0) for name, value in (metrics or {}).items()],
                params=[Param(name, str(value)) for name, value in (params or {}).items()],
                tags=[RunTag(name, value) for name, value in (tags or {}).items()],
            )

    def log_dataset(self, data: "Dataset") -> None:
        """Name the table that the model is fitted on."""
        from mlflow.entities import Dataset as Logged
        from mlflow.entities import DatasetInput, InputTag
        from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

        columns = [{"name": name, "type": kind} for name, kind in data.columns.items()]
        known = Logged(
            data.name,
            data.digest[:12],
            "local",
            json.dumps({"uri": data.source}),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": data.rows, "num_elements": data.rows * len(columns)}),
        )
        with connected(self.settings) as client:
            tag = InputTag(MLFLOW_DATASET_CONTEXT, "training")
            client.log_inputs(self.run_id, [DatasetInput(known, [tag])])

    def log_files(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Keep `files`, by name, as artifacts in `folder`."""
        with connected(self.settings) as client, tempfile.TemporaryDirectory() as local:
            for name, content in files.items():
                (Path(local) / name).write_bytes(content)
            client.log_artifacts(self.run_id, local, folder)

    def describe_version(self, name: str, version: str, text: str, tags: Mapping[str, str]) -> None:
        """Say on the page of this run's `version` of model `name` what it is; a deleted one stays deleted."""
        with connected(self.settings) as client:
            known = {(str(one.version), one.run_id) for one in client.search_model_versions(f"name='{name}'")}
            if (version, self.run_id) not in known:
                logger.warning("the record has no %s version %s: it is not described there", name, version)
                return
            client.update_model_version(name, version, text)
            for key, value in tags.items():
                client.set_model_version_tag(name, version, key, value)

    def register(self, pipeline: "Pipeline", name: str, rows: "pd.DataFrame") -> str:
        """Log `pipeline` with its signature and the first of `rows`; return its version of model `name`."""
        with connected(self.settings) as client, tempfile.TemporaryDirectory() as folder:
            from mlflow.entities import LoggedModelOutput
            from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

            model = client.create_logged_model(
                self.experiment_id, "model", self.run_id, model_type=type(pipeline[-1]).__name__
            )
            path = str(Path(folder) / "model")
            _save(pipeline, path, rows, self.run_id, model.model_id)
            client.log_model_artifacts(model.model_id, path)
            client.finalize_logged_model(model.model_id, "READY")
            client.log_outputs(self.run_id, [LoggedModelOutput(model.model_id, step=0)])
            version = create_version(client, self.settings, name, model)
            link = json.dumps([{"name": name, "version": version}])
            client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_VERSIONS: link})
            return str(version)


@contextmanager
def start_run(
    settings: StoreSettings, *, experiment: str, run_name: str | None, tags: Mapping[str, str]
) -> Iterator[Run]:
    """Record a new run; it is FINISHED, or FAILED when the block is left by an exception.

    Raises:
        ConfigError, RegistryError: as `connected` says.
    """
    with connected(settings) as client:
        experiment_id = experiment_id_of(client, settings, experiment)
        info = client.create_run(experiment_id, tags=_context(tags), run_name=run_name).info
    with _ended(Run(settings, info.run_id, experiment_id)) as run:
        yield run


@contextmanager
def resume_run(settings: StoreSettings, run_id: str | None) -> Iterator[Run | None]:
    """Go on with a run, as `start_run` does; None and a warning when the record does not know it."""
    with connected(settings) as client:
        known = _find(client, run_id) if run_id else None
        if known is not None:
            client.update_run(known.run_id, status="RUNNING")
    if known is None:
        logger.warning("the record has no run %s: nothing is added to it", run_id)
        yield None
        return
    with _ended(Run(settings, known.run_id, known.experiment_id)) as run:
        yield run


@contextmanager
def _ended(run: Run) -> Iterator[Run]:
    try:
        yield run
    except BaseException:  # an interruption by the keyboard is a failed run, too
        with suppress(RegistryError), connected(run.settings) as client:  # the first error is the one to show
            client.set_terminated(run.run_id, "FAILED")
        raise
    with connected(run.settings) as client:
        client.set_terminated(run.run_id, "FINISHED")


def _find(client: "MlflowClient", run_id: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        info = client.get_run(run_id).info
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    restore_experiment(client, client.get_experiment(info.experiment_id))
    # Asked again: restoring an experiment restores its runs.
    if client.get_run(run_id).info.lifecycle_stage == DELETED:
        client.restore_run(run_id)
        logger.warning(
            "run %s was deleted in MLflow: it is restored, because the candidate is its model", run_id
        )
    return info


def _context(tags: Mapping[str, str]) -> dict[str, str]:
    """Return `tags` and who runs this: the user and the program, as MLflow's pages show them."""
    from mlflow.tracking.context.default_context import DefaultRunContext

    context: dict[str, str] = DefaultRunContext().tags()  # type: ignore[no-untyped-call]
    return {**context, **tags}


def _save(pipeline: "Pipeline", path: str, rows: "pd.DataFrame", run_id: str, model_id: str) -> None:
    import mlflow.sklearn
    import skops.io  # type: ignore[import-untyped]
    from mlflow.models import Model, infer_signature

    # skops, because a pickle in a shared record runs code in whoever loads it. skops does not know
    # scikit-learn's tree (a Cython class): it must be told which types of ours it may trust.
    trusted = skops.io.get_untrusted_types(data=skops.io.dumps(pipeline))
    mlflow.sklearn.save_model(
        pipeline,
        path,
        mlflow_model=Model(run_id=run_id, model_id=model_id, model_uuid=model_id),
        signature=infer_signature(rows, pipeline.predict(rows)),
        input_example=rows.head(EXAMPLE_ROWS),
        serialization_format="skops",
        skops_trusted_types=trusted,
        # Named here, or MLflow starts a Python to find out which modules loading imports.
        pip_requirements=[
            f"{package}=={installed(package)}"
            for package in ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops")
        ],
    )
