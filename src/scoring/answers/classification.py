"""Predicted classes as the columns of a file."""

import pandas as pd

from src.bundle.manifest import Interval
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema


def columns(
    schema: Schema, predictions: Predictions, index: pd.Index, interval: Interval | None
) -> pd.DataFrame:
    """Return the answers as `/predict` names them; a probability a class, in the schema's order."""
    classes = pd.Series(schema.classes)
    return pd.DataFrame(
        {
            "prediction": classes.to_numpy()[predictions.labels],
            "confidence": predictions.scores.max(axis=1, initial=0.0),
            **{f"probability_{name}": predictions.scores[:, place] for place, name in enumerate(classes)},
        },
        index=index,
    )


def explained_score(predictions: Predictions, row: int) -> int:
    """Return which of the scores `row` is explained by: that of its class."""
    return int(predictions.labels[row])
