"""How wide the interval around a predicted number is: from how far off other rows were (split conformal).

After Vovk et al. (2005) and Lei et al. (2018): the residuals are of rows that a model was not fitted to. Of
few rows, each is left out in turn of a fit to the others (Barber et al., 2021), so that none is lost to the
model; of many, a fifth of them once.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.bundle.manifest import Interval
from src.tables.folds import Fold

COVERAGE = 0.9
FOLDS = 5
MANY_ROWS = 10_000  # from here on one fold is enough to know the quantile


def interval(
    fitted: Callable[[pd.DataFrame, NDArray[np.float64]], Any],
    rows: pd.DataFrame,
    target: NDArray[np.float64],
    folds: Iterable[Fold],
) -> Interval:
    """Return the interval that covers 90 % of rows like `rows` [rows, columns], which are `target` [rows].

    `fitted` returns a model fitted to some of them; those of each fold are answered by such a one.
    """
    residuals = []
    for train, rest in folds:
        model = fitted(rows.iloc[train], target[train])
        residuals.append(np.abs(target[rest] - model.predict(rows.iloc[rest])))
        if len(rows) >= MANY_ROWS:
            break
    return Interval(coverage=COVERAGE, half_width=half_width(np.concatenate(residuals), COVERAGE))


def half_width(distances: NDArray[np.float64], coverage: float) -> float:
    """Return what one more distance is within with a probability of `coverage`; of few, the largest."""
    ordered = np.sort(distances)
    place = min(math.ceil((len(ordered) + 1) * coverage), len(ordered))
    return float(ordered[place - 1])
