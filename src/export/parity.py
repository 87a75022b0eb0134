"""Whether an exported model answers as scikit-learn does, on the rows where that is hardest."""

import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from src.errors import ParityError
from src.export.families.registry import family_of
from src.export.pipeline import to_frame
from src.export.supported import Branch, fitted_branches
from src.runtime.predictions import Outputs
from src.runtime.session import open_model
from src.schema.columns import FLOAT32_MAX, NumericColumn, Schema
from src.schema.features import Features
from src.tasks import side

_UNSEEN = ("", " ", "unseen", "não", "A" * 256)
_MISSING_SHARE = 0.1
_PLAIN_SHARE = 0.3
_REACH = 10  # standard deviations


class ParityReport(NamedTuple):
    """What was compared, all of it within what is allowed."""

    rows: int
    largest_difference: float  # of a number that is answered


def check_parity(
    pipeline: Pipeline, model: bytes, schema: Schema, rows: Features, *, exact: bool
) -> ParityReport:
    """Return how close `model` is to the fitted `pipeline`, which runs in one thread, on `rows`.

    Raises:
        ParityError: a row gets another answer, or one with other bits (`exact`) or further off than 1e-12.
    """
    answers = side("src.runtime.answers", schema.task)
    expected = _expected(pipeline, schema, rows)
    found = open_model(model, schema).predict(rows)
    differing = answers.differing(found, expected, exact=exact)
    wrong = np.flatnonzero(differing)
    if wrong.size:
        first = int(wrong[0])
        raise ParityError(
            f"the exported model differs from scikit-learn in {wrong.size} of {len(differing)} rows; "
            f"row {first} ({_describe(schema, rows, first)}) gives {answers.describe(schema, found, first)}, "
            f"scikit-learn {answers.describe(schema, expected, first)}"
        )
    return ParityReport(len(differing), answers.largest_difference(found, expected))


def edge_rows(pipeline: Pipeline, schema: Schema, count: int, seed: int) -> Features:
    """Return `count` rows of values on, and one step beside, what the fitted `pipeline` compares with.

    Others are spread over a column's range; some are missing, and some categories were never seen.
    """
    random = np.random.default_rng(seed)
    columns = _columns(pipeline, schema)
    numeric = np.empty((count, len(schema.numeric)))
    for position, number in enumerate(schema.numeric):
        low, high, edges = columns[number.name]
        plain = random.uniform(low, high, count)
        values = np.where(random.random(count) < _PLAIN_SHARE, plain, random.choice(edges, count))
        if number.nullable:
            values[random.random(count) < _MISSING_SHARE] = np.nan
        numeric[:, position] = values
    categorical = np.empty((count, len(schema.categorical)), dtype=object)
    for position, category in enumerate(schema.categorical):
        texts = np.array([*category.categories, *_UNSEEN], dtype=object)
        categorical[:, position] = random.choice(texts, count)
    return Features(numeric, categorical)


def _expected(pipeline: Pipeline, schema: Schema, rows: Features) -> Outputs:
    """Return what scikit-learn says in one thread; with more, a forest disagrees with itself on ties."""
    matrix = pipeline.named_steps["preprocess"].transform(to_frame(schema, rows))
    model = copy.copy(pipeline.named_steps["model"])
    family_of(model).use_one_thread(model)
    predictions: Outputs = side("src.export.answers", schema.task).expected(model, matrix, schema)
    return predictions


class _Column(NamedTuple):
    """Where the values of a numeric column are drawn from."""

    low: float
    high: float
    edges: NDArray[np.float64]  # the values beside which the answer may change


def _columns(pipeline: Pipeline, schema: Schema) -> dict[str, _Column]:
    preprocess, model = pipeline.named_steps["preprocess"], pipeline.named_steps["model"]
    thresholds = family_of(model).thresholds(model)
    columns = {column.name: column for column in schema.numeric}
    found: dict[str, _Column] = {}
    for branch in fitted_branches(preprocess, schema):
        if not branch.numeric:
            continue
        start = preprocess.output_indices_[branch.name].start
        for position, name in enumerate(branch.columns):
            compared = thresholds.get(start + position, np.empty(0))
            low, high = _range(branch, position, columns[name])
            edges = np.concatenate([_before_steps(branch, position, compared), [low, high, 0.0]])
            found[name] = _Column(low, high, _beside(edges))
    return found


def _range(branch: Branch, position: int, column: NumericColumn) -> tuple[float, float]:
    """Return the range of `column`; if it is scaled, not so far out that rounding alone decides."""
    low, high = column.lowest, column.highest
    for step in branch.steps:
        if isinstance(step, StandardScaler) and step.with_mean and step.with_std:
            mean, reach = float(step.mean_[position]), _REACH * float(step.scale_[position])
            low, high = max(low, mean - reach), min(high, mean + reach)
    return low, high


def _before_steps(branch: Branch, position: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what becomes `values` in the column at `position` of `branch`, as near as rounding allows."""
    for step in reversed(branch.steps):
        if isinstance(step, StandardScaler):
            values = values * (step.scale_[position] if step.with_std else 1.0)
            values = values + (step.mean_[position] if step.with_mean else 0.0)
        if isinstance(step, SimpleImputer):
            values = np.append(values, step.statistics_[position])
    return values


def _beside(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `values` and the numbers one step beside them: doubles, floats, and where a float rounds."""
    single = values.astype(np.float32)
    floats = [np.nextafter(single, np.float32(-np.inf)), single, np.nextafter(single, np.float32(np.inf))]
    below, nearest, above = (one.astype(np.float64) for one in floats)
    centres = np.concatenate([values, below, nearest, above, (below + nearest) / 2, (nearest + above) / 2])
    around = np.concatenate([np.nextafter(centres, -np.inf), centres, np.nextafter(centres, np.inf)])
    return np.unique(around[np.abs(around) <= FLOAT32_MAX])


def _describe(schema: Schema, rows: Features, row: int) -> str:
    names = [column.name for column in schema.numeric] + [column.name for column in schema.categorical]
    values = [*rows.numeric[row].tolist(), *rows.categorical[row].tolist()]
    return ", ".join(f"{name}={value!r}" for name, value in zip(names, values, strict=True))
