"""Why a model answers as it does: how much each column's value adds to the score, as Shapley values.

A score is explained against background rows: with the columns of a coalition as in the row that is
explained, and the others as in the background. Of few columns every coalition is tried, which is exact; of
more, columns are changed one after the other in random orders, each together with its reverse (Castro et
al., 2009; Mitchell et al., 2022). Either way base and contributions add up to the score, and the model is
asked for answers alone, so that it works for every family and every kind of column.
"""

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.schema.columns import Schema
from src.schema.features import Features

EXACT_COLUMNS = 8  # with more there are too many coalitions
ASKED = 4_000  # rows that the model is asked for a sampled explanation, or two orders of the columns
SEED = 0

Scores = Callable[[Features], NDArray[np.float64]]  # [rows, scores] of the model


class Explanation(NamedTuple):
    """The parts of the scores of one row."""

    base: NDArray[np.float64]  # [scores], of the background
    contributions: NDArray[np.float64]  # [columns, scores], in the schema's order
    is_exact: bool


def explain(schema: Schema, scores: Scores, row: Features, background: Features) -> Explanation:
    """Return the parts of the `scores` of `row`, a matrix of one row, beside those of the `background`."""
    columns = len(schema.columns)
    if columns <= EXACT_COLUMNS:
        return _exact(schema, scores, row, background)
    return _sampled(schema, scores, row, background)


def _exact(schema: Schema, scores: Scores, row: Features, background: Features) -> Explanation:
    columns, rows = len(schema.columns), len(background.numeric)
    coalitions = (np.arange(2**columns)[:, None] >> np.arange(columns) & 1).astype(bool)
    taken = np.repeat(coalitions, rows, axis=0)  # [coalitions x rows, columns]
    mixed = _mixed(schema, row, background, taken, np.tile(np.arange(rows), len(coalitions)))
    values = scores(mixed).reshape(len(coalitions), rows, -1).mean(axis=1)
    sizes = coalitions.sum(axis=1)
    weight = np.array(
        [factorial(size) * factorial(columns - size - 1) / factorial(columns) for size in range(columns)]
    )
    contributions = np.empty((columns, values.shape[1]))
    for column in range(columns):
        without = np.flatnonzero(~coalitions[:, column])
        gained = values[without | 1 << column] - values[without]
        contributions[column] = weight[sizes[without]] @ gained
    return Explanation(values[0], contributions, True)


def _sampled(schema: Schema, scores: Scores, row: Features, background: Features) -> Explanation:
    columns = len(schema.columns)
    generator = np.random.default_rng(SEED)
    orders = []
    for _ in range(max(ASKED // (2 * columns), 1)):
        order = generator.permutation(columns)
        orders += [order, order[::-1]]
    taken = np.zeros((len(orders), columns + 1, columns), dtype=bool)
    for place, order in enumerate(orders):
        for step, column in enumerate(order):
            taken[place, step + 1 :, column] = True
    # Both directions of an order start from the same background row.
    beside = np.repeat(np.arange(len(orders)) // 2 % len(background.numeric), columns + 1)
    mixed = _mixed(schema, row, background, taken.reshape(-1, columns), beside)
    values = scores(mixed).reshape(len(orders), columns + 1, -1)
    gained = np.diff(values, axis=1)  # [orders, columns, scores], in the order in which they changed
    contributions = np.zeros((columns, values.shape[2]))
    for order, one in zip(orders, gained, strict=True):
        contributions[order] += one
    return Explanation(values[:, 0].mean(axis=0), contributions / len(orders), False)


def _mixed(
    schema: Schema,
    row: Features,
    background: Features,
    taken: NDArray[np.bool_],
    beside: NDArray[np.int64],
) -> Features:
    """Return rows with `row`'s value where `taken` [rows, columns], else that of background row `beside`."""
    numeric, categorical = schema.owners
    return Features(
        np.where(taken[:, numeric], row.numeric, background.numeric[beside]),
        np.where(taken[:, categorical], row.categorical, background.categorical[beside]),
    )
