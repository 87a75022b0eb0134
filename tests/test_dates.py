"""Dates from the table to the answer: the same numbers in training, requests, files and every protocol."""

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
from src.errors import BundleError, DataError
from src.params import DataParams
from src.runtime.session import load
from src.schema.columns import DateColumn
from src.scoring import predict
from src.scoring.predict import rows_of_texts
from src.tables import frames, processed
from src.training.fit import as_asked
from tests.checkouts import client_of, run_stages, values, write_checkout
from tests.conftest import inside, resealed, run

pytestmark = pytest.mark.xdist_group("pipeline")

MODELS = [{"model": "hist_gradient_boosting", "min_samples_leaf": 5}, {"model": "ridge"}]


def rides(rows: int = 600) -> pd.DataFrame:
    """Return rides whose number goes by the day of the week, the month and the hour."""
    random = np.random.default_rng(0)
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(random.integers(0, 730 * 24, rows), "h")
    opened = pd.Timestamp("2001-01-01") + pd.to_timedelta(random.integers(0, 5_000, rows), "D")
    number = 20 * (start.day_of_week < 5) + 3 * start.month + start.hour + random.normal(0, 2, rows)
    table = pd.DataFrame(
        {
            "Started at": start.strftime("%Y-%m-%dT%H:%M"),
            "Station opened": opened.strftime("%Y-%m-%d"),
            "weather": random.choice(["dry", "wet"], rows),
            "rides": np.round(number, 2),
        }
    )
    table.loc[::9, "Station opened"] = None
    return table


@pytest.fixture(scope="module", params=MODELS, ids=lambda params: params["model"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rides") / "checkout"
    write_checkout(folder, rides(), "rides", request.param, {"beat_baseline_by": 0.1}, name="rides")
    with inside(folder):
        run_stages()
    return folder


@pytest.fixture
def checkout(trained: Path) -> Iterator[Path]:
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
    return as_asked(bundle.schema, processed.read_prepared(paths.TEST, bundle.schema).head(40))


def test_the_columns_are_dates(bundle: Bundle) -> None:
    started, opened, weather = bundle.schema.columns

    assert isinstance(started, DateColumn) and isinstance(opened, DateColumn)
    assert (started.name, started.has_time, started.nullable) == ("started_at", True, False)
    assert (opened.name, opened.has_time, opened.nullable) == ("station_opened", False, True)
    assert weather.type == "category"
    assert bundle.manifest.n_features == 3
    assert bundle.manifest.measures["r2"] > (0.9 if "Hist" in bundle.manifest.model_type else 0.6)
    assert list(bundle.metrics["importances"]) == bundle.schema.names
    assert bundle.metrics["importances"]["started_at"] > 3


def test_every_way_in_gives_the_same_number(
    client: TestClient, bundle: Bundle, rows: list[dict[str, Any]]
) -> None:
    expected = values(bundle, rows)
    close = expected if bundle.manifest.exact else pytest.approx(expected, rel=1e-9)
    texts = pd.DataFrame(rows).fillna("").astype(str)

    one = [client.post("/predict", json=row) for row in rows]
    batch = client.post("/predict/batch", json={"rows": rows})
    mlflow = client.post("/invocations", json={"dataframe_records": rows})
    csv = client.post("/invocations", content=texts.to_csv(index=False), headers={"Content-Type": "text/csv"})
    complete = [row for row in rows if row["station_opened"]]
    inputs = [
        {"name": name, "datatype": "BYTES", "shape": [len(complete)], "data": [row[name] for row in complete]}
        for name in bundle.schema.names
    ]
    tensors = client.post("/v2/models/RidesRegressor/infer", json={"inputs": inputs})
    features, faults = rows_of_texts(bundle.schema, texts)

    assert [answer.status_code for answer in one] == [200] * len(rows)
    assert [answer.json()["prediction"] for answer in one] == close
    assert [answer["prediction"] for answer in batch.json()["predictions"]] == close
    assert mlflow.json()["predictions"] == close
    assert csv.json()["predictions"] == close
    assert (
        tensors.json()["outputs"][0]["data"]
        == [value for value, row in zip(expected, rows, strict=True) if row["station_opened"]]
        or not bundle.manifest.exact
    )
    assert faults == []
    assert load(bundle).predict(features)[0].tolist() == close


def test_a_moment_is_the_same_however_it_is_spelled(client: TestClient, rows: list[dict[str, Any]]) -> None:
    def ask(started: str) -> float:
        answer = client.post("/predict", json={**rows[0], "started_at": started}).json()
        return float(answer["prediction"])

    assert (
        len({ask(one) for one in ("2020-03-01T12:00", "2020-03-01 12:00:00", "2020-03-01T14:00+02:00")}) == 1
    )
    assert ask("2020-03-01") == ask("2020-03-01T00:00Z")


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("started_at", "yesterday", "not a date such as 2013-07-04, or a time such as 2013-07-04T09:30"),
        ("started_at", "2020-02-30", "day is out of range for month"),
        ("started_at", "1850-01-01", "a date from 2017-01-"),
        ("started_at", "2920-01-01T10:00", "a date from 2017-01-"),
        ("started_at", 18262, "Input should be a valid string"),
        ("started_at", None, "Input should be a valid string"),
        ("started_at", "", "not a date such as 2013-07-04"),
        ("station_opened", "2005-01-01T10:00", "a date without a time is allowed"),
        ("station_opened", "9" * 41, "String should have at most 40 characters"),
    ],
)
def test_what_is_no_date_says_what_is_allowed(
    client: TestClient, rows: list[dict[str, Any]], field: str, value: object, detail: str
) -> None:
    one = client.post("/predict", json={**rows[0], field: value})
    batch = client.post("/predict/batch", json={"rows": [rows[1], {**rows[0], field: value}]})

    assert (one.status_code, batch.status_code) == (422, 422)
    [entry] = one.json()["errors"]
    assert entry["field"] == field
    assert detail in entry["detail"]
    assert [(entry["row"], entry["field"]) for entry in batch.json()["errors"]] == [(1, field)]


