"""A number from the table to the answer: every stage and every protocol, with each family that can."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import Settings
from src.data import prepare
from src.errors import BundleError, ConfigError
from src.promotion import compare
from src.runtime.answers.regression import Predictions
from src.runtime.session import load
from src.schema.features import Features
from src.scoring import predict
from src.serving.factory import create_app
from tests.checkouts import client_of, run_stages, values, write_checkout
from tests.conftest import inside, resealed, run
from tests.mixed import mixed_table
from tests.serving.conftest import FakeSource

pytestmark = pytest.mark.xdist_group("pipeline")

MODELS: dict[str, dict[str, Any]] = {
    "random_forest": {"model": "random_forest", "n_estimators": 30, "max_depth": 8},
    "ridge": {"model": "ridge"},
    "hist_gradient_boosting": {"model": "hist_gradient_boosting", "min_samples_leaf": 5},
}


def write_inputs(folder: Path, model: str, **gate: object) -> None:
    """Make a table of prices, with gaps in it, and parameters for it the inputs in `folder`."""
    table = mixed_table().drop(columns=["bought?"])
    random = np.random.default_rng(1)
    table["Price (€)"] = np.round(
        100 + 2.0 * table["Age (years)"] + 40 * table["member"] + random.normal(0, 5, len(table)), 2
    )
    gate = {"beat_baseline_by": 0.1, **gate}
    drop = ["customer id"]
    write_checkout(folder, table, "Price (€)", MODELS[model], gate, name="prices", drop=drop, random_state=3)


@pytest.fixture(scope="module", params=list(MODELS))
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after the three stages."""
    folder = tmp_path_factory.mktemp("prices") / "checkout"
    write_inputs(folder, request.param, at_least={"r2": 0.8}, at_most={"rmse": 20.0})
    with inside(folder):
        (folder / "printed").write_text(run_stages())
    return folder


@pytest.fixture
def checkout(trained: Path) -> Iterator[Path]:
    """That folder, entered to read it."""
    with inside(trained):
        yield trained


@pytest.fixture
def bundle(checkout: Path) -> Bundle:
    return bundles.load(bundles.folder_fetch(paths.MODELS))


@pytest.fixture
def client(bundle: Bundle) -> Iterator[TestClient]:
    with client_of(bundle) as client:
        yield client


@pytest.fixture
def rows(bundle: Bundle) -> list[dict[str, Any]]:
    return [dict(row) for row in bundle.example.rows]


def test_the_bundle_says_that_it_predicts_a_number(checkout: Path, bundle: Bundle) -> None:
    manifest = bundle.manifest

    assert (manifest.name, manifest.task, manifest.primary_measure) == ("PricesRegressor", "regression", "r2")
    assert (bundle.schema.task, bundle.schema.classes, manifest.target_names) == ("regression", (), ())
    assert manifest.interval is not None and manifest.interval.coverage == 0.9
    assert 5 < manifest.interval.half_width < 30
    assert 0.75 < manifest.measures["coverage"] <= 1
    assert bundle.metrics["gate"]["at_least"] == {"r2": 0.8}
    printed = (checkout / "printed").read_text().splitlines()
    assert "PricesRegressor version 1, 60 held-out rows" in printed
    assert [line.split()[0] for line in printed if line.startswith(("r2", "rmse", "mae", "cov"))] == [
        "r2",
        "rmse",
        "mae",
        "coverage",
    ]


def test_a_row_is_answered_with_its_number_and_interval(
    client: TestClient, bundle: Bundle, rows: list[dict[str, Any]]
) -> None:
    interval = bundle.manifest.interval
    assert interval is not None
    expected = [
        {
            "prediction": value,
            "interval": {
                "lower": value - interval.half_width,
                "upper": value + interval.half_width,
                "coverage": 0.9,
            },
        }
        for value in values(bundle, rows)
    ]

    answers = [client.post("/predict", json=row) for row in rows]
    batch = client.post("/predict/batch", json={"rows": rows})

    assert [answer.status_code for answer in answers] == [200] * len(rows)
    assert [answer.json() for answer in answers] == [{**one, "model_version": "1"} for one in expected]
    assert batch.json() == {"predictions": expected, "model_version": "1"}


def test_the_other_protocols_give_the_same_numbers(
    client: TestClient, bundle: Bundle, rows: list[dict[str, Any]]
) -> None:
    expected = values(bundle, rows)

    mlflow = client.post("/invocations", json={"dataframe_records": rows})
    chances = client.post(
        "/invocations", json={"dataframe_records": rows, "params": {"predict_method": "predict_proba"}}
    )
    kinds = {"float": "FP64", "integer": "INT64", "boolean": "BOOL", "category": "BYTES"}
    complete = [row for row in rows if None not in row.values()]
    inputs = [
        {
            "name": column.name,
            "datatype": kinds[column.type],
            "shape": [len(complete)],
            "data": [row[column.name] for row in complete],
        }
        for column in bundle.schema.columns
    ]
    tensors = client.post("/v2/models/PricesRegressor/infer", json={"inputs": inputs})

    assert mlflow.json() == {"predictions": expected}
    assert (chances.status_code, chances.json()["message"]) == (
        400,
        "This model predicts numbers, it has no predict_proba.",
    )
    assert tensors.json()["outputs"] == [
        {
            "name": "prediction",
            "datatype": "FP64",
            "shape": [len(complete)],
            "data": values(bundle, complete),
        }
    ]
    assert client.get("/v2/models/PricesRegressor").json()["outputs"] == [
        {"name": "prediction", "datatype": "FP64", "shape": [-1]}
    ]


