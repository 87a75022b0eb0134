"""What a model had better not see: identifiers, copies of a column, and what gives the target away."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from src.tasks import TaskName

LEAST_ROWS = 20  # of fewer, values differ by chance
SPARSE = 10  # numbers that are farther apart on average count something
MOST_ROWS = 5_000  # a sample of so many tells a leak
LEAK = 0.98  # share of the rows, or of the variance, that one column alone explains
ROOM = 0.5  # of the way from what is known without any column to all: less is no news


def suspects(table: pd.DataFrame, target: str, task: TaskName) -> Iterator[tuple[str, str]]:
    """Yield the header of each suspect column and what is suspect; `table` holds values, `target` is one.

    An identifier has another value in each row; a leak, by itself, nearly says the target of rows that it
    was not fitted to.
    """
    columns = []
    known: dict[Any, str] = {}
    for header in table.columns:
        if header == target:
            continue
        values = table[header]
        if is_identifier(values):
            yield str(header), "has another value in each row, as an identifier has"
            continue
        columns.append(header)
        key = _fingerprint(values)
        if key in known and _equal(values, table[known[key]]):
            yield str(header), f"repeats column {known[key]!r}"
        known.setdefault(key, header)
    yield from _leaks(table, columns, target, task)


def is_identifier(values: "pd.Series[Any]") -> bool:
    """Return whether each row has a text of its own, or a whole number of about as many as there are rows."""
    if len(values) < LEAST_ROWS or values.isna().any() or pd.api.types.is_float_dtype(values.dtype):
        return False
    if values.nunique() < len(values):
        return False
    if not pd.api.types.is_integer_dtype(values.dtype):
        return True
    return int(values.max()) - int(values.min()) < SPARSE * len(values)


def _fingerprint(values: "pd.Series[Any]") -> int:
    return hash(tuple(values.head(LEAST_ROWS).map(str))) ^ hash(values.nunique())


def _equal(one: "pd.Series[Any]", other: "pd.Series[Any]") -> bool:
    return bool(((one == other) | (one.isna() & other.isna())).all())


def _leaks(table: pd.DataFrame, columns: list[Any], target: str, task: TaskName) -> Iterator[tuple[str, str]]:
    rows = table[table[target].notna()]
    if len(rows) > MOST_ROWS:
        rows = rows.sample(MOST_ROWS, random_state=0)
    if len(rows) < LEAST_ROWS:
        return
    fit, rest = train_test_split(np.arange(len(rows)), test_size=0.5, random_state=0)
    of: NDArray[Any]
    if task == "classification":
        of = pd.factorize(rows[target].map(str))[0]
        known = float(np.bincount(of[fit]).max() / len(fit))
        what = "of the classes"
    else:
        of = rows[target].to_numpy(dtype=np.float64)
        known, what = 0.0, "of the variance"
    for header in columns:
        score = _alone(_as_numbers(rows[header]), of, fit, rest, task)
        if score >= LEAK and score - known >= ROOM * (1 - known):
            yield str(header), f"alone tells {score:.0%} {what}: is it known before the target is?"


def _alone(
    column: NDArray[np.float64],
    of: NDArray[Any],
    fit: NDArray[np.int64],
    rest: NDArray[np.int64],
    task: TaskName,
) -> float:
    tree = DecisionTreeClassifier if task == "classification" else DecisionTreeRegressor
    fitted = tree(min_samples_leaf=3, random_state=0).fit(column[fit, None], of[fit])
    return float(fitted.score(column[rest, None], of[rest]))


def _as_numbers(values: "pd.Series[Any]") -> NDArray[np.float64]:
    """Return `values` as numbers, texts by the order of their alphabet, NaN where missing."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64)
    if values.dropna().map(lambda value: isinstance(value, str)).any():
        codes, _ = pd.factorize(values.map(str), sort=True)
        return codes.astype(np.float64)
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
