"""Predicted numbers as the columns of a file."""

import pandas as pd

from src.bundle.manifest import Interval
from src.runtime.answers.regression import Predictions
from src.schema.columns import Schema


def columns(
    schema: Schema, predictions: Predictions, index: pd.Index, interval: Interval | None
) -> pd.DataFrame:
    """Return the answers as `/predict` names them, the ends of the interval beside each number."""
    found = {"prediction": predictions.values}
    if interval is not None:
        found["interval_lower"] = predictions.values - interval.half_width
        found["interval_upper"] = predictions.values + interval.half_width
    return pd.DataFrame(found, index=index)


def explained_score(predictions: Predictions, row: int) -> int:
    """Return which of the scores `row` is explained by: there is one."""
    return 0
