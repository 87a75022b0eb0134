"""`POST /predict` from outside."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from src.bundle.bundle import Bundle
from src.runtime.answers.classification import Predictions
from src.schema.columns import CategoryColumn
from src.schema.features import Features
from src.serving.logs import RequestLog
from src.serving.middleware import FastPath, Observe
from src.serving.predict import Predict
from tests.conftest import FixedRuntime
from tests.serving.conftest import KEY, MakeClient

Flower = dict[str, float]


def test_predict_returns_the_class_of_the_model(client: TestClient, flower: Flower) -> None:
    response = client.post("/predict", json=flower)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "prediction": "setosa",
        "confidence": 0.75,
        "probabilities": {"setosa": 0.75, "versicolor": 0.25, "virginica": 0.0},
        "model_version": "7",
    }


def test_scores_keep_every_digit(make_client: MakeClient, flower: Flower) -> None:
    with make_client(FixedRuntime(1 / 3, 0.1 + 0.2, 1e-300)) as client:
        answer = client.post("/predict", json=flower).json()

    assert answer["probabilities"] == {"setosa": 1 / 3, "versicolor": 0.1 + 0.2, "virginica": 1e-300}


class Recorder:
    """A runtime that keeps what it is asked."""

    def predict(self, features: Features) -> Predictions:
        self.features = features
        return Predictions(np.array([2]), np.array([[0.0, 0.0, 1.0]]))


def test_the_model_gets_the_columns_in_its_order(make_client: MakeClient, flower: Flower) -> None:
    recorder = Recorder()

    with make_client(recorder) as client:
        response = client.post("/predict", json=dict(reversed(flower.items())))

    assert response.json()["prediction"] == "virginica"
    assert recorder.features.numeric.tolist() == [[5.1, 3.5, 1.4, 0.2]]
    assert recorder.features.categorical.shape == (1, 0)


def test_predict_says_unavailable_while_no_model_is_loaded(make_client: MakeClient, flower: Flower) -> None:
    with make_client(runtime=None) as client:
        response = client.post("/predict", json=flower)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.headers["content-type"] == "application/problem+json"


def test_names_of_classes_are_written_as_json(
    make_client: MakeClient, make_bundle: Callable[..., Bundle], flower: Flower
) -> None:
    bundle = make_bundle()
    classes = ('100 % "sure"', "naïve\n", "%r")
    schema = bundle.schema.model_copy(update={"classes": classes})

    with make_client(bundle=Bundle(**{**vars(bundle), "schema": schema})) as client:
        answer = client.post("/predict", json=flower).json()

    assert answer["prediction"] == classes[0]
    assert tuple(answer["probabilities"]) == classes


def test_a_score_that_is_not_a_number_is_a_failure(make_client: MakeClient, flower: Flower) -> None:
    with make_client(FixedRuntime(float("nan"), 0.0, 0.0)) as client:
        response = client.post("/predict", json=flower)

    assert response.status_code == 500
    assert response.json()["status"] == 500


def test_an_unseen_category_is_answered_with_a_warning(make_client: MakeClient, make_bundle: Any) -> None:
    bundle = make_bundle()
    first, *others = bundle.schema.columns
    city = CategoryColumn(
        name="city", header="City", type="category", nullable=True, categories=("Porto", "Lisboa")
    )
    schema = bundle.schema.model_copy(update={"columns": (city, *others)})
    rest = {column.name: 1.0 for column in others}
    warning = {"field": "city", "detail": "Not seen in training, so the model ignores it."}
    with make_client(bundle=replace(bundle, schema=schema)) as client:
        answers = [
            client.post("/predict", json={"city": name, **rest}).json()
            for name in ("Porto", None, "", "Évora")
        ]
        rows = [{"city": name, **rest} for name in ("Porto", "Évora", "Faro")]
        batch = client.post("/predict/batch", json={"rows": rows}).json()
        without = client.post("/predict/batch", json={"rows": rows[:1]}).json()

    assert [one.pop("warnings", None) for one in answers] == [None, None, None, [warning]]
    assert all(one == answers[0] for one in answers)
    assert batch["warnings"] == [{"row": 1, **warning}, {"row": 2, **warning}]
    assert "warnings" not in without


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong"}, 403),
        ({"X-API-Key": KEY + "x"}, 403),
        ({"X-API-Key": ""}, 403),
        ({"X-API-Key": KEY}, 200),
        ({"X-API-Key": "second"}, 200),
    ],
)
def test_a_key_is_needed_where_one_is_set(
    make_client: MakeClient, flower: Flower, headers: dict[str, str], status: int
) -> None:
    with make_client(api_key=f"{KEY},second") as client:
        response = client.post("/predict", json=flower, headers=headers)

    assert response.status_code == status


def test_a_key_that_comes_twice_is_wrong(make_client: MakeClient, flower: Flower) -> None:
    headers = [("X-API-Key", KEY), ("X-API-Key", KEY)]

    with make_client(api_key=KEY) as client:
        response = client.post("/predict", json=flower, headers=headers)

    assert response.status_code == 403


def test_other_headers_may_come_twice(make_client: MakeClient, flower: Flower) -> None:
    headers = [("X-API-Key", KEY), ("X-Other", "a"), ("X-Other", "b")]

    with make_client(api_key=KEY) as client:
        response = client.post("/predict", json=flower, headers=headers)

    assert response.status_code == 200


def test_the_answer_without_a_key_says_how_to_send_one(make_client: MakeClient) -> None:
    with make_client(api_key=KEY) as client:
        response = client.post("/predict")

    assert response.headers["www-authenticate"] == 'ApiKey header="X-API-Key"'
    assert response.json()["detail"] == "Send your key in the header X-API-Key."


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json;", 200),
        ("application/json; charset=utf-7", 415),
        ("application/json; a=b", 415),
        ("application/jsonx", 415),
        ("text/plain", 415),
        ("", 415),
    ],
)
def test_the_body_must_be_json(client: TestClient, flower: Flower, content_type: str, status: int) -> None:
    response = client.post("/predict", content=json.dumps(flower), headers={"Content-Type": content_type})

    assert response.status_code == status


def test_a_content_type_that_comes_twice_is_refused(client: TestClient, flower: Flower) -> None:
    headers = [("Content-Type", "application/json"), ("Content-Type", "application/json")]

    response = client.post("/predict", content=json.dumps(flower), headers=headers)

    assert response.status_code == 415


def test_a_compressed_body_is_refused(client: TestClient, flower: Flower) -> None:
    response = client.post("/predict", json=flower, headers={"Content-Encoding": "gzip"})

    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "identity"


def padded(flower: Flower, size: int) -> bytes:
    return json.dumps(flower).encode().ljust(size)


def test_the_largest_body_is_read_and_one_byte_more_is_not(client: TestClient, flower: Flower) -> None:
    headers = {"Content-Type": "application/json"}

    largest = client.post("/predict", content=padded(flower, 65536), headers=headers)
    larger = client.post("/predict", content=padded(flower, 65537), headers=headers)

    assert largest.status_code == 200
    assert larger.status_code == 413
    assert larger.json()["detail"] == "The body may hold 65536 bytes."


def test_a_body_of_unknown_length_is_bounded_too(client: TestClient, flower: Flower) -> None:
    def parts() -> Iterator[bytes]:
        yield padded(flower, 65536)
        yield b" "

    response = client.post("/predict", content=parts(), headers={"Content-Type": "application/json"})

    assert response.status_code == 413
    assert response.headers["connection"] == "close"


def test_a_length_of_many_digits_is_too_large(client: TestClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "9" * 5000}

    response = client.post("/predict", content=b"{}", headers=headers)

    assert response.status_code == 413


def call(client: TestClient, messages: AsyncIterator[Message], **options: Any) -> list[Message]:
    """Call the endpoint in its middleware with `messages` as what the caller sends."""
    app: Any = client.app
    serving = app.state.shared
    direct = FastPath(app.router, {"/predict": Predict(serving, **options)})
    log = RequestLog(serving.settings)
    observe = Observe(direct, {"/predict": {"POST"}}, serving, log, trusts_proxies=False)
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "headers": [(b"content-type", b"application/json")],
        "client": None,
        "query_string": b"",
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(observe(scope, lambda: anext(messages), send))
    return sent


def test_a_body_that_does_not_come_is_not_waited_for(client: TestClient) -> None:
    async def never() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.Event().wait()

    sent = call(client, never(), body_seconds=0.01)

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_caller_who_leaves_gets_nothing(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    async def gone() -> AsyncIterator[Message]:
        yield {"type": "http.disconnect"}

    assert call(client, gone()) == []
    metrics = client.get("/metrics").text
    assert 'http_requests_total{method="POST",route="/predict",status="499"} 1.0' in metrics
