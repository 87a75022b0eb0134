import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from src.bundle.bundle import Training
from src.evaluation.measures.classification import Bin, baseline, measure, quick_measures, report
from src.schema.columns import Schema
from src.schema.features import to_features
from src.tasks import CLASSIFICATION
from tests.conftest import FixedRuntime

CLASSES = ("a", "b", "c")
ACTUAL = np.array([0, 0, 1, 1, 1, 2])
LABELS = np.array([0, 1, 1, 1, 0, 1])
SCORES = np.array(
    [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.9, 0.0], [0.1, 0.8, 0.1], [0.6, 0.4, 0.0], [0.1, 0.8, 0.1]]
)


def test_measures_are_what_their_names_say() -> None:
    found = measure(ACTUAL, LABELS, SCORES, CLASSES)

    assert found.rows == 6
    assert found.accuracy == 0.5
    assert found.confusion_matrix == ((1, 1, 0), (1, 2, 0), (0, 1, 0))
    assert {name: one.model_dump() for name, one in found.per_class.items()} == {
        "a": {"precision": 0.5, "recall": 0.5, "f1_score": 0.5, "rows": 2},
        "b": {"precision": 0.5, "recall": pytest.approx(2 / 3), "f1_score": pytest.approx(4 / 7), "rows": 3},
        "c": {"precision": 0.0, "recall": 0.0, "f1_score": 0.0, "rows": 1},
    }
    assert found.macro.precision == pytest.approx(1 / 3)
    assert found.macro.recall == pytest.approx((1 / 2 + 2 / 3) / 3)
    assert found.macro.f1_score == pytest.approx((1 / 2 + 4 / 7) / 3)
    assert found.precision == pytest.approx(0.5 * 5 / 6)  # weighted by rows
    assert found.recall == pytest.approx(0.5)
    assert found.f1_score == pytest.approx((0.5 * 2 + 4 / 7 * 3) / 6)
    right = [0.8, 0.2, 0.9, 0.8, 0.4, 0.1]
    assert found.log_loss == pytest.approx(-sum(map(math.log, right)) / 6)


def test_areas_below_curves_and_brier_score_are_scikit_learns() -> None:
    found = measure(ACTUAL, LABELS, SCORES, CLASSES)

    expected = [
        (
            roc_auc_score(ACTUAL == place, SCORES[:, place]),
            average_precision_score(ACTUAL == place, SCORES[:, place]),
        )
        for place in range(3)
    ]
    assert found.roc_auc == pytest.approx(np.mean([one for one, _ in expected]))
    assert found.average_precision == pytest.approx(np.mean([one for _, one in expected]))
    assert found.brier_score == pytest.approx(brier_score_loss(ACTUAL, SCORES))
    two = SCORES[:, :2] / SCORES[:, :2].sum(axis=1, keepdims=True)
    binary = measure(ACTUAL % 2, LABELS % 2, two, CLASSES[:2])
    assert binary.roc_auc == pytest.approx(roc_auc_score(ACTUAL % 2, two[:, 1]))
    assert binary.brier_score == pytest.approx(brier_score_loss(ACTUAL % 2, two[:, 1]))


def test_scores_that_say_nothing_have_the_areas_of_chance() -> None:
    found = baseline(ACTUAL, ACTUAL, CLASSES)

    assert found.roc_auc == 0.5
    assert found.average_precision == pytest.approx((2 / 6 + 3 / 6 + 1 / 6) / 3)


def test_one_class_has_no_curves() -> None:
    found = measure(np.array([0, 0]), np.array([0, 1]), np.array([[0.9, 0.1], [0.4, 0.6]]), CLASSES[:2])

    assert (found.roc_auc, found.average_precision) == (0.5, 1.0)


def test_calibration_compares_confidence_with_accuracy() -> None:
    found = measure(ACTUAL, LABELS, SCORES, CLASSES)

    assert [one.rows for one in found.calibration] == [1, 1, 3, 1]
    assert [one.confidence for one in found.calibration] == pytest.approx([0.6, 0.7, 0.8, 0.9])
    assert [one.accuracy for one in found.calibration] == pytest.approx([0.0, 0.0, 2 / 3, 1.0])
    assert found.calibration_error == pytest.approx((0.6 + 0.7 + 3 * (0.8 - 2 / 3) + 0.1) / 6)


