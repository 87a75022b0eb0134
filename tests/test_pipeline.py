"""The stages one after the other, as `make train` runs them."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import StoreSettings
from src.data import prepare
from src.errors import BundleError, ConfigError, DataError, GateError
from src.evaluation import evaluate
from src.promotion.publish import publish
from src.runtime import session
from src.schema.features import to_features
from src.tracking.client import connected
from src.training import train
from tests.conftest import REPOSITORY, copy_inputs, inside, run
from tests.mixed import write_mixed

pytestmark = pytest.mark.xdist_group("pipeline")

SAME_EVERY_TIME = ("build/model/model.onnx", "build/model/schema.json", "build/model/profile.json",
                   "build/bundle/metrics.json", "build/metrics.json")  # fmt: skip


def loaded(folder: Path) -> Bundle:
    return bundles.load(bundles.folder_fetch(folder))


def outputs(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in SAME_EVERY_TIME}


def edit_params(old: str, new: str) -> None:
    text = paths.PARAMS.read_text()
    assert old in text
    paths.PARAMS.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder after the three stages with the default parameters, and what they printed."""
    folder = tmp_path_factory.mktemp("trained") / "checkout"
    copy_inputs(folder)
    printed = io.StringIO()
    with inside(folder), contextlib.redirect_stdout(printed):
        run(prepare.main)
        run(train.main, "--run-name", "first", "--tag", "team", "blue")
        run(evaluate.main)
    yield folder, printed.getvalue()


@pytest.fixture
def checkout(trained: tuple[Path, str]) -> Iterator[Path]:
    """That folder, entered to read it."""
    with inside(trained[0]):
        yield trained[0]


@pytest.fixture
def checkout_copy(trained: tuple[Path, str], tmp_path: Path) -> Iterator[Path]:
    """A folder like the trained one, to change."""
    folder = tmp_path / "copy"
    shutil.copytree(trained[0], folder)
    with inside(folder):
        yield folder


def test_the_accuracy_is_scikit_learns_own(checkout: Path) -> None:
    table = pd.read_csv(REPOSITORY / "data/iris.csv")
    rows, labels = table.drop(columns="species").to_numpy(), table["species"].to_numpy(dtype=object)
    fitted, held_out, fitted_labels, actual = train_test_split(
        rows, labels, test_size=0.2, random_state=42, stratify=labels
    )
    forest = RandomForestClassifier(n_estimators=200, max_depth=10, random_state=42)
    forest.fit(fitted, fitted_labels)

    bundle = loaded(paths.MODELS)
    features = to_features(bundle.schema, dict(zip(bundle.schema.names, held_out.T.tolist(), strict=True)))
    answers = session.load(bundle).predict(features)

    assert bundle.manifest.measures["accuracy"] == accuracy_score(actual, forest.predict(held_out)) == 0.9
    assert [bundle.schema.classes[label] for label in answers.labels] == forest.predict(held_out).tolist()
    assert answers.scores.tobytes() == np.ascontiguousarray(forest.predict_proba(held_out)).tobytes()


def test_the_bundle_in_service_is_the_one_that_was_measured(checkout: Path) -> None:
    bundle = loaded(paths.MODELS)

    assert bundle == loaded(paths.BUNDLE)
    assert bundle.manifest.data_digest == bundles.sha256((REPOSITORY / "data/iris.csv").read_bytes())
    assert bundle.manifest.test_digest == bundles.sha256(paths.TEST.read_bytes())
    assert bundle.manifest.model_type == "RandomForestClassifier"
    assert (bundle.manifest.n_features, bundle.manifest.n_samples) == (4, 120)
    assert bundle.manifest.git_commit is None
    assert bundle.manifest.parameters == {
        "model": "random_forest", "n_estimators": 200, "max_depth": 10, "test_size": 0.2, "random_state": 42,
    }  # fmt: skip
    assert set(bundle.example.labels) == {"setosa", "versicolor", "virginica"}
    assert list(bundle.metrics)[:1] == ["accuracy"]
    assert bundle.metrics["gate"] == {
        "measure": "accuracy",
        "min_accuracy": 0.85, "at_least": {}, "at_most": {}, "beat_baseline_by": 0.1,
        "missed": [], "passed": True,
    }  # fmt: skip
    assert json.loads(paths.NUMBERS.read_bytes())["accuracy"] == 0.9
    for name, (low, high) in bundle.metrics["intervals"].items():
        assert low <= bundle.manifest.measures[name] <= high


