"""Rows as the matrices that a model takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.schema.columns import Schema

if TYPE_CHECKING:
    import pandas as pd


class Features(NamedTuple):
    """Rows as the exported model takes them."""

    numeric: NDArray[np.float64]  # [rows, numeric columns], NaN = missing
    categorical: NDArray[np.object_]  # [rows, categorical columns] of str, "" = missing


def to_features(schema: Schema, table: Mapping[str, Sequence[object]] | pd.DataFrame) -> Features:
    """Return the columns of `table` (names to values, a data frame too) as the model's matrices.

    A missing value is None, NaN or a text that the schema takes for none.
    """
    rows, cells = len(table[schema.names[0]]), schema.cells
    numeric = np.empty((rows, len(schema.numeric)), dtype=np.float64)
    for position, number in enumerate(schema.numeric):
        values = [math.nan if cells.is_missing(value) else value for value in table[number.name]]
        numeric[:, position] = np.array(values, dtype=np.float64)
    categorical = np.empty((rows, len(schema.categorical)), dtype=object)
    for position, category in enumerate(schema.categorical):
        categorical[:, position] = [
            "" if cells.is_missing(value) else cells.text(str(value)) for value in table[category.name]
        ]
    return Features(numeric, categorical)
