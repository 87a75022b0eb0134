"""From headers to names, and from what people write to a column."""

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import DataError
from src.schema.names import find, named, slug, slugs
from src.tables.infer import infer


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("sepal length (cm)", "sepal_length"),
        ("Sepal.Length", "sepal_length"),
        ("  Age [years] ", "age"),
        ("2nd try", "2nd_try"),
        ("Âge", "âge"),
        ("Durée (h)", "durée"),
        ("Prénom", "prénom"),
        ("年齢", "年齢"),
        ("長さ（cm）", "長さ"),
        ("ＡＢＣ１", "abc1"),
        ("Straße", "strasse"),
        ("ISI ılık", "isi_ılık"),
        ("İl", "i\u0307l"),
        ("हिन्दी भाषा", "हिन्दी_भाषा"),
        ("ราคา ที่ดิน", "ราคา_ที่ดิน"),
        ("العمر", "العمر"),
        ("Возраст", "возраст"),
        ("m² total", "m2_total"),
        ("❤️ rate", "rate"),
        ("1\ufe0f\u20e3", "1"),
        ("soft\u00adhyphen \ufeffmark", "softhyphen_mark"),
        ("e\u0301te\u0301", "été"),
        ("\u0301a", "a"),
    ],
)
def test_a_header_becomes_a_name_in_its_own_script(header: str, name: str) -> None:
    assert slugs([header]) == [name]


@pytest.mark.parametrize("header", ["%", "€", "❤️", "\u0301", "_", "(cm)", "\u200b", " - "])
def test_a_header_without_letter_or_digit_is_refused(header: str) -> None:
    with pytest.raises(DataError) as error:
        slugs(["x", header])

    assert str(error.value) == f"column {header!r}: its name needs a letter or a digit outside brackets"


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        (["x[0]", "x[1]"], ["x_0", "x_1"]),
        (["length (cm)", "length (in)", "width (cm)"], ["length_cm", "length_in", "width"]),
        (["length", "length (cm)"], ["length", "length_cm"]),
        (["長さ（cm）", "長さ（in）"], ["長さ_cm", "長さ_in"]),
    ],
)
def test_brackets_are_kept_where_they_tell_columns_apart(headers: list[str], names: list[str]) -> None:
    assert slugs(headers) == names


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        (["IOD", "iod", "Year"], ["IOD", "iod", "year"]),
        (["iod", "Year", "IOD"], ["iod", "year", "IOD"]),
        (["Class [a]", "class (a)", "CLASS (b)"], ["Class_a", "class_a", "class_b"]),
        (["Straße", "strasse"], ["Straße", "strasse"]),
    ],
)
def test_capitals_are_kept_where_they_tell_columns_apart(headers: list[str], names: list[str]) -> None:
    assert slugs(headers) == names
    assert [find(header, named(headers)) for header in headers] == names
    assert [find(name, named(headers)) for name in names] == names


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (["a b", "a-b"], "columns 'a b' and 'a-b' are both named 'a_b'"),
        (["x[0]", "x(0)"], "columns 'x[0]' and 'x(0)' are both named 'x_0'"),
        (["x[0]", "x[1]", "x_1"], "columns 'x[1]' and 'x_1' are both named 'x_1'"),
        (["x (%)", "x (€)"], "columns 'x (%)' and 'x (€)' are both named 'x'"),
        (["\u00e2ge", "a\u0302ge"], "columns '\u00e2ge' and 'a\u0302ge' are both named '\u00e2ge'"),
    ],
)
def test_headers_that_cannot_be_told_apart_are_refused(headers: list[str], message: str) -> None:
    with pytest.raises(DataError) as error:
        slugs(headers)

    assert str(error.value) == message


@given(st.text(max_size=12))
def test_a_name_is_its_own_name_in_every_form(header: str) -> None:
    name = slug(header)

    assert slug(name) == name
    assert {slug(unicodedata.normalize(form, header)) for form in ("NFC", "NFD")} == {name}


COLUMNS = named(["Âge (ans)", "x[0]", "x[1]", "Length (cm)"])


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Âge (ans)", "âge"),
        ("A\u0302ge (ans)", "âge"),
        ("âge", "âge"),
        ("a\u0302ge", "âge"),
        ("x[0]", "x_0"),
        ("x_1", "x_1"),
        ("X (1)", "x_1"),
        ("length", "length"),
        ("length_cm", "length"),
        ("Length (in)", "length"),
        ("x", None),
        ("x[2]", None),
        ("%", None),
    ],
)
def test_a_column_is_found_by_header_or_name(wanted: str, name: str | None) -> None:
    assert find(wanted, COLUMNS) == name


def test_parameters_name_columns_as_people_write_them() -> None:
    table = pd.DataFrame({"Âge": [1, 2], "x[0]": [1, 2], "x[1]": [3, 4], "Prénom": ["a", "b"]})

    schema = infer(table, "Pre\u0301nom", {"A\u0302GE": [0, 9], "x[1]": [0, 8]})

    assert (schema.target, schema.target_header) == ("prénom", "Prénom")
    assert [(column.name, column.highest) for column in schema.numeric] == [
        ("âge", 9.0),
        ("x_0", 3.0),
        ("x_1", 8.0),
    ]


def test_one_range_for_a_column_is_enough() -> None:
    table = pd.DataFrame({"Âge": [1, 2], "y": ["a", "b"]})

    with pytest.raises(DataError, match="data.ranges: column 'âge' is there twice, once as 'âge'"):
        infer(table, "y", {"Âge": [0, 9], "âge": [0, 8]})
