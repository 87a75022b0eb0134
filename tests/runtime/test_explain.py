"""Contributions add up to the score, and are the Shapley values of the game that they are said to be of."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from numpy.typing import NDArray

from src.runtime.explain import EXACT_COLUMNS, explain
from src.schema.columns import CategoryColumn, NumericColumn, Schema
from src.schema.features import Features

Array = NDArray[np.float64]


def schema_of(kinds: str) -> Schema:
    """Return a schema of columns, `n` a number and `c` a category."""
    columns = []
    for place, kind in enumerate(kinds):
        name = f"x{place}"
        if kind == "n":
            columns.append(
                NumericColumn(name=name, header=name, type="float", nullable=True, lowest=-9, highest=9)
            )
        else:
            columns.append(
                CategoryColumn(name=name, header=name, type="category", nullable=True, categories=("a", "b"))
            )
    return Schema(columns=tuple(columns), target="y", target_header="y", classes=("no", "yes"))


def scores(rows: Features) -> Array:
    """A model with interactions between columns of both kinds, and missing values."""
    numbers = np.nan_to_num(rows.numeric, nan=-1.0)
    texts = (rows.categorical == "a").astype(np.float64)
    total = numbers.sum(axis=1) + numbers[:, :1].ravel() * numbers[:, -1:].ravel()
    if texts.shape[1]:
        total += texts[:, 0] * numbers[:, 0] + 2 * texts.prod(axis=1)
    yes = 1 / (1 + np.exp(-total))
    return np.column_stack([1 - yes, yes])


def rows_of(schema: Schema, count: int, seed: int = 0) -> Features:
    generator = np.random.default_rng(seed)
    numeric = generator.normal(size=(count, len(schema.numeric)))
    numeric[generator.random(numeric.shape) < 0.2] = np.nan
    categorical = generator.choice(["a", "b", "", "unseen"], size=(count, len(schema.categorical)))
    return Features(numeric, categorical.astype(object))


def by_definition(schema: Schema, row: Features, background: Features) -> Array:
    """Return Shapley's sum over all coalitions, one after the other."""
    columns = len(schema.columns)
    places = [[one.name for one in group] for group in (schema.numeric, schema.categorical)]

    def value(coalition: set[int]) -> Array:
        numeric, categorical = background.numeric.copy(), background.categorical.copy()
        for column in coalition:
            name = schema.columns[column].name
            if name in places[0]:
                numeric[:, places[0].index(name)] = row.numeric[0, places[0].index(name)]
            else:
                categorical[:, places[1].index(name)] = row.categorical[0, places[1].index(name)]
        return np.asarray(scores(Features(numeric, categorical)).mean(axis=0))

    found = np.zeros((columns, 2))
    for column in range(columns):
        others = [other for other in range(columns) if other != column]
        for size in range(columns):
            weight = factorial(size) * factorial(columns - size - 1) / factorial(columns)
            for chosen in combinations(others, size):
                found[column] += weight * (value({*chosen, column}) - value(set(chosen)))
    return found


@pytest.mark.parametrize("kinds", ["n", "nn", "nncc", "cncnn"])
def test_few_columns_have_the_values_of_the_definition(kinds: str) -> None:
    schema = schema_of(kinds)
    row, background = rows_of(schema, 1), rows_of(schema, 7, seed=1)

    found = explain(schema, scores, row, background)

    assert found.is_exact
    assert found.contributions == pytest.approx(by_definition(schema, row, background), abs=1e-12)


@pytest.mark.parametrize("kinds", ["nnc", "n" * EXACT_COLUMNS, "nc" * EXACT_COLUMNS, "n" * 60 + "c"])
def test_base_and_contributions_add_up_to_the_score(kinds: str) -> None:
    schema = schema_of(kinds)
    background = rows_of(schema, 25, seed=1)
    for seed in range(5):
        row = rows_of(schema, 1, seed)

        found = explain(schema, scores, row, background)

        assert found.is_exact is (len(kinds) <= EXACT_COLUMNS)
        assert found.base + found.contributions.sum(axis=0) == pytest.approx(scores(row)[0], abs=1e-12)


def test_many_columns_are_near_what_is_exact() -> None:
    kinds = "n" * (EXACT_COLUMNS + 1)
    schema = schema_of(kinds)
    row, background = rows_of(schema, 1), rows_of(schema, 25, seed=1)

    found = explain(schema, scores, row, background)

    assert np.abs(found.contributions - by_definition(schema, row, background)).max() < 0.03


def test_what_changes_nothing_has_no_part() -> None:
    schema = schema_of("nn")
    background = rows_of(schema, 5)

    def first_alone(rows: Features) -> Array:
        return np.nan_to_num(rows.numeric[:, :1])

    row = Features(np.array([[2.0, 7.0]]), np.empty((1, 0), dtype=object))
    found = explain(schema, first_alone, row, background)

    assert found.contributions[1] == pytest.approx(0, abs=1e-15)


def test_the_same_row_is_explained_the_same() -> None:
    schema = schema_of("n" * 20)
    row, background = rows_of(schema, 1), rows_of(schema, 25)

    one, other = (explain(schema, scores, row, background) for _ in range(2))

    assert np.array_equal(one.contributions, other.contributions)
