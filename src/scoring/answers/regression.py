"""Predicted numbers as the columns of a file."""

import pyarrow as pa

from src.bundle.manifest import Interval
from src.runtime.answers.regression import Predictions
from src.schema.columns import Schema


def columns(
    schema: Schema, predictions: Predictions, interval: Interval | None, scores: bool
) -> dict[str, pa.Array]:
    """Return the answers as `/predict` names them, the ends of the interval beside each number."""
    found = {"prediction": pa.array(predictions.values)}
    if interval is not None:
        found["interval_lower"] = pa.array(predictions.values - interval.half_width)
        found["interval_upper"] = pa.array(predictions.values + interval.half_width)
    return found


def explained_score(predictions: Predictions, row: int) -> int:
    """Return which of the scores `row` is explained by: there is one."""
    return 0
