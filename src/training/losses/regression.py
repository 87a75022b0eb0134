"""What families that predict numbers are compared by in cross-validation."""

from typing import Any

from numpy.typing import NDArray
from sklearn.metrics import root_mean_squared_error

from src.runtime.answers.regression import Predictions
from src.schema.columns import Schema

MEASURE = "rmse"


def loss(target: NDArray[Any], predictions: Predictions, schema: Schema) -> float:
    """Return the root mean squared error of `predictions`, one for each of `target`; less is better."""
    return float(root_mean_squared_error(target, predictions.values))
