"""From bytes to the model's matrices."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.schema import CategoryColumn, Column, NumericColumn, Schema
from src.serving.problems import Problem
from src.serving.rows import RowReader


def number(name: str, kind: str = "float", nullable: bool = False) -> NumericColumn:
    return NumericColumn.model_validate(
        {"name": name, "header": name, "type": kind, "nullable": nullable, "lowest": 0.0, "highest": 10.0}
    )


def text(name: str, nullable: bool = False) -> CategoryColumn:
    return CategoryColumn(name=name, header=name, type="category", nullable=nullable, categories=("red",))


def reader(*columns: Column) -> RowReader:
    return RowReader(Schema(columns=columns, target="y", target_header="y", classes=("a", "b")))


MIXED = (
    text("colour"),
    number("size"),
    text("shape", True),
    number("count", "integer"),
    number("on", "boolean"),
)


def errors_of(row_reader: RowReader, body: bytes) -> list[dict[str, str | None]]:
    with pytest.raises(Problem) as caught:
        row_reader.read(body)
    response = caught.value.response()
    assert response.status_code == 422
    found: list[dict[str, str | None]] = json.loads(bytes(response.body))["errors"]
    return found


def test_numbers_and_texts_go_to_their_matrices() -> None:
    features = reader(*MIXED).read(b'{"on":true,"count":3,"size":1.5,"colour":"red"}')

    assert features.numeric.tolist() == [[1.5, 3.0, 1.0]]
    assert features.categorical.tolist() == [["red", ""]]


def test_a_missing_number_is_nan() -> None:
    features = reader(number("size", nullable=True), number("count")).read(b'{"size":null,"count":1}')

    assert math.isnan(features.numeric[0, 0])
    assert features.numeric[0, 1] == 1.0


def test_a_row_of_texts_has_no_numbers() -> None:
    features = reader(text("colour")).read(b'{"colour":"r\\"ed"}')

    assert features.numeric.shape == (1, 0)
    assert features.categorical.tolist() == [['r"ed']]


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b'{"size":11}', "size", "Input should be less than or equal to 10"),
        (b'{"size":-1}', "size", "Input should be greater than or equal to 0"),
        (b'{"size":"1"}', "size", "Input should be a valid number"),
        (b'{"size":true}', "size", "Input should be a valid number"),
        (b'{"size":null}', "size", "Input should be a valid number"),
        (b'{"size":[1]}', "size", "Input should be a valid number"),
        (b'{"size":NaN}', "size", "Input should be a finite number"),
        (b'{"size":Infinity}', "size", "Input should be a finite number"),
        (b'{"size":-Infinity}', "size", "Input should be a finite number"),
        (b'{"size":1e999}', "size", "Input should be a finite number"),
        (b"{}", "size", "Field required"),
        (b'{"size":1,"size":2}', "size", "The field is there more than once."),
        (b'{"size":1,"si\\u007ae":2}', "size", "The field is there more than once."),
        (b'{"size":1,"secret":2,"password":3}', None, "2 unknown; the fields are size."),
        (b"[]", None, "Input should be an object"),
        (b"1", None, "Input should be an object"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, field: str | None, detail: str) -> None:
    assert errors_of(reader(number("size")), body) == [{"field": field, "detail": detail}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xef\xbb\xbf{}",
        b'{"size":1}x',
        b'{"\xff":1}',
        b'{"\\ud800":1}',
        b"[" * 60_000,
        b'{"size":05}',
        b"{'size':1}",
    ],
)
def test_what_is_not_json_is_said(body: bytes) -> None:
    [error] = errors_of(reader(number("size")), body)

    assert error["field"] is None
    assert str(error["detail"]).startswith("Invalid JSON: ")


def test_each_wrong_field_is_said() -> None:
    errors = errors_of(reader(*MIXED), b'{"colour":1,"size":11,"count":1.5,"on":1}')

    assert [error["field"] for error in errors] == ["colour", "size", "count", "on"]


def test_a_text_with_quotes_does_not_hide_a_field_that_comes_twice() -> None:
    errors = errors_of(reader(text("colour")), b'{"colour":"a","colour":"\\""}')

    assert errors == [{"field": "colour", "detail": "The field is there more than once."}]


@given(
    st.dictionaries(st.sampled_from(["size", "colour"]), st.text(max_size=20), min_size=2),
    st.lists(st.sampled_from(["size", "colour"]), max_size=2),
)
def test_fields_that_come_twice_are_always_found(row: dict[str, str], again: list[str]) -> None:
    pairs = [*row.items(), *((name, "x") for name in again)]
    body = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"
    row_reader = reader(text("size"), text("colour"))

    if again:
        assert {error["field"] for error in errors_of(row_reader, body.encode())} == set(again)
    else:
        assert row_reader.read(body.encode()).categorical.tolist() == [[row["size"], row["colour"]]]
