"""Which columns a model goes by."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.schema.columns import CategoryColumn, Schema
from src.schema.features import Features

REPEATS = 10
MAX_ROWS = 2_000  # more rows change little

Quality = Callable[[Features, NDArray[Any]], float]  # of the answers to rows with these targets


def importances(
    schema: Schema, quality: Quality, features: Features, actual: NDArray[Any], seed: int
) -> dict[str, float]:
    """Return per column how much of the `quality` is lost when its values are shuffled.

    `actual` [rows] are the targets; a loss is the mean of ten shufflings.
    Permutation importance, after Breiman (2001), measured on the rows held out.

    It asks the model only for answers, so it works for every kind; about 0 means the column is not used.
    """
    rows = np.arange(min(len(actual), MAX_ROWS))
    features, actual = Features(features.numeric[rows], features.categorical[rows]), actual[rows]
    generator = np.random.default_rng(seed)
    whole = quality(features, actual)
    owners = schema.owners
    lost = {}
    for place, column in enumerate(schema.columns):
        is_text = isinstance(column, CategoryColumn)
        positions = np.flatnonzero(np.array(owners[is_text]) == place)
        losses = []
        for _ in range(REPEATS):
            shuffled = Features(features.numeric.copy(), features.categorical.copy())
            matrix = shuffled.categorical if is_text else shuffled.numeric
            matrix[:, positions] = matrix[generator.permutation(len(rows))][:, positions]
            losses.append(whole - quality(shuffled, actual))
        lost[column.name] = float(np.mean(losses))
    return lost