def test_the_record_has_parameters_measures_pictures_and_tags(checkout: Path) -> None:
    manifest = loaded(paths.MODELS).manifest

    with connected(StoreSettings()) as client:
        found = client.get_run(str(manifest.mlflow_run_id))
        pictures = [file.path for file in client.list_artifacts(found.info.run_id, "plots")]
        experiment = client.get_experiment(found.info.experiment_id)

    assert experiment.name == "iris"
    assert (found.info.run_name, found.info.status) == ("first", "FINISHED")
    assert found.data.params == {
        "model": "random_forest", "n_estimators": "200", "max_depth": "10", "test_size": "0.2",
        "random_state": "42", "source": "data/iris.csv", "target": "species",
    }  # fmt: skip
    numbers = json.loads(paths.NUMBERS.read_bytes())
    assert found.data.metrics == numbers
    assert found.data.tags["data_digest"] == manifest.data_digest
    assert found.data.tags["git_commit"] == "none"
    assert (found.data.tags["team"], found.data.tags["gate"]) == ("blue", "passed")
    assert pictures == [
        f"plots/{name}.png"
        for name in ("calibration", "confusion_matrix", "curves", "importances", "precision_recall")
    ]


def test_the_record_names_the_table_and_says_of_the_version_what_it_is(checkout: Path) -> None:
    manifest = loaded(paths.MODELS).manifest

    with connected(StoreSettings()) as client:
        [given] = client.get_run(str(manifest.mlflow_run_id)).inputs.dataset_inputs
        version = client.get_model_version(manifest.name, manifest.version)

    assert (given.dataset.name, given.dataset.digest) == ("iris", manifest.data_digest[:12])
    assert (given.dataset.source_type, json.loads(given.dataset.source)) == (
        "local",
        {"uri": "data/iris.csv"},
    )
    assert json.loads(given.dataset.schema)["mlflow_colspec"][0] == {
        "name": "sepal length (cm)",
        "type": "double",
    }
    assert json.loads(given.dataset.profile) == {"num_rows": 120, "num_elements": 480}
    assert version.tags["gate"] == "passed"
    assert version.aliases == ["champion"]
    assert version.description == (
        "accuracy 0.9000, baseline 0.3333, on 30 held-out rows.\n\n"
        "Serving follows the model store, not the alias of this page: "
        "make promote VERSION=1 puts this version into service."
    )


def test_the_plots_hold_every_held_out_row(checkout: Path) -> None:
    predictions = pd.read_csv(paths.PLOTS / "predictions.csv")
    importances = pd.read_csv(paths.PLOTS / "importances.csv")

    assert len(predictions) == 30
    assert (predictions["actual"] == predictions["predicted"]).mean() == 0.9
    assert importances["column"].tolist() == loaded(paths.BUNDLE).schema.names
    assert importances.sort_values("importance")["column"].iloc[-1] == "petal_length"
    assert sorted(path.name for path in paths.PLOTS.iterdir()) == [
        "calibration.png", "confusion_matrix.png", "curves.png", "importances.csv", "importances.png",
        "precision_recall.png", "predictions.csv",
    ]  # fmt: skip


def test_what_is_printed_can_be_read_and_says_where_to_look_next(trained: tuple[Path, str]) -> None:
    lines = trained[1].splitlines()

    assert lines[0] == (
        "build/model holds IrisClassifier version 1; measure it with: python -m src.evaluation.evaluate"
    )
    assert lines[1:5] == [
        "IrisClassifier version 1, 30 held-out rows",
        "",
        "                         model  baseline",
        "accuracy                0.9000    0.3333",
    ]
    assert "setosa                  1.0000    1.0000    1.0000      10" in lines
    assert lines[-4:] == [
        "Published to models.",
        "  make run        answers with it on http://localhost:8000",
        "  make mlflow-ui  shows its run and those before it on http://localhost:5000",
        "  build/plots     has the pictures, build/bundle the measures",
    ]