def test_a_number_is_explained(client: TestClient, bundle: Bundle, rows: list[dict[str, Any]]) -> None:
    answer = client.post("/predict?explain=true", json=rows[0]).json()

    why = answer["explanation"]
    assert why["method"] == "exact Shapley values"
    assert list(why["contributions"]) == bundle.schema.names
    assert why["base"] + sum(why["contributions"].values()) == pytest.approx(answer["prediction"])


def test_numbers_are_counted_in_the_bins_of_training(client: TestClient, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        client.post("/predict", json=row)
    client.post("/predict/batch", json={"rows": rows})

    lines = client.get("/metrics").text.splitlines()

    def shares(name: str) -> dict[str, float]:
        return {
            line.split('predicted_class="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith(name + "{")
        }

    served, training = shares("model_predictions_total"), shares("model_class_reference_share")
    assert sum(served.values()) == 2 * len(rows)
    assert served.keys() == training.keys()
    assert sum(training.values()) == pytest.approx(1)
    assert all(count % 2 == 0 for count in served.values())  # alone and in the batch alike
    assert "model_confidence_count 0.0" in lines


def test_the_description_and_the_document_are_of_numbers(client: TestClient, bundle: Bundle) -> None:
    info = client.get("/model/info").json()
    document = client.get("/openapi.json").json()

    assert [info[name] for name in ("r2", "rmse", "coverage")] == [
        bundle.manifest.measures[name] for name in ("r2", "rmse", "coverage")
    ]
    assert document["paths"]["/predict"]["post"]["summary"] == "Predict the number for one row."
    schemas = document["components"]["schemas"]
    assert schemas["Prediction"]["properties"]["prediction"]["title"] == "Price (€)"
    assert "probabilities" not in schemas["Prediction"]["properties"]


def test_the_page_shows_it(client: TestClient) -> None:
    page = client.get("/page/model").text

    for part in (
        "PricesRegressor",
        "Predicted and actual",
        "Residuals",
        "Feature importance",
        "median error",
    ):
        assert part in page
    card = client.get("/model/card").text
    assert "<td>classes</td>" not in card
    assert "split conformal prediction" in card


def test_a_file_is_scored(checkout: Path, bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "scored.csv"

    run(predict.main, "data/table.csv", "--out", str(out))

    scored = pd.read_csv(out)
    source = pd.read_csv("data/table.csv")
    assert bundle.manifest.interval is not None
    assert list(scored.columns) == [*source.columns, "prediction", "interval_lower", "interval_upper"]
    assert np.corrcoef(scored["prediction"], source["Price (€)"])[0, 1] > 0.9
    assert scored["interval_upper"].sub(scored["interval_lower"]).to_numpy() == pytest.approx(
        2 * bundle.manifest.interval.half_width
    )


def test_two_versions_are_compared(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(compare.main, "1", "1")

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:7]] == [
        "r2",
        "rmse",
        "mae",
        "median_error",
        "coverage",
        "interval_width",
    ]


def test_a_gate_of_another_task_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    write_inputs(tmp_path, "ridge", min_accuracy=0.9)

    with inside(tmp_path), pytest.raises(ConfigError) as error:
        run(prepare.main)

    assert str(error.value).startswith(
        "params.yaml: evaluate.min_accuracy: regression has no accuracy; allowed: r2"
    )
    assert not (tmp_path / "data/processed").exists()


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("schema.json", {"classes": ["a", "b"]}, "schema.json: has classes, but its task is regression"),
        ("schema.json", {"task": "classification"}, "schema.json: has 0 classes, allowed are 2 to 100"),
        (
            "metadata.json",
            {"task": "classification"},
            "schema.json: is of regression, metadata.json of classification",
        ),
        (
            "metadata.json",
            {"interval": {"coverage": 1.0, "half_width": 1.0}},
            "metadata.json: interval.coverage",
        ),
        (
            "metadata.json",
            {"interval": {"coverage": 0.9, "half_width": -1.0}},
            "metadata.json: interval.half_width",
        ),
        ("example.json", {"values": [1.0]}, "example.json: rows and values are not equally many"),
    ],
)
def test_what_is_no_bundle_of_numbers_is_refused(
    bundle: Bundle, file: str, change: dict[str, Any], message: str
) -> None:
    fetch = bundles.folder_fetch(paths.MODELS)
    files = {name: fetch(name) for name in (*bundle.manifest.files, bundles.MANIFEST)}
    content = bundles.dump_json({**json.loads(files[file]), **change})
    changed = {**files, file: content} if file == bundles.MANIFEST else resealed(files, {file: content})

    with pytest.raises(BundleError) as error:
        load(bundles.load(changed.__getitem__))

    assert str(error.value).startswith(message)


class Broken:
    """A model that gives something else than a number."""

    def predict(self, features: Features) -> Predictions:
        return Predictions(np.full(len(features.numeric), np.nan))


def test_what_is_no_number_is_an_error_of_the_server(bundle: Bundle, rows: list[dict[str, Any]]) -> None:
    app = create_app(Settings(model_refresh_seconds=3600), FakeSource())
    app.state.shared.serve(bundle, Broken())
    with TestClient(app, raise_server_exceptions=False) as client:
        one = client.post("/predict", json=rows[0])
        batch = client.post("/predict/batch", json={"rows": rows})

    assert (one.status_code, batch.status_code) == (500, 500)
    assert one.json()["code"] == "internal"
