"""From bytes to the model's matrices."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.schema.columns import CategoryColumn, Column, NumericColumn, Schema
from src.serving.decoding import RowDecoder
from src.serving.problems import Problem


def number(name: str, kind: str = "float", nullable: bool = False) -> NumericColumn:
    return NumericColumn.model_validate(
        {"name": name, "header": name, "type": kind, "nullable": nullable, "lowest": 0.0, "highest": 10.0}
    )


def text(name: str, nullable: bool = False) -> CategoryColumn:
    return CategoryColumn(name=name, header=name, type="category", nullable=nullable, categories=("red",))


def reader(*columns: Column) -> RowDecoder:
    return RowDecoder(Schema(columns=columns, target="y", target_header="y", classes=("a", "b")))


MIXED = (
    text("colour"),
    number("size"),
    text("shape", True),
    number("count", "integer"),
    number("on", "boolean"),
)


def errors_of(row_reader: RowDecoder, body: bytes) -> list[dict[str, str | None]]:
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
        (b'{"size":1,"secret":2,"password":3}', None, "2 unknown, secret, password; the fields are size."),
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
    with pytest.raises(Problem) as refused:
        reader(number("size")).read(body)

    assert (refused.value.status, refused.value.kind) == (400, "malformed_json")
    what = "Invalid JSON: " if body else "The body is empty; "
    assert refused.value.detail.startswith(what)
    assert refused.value.detail.endswith("; send a JSON object, /docs shows one.")


@pytest.mark.parametrize("name", ["tr0ub4dor", "a" * 41, "hunter2", "4111-1111", "a@b.example", " x"])
def test_what_is_no_name_is_not_repeated(name: str) -> None:
    [error] = errors_of(reader(number("size")), json.dumps({"size": 1, name: 2}).encode())

    assert error == {"field": None, "detail": "1 unknown; the fields are size."}


WHOLE = NumericColumn(
    name="count", header="count", type="integer", nullable=False, lowest=-10.0, highest=float(2**53 - 1)
)


@pytest.mark.parametrize(
    ("spelled", "number"),
    [
        (b"3", 3.0),
        (b"3.0", 3.0),
        (b"3e0", 3.0),
        (b"30E-1", 3.0),
        (b"-0.0", 0.0),
        (b"-0", 0.0),
        (b"1e15", 1e15),
        (b"9007199254740991", 9007199254740991.0),
        (b"9007199254740991.0", 9007199254740991.0),
    ],
)
def test_a_whole_number_may_be_spelled_as_a_float(spelled: bytes, number: float) -> None:
    one = reader(WHOLE).read(b'{"count":%s}' % spelled)
    many = reader(WHOLE).read_all(b'{"rows":[{"count":%s}]}' % spelled)

    assert one.numeric.tolist() == many.numeric.tolist() == [[number]]


@pytest.mark.parametrize(
    ("spelled", "detail"),
    [
        (b"3.5", "Input should be a valid integer, got a number with a fractional part"),
        (b"3.0000000001", "Input should be a valid integer, got a number with a fractional part"),
        (b"1e-300", "Input should be a valid integer, got a number with a fractional part"),
        (b"true", "Input should be a valid integer"),
        (b'"3"', "Input should be a valid integer"),
        (b"null", "Input should be a valid integer"),
        (b"[3]", "Input should be a valid integer"),
        (b"NaN", "Input should be a valid integer"),
        (b"1e999", "Input should be a valid integer"),
        (b"-11.0", "Input should be greater than or equal to -10"),
        (b"9007199254740992", "Input should be less than or equal to 9007199254740991"),
        (b"9007199254740993", "Input should be less than or equal to 9007199254740991"),
        (b"9007199254740992.0", "Input should be less than or equal to 9007199254740991"),
        (b"1" + b"0" * 400, "Input should be less than or equal to 9007199254740991"),
        (b"1e300", "Input should be from -10 to 9007199254740991"),
        (b"-1e300", "Input should be from -10 to 9007199254740991"),
    ],
)
def test_what_is_no_whole_number_in_range_is_said(spelled: bytes, detail: str) -> None:
    assert errors_of(reader(WHOLE), b'{"count":%s}' % spelled) == [{"field": "count", "detail": detail}]


@pytest.mark.parametrize("spelled", [b"0", b"1", b"1.0", b'"true"', b"2"])
def test_what_is_no_boolean_is_told_what_is(spelled: bytes) -> None:
    [error] = errors_of(reader(number("on", "boolean")), b'{"on":%s}' % spelled)

    assert error["detail"] == "Input should be a valid boolean, true or false"


def with_words(*columns: Column, missing: tuple[str, ...] = ("", "NA")) -> RowDecoder:
    schema = Schema(
        columns=columns,
        target="y",
        target_header="y",
        classes=("a", "b"),
        missing=missing,
        strip=True,
    )
    return RowDecoder(schema, 9)


@pytest.mark.parametrize("kind", ["float", "integer", "boolean"])
def test_a_word_for_missing_in_the_place_of_a_number_is_nan(kind: str) -> None:
    row_reader = with_words(number("size", kind, nullable=True), text("colour", True))

    for word in ("NA", "", " NA "):
        features = row_reader.read(json.dumps({"size": word, "colour": word}).encode())

        assert math.isnan(features.numeric[0, 0])
        assert features.categorical.tolist() == [[""]]


def test_a_wrong_number_is_said_once_where_a_word_may_stand() -> None:
    row_reader = with_words(number("size", nullable=True))

    assert errors_of(row_reader, b'{"size":11}') == [
        {"field": "size", "detail": "Input should be less than or equal to 10"}
    ]
    assert errors_of(row_reader, b'{"size":"none"}') == [
        {"field": "size", "detail": "Input should be a valid number"}
    ]
    assert errors_of(row_reader, b'{"size":"NA","size":1}') == [
        {"field": "size", "detail": "The field is there more than once."}
    ]


def test_a_number_may_be_a_word_for_missing() -> None:
    row_reader = with_words(number("size", nullable=True), number("count", "integer"), missing=("", "-999"))

    for spelled in ("-999", "-999.0", '"-999"', "null"):
        features = row_reader.read(b'{"size":%s,"count":1}' % spelled.encode())
        assert math.isnan(features.numeric[0, 0])
    assert row_reader.read(b'{"size":9.5,"count":1.0}').numeric.tolist() == [[9.5, 1.0]]
    assert errors_of(row_reader, b'{"size":1,"count":-999}') == [
        {"field": "count", "detail": "Input should be a valid integer"}
    ]


def test_a_model_made_before_there_were_words_takes_the_empty_text_everywhere() -> None:
    assert reader(text("colour")).read(b'{"colour":""}').categorical.tolist() == [[""]]
    assert reader(text("colour")).read(b'{"colour":" NA"}').categorical.tolist() == [[" NA"]]
    assert errors_of(with_words(text("colour")), b'{"colour":""}') == [
        {"field": "colour", "detail": "The text means missing; a value is needed."}
    ]


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
