"""The gate that no export passes which answers differently."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from src.errors import ParityError
from src.export.parity import check_parity, edge_rows
from tests.fitted import Fitted


def shifted(model: bytes, by: float) -> bytes:
    """Return `model` with its first constant that holds doubles changed a little."""
    content = onnx.load_from_string(model)
    for tensor in content.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float64 and array.size > 1:
            tensor.CopyFrom(numpy_helper.from_array(array + by, tensor.name))
            return content.SerializeToString()
    raise AssertionError("no constant to change")


def test_20000_edge_rows_of_iris_agree_to_the_bit(iris_forest: Fitted) -> None:
    rows = edge_rows(iris_forest.pipeline, iris_forest.schema, 20_000, seed=1)

    report = check_parity(iris_forest.pipeline, iris_forest.model, iris_forest.schema, rows, exact=True)

    assert report == (20_000, 0.0)


def test_one_bit_of_one_score_is_seen(iris_forest: Fitted) -> None:
    rows = edge_rows(iris_forest.pipeline, iris_forest.schema, 100, seed=1)
    model = shifted(iris_forest.model, 1e-16)

    with pytest.raises(ParityError) as error:
        check_parity(iris_forest.pipeline, model, iris_forest.schema, rows, exact=True)

    assert "differs from scikit-learn in" in str(error.value)
    assert "sepal_length=" in str(error.value)
    assert "\n" not in str(error.value)


def test_rounding_is_allowed_where_a_model_is_not_exact(small_logistic: Fitted) -> None:
    rows = edge_rows(small_logistic.pipeline, small_logistic.schema, 1_000, seed=1)

    report = check_parity(
        small_logistic.pipeline, small_logistic.model, small_logistic.schema, rows, exact=False
    )

    assert report.rows == 1_000
    assert report.largest_difference <= 1e-12


def test_more_than_rounding_is_not(small_logistic: Fitted) -> None:
    rows = edge_rows(small_logistic.pipeline, small_logistic.schema, 1_000, seed=1)
    model = shifted(small_logistic.model, 1e-6)

    with pytest.raises(ParityError, match="differs from scikit-learn"):
        check_parity(small_logistic.pipeline, model, small_logistic.schema, rows, exact=False)


def test_edge_rows_lie_on_the_thresholds_and_hold_what_was_never_seen(small_forest: Fitted) -> None:
    rows = edge_rows(small_forest.pipeline, small_forest.schema, 5_000, seed=1)

    tree = small_forest.pipeline.named_steps["model"].estimators_[0].tree_
    thresholds = tree.threshold[tree.feature == 0]
    assert np.isin(thresholds, rows.numeric).all()
    assert np.isnan(rows.numeric).any()
    assert {"", "unseen"} <= set(rows.categorical[:, 0])