def test_the_logged_model_answers_the_same(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    bundle = loaded(paths.MODELS)
    rows = pd.DataFrame(list(bundle.example.rows))
    with connected(StoreSettings()):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{checkout}/mlruns/mlflow.db")
        model = mlflow.pyfunc.load_model("models:/IrisClassifier@champion")

    assert tuple(model.predict(rows)) == bundle.example.labels


def test_another_run_in_another_process_gives_the_same_bytes(
    trained: tuple[Path, str], workspace: Path
) -> None:
    stages = (
        "import sys\n"
        "from src.data import prepare\n"
        "from src.evaluation import evaluate\n"
        "from src.training import train\n"
        "prepare.main()\n"
        "train.main()\n"
        "sys.argv.append('--no-publish')\n"
        "evaluate.main()\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(REPOSITORY)}

    subprocess.run([sys.executable, "-c", stages], env=environment, check=True, capture_output=True)

    assert outputs(workspace) == outputs(trained[0])
    assert not paths.MODELS.exists()


def test_a_table_of_every_kind_goes_all_the_way(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_mixed(workspace)

    run(prepare.main)
    run(train.main, "--max-depth", "4", "--test-size", "0.3", "--experiment-name", "other")
    run(evaluate.main)

    bundle = loaded(paths.MODELS)
    assert bundle.manifest.name == "CustomersClassifier"
    assert bundle.manifest.parameters["max_depth"] == 4
    assert bundle.manifest.n_samples == 168
    assert bundle.metrics["rows"] == 72
    assert bundle.manifest.measures["accuracy"] > bundle.metrics["baseline"]["accuracy"] + 0.1
    assert bundle.schema.names == ["age", "income", "city", "member", "newsletter"]
    assert bundle.profile["features"]["city"]["categories"][0] in bundle.schema.categorical[0].categories
    session.load(bundle)
    with connected(StoreSettings()) as client:
        assert client.get_experiment_by_name("other") is not None
    assert "split data/raw/customers.csv again into data/processed" in capsys.readouterr().err


def test_a_family_with_its_parameters_left_out_goes_all_the_way(workspace: Path) -> None:
    write_mixed(workspace, model="logistic_regression")

    run(prepare.main)
    run(train.main)
    run(evaluate.main)

    manifest = loaded(paths.MODELS).manifest
    assert (manifest.model_type, manifest.exact) == ("LogisticRegression", False)
    assert manifest.parameters == {
        "model": "logistic_regression", "C": 1.0, "test_size": 0.25, "random_state": 3,
    }  # fmt: skip


def test_a_model_that_misses_the_gate_changes_nothing_in_service(
    checkout_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = loaded(paths.MODELS)
    pointer = Path("mlruns/champion.json").read_bytes()
    edit_params("min_accuracy: 0.85", "min_accuracy: 0.95")
    needed = "accuracy is 0.9000, evaluate.min_accuracy needs 0.95"

    with pytest.raises(GateError) as error:
        run(evaluate.main)

    assert (str(error.value), error.value.exit_code) == (f"not published: {needed}", 3)
    assert loaded(paths.MODELS) == before
    assert Path("mlruns/champion.json").read_bytes() == pointer
    assert loaded(paths.BUNDLE).metrics["gate"]["missed"] == [needed]
    with pytest.raises(GateError):
        publish(paths.BUNDLE, StoreSettings())
    with connected(StoreSettings()) as client:
        tags: dict[str, Any] = client.get_run(str(before.manifest.mlflow_run_id)).data.tags
    assert tags["gate"] == "failed"

    capsys.readouterr()
    run(evaluate.main, "--no-publish")
    assert f"WARNING not to be published: {needed}" in capsys.readouterr().err.splitlines()


def test_a_candidate_for_other_rows_is_not_measured(checkout_copy: Path) -> None:
    edit_params("test_size: 0.2", "test_size: 0.4")
    run(prepare.main)

    with pytest.raises(DataError) as error:
        run(evaluate.main)

    assert str(error.value) == (
        "build/model was trained for other rows than data/processed/test.csv holds; "
        "run python -m src.training.train again"
    )


def test_a_candidate_for_other_columns_is_not_measured(checkout_copy: Path) -> None:
    edit_params("ranges: {}", "ranges: {petal_width: [0, 9]}")
    run(prepare.main)

    with pytest.raises(DataError, match="build/model was trained for other rows"):
        run(evaluate.main)


def test_a_damaged_candidate_is_refused(checkout_copy: Path) -> None:
    (paths.CANDIDATE / "model.onnx").write_bytes(b"damaged")

    with pytest.raises(BundleError, match="model.onnx"):
        run(evaluate.main)


def test_a_run_that_the_record_lost_is_a_warning(
    checkout_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("mlruns")

    run(evaluate.main, "--no-publish")

    assert "WARNING the record has no run" in capsys.readouterr().err
    assert loaded(paths.BUNDLE).manifest.measures["accuracy"] == 0.9


def test_without_a_candidate_the_stage_before_is_named(workspace: Path) -> None:
    with pytest.raises(
        DataError, match=r"training.json: no such file; run python -m src.training.train first"
    ):
        run(evaluate.main)


def test_a_bucket_cannot_be_trained_into(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gs://bucket/models")
    run(prepare.main)

    with pytest.raises(ConfigError, match="only a source to serve from"):
        run(train.main)


def test_a_training_that_fails_leaves_the_last_candidate(
    checkout_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in paths.CANDIDATE.iterdir()}

    def fail(*arguments: object) -> str:
        raise DataError("planted")

    monkeypatch.setattr(train, "_record", fail)
    with pytest.raises(DataError, match="planted"):
        run(train.main, "--n-estimators", "5")

    assert {path.name: path.read_bytes() for path in paths.CANDIDATE.iterdir()} == before
    with connected(StoreSettings()) as client:
        [failed] = client.search_runs([client.get_experiment_by_name("iris").experiment_id])
    assert failed.info.status == "FAILED"
