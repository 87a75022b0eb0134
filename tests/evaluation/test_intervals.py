"""How exact measures are."""

import numpy as np
import pytest

from src.evaluation import intervals
from src.evaluation.intervals import bootstrap, interval


def mean(values: np.ndarray) -> dict[str, float]:
    return {"mean": float(values.mean())}


def test_the_interval_of_a_mean_is_about_two_standard_errors() -> None:
    values = np.random.default_rng(1).normal(10.0, 3.0, 400)

    [drawn] = bootstrap(mean, [(values,)])

    low, high = interval(drawn["mean"])
    error = values.std() / 20
    assert (low, high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.06
    )


def test_the_same_rows_are_drawn_of_both_and_every_time() -> None:
    values = np.random.default_rng(1).normal(0.0, 1.0, 50)

    drawn = bootstrap(mean, [(values,), (values + 1,)])

    np.testing.assert_allclose(np.subtract(drawn[1]["mean"], drawn[0]["mean"]), 1.0)
    assert drawn == bootstrap(mean, [(values,), (values + 1,)])


@pytest.mark.parametrize(("rows", "draws"), [(50, 1_000), (1_000_000, 200), (4_000_000, 100)])
def test_large_tables_are_drawn_from_less_often(
    rows: int, draws: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "CELLS", intervals.CELLS // 1000)
    [drawn] = bootstrap(mean, [(np.zeros(rows // 1000 or 1),)])

    assert len(drawn["mean"]) == draws