def test_a_class_without_rows_is_measured_as_nothing() -> None:
    found = measure(np.array([0, 1]), np.array([0, 1]), np.array([[1.0, 0, 0], [0, 1.0, 0]]), CLASSES)

    assert found.accuracy == found.f1_score == 1.0
    assert found.per_class["c"].model_dump() == {"precision": 0.0, "recall": 0.0, "f1_score": 0.0, "rows": 0}
    assert found.calibration == (Bin(rows=2, confidence=1.0, accuracy=1.0),)


def test_the_baseline_answers_the_commonest_class_of_the_fitted_rows() -> None:
    found = baseline(ACTUAL, np.array([2, 2, 0, 1]), CLASSES)

    assert found.accuracy == pytest.approx(1 / 6)
    assert found.confusion_matrix == ((0, 0, 2), (0, 0, 3), (0, 0, 1))
    assert found.log_loss == pytest.approx(-(5 * math.log(0.25) + math.log(0.5)) / 6)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0.34, 1.0)), min_size=1, max_size=30)
)
def test_measures_stay_between_nought_and_one(rows: list[tuple[int, int, float]]) -> None:
    actual, labels = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    scores = np.array([[(1 - top) / 2] * 3 for _, _, top in rows])
    scores[np.arange(len(rows)), labels] = [top for _, _, top in rows]

    found = measure(actual, labels, scores, CLASSES)

    shares = [found.accuracy, found.precision, found.recall, found.f1_score, found.calibration_error]
    assert all(0 <= share <= 1 + 1e-12 for share in shares)
    assert sum(one.rows for one in found.calibration) == len(rows)


def test_a_report_holds_the_measures_the_baseline_and_the_importances(
    schema: Schema, training: Training
) -> None:
    columns = {name: [1.0, 2.0, 3.0] for name in schema.names}
    train = pd.DataFrame({**columns, "species": ["virginica", "virginica", "setosa"]})
    test = pd.DataFrame({**columns, "species": ["setosa", "virginica", "versicolor"]})

    predict = FixedRuntime(0.5, 0.3, 0.2).predict
    found = report(schema, predict, predict(to_features(schema, test)), train, test, training, seed=0)

    assert found.confusion_matrix == ((1, 0, 0), (1, 0, 0), (1, 0, 0))
    assert found.baseline.confusion_matrix == ((0, 0, 1), (0, 0, 1), (0, 0, 1))
    assert found.importances == dict.fromkeys(schema.names, 0.0)
    assert found.numbers() == pytest.approx(
        {
            "accuracy": 1 / 3,
            "precision": 1 / 9,
            "recall": 1 / 3,
            "f1_score": 1 / 6,
            "log_loss": float(-np.mean(np.log([0.5, 0.2, 0.3]))),
            "roc_auc": 0.5,
            "average_precision": 1 / 3,
            "brier_score": (0.5**2 + 0.3**2 + 0.2**2) + 1 - 2 / 3,
            "calibration_error": 0.5 - 1 / 3,
            "macro_precision": 1 / 9,
            "macro_recall": 1 / 3,
            "macro_f1_score": 1 / 6,
            "baseline_accuracy": 1 / 3,
        }
    )


def test_the_quick_measures_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    for classes, rows in ((2, 7), (3, 40), (5, 200)):
        scores = generator.dirichlet(np.ones(classes), rows)
        actual, labels = generator.integers(0, classes, rows), scores.argmax(axis=1)
        whole = measure(actual, labels, scores, [str(place) for place in range(classes)])

        quick = quick_measures(actual, labels, scores)

        assert quick == pytest.approx({name: getattr(whole, name) for name in quick}, abs=1e-12)
        assert quick.keys() == CLASSIFICATION.measures.keys() - {
            "calibration_error",
            "roc_auc",
            "average_precision",
        }
