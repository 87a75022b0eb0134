"""Which columns a model goes by."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from src.runtime.answers.classification import Predictions
from src.schema.columns import NumericColumn, Schema
from src.schema.features import Features

REPEATS = 10
MAX_ROWS = 2_000  # more rows change little

Predict = Callable[[Features], Predictions]


def importances(
    schema: Schema, predict: Predict, features: Features, actual: NDArray[np.int64], seed: int
) -> dict[str, float]:
    """Return per column how much of the right class's probability is lost when its values are shuffled.

    `actual` [rows] are positions in the schema's classes; a loss is the mean of ten shufflings, at most 1.
    Permutation importance, after Breiman (2001), measured on the rows held out.

    It asks the model only for answers, so it works for every kind; about 0 means the column is not used.
    """
    rows = np.arange(min(len(actual), MAX_ROWS))
    features, actual = Features(features.numeric[rows], features.categorical[rows]), actual[rows]
    generator = np.random.default_rng(seed)
    whole = predict(features).scores[rows, actual].mean()
    numeric, categorical = iter(range(len(schema.numeric))), iter(range(len(schema.categorical)))
    lost = {}
    for column in schema.columns:
        is_number = isinstance(column, NumericColumn)
        position = next(numeric if is_number else categorical)
        losses = []
        for _ in range(REPEATS):
            shuffled = Features(features.numeric.copy(), features.categorical.copy())
            matrix = shuffled.numeric if is_number else shuffled.categorical
            matrix[:, position] = matrix[generator.permutation(len(rows)), position]
            losses.append(whole - predict(shuffled).scores[rows, actual].mean())
        lost[column.name] = float(np.mean(losses))
    return lost
