import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from src.errors import DataError
from src.schema.cells import MISSING, CellRule
from src.schema.columns import FLOAT32_MAX, CategoryColumn, NumericColumn, Schema
from src.schema.features import to_features
from src.schema.request import request_model
from src.tables.infer import infer
from tests.conftest import REPOSITORY

INFINITE = "holds an infinite number or one beyond 3.4e+38; data.missing can list it as no value"
LEAVE = "leave it out with data.drop: [x], or all such columns with data.unusable: drop"


@pytest.fixture
def mixed() -> Schema:
    table = pd.DataFrame(
        {
            "Age [years]": [30, 41, 29],
            "Income": [1.5, None, -2.5],
            "Smokes?": [True, False, True],
            "Town": ["Bonn", None, "Aix"],
            "Churned": ["no", "yes", "no"],
        }
    )
    return infer(table, "Churned", {"income": [-10, 10]})


def test_iris_has_the_schema_the_other_tests_use(schema: Schema) -> None:
    assert infer(pd.read_csv(REPOSITORY / "data/iris.csv"), "species", {}) == schema


def test_the_embedded_iris_is_scikit_learns() -> None:
    from sklearn.datasets import load_iris

    iris = load_iris(as_frame=True)

    table = pd.read_csv(REPOSITORY / "data/iris.csv")

    assert table.drop(columns="species").equals(iris.data)
    assert list(table["species"]) == [iris.target_names[number] for number in iris.target]


def test_types_ranges_and_gaps_are_inferred(mixed: Schema) -> None:
    def numeric(name: str, header: str, **values: Any) -> NumericColumn:
        return NumericColumn(name=name, header=header, **values)

    assert mixed.columns == (
        numeric("age", "Age [years]", type="integer", nullable=False, lowest=17, highest=53),
        numeric("income", "Income", type="float", nullable=True, lowest=-10, highest=10),
        numeric("smokes", "Smokes?", type="boolean", nullable=False, lowest=0, highest=1),
        CategoryColumn(
            name="town", header="Town", type="category", nullable=True, categories=("Aix", "Bonn")
        ),
    )
    assert (mixed.target, mixed.target_header, mixed.classes) == ("churned", "Churned", ("no", "yes"))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            [math.inf, 1.0],
            f"column 'x': {INFINITE}",
        ),
        (
            [1e39, 1.0],
            f"column 'x': {INFINITE}",
        ),
        ([None, None], f"column 'x': every value is missing; {LEAVE}"),
        (["a" * 257, "b"], f"column 'x': '{'a' * 40}'… has more than 256 characters; {LEAVE}"),
        ([5.0, 20.0], "data.ranges: column 'x' goes from 5 to 20, beyond its range"),
        (["a", "b"], "data.ranges: column 'x' holds text, a range needs numbers"),
    ],
)
def test_a_column_that_cannot_be_used_is_refused(column: list[Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        infer(pd.DataFrame({"x": column, "y": ["no", "yes"]}), "y", {"x": [0, 10]})

    assert str(error.value) == message


def test_an_identifier_column_is_refused() -> None:
    table = pd.DataFrame({"id": [f"row {n}" for n in range(1001)], "y": ["a", "b", "c"] * 333 + ["a", "b"]})

    with pytest.raises(DataError, match="1001 different texts, at most 1000 are allowed"):
        infer(table, "y", {})


@pytest.mark.parametrize(
    ("target", "ranges", "values", "message"),
    [
        ("z", {}, ["a", "b"], "data.target: no column 'z', the table has x, y"),
        ("y", {"q": [0, 1]}, ["a", "b"], "data.ranges: no column 'q', the table has x, y"),
        ("y", {}, ["a", "a"], "column 'y': 1 different targets, a classifier needs 2 to 100"),
        (
            "y",
            {},
            ["a", None],
            "column 'y': 1 rows have no target; data.target_missing: drop leaves them out",
        ),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(
    target: str, ranges: dict[str, list[float]], values: list[Any], message: str
) -> None:
    with pytest.raises(DataError) as error:
        infer(pd.DataFrame({"x": [1, 2], "y": values}), target, ranges)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ["NA", "a", "NA", "b", "null"],
            "3 rows have no target ('NA' in 2, 'null' in 1); "
            "a word is a class when data.missing does not list it",
        ),
        (["", "a", "b"], "1 rows have no target; data.target_missing: drop leaves them out"),
        ([" ", "a", "b"], "1 rows have no target; data.target_missing: drop leaves them out"),
    ],
)
def test_a_word_in_place_of_the_target_is_named(values: list[str], message: str) -> None:
    cells = CellRule(("", *MISSING), strip=True)

    with pytest.raises(DataError) as error:
        infer(pd.DataFrame({"x": range(len(values)), "y": values}), "y", {}, cells)

    assert str(error.value) == f"column 'y': {message}"


def test_classes_have_no_blanks_around_them() -> None:
    table = pd.DataFrame({"x": [1, 2, 3], "y": [" <=50K", "<=50K", ">50K "]})

    assert infer(table, "y", {}, CellRule(("",), strip=True)).classes == ("<=50K", ">50K")
    assert infer(table, "y", {}).classes == (" <=50K", "<=50K", ">50K ")


def test_the_largest_number_is_numpys() -> None:
    assert FLOAT32_MAX == float(np.finfo(np.float32).max)


@pytest.mark.parametrize("far", [2**53, -(2**53), 2**63, 10**30])
def test_whole_numbers_that_a_double_cannot_tell_apart_are_refused(far: int) -> None:
    with pytest.raises(DataError) as error:
        infer(pd.DataFrame({"id": [1, far], "y": ["a", "b"]}), "y", {})

    assert str(error.value) == (
        f"column 'id': {far} has more digits than a number keeps, "
        "whole ones go to 9007199254740991 (2^53 - 1); "
        "declare it with data.text, or leave it out with data.drop"
    )


@pytest.mark.parametrize(
    ("given", "bounds"), [([0.5, 9.5], (1.0, 9.0)), ([-9.5, 9], (-9.0, 9.0)), ([0, 10], (0.0, 10.0))]
)
def test_a_range_of_whole_numbers_is_whole(given: list[float], bounds: tuple[float, float]) -> None:
    [column] = infer(pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), "y", {"x": given}).numeric

    assert (column.lowest, column.highest) == bounds


