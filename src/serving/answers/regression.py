"""How a predicted number is documented, answered and counted; what can be done beforehand is."""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from src.bundle.bundle import Bundle
from src.monitoring.bins import NumericProfile, bin_names, bin_of
from src.monitoring.online import add
from src.monitoring.profile import profile_of
from src.runtime.answers.regression import Predictions
from src.runtime.explain import Explanation as Parts
from src.schema.columns import Schema
from src.serving.logs import Predicted
from src.serving.models import Answered, AnswerModel, ModelDescription, ModelOrigin
from src.serving.predictions import ModelFailure, PredictionMetrics, in_template
from src.serving.problems import bad_request
from src.serving.protocols.tensors import Tensor

ROW_SUMMARY = "Predict the number for one row."
BATCH_SUMMARY = "Predict the number for each row of a batch."
ANY_NUMBER = "number"  # the bin of all of them, for a model that came without its profile


class Interval(AnswerModel):
    """Where the true number probably is."""

    lower: float
    upper: float
    coverage: float = Field(description="The share of rows whose true number is inside.")


class Explanation(AnswerModel):
    """How much each column's value adds to the number, beside the training distribution."""

    method: Literal["exact Shapley values", "sampled Shapley values"]
    base: float = Field(description="The mean prediction in the training distribution.")
    contributions: dict[str, float] = Field(
        description="By column; the base and these add up to the prediction."
    )


class RowPrediction(AnswerModel):
    prediction: float = Field(description="The predicted number, in the unit of the target.")
    interval: Interval | None = Field(None, description="Where the true number probably is.")
    explanation: Explanation | None = Field(None, description="Why, when the query says `explain=true`.")


class _Rows(AnswerModel):
    predictions: list[RowPrediction] = Field(description="In the order of the rows.")


class Prediction(Answered, RowPrediction):
    pass  # the fields of the last base come first


class BatchPrediction(Answered, _Rows):
    pass


class _Measures(AnswerModel):
    r2: float
    rmse: float
    mae: float
    median_error: float
    coverage: float = Field(description="The share of held-out rows inside their interval.")
    interval_width: float


class ModelInfo(ModelOrigin, _Measures, ModelDescription):
    pass


def constrain(components: dict[str, Any], schema: Schema) -> None:
    """Say in the JSON schemas of the answers what the number is."""
    for answer in (Prediction, RowPrediction):
        components[answer.__name__]["properties"]["prediction"]["title"] = schema.target_header


class Answers:
    """The answers of one model."""

    def __init__(self, bundle: Bundle, metrics: PredictionMetrics) -> None:
        interval = bundle.manifest.interval
        self._half_width = None if interval is None else interval.half_width
        self._version = bundle.manifest.version
        self._template = '{"prediction":%r}'
        if interval is not None:
            within = f'"lower":%r,"upper":%r,"coverage":{interval.coverage!r}'
            self._template = f'{{"prediction":%r,"interval":{{{within}}}}}'
        version = f',"model_version":{in_template(self._version)}}}'
        self._row_template = f"{self._template[:-1]}{version}"
        self._batch_template = f'{{"predictions":[%s]{version}'
        profile = profile_of(bundle)
        found = None if profile is None else profile.predictions
        self._bins = found if isinstance(found, NumericProfile) else None
        self._edges = [] if self._bins is None else list(self._bins.edges)
        names = [ANY_NUMBER] if self._bins is None else bin_names(self._bins)
        self._counts = [metrics.answers.labels(name).inc for name in names]

    def one(self, predictions: Predictions) -> tuple[Predicted, bytes]:
        """Return the number of one row, for the log, and the body of the response.

        Raises:
            ModelFailure: it is not finite.
        """
        value = float(predictions.values[0])
        if not math.isfinite(value):
            raise self._failure()
        self._counts[bin_of(self._edges, value) if self._edges else 0]()
        said = Predicted(f"{value:g}", f', "prediction": {value!r}')
        return said, (self._row_template % self._numbers(value)).encode()

    def counted(self, predictions: Predictions) -> Predictions:
        """Return `predictions` of a batch, counted; raises as `one` does."""
        values = predictions.values
        if not np.isfinite(values).all():
            raise self._failure()
        if self._bins is None:
            self._counts[0](len(values))
        else:
            add(self._counts, np.bincount(self._bins.bins(values), minlength=len(self._counts)).tolist())
        return predictions

    def many(self, predictions: Predictions) -> bytes:
        """Return the body of the response to a batch; raises as `one` does."""
        values = self.counted(predictions).values.tolist()
        answers = ",".join(self._template % self._numbers(value) for value in values)
        return (self._batch_template % answers).encode()

    def _numbers(self, value: float) -> tuple[float, ...]:
        if self._half_width is None:
            return (value,)
        return value, value - self._half_width, value + self._half_width

    def _failure(self) -> ModelFailure:
        return ModelFailure(f"version {self._version} gave a number that is not finite")


def explanation(schema: Schema, found: Parts) -> dict[str, Any]:
    """Return the base and the contributions of `found` as the answer has them."""
    return {
        "base": float(found.base[0]),
        "contributions": dict(zip(schema.names, found.contributions[:, 0].tolist(), strict=True)),
    }


def output_metadata(schema: Schema) -> list[dict[str, Any]]:
    """Return the output as the Open Inference Protocol describes tensors."""
    return [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]


def to_tensors(schema: Schema, predictions: Predictions) -> list[Tensor]:
    """Return the output as a tensor of the Open Inference Protocol."""
    return [Tensor("prediction", "FP64", (len(predictions.values),), predictions.values.tolist())]


def plain(schema: Schema, predictions: Predictions, method: str) -> list[Any]:
    """Return what scikit-learn's `predict` would, for MLflow's clients.

    Raises:
        Problem: 400, they ask for `predict_proba`.
    """
    if method != "predict":
        raise bad_request(f"This model predicts numbers, it has no {method}.")
    values: list[Any] = predictions.values.tolist()
    return values
