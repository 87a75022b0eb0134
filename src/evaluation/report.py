"""All that is measured of a model on the held-out rows."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.evaluation.importance import importances
from src.evaluation.measures.classification import Measures, baseline, measure
from src.schema.columns import Features, Schema, to_features

Predict = Callable[[Features], tuple[NDArray[np.int64], NDArray[np.float64]]]  # labels, scores


class Report(Measures):
    """`metrics.json`, but for the gate."""

    baseline: Measures  # always the commonest class
    importances: dict[str, float]

    def numbers(self) -> dict[str, float]:
        """Return what the record keeps."""
        averages = {f"macro_{name}": value for name, value in self.macro.model_dump().items()}
        names = ("accuracy", "precision", "recall", "f1_score", "log_loss", "calibration_error")
        own = {name: getattr(self, name) for name in names}
        return {**own, **averages, "baseline_accuracy": self.baseline.accuracy}


def report(schema: Schema, predict: Predict, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Report:
    """Return how good `predict` is on `test`; `train` are the rows that the baseline knows."""
    features, actual = to_features(schema, test), positions(schema, test)
    labels, scores = predict(features)
    return Report(
        **dict(measure(actual, labels, scores, schema.classes)),
        baseline=baseline(actual, positions(schema, train), schema.classes),
        importances=importances(schema, lambda rows: predict(rows)[1], features, actual, seed),
    )


def positions(schema: Schema, table: pd.DataFrame) -> NDArray[np.int64]:
    """Return the target of each row as a position [rows] in the schema's classes."""
    places = {name: place for place, name in enumerate(schema.classes)}
    return np.array([places[name] for name in table[schema.target]], dtype=np.int64)
