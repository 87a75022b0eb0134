"""Rows as the matrices that a model takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.schema.cells import CellRule
from src.schema.columns import CategoryColumn, DateColumn, Schema
from src.schema.dates import parts, read_moment

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
    position = 0
    for column in schema.columns:
        if isinstance(column, CategoryColumn):
            continue
        if isinstance(column, DateColumn):
            found = date_parts(column, table[column.name], cells)
            numeric[:, position : position + found.shape[1]] = found
            position += found.shape[1]
            continue
        values = [math.nan if cells.is_missing(value) else value for value in table[column.name]]
        numeric[:, position] = np.array(values, dtype=np.float64)
        position += 1
    categorical = np.empty((rows, len(schema.categorical)), dtype=object)
    for position, category in enumerate(schema.categorical):
        categorical[:, position] = [
            "" if cells.is_missing(value) else cells.text(str(value)) for value in table[category.name]
        ]
    return Features(numeric, categorical)


def date_parts(
    column: DateColumn, values: Iterable[object], cells: CellRule = CellRule()
) -> NDArray[np.float64]:
    """Return the parts [rows, parts] of `values`, texts in ISO 8601, NaN where missing; each is read once."""
    width = len(column.parts)
    known: dict[object, tuple[float, ...]] = {}
    rows = []
    for value in values:
        missing = cells.is_missing(value)
        text = "" if missing else str(value).strip()
        if text not in known:
            known[text] = parts(read_moment(text), column.has_time) if text else (math.nan,) * width
        rows.append(known[text])
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)
