"""Curves of one class against the rest."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from src.evaluation.curves import MOST_POINTS, curves


def test_a_curve_goes_from_end_to_end_and_its_area_is_of_every_threshold() -> None:
    generator = np.random.default_rng(0)
    actual = generator.integers(0, 3, 5000)
    scores = generator.dirichlet(np.ones(3), 5000) + np.eye(3)[actual] * 0.2
    scores /= scores.sum(axis=1, keepdims=True)

    found = curves(actual, scores, ("a", "b", "c"))

    assert [*found] == ["a", "b", "c"]
    for place, one in enumerate(found.values()):
        assert one.roc_auc == pytest.approx(roc_auc_score(actual == place, scores[:, place]))
        assert one.share == (actual == place).mean()
        assert (one.roc[0], one.roc[-1]) == ((0.0, 0.0), (1.0, 1.0))
        assert (one.precision_recall[0][0], one.precision_recall[-1]) == (1.0, (0.0, 1.0))
        for points in (one.roc, one.precision_recall):
            assert MOST_POINTS // 2 < len(points) <= MOST_POINTS
        x, y = zip(*one.roc, strict=True)
        assert np.trapezoid(y, x) == pytest.approx(one.roc_auc, abs=0.005)
        assert [*x] == sorted(x) and [*y] == sorted(y)


def test_perfect_scores_have_the_whole_area() -> None:
    found = curves(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), ("no", "yes"))

    assert {(one.roc_auc, one.average_precision) for one in found.values()} == {(1.0, 1.0)}
    assert found["yes"].roc == ((0.0, 0.0), (0.0, 0.5), (0.0, 1.0), (1.0, 1.0))


def test_a_class_that_no_row_is_of_has_none() -> None:
    found = curves(np.array([0, 1]), np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), ("a", "b", "c"))

    assert [*found] == ["a", "b"]
