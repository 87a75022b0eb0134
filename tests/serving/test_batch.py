"""`POST /predict/batch` from outside."""

import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from src.bundle.bundle import Bundle
from src.runtime.answers.classification import Predictions
from src.schema.columns import CategoryColumn, NumericColumn, Schema
from src.schema.features import Features
from src.serving.decoding import MAX_ENTRIES, RowDecoder
from tests.conftest import FixedRuntime
from tests.serving.conftest import KEY, MakeClient

Flower = dict[str, float]


class LengthRuntime:
    """Calls a flower by the length of its sepals, and remembers how often it was asked."""

    calls = 0

    def predict(self, features: Features) -> Predictions:
        self.calls += 1
        labels = (features.numeric[:, 0] > 6).astype(np.int64)
        return Predictions(labels, np.eye(3)[labels])


class ThreadRuntime(FixedRuntime):
    """Remembers the threads it ran in."""

    def __init__(self) -> None:
        super().__init__(0.75, 0.25, 0.0)
        self.threads: list[str] = []

    def predict(self, features: Features) -> Predictions:
        self.threads.append(threading.current_thread().name)
        return super().predict(features)


def test_batches_run_in_one_thread_beside_the_event_loop(make_client: MakeClient, flower: Flower) -> None:
    runtime = ThreadRuntime()

    with make_client(runtime) as client:
        client.post("/predict/batch", json={"rows": [flower]})
        client.post("/predict/batch", json={"rows": [flower]})

    assert runtime.threads == ["batch_0", "batch_0"]


def test_each_row_is_answered_in_its_place_by_one_call(make_client: MakeClient, flower: Flower) -> None:
    runtime = LengthRuntime()
    rows = [flower, {**flower, "sepal_length": 7.0}, flower]

    with make_client(runtime) as client:
        response = client.post("/predict/batch", json={"rows": rows})

    assert response.status_code == 200
    setosa = {
        "prediction": "setosa",
        "confidence": 1.0,
        "probabilities": {"setosa": 1.0, "versicolor": 0.0, "virginica": 0.0},
    }
    versicolor = {
        "prediction": "versicolor",
        "confidence": 1.0,
        "probabilities": {"setosa": 0.0, "versicolor": 1.0, "virginica": 0.0},
    }
    assert response.json() == {"predictions": [setosa, versicolor, setosa], "model_version": "7"}
    assert runtime.calls == 1


def test_a_batch_answers_what_its_rows_would_alone(client: TestClient, flower: Flower) -> None:
    alone = client.post("/predict", json=flower).json()

    together = client.post("/predict/batch", json={"rows": [flower]}).json()

    assert together["model_version"] == alone.pop("model_version")
    assert together["predictions"] == [alone]


def test_every_row_is_counted(make_client: MakeClient, flower: Flower) -> None:
    with make_client(FixedRuntime(0.75, 0.25, 0.0)) as client:
        client.post("/predict/batch", json={"rows": [flower] * 5})
        client.post("/predict", json=flower)
        text = client.get("/metrics").text

    assert 'model_predictions_total{predicted_class="setosa"} 6.0' in text
    assert 'model_confidence_bucket{le="0.7"} 0.0' in text
    assert 'model_confidence_bucket{le="0.8"} 6.0' in text
    assert "model_confidence_count 6.0" in text
    assert "model_confidence_sum 4.5" in text


def test_a_confidence_on_a_bound_falls_where_one_alone_does(make_client: MakeClient, flower: Flower) -> None:
    with make_client(FixedRuntime(0.8, 0.2, 0.0)) as client:
        client.post("/predict/batch", json={"rows": [flower]})
        client.post("/predict", json=flower)

        assert 'model_confidence_bucket{le="0.8"} 2.0' in client.get("/metrics").text


def test_what_is_wrong_is_said_with_its_row(client: TestClient, flower: Flower) -> None:
    rows: list[Any] = [flower, {**flower, "sepal_length": "long"}, {**flower, "colour": "red"}, 5]

    response = client.post("/predict/batch", json={"rows": rows})

    assert response.status_code == 422
    names = "sepal_length, sepal_width, petal_length, petal_width"
    assert response.json()["errors"] == [
        {"row": 1, "field": "sepal_length", "detail": "Input should be a valid number"},
        {"row": 3, "field": None, "detail": "Input should be an object"},
        {"row": 2, "field": None, "detail": f"1 unknown, colour; the fields are {names}."},
    ]


