import numpy as np
import pandas as pd
import pytest

from src.evaluation.report import report
from src.schema.columns import Schema
from tests.conftest import FixedRuntime


def test_a_report_holds_the_measures_the_baseline_and_the_importances(schema: Schema) -> None:
    columns = {name: [1.0, 2.0, 3.0] for name in schema.names}
    train = pd.DataFrame({**columns, "species": ["virginica", "virginica", "setosa"]})
    test = pd.DataFrame({**columns, "species": ["setosa", "virginica", "versicolor"]})

    found = report(schema, FixedRuntime(0.5, 0.3, 0.2).predict, train, test, seed=0)

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
            "calibration_error": 0.5 - 1 / 3,
            "macro_precision": 1 / 9,
            "macro_recall": 1 / 3,
            "macro_f1_score": 1 / 6,
            "baseline_accuracy": 1 / 3,
        }
    )
