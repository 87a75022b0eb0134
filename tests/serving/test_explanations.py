"""`explain=true`: the same answer, and why."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.conftest import MakeClient

HALF = {"type": "numeric", "edges": [0.0, 5.0, 10.0], "shares": [0.0, 0.5, 0.5, 0.0, 0.0]}


@pytest.fixture
def explained(make_client: MakeClient, make_bundle: Any, flower: dict[str, float]) -> Any:
    profile = {
        "rows": 10,
        "features": dict.fromkeys(flower, HALF),
        "predictions": {"setosa": 0.5, "versicolor": 0.25, "virginica": 0.25},
    }
    with make_client(bundle=make_bundle(profile=profile)) as client:
        yield client


def test_an_answer_is_the_same_and_says_why(explained: TestClient, flower: dict[str, float]) -> None:
    plain = explained.post("/predict", json=flower)
    why = explained.post("/predict?explain=true", json=flower).json()
    metrics = explained.get("/metrics").text

    assert list(why) == ["prediction", "confidence", "probabilities", "model_version", "explanation"]
    explanation = why.pop("explanation")
    assert why == plain.json()
    assert explanation["method"] == "exact Shapley values"
    assert list(explanation["contributions"]) == [*flower]
    for name, probability in why["probabilities"].items():
        parts = [one[name] for one in explanation["contributions"].values()]
        assert explanation["base"][name] + sum(parts) == pytest.approx(probability, abs=1e-12)
    assert (
        'model_predictions_total{predicted_class="setosa"} 2.0' in metrics
    )  # background rows are not counted


def test_each_row_of_a_batch_says_why(explained: TestClient, flower: dict[str, float]) -> None:
    rows = {"rows": [flower, flower]}
    why = explained.post("/predict/batch?explain=true", json=rows).json()
    plain = explained.post("/predict/batch", json=rows).json()

    explanations = [one.pop("explanation") for one in why["predictions"]]
    assert why == plain
    assert explanations[0] == explanations[1]


@pytest.mark.parametrize("query", ["", "?explain=false", "?other=1", "?"])
def test_without_being_asked_the_bytes_stay(
    explained: TestClient, flower: dict[str, float], query: str
) -> None:
    assert explained.post(f"/predict{query}", json=flower).content == (
        b'{"prediction":"setosa","confidence":0.75,'
        b'"probabilities":{"setosa":0.75,"versicolor":0.25,"virginica":0.0},"model_version":"7"}'
    )


@pytest.mark.parametrize("query", ["explain=yes", "explain=", "explain=1", "explain=true&explain=false"])
@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_neither_yes_nor_no_is_refused(
    explained: TestClient, flower: dict[str, float], path: str, query: str
) -> None:
    answered = explained.post(f"{path}?{query}", json={"rows": [flower]} if "batch" in path else flower)

    assert answered.status_code == 422
    assert answered.json()["detail"] == "explain: allowed are true and false."


def test_too_many_rows_are_not_explained(explained: TestClient, flower: dict[str, float]) -> None:
    answered = explained.post("/predict/batch?explain=true", json={"rows": [flower] * 101}).json()

    assert ["explanation" in one for one in answered["predictions"]] == [True] * 100 + [False]
    detail = "Only the first 100 rows are explained; send smaller batches."
    assert answered["warnings"] == [{"row": 100, "field": None, "detail": detail}]


def test_a_model_without_its_distribution_is_not_explained(
    client: TestClient, flower: dict[str, float]
) -> None:
    answered = client.post("/predict?explain=true", json=flower)

    assert (answered.status_code, answered.json()["code"]) == (409, "explanation_unavailable")


def test_a_wrong_row_is_wrong_as_ever(explained: TestClient) -> None:
    assert (
        explained.post(
            "/predict?explain=true", content=json.dumps({}), headers={"Content-Type": "application/json"}
        ).status_code
        == 422
    )
