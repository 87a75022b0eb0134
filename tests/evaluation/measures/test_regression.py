import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, median_absolute_error, r2_score, root_mean_squared_error

from src.bundle.bundle import Training
from src.bundle.manifest import Interval
from src.evaluation.measures.regression import measure, pictures, plot_tables, report, summary
from src.runtime.answers.regression import Predictions
from src.schema.columns import Schema
from src.schema.features import Features, to_features

numbers = st.floats(-1e6, 1e6)


@pytest.fixture
def of_numbers(schema: Schema, training: Training) -> tuple[Schema, Training]:
    interval = Interval(coverage=0.5, half_width=0.25)
    return (
        schema.model_copy(update={"task": "regression", "classes": (), "target": "price"}),
        training.model_copy(update={"task": "regression", "interval": interval}),
    )


def predict(features: Features) -> Predictions:
    return Predictions(2 * features.numeric[:, 0])


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=40))
def test_measures_are_scikit_learns(rows: list[tuple[float, float]]) -> None:
    values, predicted = np.array(rows).T

    found = measure(values, predicted, 1.0)

    assert found.rmse == pytest.approx(root_mean_squared_error(values, predicted), rel=1e-12)
    assert found.mae == pytest.approx(mean_absolute_error(values, predicted), rel=1e-12)
    assert found.median_error == pytest.approx(median_absolute_error(values, predicted), rel=1e-12)
    if values.std() > 1e-3:
        assert found.r2 == pytest.approx(r2_score(values, predicted), rel=1e-9, abs=1e-9)


def test_rows_of_one_value_have_an_r2() -> None:
    assert measure(np.array([3.0, 3.0]), np.array([3.0, 3.0]), 0.0).r2 == 1.0
    assert measure(np.array([3.0, 3.0]), np.array([3.0, 4.0]), 0.0).r2 == 0.0


def test_the_coverage_is_the_share_inside_the_interval() -> None:
    found = measure(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.5, 2.0, 3.6, 4.0]), 0.5)

    assert (found.coverage, found.interval_width) == (0.75, 1.0)


def test_a_report_holds_the_measures_the_baseline_the_importances_and_what_is_drawn(
    of_numbers: tuple[Schema, Training],
) -> None:
    schema, training = of_numbers
    columns = {name: np.arange(20.0) for name in schema.names}
    train = pd.DataFrame({**columns, "price": 2 * np.arange(20.0)})
    test = pd.DataFrame({**columns, "price": 2 * np.arange(20.0) + np.tile([0.5, 0.0], 10)})

    found = report(schema, predict, predict(to_features(schema, test)), train, test, training, seed=0)

    assert (found.rows, found.mae, found.coverage, found.interval_width) == (20, 0.25, 0.5, 0.5)
    assert found.baseline.rmse == pytest.approx(test["price"].sub(19.0).pow(2).mean() ** 0.5)
    assert found.baseline.interval_width == 2 * 11.0  # the 11th of 20 distances from the mean
    assert list(found.importances) == schema.names
    assert found.importances["sepal_length"] > 5
    assert [found.importances[name] for name in schema.names[1:]] == [0.0, 0.0, 0.0]
    assert sum(one.rows for one in found.bins) == sum(found.residuals.rows) == 20
    assert len(found.residuals.edges) == len(found.residuals.rows) + 1
    assert found.numbers().keys() >= {"r2", "rmse", "mae", "median_error", "coverage", "baseline_rmse"}
    assert summary("a title", found).splitlines()[0] == "a title"
    drawn = pictures(found)
    assert list(drawn) == ["predicted_actual.png", "residuals.png", "importances.png"]
    assert drawn == pictures(found)
    tables = plot_tables(found, schema, predict(to_features(schema, test)), test)
    assert tables["predictions.csv"].splitlines()[:2] == [b"actual,predicted", b"0.5,0.0"]