def test_a_single_row_is_told_where_to_go(client: TestClient, flower: Flower) -> None:
    response = client.post("/predict/batch", json=flower)

    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"field": "rows", "detail": 'Put rows under `rows`: {"rows": [{…}]}, or ask /predict.'}
    ]


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b"[]", None, "Input should be an object"),
        (b"{}", "rows", "Field required"),
        (b'{"rows":[]}', "rows", "List should have at least 1 item after validation, not 0"),
        (b'{"rows":{}}', "rows", "Input should be a valid array"),
        (b'{"rows":[],"rows":[]}', "rows", "List should have at least 1 item after validation, not 0"),
    ],
)
def test_what_is_not_a_batch_is_refused(
    client: TestClient, body: bytes, field: str | None, detail: str
) -> None:
    response = client.post("/predict/batch", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": field, "detail": detail}]


def test_a_field_twice_in_any_row_is_refused(client: TestClient, flower: Flower) -> None:
    good = json.dumps(flower)
    twice = good[:-1] + ', "petal_width": 0.3}'
    body = f'{{"rows": [{good}, {twice}]}}'

    response = client.post("/predict/batch", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert response.json()["detail"] == "Not as the schema says: petal_width."


def test_rows_are_as_many_as_the_setting_says(make_client: MakeClient, flower: Flower) -> None:
    with make_client(batch_max_rows=2) as client:
        enough = client.post("/predict/batch", json={"rows": [flower] * 2})
        too_many = client.post("/predict/batch", json={"rows": [flower] * 3})

    assert (enough.status_code, too_many.status_code) == (200, 422)
    assert too_many.json()["detail"] == "Not as the schema says: rows."


def test_a_body_is_as_large_as_the_setting_says(make_client: MakeClient, flower: Flower) -> None:
    with make_client(batch_max_body_bytes=100) as client:
        assert client.post("/predict/batch", json={"rows": [flower] * 2}).status_code == 413


def test_mistakes_without_end_have_an_answer_with_one(client: TestClient, flower: Flower) -> None:
    rows = [{**flower, "sepal_length": None}] * (MAX_ENTRIES + 1)

    response = client.post("/predict/batch", json={"rows": rows})

    assert response.status_code == 422
    assert len(response.json()["errors"]) == MAX_ENTRIES


def test_a_batch_needs_the_key_and_has_a_limit_of_its_own(make_client: MakeClient, flower: Flower) -> None:
    key = {"X-API-Key": KEY}
    with make_client(api_key=KEY, rate_limit_predict_batch="1/minute") as client:
        statuses = [
            client.post("/predict/batch", json={"rows": [flower]}, headers=headers).status_code
            for headers in ({}, {"X-API-Key": "wrong"}, key, key)
        ]
        alone = client.post("/predict", json=flower, headers=key)

    assert statuses == [401, 403, 200, 429]
    assert alone.status_code == 200


def test_a_batch_without_a_model_is_503(make_client: MakeClient, flower: Flower) -> None:
    with make_client(runtime=None) as client:
        assert client.post("/predict/batch", json={"rows": [flower]}).status_code == 503


def test_a_score_that_is_no_number_is_our_fault(make_client: MakeClient, flower: Flower) -> None:
    with make_client(FixedRuntime(float("nan"), 0.0, 0.0)) as client:
        assert client.post("/predict/batch", json={"rows": [flower]}).status_code == 500


def test_gaps_and_texts_become_matrices(make_bundle: Callable[..., Bundle]) -> None:
    schema = Schema(
        columns=(
            CategoryColumn(
                name="town", header="town", type="category", nullable=True, categories=("Aix", "Bonn")
            ),
            NumericColumn(name="age", header="age", type="integer", nullable=True, lowest=0, highest=99),
        ),
        target="y",
        target_header="y",
        classes=("a", "b"),
    )
    rows = [{"town": 'say "Aix"', "age": 3}, {}, {"town": None, "age": None}, {"town": "Bonn"}]

    features = RowDecoder(schema, 9).read_all(json.dumps({"rows": rows}).encode())

    assert np.array_equal(features.numeric, [[3], [np.nan], [np.nan], [np.nan]], equal_nan=True)
    assert features.categorical.tolist() == [['say "Aix"'], [""], [""], ["Bonn"]]
