"""How a class and its probabilities are documented, answered and counted; what can be done beforehand is."""

import json
import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from src.bundle.bundle import Bundle
from src.monitoring.online import add
from src.runtime.answers.classification import Predictions
from src.runtime.explain import Explanation as Parts
from src.schema.columns import Schema
from src.serving.logs import Predicted
from src.serving.models import Answered, AnswerModel, ModelDescription, ModelOrigin
from src.serving.predictions import ModelFailure, PredictionMetrics, in_template
from src.serving.protocols.tensors import Tensor

ROW_SUMMARY = "Predict the class of one row."
BATCH_SUMMARY = "Predict the class of each row of a batch."


class Explanation(AnswerModel):
    """How much each column's value adds to the probabilities, beside the training distribution."""

    method: Literal["exact Shapley values", "sampled Shapley values"]
    base: dict[str, float] = Field(
        description="The mean probability of each class in the training distribution."
    )
    contributions: dict[str, dict[str, float]] = Field(
        description="By column and class; the base and these add up to the probability."
    )


class RowPrediction(AnswerModel):
    prediction: str = Field(description="The most probable class.")
    confidence: float = Field(description="The probability of the predicted class.")
    probabilities: dict[str, float] = Field(description="The probability of each class.")
    explanation: Explanation | None = Field(None, description="Why, when the query says `explain=true`.")


class _Rows(AnswerModel):
    predictions: list[RowPrediction] = Field(description="In the order of the rows.")


class Prediction(Answered, RowPrediction):
    pass  # the fields of the last base come first


class BatchPrediction(Answered, _Rows):
    pass


class _Measures(AnswerModel):
    accuracy: float
    precision: float
    recall: float
    f1_score: float


class ModelInfo(ModelOrigin, _Measures, ModelDescription):
    pass


def constrain(components: dict[str, Any], schema: Schema) -> None:
    """Say in the JSON schemas of the answers, by their names, which classes there are."""
    classes = list(schema.classes)
    score = {"type": "number", "minimum": 0, "maximum": 1}
    for answer in (Prediction, RowPrediction):
        properties = components[answer.__name__]["properties"]
        properties["prediction"]["enum"] = classes
        properties["confidence"].update(score)
        properties["probabilities"].update(
            properties=dict.fromkeys(classes, score), required=classes, additionalProperties=False
        )


class Answers:
    """The answers of one model."""

    def __init__(self, bundle: Bundle, metrics: PredictionMetrics) -> None:
        self._classes = bundle.schema.classes
        self._version = bundle.manifest.version
        self._predicted = [
            Predicted(label, f', "predicted_class": {json.dumps(label)}') for label in self._classes
        ]
        self._row_templates = [_template(label, self._classes) for label in self._classes]
        version = f',"model_version":{in_template(self._version)}}}'
        self._templates = [f"{template[:-1]}{version}" for template in self._row_templates]
        self._batch_template = f'{{"predictions":[%s]{version}'
        self._counts = [metrics.answers.labels(label).inc for label in self._classes]
        self._observe = metrics.confidence.observe
        self._observe_all = metrics.confidence.observe_all

    def one(self, predictions: Predictions) -> tuple[Predicted, bytes]:
        """Return the class of one row, for the log, and the body of the response.

        Raises:
            ModelFailure: a score is not a number.
        """
        labels, scores = predictions
        label = int(labels[0])
        values = scores[0].tolist()  # [classes]
        confidence = values[label]
        if not math.isfinite(sum(values)):
            raise self._failure()
        self._counts[label]()
        self._observe(confidence)
        return self._predicted[label], (self._templates[label] % (confidence, *values)).encode()

    def counted(self, predictions: Predictions) -> Predictions:
        """Return `predictions` of a batch, counted; raises as `one` does."""
        labels, scores = predictions
        if not np.isfinite(scores).all():
            raise self._failure()
        add(self._counts, np.bincount(labels, minlength=len(self._classes)).tolist())
        self._observe_all(confidences_of(predictions))
        return predictions

    def many(self, predictions: Predictions) -> bytes:
        """Return the body of the response to a batch; raises as `one` does."""
        labels, scores = self.counted(predictions)
        confidences = confidences_of(predictions)
        templates = self._row_templates
        rows = zip(labels.tolist(), confidences.tolist(), scores.tolist(), strict=True)
        answers = ",".join(templates[label] % (confidence, *values) for label, confidence, values in rows)
        return (self._batch_template % answers).encode()

    def _failure(self) -> ModelFailure:
        return ModelFailure(f"version {self._version} gave a score that is not a number")


def confidences_of(predictions: Predictions) -> NDArray[np.float64]:
    """Return the probability of the predicted class of each row, [rows]."""
    confidences: NDArray[np.float64] = predictions.scores[
        np.arange(len(predictions.labels)), predictions.labels
    ]
    return confidences


def explanation(schema: Schema, found: Parts) -> dict[str, Any]:
    """Return the base and the contributions of `found` as the answer has them."""
    return {
        "base": dict(zip(schema.classes, found.base.tolist(), strict=True)),
        "contributions": {
            column: dict(zip(schema.classes, parts, strict=True))
            for column, parts in zip(schema.names, found.contributions.tolist(), strict=True)
        },
    }


def output_metadata(schema: Schema) -> list[dict[str, Any]]:
    """Return the outputs as the Open Inference Protocol describes tensors."""
    return [
        {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
        {"name": "confidence", "datatype": "FP64", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, len(schema.classes)]},
    ]


def to_tensors(schema: Schema, predictions: Predictions) -> list[Tensor]:
    """Return the outputs as tensors of the Open Inference Protocol."""
    rows, classes = predictions.scores.shape
    return [
        Tensor("prediction", "BYTES", (rows,), [schema.classes[label] for label in predictions.labels]),
        Tensor("confidence", "FP64", (rows,), confidences_of(predictions).tolist()),
        Tensor("probabilities", "FP64", (rows, classes), predictions.scores.ravel().tolist()),
    ]


def plain(schema: Schema, predictions: Predictions, method: str) -> list[Any]:
    """Return what scikit-learn's `method`, `predict` or `predict_proba`, would, for MLflow's clients."""
    if method == "predict_proba":
        scores: list[Any] = predictions.scores.tolist()
        return scores
    return [schema.classes[label] for label in predictions.labels]


def _template(label: str, classes: tuple[str, ...]) -> str:
    """Return the answer for `label` as JSON, `%r` where a number goes; `repr` of a float is JSON."""
    probabilities = ",".join(f"{in_template(name)}:%r" for name in classes)
    return f'{{"prediction":{in_template(label)},"confidence":%r,"probabilities":{{{probabilities}}}}}'
