"""What families that predict classes are compared by in cross-validation."""

from typing import Any

from numpy.typing import NDArray
from sklearn.metrics import log_loss

from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema

MEASURE = "log_loss"


def loss(target: NDArray[Any], predictions: Predictions, schema: Schema) -> float:
    """Return the log loss of `predictions`, a row for each of `target`; less is better."""
    return float(log_loss(target, predictions.scores, labels=list(schema.classes)))
