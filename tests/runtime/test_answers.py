"""What models of classes give, and when two of them give the same."""

from types import ModuleType

import numpy as np
import pytest

from src.runtime.answers.classification import (
    TOLERANCE,
    Predictions,
    check_answer,
    check_count,
    describe,
    differing,
    from_example,
    largest_difference,
    outputs,
    to_example,
)
from src.runtime.values import ROWS, Value, inputs
from src.runtime.wire import DOUBLE, INT64, STRING
from src.schema.columns import Schema
from src.tasks import TASKS, side
from tests.fitted import Fitted

EXPECTED = Predictions(np.array([0, 1, 2]), np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.1, 0.2, 0.7]]))


@pytest.fixture
def iris(iris_forest: Fitted) -> Schema:
    return iris_forest.schema


def moved(place: tuple[int, int], to: float) -> Predictions:
    """Return EXPECTED with another score at `place`."""
    scores = EXPECTED.scores.copy()
    scores[place] = to
    return Predictions(EXPECTED.labels, scores)


def test_a_model_takes_the_columns_there_are_and_gives_a_label_and_a_score_for_each_class(
    iris: Schema, small_forest: Fitted
) -> None:
    assert inputs(iris) == {"numeric": Value(DOUBLE, (ROWS, 4))}
    assert inputs(small_forest.schema)["categorical"] == Value(STRING, (ROWS, 2))
    assert outputs(iris) == {"label": Value(INT64, (ROWS,)), "scores": Value(DOUBLE, (ROWS, 3))}


@pytest.mark.parametrize("task", TASKS)
def test_predictions_have_a_field_for_each_output_of_the_graph(task: str, iris: Schema) -> None:
    answers: ModuleType = side("src.runtime.answers", task)

    assert len(answers.Predictions._fields) == len(answers.outputs(iris))


@pytest.mark.parametrize("exact", [True, False])
def test_the_same_answers_do_not_differ(exact: bool) -> None:
    assert differing(moved((1, 1), 1.0), EXPECTED, exact=exact).tolist() == [False, False, False]
    assert largest_difference(EXPECTED, EXPECTED) == 0.0


@pytest.mark.parametrize("exact", [True, False])
def test_another_label_differs_whatever_its_scores(exact: bool) -> None:
    found = Predictions(np.array([0, 1, 1]), EXPECTED.scores)

    assert differing(found, EXPECTED, exact=exact).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("score", "exact", "differs"),
    [
        (np.nextafter(1.0, 0.0), True, True),
        (np.nextafter(1.0, 0.0), False, False),
        (1.0 - TOLERANCE / 2, False, False),
        (1.0 - TOLERANCE * 2, False, True),
        (np.nan, True, True),
        (np.nan, False, True),
        (np.inf, False, True),
    ],
)
def test_a_score_may_be_off_by_rounding_unless_the_model_is_exact(
    score: float, exact: bool, differs: bool
) -> None:
    assert differing(moved((1, 1), score), EXPECTED, exact=exact).tolist() == [False, differs, False]


@pytest.mark.parametrize(("exact", "differs"), [(True, True), (False, False)])
def test_the_sign_of_zero_is_a_bit(exact: bool, differs: bool) -> None:
    assert differing(moved((1, 0), -0.0), EXPECTED, exact=exact).tolist() == [False, differs, False]


def test_the_largest_difference_is_that_of_a_score() -> None:
    assert largest_difference(moved((0, 1), 1.0), EXPECTED) == 0.75


def test_an_answer_is_described_by_its_class_and_scores(iris: Schema) -> None:
    assert describe(iris, EXPECTED, 1) == "versicolor [0.0, 1.0, 0.0]"


def test_an_example_expects_again_what_it_was_made_of(iris: Schema) -> None:
    example = to_example(iris, [{"sepal_length": 1.0}] * 3, EXPECTED)

    again = from_example(iris, example)

    assert example.labels == ("setosa", "versicolor", "virginica")
    assert not differing(again, EXPECTED, exact=True).any()


def test_an_example_has_an_answer_for_each_row(iris: Schema) -> None:
    example = to_example(iris, [{"sepal_length": 1.0}] * 2, EXPECTED)

    with pytest.raises(ValueError, match="^rows, labels and scores are not equally many$"):
        check_count(example)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": ("rose",)}, "^its label or scores are not of the schema's classes$"),
        ({"scores": ((0.5, 0.5),)}, "^its label or scores are not of the schema's classes$"),
        ({"scores": ((0.5, 0.25, 0.0),)}, "0.75"),
    ],
)
def test_an_answer_that_no_model_of_the_schema_gives_is_refused(
    changes: dict[str, object], reason: str, iris: Schema
) -> None:
    row = Predictions(EXPECTED.labels[:1], EXPECTED.scores[:1])
    example = to_example(iris, [{"sepal_length": 1.0}], row)
    check_answer(iris, example, 0)

    with pytest.raises(ValueError, match=reason):
        check_answer(iris, example.model_copy(update=changes), 0)
