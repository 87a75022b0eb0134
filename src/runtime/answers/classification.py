"""What a model that tells classes apart gives, and whether it gives the same as scikit-learn."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.bundle.examples.classification import Example
from src.bundle.limits import Scalar, check_shares
from src.runtime.values import ROWS, Value
from src.runtime.wire import DOUBLE, INT64
from src.schema.columns import Schema

TOLERANCE = 1e-12  # of a score, for models that are not exact


class Predictions(NamedTuple):
    """One row per row that was asked; the fields are the outputs of the graph, in their order."""

    labels: NDArray[np.int64]  # [rows], positions in the schema's classes
    scores: NDArray[np.float64]  # [rows, classes], probabilities


def outputs(schema: Schema) -> dict[str, Value]:
    """Return the outputs of a model of `schema`, by name and in order."""
    return {"label": Value(INT64, (ROWS,)), "scores": Value(DOUBLE, (ROWS, len(schema.classes)))}


def differing(found: Predictions, expected: Predictions, *, exact: bool) -> NDArray[np.bool_]:
    """Return which rows [rows] got another label, other bits in a score (`exact`), or one too far off."""
    if exact:
        other = found.scores.view(np.int64) != expected.scores.view(np.int64)
    else:
        other = ~(np.abs(found.scores - expected.scores) <= TOLERANCE)  # so that NaN is too far off
    rows: NDArray[np.bool_] = other.any(axis=1) | (found.labels != expected.labels)
    return rows


def largest_difference(found: Predictions, expected: Predictions) -> float:
    """Return how far off a score is at most."""
    return float(np.abs(found.scores - expected.scores).max(initial=0.0))


def describe(schema: Schema, predictions: Predictions, row: int) -> str:
    """Return what `row` got, in words."""
    return f"{schema.classes[predictions.labels[row]]} {predictions.scores[row].tolist()}"


def scores_of(predictions: Predictions) -> NDArray[np.float64]:
    """Return what an explanation is of, [rows, scores]: the probability of each class."""
    return predictions.scores


def to_example(schema: Schema, rows: Sequence[Mapping[str, Scalar]], predictions: Predictions) -> Example:
    """Return `rows` with the `predictions` that they got, as the bundle keeps them."""
    return Example(
        rows=tuple(dict(row) for row in rows),
        labels=tuple(schema.classes[label] for label in predictions.labels),
        scores=tuple(tuple(scores) for scores in predictions.scores.tolist()),
    )


def from_example(schema: Schema, example: Example) -> Predictions:
    """Return the predictions that `example`, which was checked, expects."""
    labels = [schema.classes.index(label) for label in example.labels]
    return Predictions(np.array(labels, dtype=np.int64), np.array(example.scores, dtype=np.float64))


def check_count(example: Example) -> None:
    """Raise ValueError unless each row of `example` has an answer."""
    if not len(example.rows) == len(example.labels) == len(example.scores):
        raise ValueError("rows, labels and scores are not equally many")


def check_answer(schema: Schema, example: Example, row: int) -> None:
    """Raise ValueError unless `row` of `example` has an answer that a model of `schema` can give."""
    label, scores = example.labels[row], example.scores[row]
    check_shares(scores)
    if label not in schema.classes or len(scores) != len(schema.classes):
        raise ValueError("its label or scores are not of the schema's classes")
