"""Predicted classes as the columns of a file."""

import pyarrow as pa

from src.bundle.manifest import Interval
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema


def columns(
    schema: Schema, predictions: Predictions, interval: Interval | None, scores: bool
) -> dict[str, pa.Array]:
    """Return the answers as `/predict` names them; with `scores` a probability a class, in their order."""
    labels = pa.array(predictions.labels.astype("int32"))
    found = {
        "prediction": pa.DictionaryArray.from_arrays(labels, pa.array(schema.classes, pa.string())),
        "confidence": pa.array(predictions.scores.max(axis=1, initial=0.0)),
    }
    if scores:
        for place, name in enumerate(schema.classes):
            found[f"probability_{name}"] = pa.array(predictions.scores[:, place])
    return found


def explained_score(predictions: Predictions, row: int) -> int:
    """Return which of the scores `row` is explained by: that of its class."""
    return int(predictions.labels[row])
