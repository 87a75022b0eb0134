"""How exact measures are: what they would have been on other rows of the same kind, by the bootstrap."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
MOST_DRAWS, LEAST_DRAWS = 1_000, 100
CELLS = 200_000_000  # numbers that are drawn in all: of a large table a hundred draws say enough
SEED = 0

Interval = tuple[float, float]


def bootstrap(
    measures: Callable[..., Mapping[str, float]], answers: Sequence[Sequence[NDArray[Any]]]
) -> list[dict[str, list[float]]]:
    """Return, for each of `answers`, the values of each measure on rows drawn with replacement.

    `answers` are the arrays that `measures` takes, [rows] or [rows, …]; all are of the same rows, and the
    same rows are drawn of each, so that values of the same place can be compared.
    """
    rows = len(answers[0][0])
    size = sum(array.size for arrays in answers for array in arrays)
    generator = np.random.default_rng(SEED)
    drawn: list[dict[str, list[float]]] = [{} for _ in answers]
    for _ in range(int(np.clip(CELLS // max(size, 1), LEAST_DRAWS, MOST_DRAWS))):
        chosen = generator.integers(0, rows, rows)
        for found, arrays in zip(drawn, answers, strict=True):
            for name, value in measures(*(array[chosen] for array in arrays)).items():
                found.setdefault(name, []).append(value)
    return drawn


def interval(values: "Sequence[float] | NDArray[np.float64]") -> Interval:
    """Return what LEVEL of `values` are between."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
