"""What `prepare` says of a table that can be used, but may not be read as its owner means it."""

import pandas as pd
import pytest

from src.data.remarks import remarks
from src.params import DataParams
from src.tables import frames
from tests.mixed import mixed_table


def remarked(columns: dict[str, list[str]], **changes: object) -> list[str]:
    data = DataParams.model_validate(
        {
            "name": "some",
            "source": "some.csv",
            "target": "y",
            "drop": (),
            "ranges": {},
            "test_size": 0.2,
            "random_state": 1,
            **changes,
        }
    )
    texts = pd.DataFrame(columns, dtype=str)
    return list(remarks(texts, frames.to_values(texts, data), data))


def one_column(*cells: str, **changes: object) -> list[str]:
    """Return what is said of the column x, whose rows have a different y each."""
    return remarked({"x": list(cells), "y": [f"class {place}" for place in range(len(cells))]}, **changes)


def test_remarks_say_what_the_owner_should_know() -> None:
    table = {
        "same": ["1", "1", "1", "1", "1"],
        "gaps": ["1", "", "3", "NA", "nan"],
        "typo": ["1", "2", "3", "4 kg", "5"],
        "flag": ["True", "False", "True", "False", "True"],
        "y": ["a", "b", "a", "b", "a"],
    }

    assert remarked(table) == [
        "column 'same': every value is 1, the model learns nothing from it",
        "column 'gaps': 3 of 5 values are missing ('NA' in 1, 'nan' in 1)",
        "column 'typo': text because of '4 kg'; the other values are numbers; "
        "write numbers as 1234.5, without separators of thousands, currency, percent or unit",
    ]
    twice = {name: [*cells, *cells[:2]] for name, cells in table.items()}
    assert remarked(twice)[0] == "2 rows repeat another one"


def test_a_good_table_needs_no_remark() -> None:
    table = mixed_table().drop(columns=["income", "city", "newsletter"])
    table["customer id"] *= 1_000  # as a turnover, so that it is no identifier
    table = table.map(str)

    assert remarked({str(name): list(cells) for name, cells in table.items()}, target="bought") == []


@pytest.mark.parametrize(
    ("cells", "remark"),
    [
        (["02134", "10001"], "'02134' has leading zeros, so that the column is text"),
        (["007", "7"], "'007' has leading zeros, so that the column is text"),
        (
            [" State-gov", "Private"],
            "blanks around ' State-gov' and others, 1 in all, are no part of the text",
        ),
        (["Yes", "yes", "no"], "'Yes' and 'yes' are two different texts; spell them alike"),
        (["caf\u00e9", "cafe\u0301"], "'caf\u00e9' and 'cafe\u0301' are two different texts"),
        (["New York", "New  York"], "'New York' and 'New  York' are two different texts"),
        (["2024-01-31", "2024-02-01"], "'2024-01-31' and others are read as dates"),
        (["31/01/2024", "1/2/2024", "unknown"], "'31/01/2024' and 1 more look like dates or times"),
        (["31.01.24", "01.02.24"], "'31.01.24' and 1 more look like dates or times"),
        (["2024-01-31T10:00:00Z", "2024-02-01 11:30"], "'2024-01-31T10:00:00Z' and others are read as dates"),
        (["12 Jan 2024", "Feb 3, 2024"], "'12 Jan 2024' and 1 more look like dates or times"),
        (["08:30", "17:05:10"], "'08:30' and 1 more look like dates or times"),
        (["1,234", "2,500"], "'1,234' is a text, not a number, and a category of its own; write numbers as"),
        (["1,234", "567", "89"], "text because of '1,234'; the other values are numbers; write numbers as"),
        (["1.234,56", "3,5"], "'1.234,56' is a text, not a number"),
        (["1\u202f234", "1\u00a0234,5"], r"'1\u202f234' is a text, not a number"),
        (["1_000", "2_000"], "'1_000' is a text, not a number"),
        (["$5", "$6.50"], "'$5' is a text, not a number"),
        (["5 €", "1.200 €"], "'5 €' is a text, not a number"),
        (["EUR 5", "7.5 EUR"], "'EUR 5' is a text, not a number"),
        (["12%", "50 %"], "'12%' is a text, not a number"),
        (
            ["1", "2", "3", "none given"],
            "text because of 'none given'; the other values are numbers; list it",
        ),
        (
            ["1", "1", "1", "nil"],
            "text because of 'nil'; the other values are numbers; list it in data.missing",
        ),
        (["1", "2", "?", "?", "?"], "text because of '?'; the other values are numbers; list it"),
        (["1.5", "0." + "1" * 60], f"'0.{'1' * 38}'…, with more digits than a number keeps, is read as 0.11"),
        (["+7", "8"], "'+7', with a sign, is read as 7.0; data.text: [x] keeps it as text"),
        (["1e5", "12e3"], "'1e5', with an exponent, is read as 100000.0; data.text: [x] keeps it as text"),
        (["05.10", "1.5"], "'05.10', with leading zeros, is read as 5.1; data.text: [x] keeps it as text"),
        (
            ["0.12345678901234567890", "1.5"],
            "'0.12345678901234567890', with more digits than a number keeps, is read as 0.12345678901234568;",
        ),
        (["1e-400", "1.5"], "'1e-400', with more digits than a number keeps, is read as 0.0;"),
        (["1.1", "1.10", "2"], "'1.1' and '1.10' are read as one value; data.text: [x] keeps it as text"),
        (["1.0", "1", "2.5"], "'1.0' and '1' are read as one value; data.text: [x] keeps it as text"),
        (["TRUE", "True", "false"], "'TRUE' and 'True' are read as one value; data.text: [x] keeps it"),
    ],
)
def test_what_is_not_read_as_it_is_written_is_said(cells: list[str], remark: str) -> None:
    [said] = one_column(*cells)

    assert said.startswith(f"column 'x': {remark}")


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "green"],
        ["0", "0.5", "-0.5"],
        ["-0", "1"],
        ["5.1", "4.9"],
        ["1e-05", "2.5e+20"],
        ["0.30000000000000004", "1.5"],
        ["A1", "B2", "C3"],
        ["1.2.3", "2.0.1"],
        ["12-B", "14-C"],
        ["007", "A1", "B2"],
    ],
)
def test_plain_values_need_no_remark(cells: list[str]) -> None:
    assert one_column(*cells) == []


@pytest.mark.parametrize("cells", [["02134", "10001"], ["2024-01-31", "2024-02-01"], ["1,234", "2,345"]])
def test_what_is_declared_as_text_needs_no_remark(cells: list[str]) -> None:
    assert one_column(*cells, text=["x"]) == []


def test_blanks_that_are_kept_are_said() -> None:
    assert one_column(" a", "b", strip=False) == [
        "column 'x': the blanks around ' a' are part of the text; data.strip: true removes them"
    ]


def test_classes_that_look_alike_are_said_too() -> None:
    assert remarked({"x": ["1", "2", "3", "4"], "y": ["Yes", "yes", " no", "no"]}) == [
        "column 'y': blanks around ' no' and others, 1 in all, are no part of the text; "
        "data.strip: false keeps them",
        "column 'y': 'Yes' and 'yes' are two different texts; spell them alike if they are one",
    ]
