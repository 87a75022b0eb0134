"""A target of numbers: what it may hold, as what it is learned, how rows are chosen by it."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from src.errors import DataError
from src.schema.cells import CellRule
from src.schema.columns import Schema
from src.tables.conform import check_finite, to_numbers

IS_TEXT = False  # a number is read as the numbers of other columns are


def infer(target: str, values: "pd.Series[Any]", cells: CellRule) -> dict[str, Any]:
    """Return what the schema says of the column `target`, whose cells are `values`: that it has no classes.

    Raises:
        DataError: a row has no number, or all have the same.
    """
    _check_numbers(target, values)
    if missing := int(values.isna().sum()):
        raise DataError(
            f"column {target!r}: {missing} rows have no target; data.target_missing: drop leaves them out"
        )
    numbers = values.astype(float)
    check_finite(target, numbers)
    if numbers.nunique() < 2:
        raise DataError(f"column {target!r}: every row has the target {numbers.iloc[0]:g}")
    return {"task": "regression", "classes": ()}


def usable(
    target: str, values: "pd.Series[Any]", cells: CellRule, missing: str, rare: str
) -> tuple["pd.Series[bool]", list[str]]:
    """Return which rows [rows] to keep, and what is said of the others.

    `missing` is what to do with rows without a number: `drop` leaves them out, `error` keeps them, for
    `infer` to refuse. No number is rare.
    """
    kept = values.notna() if missing == "drop" else pd.Series(True, index=values.index)
    lost = int((~kept).sum())
    said = f"column {target!r}: left out {lost} of {len(values)} rows, which have no target"
    return kept, [said] if lost else []


def to_column(schema: Schema, values: pd.Series) -> pd.Series:
    """Return the target's cells `values` as a table of the schema holds them: float64."""
    return to_numbers(schema.target_header, values, schema.cells)


def to_array(values: pd.Series) -> NDArray[np.float64]:
    """Return the target `values` [rows] of such a table as a model is fitted to them."""
    return values.to_numpy(dtype=np.float64)


def summary(values: pd.Series) -> str:
    """Return the distribution of `values` in one line."""
    low, quarter, median, more, high = values.quantile([0, 0.25, 0.5, 0.75, 1]).tolist()
    return (
        f"target: {low:g} to {high:g}, mean {values.mean():g}, median {median:g}, "
        f"half of the rows between {quarter:g} and {more:g}"
    )


def split(
    table: pd.DataFrame, test_size: float, random_state: int, target: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (train, test), drawn at random: scikit-learn's own split.

    Raises:
        DataError: a part would be too small.
    """
    try:
        train, test = train_test_split(table, test_size=test_size, random_state=random_state)
    except ValueError as error:
        raise DataError(f"data.test_size: {test_size:g} of {len(table)} rows: {error}") from error
    if train[target].nunique() < 2:
        raise DataError(f"data.test_size: {test_size:g} leaves {len(train)} rows of one target to train on")
    return train, test


def check_train(train: pd.DataFrame, schema: Schema) -> None:
    """Raise DataError when there is nothing to learn."""
    if train[schema.target].nunique() < 2:
        raise DataError(f"{len(train)} rows of one target are left to train on")


def example_rows(table: pd.DataFrame, count: int, target: str) -> pd.DataFrame:
    """Return at most `count` rows of `table`, from the least target to the greatest."""
    ordered = table.sort_values(target, kind="stable")
    places = np.unique(np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int))
    return ordered.iloc[places]


def _check_numbers(target: str, values: "pd.Series[Any]") -> None:
    present = values.dropna()
    if present.map(lambda value: isinstance(value, (bool, np.bool_))).any():
        raise DataError(f"column {target!r}: holds true and false; set data.task: classification")
    texts = present[present.map(lambda value: isinstance(value, str))]
    if len(texts):
        # A column with one text is read as texts: those that are no numbers are to blame.
        wrong = [text for text in texts if not _is_number(text)] or texts.tolist()
        raise DataError(
            f"column {target!r}: {wrong[0][:40]!r} in {len(wrong)} rows is no number; mend it, list it in "
            "data.missing, or set data.task: classification"
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
