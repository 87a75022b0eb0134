"""What a model that predicts a number gives, and whether it gives the same as scikit-learn."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.bundle.examples.regression import Example
from src.bundle.limits import Scalar
from src.runtime.values import ROWS, Value
from src.runtime.wire import DOUBLE
from src.schema.columns import Schema

TOLERANCE = 1e-9  # of a number, for models that are not exact, relative to it or to what is usual


class Predictions(NamedTuple):
    """One row per row that was asked; the field is the output of the graph."""

    values: NDArray[np.float64]  # [rows]


def outputs(schema: Schema) -> dict[str, Value]:
    """Return the outputs of a model of `schema`, by name and in order."""
    return {"value": Value(DOUBLE, (ROWS,))}


def differing(found: Predictions, expected: Predictions, *, exact: bool) -> NDArray[np.bool_]:
    """Return which rows [rows] got other bits (`exact`), or a number too far off."""
    other: NDArray[np.bool_]
    if exact:
        other = found.values.view(np.int64) != expected.values.view(np.int64)
        return other
    size = np.abs(expected.values)
    # What is near 0 is a difference of larger terms, whose rounding it keeps.
    allowed = TOLERANCE * np.maximum(size, size.mean() if size.size else 0.0)
    other = ~(np.abs(found.values - expected.values) <= allowed)  # so that NaN is too far off
    return other


def largest_difference(found: Predictions, expected: Predictions) -> float:
    """Return how far off a number is at most."""
    return float(np.abs(found.values - expected.values).max(initial=0.0))


def describe(schema: Schema, predictions: Predictions, row: int) -> str:
    """Return what `row` got, in words."""
    return repr(float(predictions.values[row]))


def scores_of(predictions: Predictions) -> NDArray[np.float64]:
    """Return what an explanation is of, [rows, 1]: the number."""
    return predictions.values[:, None]


def to_example(schema: Schema, rows: Sequence[Mapping[str, Scalar]], predictions: Predictions) -> Example:
    """Return `rows` with the `predictions` that they got, as the bundle keeps them."""
    return Example(rows=tuple(dict(row) for row in rows), values=tuple(predictions.values.tolist()))


def from_example(schema: Schema, example: Example) -> Predictions:
    """Return the predictions that `example`, which was checked, expects."""
    return Predictions(np.array(example.values, dtype=np.float64))


def check_count(example: Example) -> None:
    """Raise ValueError unless each row of `example` has an answer."""
    if len(example.rows) != len(example.values):
        raise ValueError("rows and values are not equally many")


def check_answer(schema: Schema, example: Example, row: int) -> None:
    """Raise ValueError unless `row` of `example` has an answer that a model can give."""
    if not math.isfinite(example.values[row]):
        raise ValueError("its value is not a finite number")
