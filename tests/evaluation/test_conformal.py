from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from src.evaluation import conformal
from src.evaluation.conformal import half_width, interval
from src.params import DataParams
from src.tables.folds import Fold, folds

Fit = Callable[[pd.DataFrame, NDArray[np.float64]], Any]


def linear(rows: pd.DataFrame, target: NDArray[np.float64]) -> LinearRegression:
    return LinearRegression().fit(rows, target)


@pytest.mark.parametrize(
    ("distances", "coverage", "expected"),
    [
        (list(range(1, 100)), 0.9, 90),  # ceil(100 x 0.9)
        (list(range(1, 10)), 0.9, 9),
        ([1, 2, 3], 0.9, 3),  # too few to be sure: the largest
        ([2], 0.5, 2),
    ],
)
def test_the_width_is_the_distance_that_one_more_row_is_within(
    distances: list[int], coverage: float, expected: int
) -> None:
    assert half_width(np.array(distances[::-1], dtype=float), coverage) == expected


def random_folds(rows: int, seed: int = 0) -> list[Fold]:
    data = DataParams.model_validate(
        {"name": "t", "source": "t.csv", "target": "y", "drop": (), "ranges": {}, "test_size": 0.2}
        | {"random_state": seed}
    )
    return list(folds(conformal.FOLDS, rows, None, data, None))


@pytest.mark.parametrize("rows", [60, 400])
def test_nine_of_ten_new_rows_are_inside(rows: int) -> None:
    random = np.random.default_rng(0)
    inside = []
    for seed in range(60):
        x = pd.DataFrame(random.normal(size=(rows + 200, 3)))
        y = x.sum(axis=1).to_numpy() + random.standard_t(4, rows + 200)
        found = interval(linear, x.iloc[:rows], y[:rows], random_folds(rows, seed))
        predicted = linear(x.iloc[:rows], y[:rows]).predict(x.iloc[rows:])
        inside.append(np.mean(np.abs(y[rows:] - predicted) <= found.half_width))

    assert 0.88 < np.mean(inside) < 0.93


def test_every_row_is_held_out_once_and_of_many_a_fifth(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []

    def fit(rows: pd.DataFrame, target: NDArray[np.float64]) -> DummyRegressor:
        fitted.append(len(rows))
        return DummyRegressor().fit(rows, target)

    rows, target = pd.DataFrame({"x": range(50)}), np.arange(50.0)
    interval(fit, rows, target, random_folds(50))
    monkeypatch.setattr(conformal, "MANY_ROWS", 50)
    interval(fit, rows, target, random_folds(50))

    assert fitted == [40] * 5 + [40]


def test_two_rows_are_enough() -> None:
    found = interval(
        lambda rows, target: DummyRegressor().fit(rows, target),
        pd.DataFrame({"x": [1, 2]}),
        np.array([1.0, 4.0]),
        random_folds(2),
    )

    assert (found.coverage, found.half_width) == (0.9, 3.0)
