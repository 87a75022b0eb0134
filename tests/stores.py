"""A small real model, sealed as any version, and the servers it is published to."""

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.bundle.examples.classification import Example
from src.config import StoreSettings
from src.export.export import export
from src.export.pipeline import build_pipeline
from src.runtime.session import open_model
from src.schema.columns import Schema
from src.schema.features import to_features
from src.store.location import DATABASE_FILE
from src.tracking.client import connected
from tests.buckets import bucket, bucket_server  # noqa: F401
from tests.conftest import REPOSITORY
from tests.ports import free_port
from tests.servers import Server, answers

MakeFiles = Callable[..., dict[str, bytes]]


class Trained(NamedTuple):
    pipeline: Pipeline
    rows: pd.DataFrame
    model: bytes
    example: Example


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder the commands run in: empty, and nothing of MLflow or Google set."""
    project = logging.getLogger("src")
    monkeypatch.setattr(project, "handlers", list(project.handlers))
    monkeypatch.setattr(project, "level", project.level)
    monkeypatch.setattr(project, "propagate", True)
    for name in list(os.environ):
        if name.startswith(("MLFLOW_TRACKING", "MODEL_", "GOOGLE_", "STORAGE_EMULATOR")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.fixture(scope="session")
def trained_once() -> dict[str, Trained]:
    return {}


@pytest.fixture
def trained(trained_once: dict[str, Trained], schema: Schema) -> Trained:
    """A logistic regression of iris, fitted once."""
    if not trained_once:
        table = pd.read_csv(REPOSITORY / "data/iris.csv")
        rows, labels = table.iloc[:, :4].set_axis(schema.names, axis="columns"), table["species"]
        pipeline = build_pipeline(schema, LogisticRegression(max_iter=1000)).fit(rows, labels)
        few = rows.iloc[::30]
        example = Example(
            rows=tuple({str(key): float(row[key]) for key in schema.names} for _, row in few.iterrows()),
            labels=tuple(str(label) for label in pipeline.predict(few)),
            scores=tuple(tuple(map(float, scores)) for scores in pipeline.predict_proba(few)),
        )
        trained_once["logistic"] = Trained(pipeline, rows, export(pipeline, schema), example)
    return trained_once["logistic"]


@pytest.fixture
def make_version(trained: Trained, make_files: MakeFiles) -> MakeFiles:
    """Return the files of a bundle that passes its self-test."""

    def make(version: str, measured: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, bytes]:
        changed = {"model_type": "LogisticRegression", "exact": False, "version": version, **changes}
        return make_files(trained.model, trained.example, measured, **changed)

    return make


@pytest.fixture
def candidate(make_version: MakeFiles) -> Callable[..., Path]:
    """Write a bundle as evaluation does, and return its folder."""

    def write(version: str, *measured: Mapping[str, Any], **changes: Any) -> Path:
        folder = Path("build/bundle")
        bundles.write_folder(folder, make_version(version, *measured, **changes))
        return folder

    return write


@pytest.fixture(scope="session")
def record_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty record: MLflow takes a second to make its tables."""
    root = tmp_path_factory.mktemp("record")
    with connected(StoreSettings(mlflow_tracking_uri=str(root))) as client:
        client.search_experiments()
    return root / DATABASE_FILE


@pytest.fixture
def empty_record(record_template: Path, folder: Path) -> Path:
    """`mlruns` with an empty record."""
    root = folder / "mlruns"
    root.mkdir()
    shutil.copy(record_template, root)
    return root


def labels_of(bundle: Bundle, rows: pd.DataFrame) -> list[str]:
    """Return what `bundle` answers to `rows`."""
    answers = open_model(bundle.model, bundle.schema).predict(to_features(bundle.schema, rows))
    return [bundle.schema.classes[position] for position in answers.labels]


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server that hands out its artifacts."""
    folder = tmp_path_factory.mktemp("mlflow_server")
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db", "--serve-artifacts"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    quick = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    url = f"http://127.0.0.1:{port}"
    server = Server(command, folder, folder / "log", {**os.environ, **quick})
    try:
        server.wait_until(lambda: answers(f"{url}/health"), "MLflow is healthy")
        yield url
    finally:
        server.end()
