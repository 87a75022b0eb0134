"""Loading a bundle's model: the schema it must fit, and the rows it must answer again."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.bundle.examples.classification import Example
from src.errors import BundleError
from src.runtime.session import MAX_ROWS, load, open_model
from src.schema.features import Features
from tests.conftest import REPOSITORY
from tests.fitted import Fitted

NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def test_onnx_runtime_keeps_no_identifier_and_sends_nothing(tmp_path: Path) -> None:
    code = "import src.runtime.session, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("1\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def example(iris_forest: Fitted) -> Example:
    few = Features(iris_forest.rows.numeric[::50], iris_forest.rows.categorical[::50])
    answers = open_model(iris_forest.model, iris_forest.schema).predict(few)
    return Example(
        rows=tuple(dict(zip(NAMES, row, strict=True)) for row in few.numeric.tolist()),
        labels=tuple(iris_forest.schema.classes[label] for label in answers.labels),
        scores=tuple(tuple(row) for row in answers.scores.tolist()),
    )


@pytest.fixture
def make_loaded(
    iris_forest: Fitted, example: Example, make_files: Callable[..., dict[str, bytes]]
) -> Callable[..., Bundle]:
    """Return a bundle of the forest, with an example of the test's choice."""

    def make(model: bytes = iris_forest.model, **changes: Any) -> Bundle:
        content = {**example.model_dump(), **changes}
        bundle = bundles.load(make_files(model=model).__getitem__)
        return Bundle(**{**bundle.__dict__, "example": Example.model_validate(content)})

    return make


def test_a_bundle_that_passes_its_self_test_is_loaded(
    make_loaded: Callable[..., Bundle], iris_forest: Fitted
) -> None:
    answers = load(make_loaded()).predict(iris_forest.rows)

    assert answers.labels[:3].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ("virginica",) * 3}, "the self-test failed at row 1 of example.json: setosa"),
        ({"scores": ((0.9999999999999999, 0.0, 0.0),) * 3}, "the self-test failed at row 1 of example.json"),
        ({"labels": ("setosa",)}, "rows, labels and scores are not equally many"),
        ({"rows": ({"sepal_length": 1.0},) * 3}, "example.json: row 1: does not hold the schema's columns"),
        ({"rows": (dict.fromkeys(NAMES, "long"),) * 3}, "row 1: sepal_length: not what schema.json allows"),
    ],
)
def test_a_bundle_that_fails_its_self_test_is_refused(
    make_loaded: Callable[..., Bundle], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        load(make_loaded(**changes))


def test_a_model_for_other_columns_is_refused(small_logistic: Fitted, iris_forest: Fitted) -> None:
    with pytest.raises(BundleError, match="model.onnx: takes and gives"):
        open_model(small_logistic.model, iris_forest.schema)


def test_what_onnx_runtime_refuses_is_one_line(iris_forest: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.runtime.session.inspect", lambda model, outputs: 0)
    model = onnx.load_from_string(iris_forest.model)
    model.graph.node[0].op_type = "Nothing"

    for content in (b"not a model", model.SerializeToString()):
        with pytest.raises(BundleError) as error:
            open_model(content, iris_forest.schema)
        assert str(error.value).startswith("model.onnx: ")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("rows", [1, MAX_ROWS, MAX_ROWS + 1, 3 * MAX_ROWS])
def test_many_rows_get_the_answers_of_each_alone(iris_forest: Fitted, rows: int) -> None:
    runtime = open_model(iris_forest.model, iris_forest.schema)
    chosen = np.arange(rows) % len(iris_forest.rows.numeric)
    each = runtime.predict(iris_forest.rows)

    together = runtime.predict(
        Features(iris_forest.rows.numeric[chosen], iris_forest.rows.categorical[chosen])
    )

    assert np.array_equal(together.scores, each.scores[chosen])
    assert np.array_equal(together.labels, each.labels[chosen])
