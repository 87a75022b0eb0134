"""Our explanations are what the package `shap` computes independently."""

import numpy as np
import pytest
import shap
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from src.runtime.explain import explain
from src.schema.columns import NumericColumn, Schema
from src.schema.features import Features

IRIS = load_iris()
# Between two values of the table: shap's trees take another side where a value is a threshold.
ROWS = IRIS.data + np.random.default_rng(0).uniform(-0.02, 0.02, IRIS.data.shape)
FOREST = RandomForestClassifier(20, random_state=0).fit(ROWS, IRIS.target)
BACKGROUND = ROWS[::6]
SCHEMA = Schema(
    columns=tuple(
        NumericColumn(name=f"x{place}", header="x", type="float", nullable=False, lowest=0, highest=9)
        for place in range(4)
    ),
    target="y",
    target_header="y",
    classes=("a", "b", "c"),
)


def features(rows: np.ndarray) -> Features:
    return Features(rows, np.empty((len(rows), 0), dtype=object))


@pytest.mark.parametrize("row", [0, 60, 77, 120, 133])
def test_contributions_of_a_forest_are_those_of_shap(row: int) -> None:
    explained = ROWS[row : row + 1]
    found = explain(
        SCHEMA, lambda rows: FOREST.predict_proba(rows.numeric), features(explained), features(BACKGROUND)
    )

    trees = shap.TreeExplainer(
        FOREST, data=BACKGROUND, feature_perturbation="interventional", model_output="probability"
    )
    assert found.contributions == pytest.approx(trees.shap_values(explained)[0], abs=1e-6)
    assert found.base == pytest.approx(trees.expected_value, abs=1e-6)

    masked = shap.maskers.Independent(BACKGROUND, max_samples=len(BACKGROUND))
    exact = shap.explainers.Exact(FOREST.predict_proba, masked)(explained)
    assert found.contributions == pytest.approx(exact.values[0], abs=1e-9)
