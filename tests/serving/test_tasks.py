"""A task is one module in serving: documents, answers, metrics and the log follow it."""

import json
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from src.bundle.bundle import Bundle
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema
from src.serving.logs import Predicted
from src.serving.models import AnswerModel, ModelDescription, ModelOrigin
from src.tasks import TASKS, Task
from tests.conftest import FixedRuntime
from tests.serving.conftest import MakeClient


class Number(AnswerModel):
    number: float


class Numbers(AnswerModel):
    numbers: list[float]


class NumberMeasures(AnswerModel):
    error: float


class NumberInfo(ModelOrigin, NumberMeasures, ModelDescription):
    pass


class NumberMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.numbers = Counter("model_numbers", "Predictions.", registry=registry)


class NumberAnswers:
    def __init__(self, bundle: Bundle, metrics: NumberMetrics) -> None:
        self._count = metrics.numbers.inc

    def one(self, predictions: Predictions) -> tuple[Predicted, bytes]:
        self._count()
        return Predicted("0.5", ', "predicted_number": 0.5'), b'{"number":0.5}'

    def counted(self, predictions: Predictions) -> Predictions:
        self._count(len(predictions.labels))
        return predictions

    def many(self, predictions: Predictions) -> bytes:
        self.counted(predictions)
        return b'{"numbers":[0.5]}'


def constrain(components: dict[str, Any], schema: Schema) -> None:
    components["Number"]["properties"]["number"]["minimum"] = 0


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a second task, whose module is made here."""
    module: Any = ModuleType("src.serving.answers.numbers")
    module.ROW_SUMMARY, module.BATCH_SUMMARY = "Predict a number.", "Predict numbers."
    module.Prediction, module.BatchPrediction, module.ModelInfo = Number, Numbers, NumberInfo
    module.PredictionMetrics, module.Answers, module.constrain = NumberMetrics, NumberAnswers, constrain
    monkeypatch.setitem(sys.modules, module.__name__, module)
    task: Any = Task("numbers", {"error": (0.0, 1.0)}, "error", "Regressor")  # type: ignore[arg-type]
    monkeypatch.setitem(TASKS, task.name, task)
    return "numbers"


@pytest.fixture
def bundle_of_numbers(numbers: str, make_bundle: Any) -> Bundle:
    bundle: Bundle = make_bundle()
    manifest = bundle.manifest.model_copy(
        update={"task": numbers, "measures": {"error": 0.25}, "primary_measure": "error"}
    )
    return replace(bundle, manifest=manifest)


def test_the_document_is_that_of_the_task(make_client: MakeClient, bundle_of_numbers: Bundle) -> None:
    with make_client(bundle=bundle_of_numbers) as client:
        document = client.get("/openapi.json").json()

    schemas = document["components"]["schemas"]
    operations = [document["paths"][path]["post"] for path in ("/predict", "/predict/batch")]
    answers = [one["responses"]["200"]["content"]["application/json"]["schema"] for one in operations]
    assert [one["summary"] for one in operations] == ["Predict a number.", "Predict numbers."]
    assert answers == [{"$ref": "#/components/schemas/Number"}, {"$ref": "#/components/schemas/Numbers"}]
    assert schemas["Number"]["properties"]["number"] == {"minimum": 0, "title": "Number", "type": "number"}
    assert "Prediction" not in schemas


def test_the_model_is_described_with_the_measures_of_the_task(
    make_client: MakeClient, bundle_of_numbers: Bundle
) -> None:
    with make_client(bundle=bundle_of_numbers) as client:
        info = client.get("/model/info").json()

    assert list(info)[6:9] == ["target_names", "error", "mlflow_run_id"]
    assert info["error"] == 0.25


def test_predictions_are_answered_counted_and_logged_as_the_task_says(
    make_client: MakeClient,
    bundle_of_numbers: Bundle,
    flower: dict[str, float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with make_client(bundle=bundle_of_numbers) as client:
        one = client.post("/predict", json=flower)
        many = client.post("/predict/batch", json={"rows": [flower]})
        counted = client.get("/metrics").text.splitlines()

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "predicted_" in line]
    assert (one.content, many.content) == (b'{"number":0.5}', b'{"numbers":[0.5]}')
    assert "model_numbers_total 2.0" in counted
    assert "model_confidence_count 0.0" in counted
    assert [line["predicted_number"] for line in lines] == [0.5]


def test_a_model_of_another_task_follows(
    make_client: MakeClient, bundle_of_numbers: Bundle, flower: dict[str, float]
) -> None:
    with make_client() as client:
        classes = client.post("/predict", json=flower).json()
        app: Any = client.app
        app.state.shared.serve(bundle_of_numbers, FixedRuntime(0.75, 0.25, 0.0))
        number = client.post("/predict", json=flower).json()
        document = client.get("/openapi.json").json()

    assert classes["prediction"] == "setosa"
    assert number == {"number": 0.5}
    assert document["paths"]["/predict"]["post"]["summary"] == "Predict a number."
