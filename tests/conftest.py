"""What most tests need: the iris schema, and bundles made without training."""

import ctypes
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle, Training
from src.bundle.examples.classification import Example
from src.runtime.answers.classification import Predictions
from src.schema.columns import NumericColumn, Schema
from src.schema.features import Features
from src.serving.logs import LinesHandler

pytest_plugins = ["tests.fitted_models", "tests.stores"]
REPOSITORY = Path(__file__).parent.parent

# A busy machine is no failure.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


def pytest_configure(config: pytest.Config) -> None:
    """A worker of pytest-xdist ends with who started it, at once, also where that is killed."""
    if hasattr(config, "workerinput") and sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class FixedRuntime:
    """A model that answers every row with the same scores."""

    def __init__(self, *scores: float) -> None:
        self.scores = np.array(scores, dtype=np.float64)

    def predict(self, features: Features) -> Predictions:
        rows = len(features.numeric)
        labels = np.full(rows, int(self.scores.argmax()), dtype=np.int64)
        return Predictions(labels, np.tile(self.scores, (rows, 1)))


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Go into `folder`, with no setting of MLflow or of ours; logging is afterwards as it was before."""
    loggers = [logging.getLogger(name) for name in ("src", "__main__")]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    try:
        with pytest.MonkeyPatch.context() as monkeypatch:
            for name in list(os.environ):
                if name.startswith(("MLFLOW_TRACKING", "MODEL_")):
                    monkeypatch.delenv(name)
            monkeypatch.chdir(folder)
            yield
    finally:
        for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate = propagate


def resealed(files: Mapping[str, bytes], changed: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the bundle `files` with some of them `changed`, and digests that are right again."""
    whole = {**files, **changed}
    manifest = json.loads(files[bundles.MANIFEST])
    manifest["files"] = {name: bundles.sha256(whole[name]) for name in bundles.FILES}
    return {**whole, bundles.MANIFEST: bundles.dump_json(manifest)}


def copy_inputs(folder: Path) -> None:
    """Put into `folder` what the pipeline starts from: the parameters and the table."""
    (folder / "data").mkdir(parents=True)
    shutil.copy(REPOSITORY / "params.yaml", folder)
    shutil.copy(REPOSITORY / "data/iris.csv", folder / "data")


def run(main: Callable[[], None], *arguments: str) -> None:
    """Call a command's `main` as if it were typed with `arguments`."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        main()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """The folder the test runs in: a checkout without code, before the first stage."""
    folder = tmp_path / "workspace"
    copy_inputs(folder)
    with inside(folder):
        yield folder


@pytest.fixture(autouse=True)
def _log_of_no_other_test() -> None:
    """Importing the app sets the log up for a server; a test begins as a command does, without."""
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, LinesHandler)]
    root.setLevel(logging.WARNING)


@pytest.fixture
def schema() -> Schema:
    def column(name: str, low: float, high: float) -> NumericColumn:
        header = name.replace("_", " ") + " (cm)"
        return NumericColumn(name=name, header=header, type="float", nullable=False, lowest=low, highest=high)

    return Schema(
        columns=(
            column("sepal_length", 0.7, 11.5),
            column("sepal_width", 0.0, 6.8),
            column("petal_length", 0.0, 12.8),
            column("petal_width", 0.0, 4.9),
        ),
        target="species",
        target_header="species",
        classes=("setosa", "versicolor", "virginica"),
    )


@pytest.fixture
def flower() -> dict[str, float]:
    """A setosa."""
    return {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@pytest.fixture
def training(schema: Schema) -> Training:
    return Training(
        name="IrisClassifier",
        version="7",
        task="classification",
        model_type="RandomForestClassifier",
        exact=True,
        n_features=4,
        n_samples=120,
        feature_names=tuple(schema.names),
        target_names=schema.classes,
        mlflow_run_id="0" * 32,
        git_commit="1" * 40,
        data_digest="2" * 64,
        test_digest="3" * 64,
        created_at="2026-01-02T03:04:05Z",
        parameters={"n_estimators": 200, "max_depth": 10},
        libraries={"scikit-learn": "1.9.1"},
    )


@pytest.fixture
def metrics() -> dict[str, Any]:
    return {
        "accuracy": 0.9,
        "precision": 0.91,
        "recall": 0.92,
        "f1_score": 0.93,
        "log_loss": 0.3,
        "calibration_error": 0.05,
        "roc_auc": 0.98,
        "average_precision": 0.97,
        "brier_score": 0.08,
    }


@pytest.fixture
def make_files(
    schema: Schema, training: Training, metrics: dict[str, Any], flower: dict[str, float]
) -> Callable[..., dict[str, bytes]]:
    """Return the files of a sealed bundle; its model and example are made up unless given."""
    made_up = Example(rows=(dict(flower),), labels=("setosa",), scores=((1.0, 0.0, 0.0),))

    def make(
        model: bytes = b"not a model",
        example: Example = made_up,
        measured: Mapping[str, Any] | None = None,
        profile: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> dict[str, bytes]:
        files = {
            bundles.MODEL: model,
            bundles.SCHEMA: bundles.dump_json(schema.model_dump(mode="json")),
            bundles.PROFILE: bundles.dump_json(profile or {}),
            bundles.EXAMPLE: bundles.dump_json(example.model_dump(mode="json")),
        }
        return bundles.seal(training.model_copy(update=changes), {**metrics, **(measured or {})}, files)

    return make


@pytest.fixture
def make_bundle(make_files: Callable[..., dict[str, bytes]]) -> Callable[..., Bundle]:
    """Return a verified bundle in memory."""

    def make(**changes: Any) -> Bundle:
        return bundles.load(make_files(**changes).__getitem__)

    return make