def test_a_range_ends_where_whole_numbers_do() -> None:
    with pytest.raises(DataError, match="column 'x' holds whole numbers, which go to 90071992547"):
        infer(pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), "y", {"x": [0, 1e18]})


def test_a_table_of_nothing_but_its_target_is_refused() -> None:
    with pytest.raises(DataError, match="the table has no column beside its target"):
        infer(pd.DataFrame({"y": ["a", "b"]}), "y", {})


@given(values=st.lists(st.floats(-3.4e38, 3.4e38, allow_nan=False), min_size=2, max_size=20))
def test_what_training_saw_may_always_be_asked(values: list[float]) -> None:
    table = pd.DataFrame({"x": values, "y": ["a", "b"] * (len(values) // 2) + ["a"] * (len(values) % 2)})

    model = request_model(infer(table, "y", {}))

    for value in values:
        model.model_validate({"x": value})


def test_a_request_holds_exactly_the_columns(mixed: Schema) -> None:
    row = request_model(mixed).model_validate({"age": 30, "income": 1, "smokes": True, "town": "Rome"})

    assert list(row.__dict__.values()) == [30, 1.0, True, "Rome"]


def test_what_may_be_missing_may_be_left_out(mixed: Schema) -> None:
    row = request_model(mixed).model_validate({"age": 30, "smokes": False, "town": None})

    assert list(row.__dict__.values()) == [30, None, False, None]


@pytest.mark.parametrize(
    ("change", "field", "kind"),
    [
        ({"age": 30.5}, "age", "int_from_float"),
        ({"age": True}, "age", "int_type"),
        ({"age": 16}, "age", "greater_than_equal"),
        ({"age": None}, "age", "int_type"),
        ({"income": "1"}, "income", "float_type"),
        ({"income": True}, "income", "float_type"),
        ({"income": 10.1}, "income", "less_than_equal"),
        ({"income": math.nan}, "income", "finite_number"),
        ({"smokes": 1}, "smokes", "bool_type"),
        ({"town": 5}, "town", "string_type"),
        ({"town": "x" * 257}, "town", "string_too_long"),
        ({"weight": 70}, "weight", "extra_forbidden"),
    ],
)
def test_a_request_is_strict(mixed: Schema, change: dict[str, Any], field: str, kind: str) -> None:
    row = {"age": 30, "income": 1.0, "smokes": True, "town": "Bonn", **change}

    with pytest.raises(ValidationError) as error:
        request_model(mixed).model_validate(row)

    [problem] = error.value.errors()
    assert (problem["loc"], problem["type"]) == ((field,), kind)


def test_rows_become_matrices(mixed: Schema) -> None:
    rows = {"age": [30, 41], "income": [None, 2.5], "smokes": [True, False], "town": ["Bonn", None]}

    features = to_features(mixed, rows)

    assert features.numeric.dtype == np.float64
    assert np.array_equal(features.numeric, [[30, math.nan, 1], [41, 2.5, 0]], equal_nan=True)
    assert features.categorical.tolist() == [["Bonn"], [""]]


def test_column_names_never_clash_with_the_models_own() -> None:
    table = pd.DataFrame({"copy": [1, 2], "model_config": [1, 2], "json": [1, 2], "y": ["a", "b"]})

    row = request_model(infer(table, "y", {})).model_validate({"copy": 1, "model_config": 2, "json": 1})

    assert list(row.__dict__.values()) == [1, 2, 1]
