"""Cells of any kind as what a column of the schema holds: numbers or texts."""

import pandas as pd

from src.errors import DataError
from src.schema.cells import CellRule
from src.schema.columns import FLOAT32_MAX, DateColumn
from src.schema.dates import is_moment
from src.tables.kinds import typed


def to_numbers(header: str, values: pd.Series, cells: CellRule) -> pd.Series:
    """Return `values` of the column `header` as float64, NaN where missing.

    Raises:
        DataError: one is not a finite number.
    """
    if not pd.api.types.is_numeric_dtype(values) and values.map(lambda value: isinstance(value, str)).any():
        values = typed(values.astype(object).where(values.notna(), "").map(str), cells)
    numbers = pd.to_numeric(values.astype(object), errors="coerce").astype("float64")
    wrong = (numbers.isna() & values.notna()) | (numbers.abs() > FLOAT32_MAX)
    if wrong.any():
        first = str(values[wrong].iloc[0])
        raise DataError(
            f"column {header!r}: {first[:40]!r} in {int(wrong.sum())} rows is not a finite number"
        )
    return numbers.where(~numbers.isin(cells.numbers)) if cells.numbers else numbers


def check_finite(header: str, numbers: pd.Series) -> None:
    """Raise DataError unless each of `numbers`, of the column `header`, is one that a float32 can be."""
    if not (numbers.abs() <= FLOAT32_MAX).all():
        raise DataError(
            f"column {header!r}: holds an infinite number or one beyond {FLOAT32_MAX:.3g}; "
            "data.missing can list it as no value"
        )


def to_dates(column: DateColumn, texts: pd.Series) -> pd.Series:
    """Return `texts`, "" where missing, which are dates of `column`, without blanks around them.

    Raises:
        DataError: one is not.
    """
    found = texts.str.strip()
    wrong = [text for text in found.unique() if text and not is_moment(text)]
    if wrong:
        rows = int(found.isin(wrong).sum())
        raise DataError(f"column {column.header!r}: {wrong[0][:40]!r} in {rows} rows is not a date")
    return found


def to_texts(values: pd.Series, cells: CellRule) -> pd.Series:
    """Return `values` as str, "" where missing."""
    return (
        values.astype(object).where(values.notna(), "").map(lambda value: cells.text(str(value))).astype(str)
    )