@pytest.mark.parametrize("value", [None, "", "NA"])
def test_a_date_may_be_missing_where_training_saw_gaps(
    client: TestClient, bundle: Bundle, rows: list[dict[str, Any]], value: object
) -> None:
    row = {**rows[0], "station_opened": value}

    answers = [
        client.post("/predict", json=row),
        client.post("/predict", json={name: row[name] for name in row if name != "station_opened"}),
    ]

    [expected] = values(bundle, [{**row, "station_opened": None}])
    assert [answer.json()["prediction"] for answer in answers] == pytest.approx([expected] * 2, rel=1e-12)


def test_a_key_that_is_there_twice_is_still_refused(client: TestClient, rows: list[dict[str, Any]]) -> None:
    body = json.dumps(rows[0])[:-1] + ', "weather": "dry"}'

    answer = client.post("/predict", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "weather", "detail": "The field is there more than once."}]


def test_drift_and_reasons_are_of_the_parts_and_of_the_column(
    client: TestClient, bundle: Bundle, rows: list[dict[str, Any]]
) -> None:
    answer = client.post("/predict?explain=true", json=rows[0]).json()
    text = client.get("/metrics").text

    why = answer["explanation"]
    assert list(why["contributions"]) == ["started_at", "station_opened", "weather"]
    assert why["base"] + sum(why["contributions"].values()) == pytest.approx(answer["prediction"])
    for part in ("day", "year", "month", "weekday", "hour"):
        assert f'feature="started_at.{part}"' in text


def test_documents_and_pages_say_that_it_is_a_date(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    fields = {name: one for name, one in schemas["Row"]["properties"].items()}
    page, card = client.get("/page/model").text, client.get("/model/card").text

    assert fields["started_at"]["format"] == "date-time"
    assert {"type": "string", "format": "date"} in fields["station_opened"]["anyOf"]
    assert "date and time, 2017-01-" in page
    assert "<td>date</td><td>1987-" in card


def test_a_file_with_wrong_dates_is_refused_by_line(checkout: Path, tmp_path: Path) -> None:
    table = rides(5).astype(str)
    table.loc[1, "Started at"] = "soon"
    table.loc[3, "Started at"] = "1850-01-01"
    table.to_csv(tmp_path / "rides.csv", index=False)

    with pytest.raises(DataError) as error:
        run(predict.main, str(tmp_path / "rides.csv"))

    assert "line 3, column 'Started at': 'soon' is not a date such as 2017-01-" in str(error.value)
    assert "line 5, column 'Started at': '1850-01-01'; allowed: 2017-01-" in str(error.value)


def test_texts_stay_texts_when_declared_so() -> None:
    data = DataParams(
        name="rides", source="rides.csv", target="rides", drop=(), ranges={}, text=("Station opened",),
        test_size=0.2, random_state=0, task="regression",
    )  # fmt: skip
    texts = rides(40).fillna("").astype(str)

    schema = frames.prepared(frames.to_values(texts, data), data).schema

    assert [column.type for column in schema.columns] == ["date", "category", "category"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lowest": "soon"}, "goes from soon to"),
        ({"lowest": "2300-01-01"}, "goes from 2300-01-01 to"),
        ({"highest": "2020-01-01T10:00"}, "to 2020-01-01T10:00"),
    ],
)
def test_dates_that_make_no_sense_are_refused(bundle: Bundle, change: dict[str, str], message: str) -> None:
    fetch = bundles.folder_fetch(paths.MODELS)
    files = {name: fetch(name) for name in (*bundle.manifest.files, bundles.MANIFEST)}
    schema = json.loads(files["schema.json"])
    schema["columns"][0] |= change

    with pytest.raises(BundleError) as error:
        load(bundles.load(resealed(files, {"schema.json": bundles.dump_json(schema)}).__getitem__))

    assert str(error.value).startswith("schema.json: column started_at: ")
    assert message in str(error.value)
