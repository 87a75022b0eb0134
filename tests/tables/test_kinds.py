"""What columns of texts hold."""

import pandas as pd
import pytest

from src.schema.cells import MISSING, CellRule
from src.tables.kinds import kind_of, typed

RULE = CellRule(("", *MISSING), strip=True)


def values(*cells: str, rule: CellRule = RULE) -> list[object]:
    """Return what the cells are read as, None where missing."""
    column = typed(pd.Series(cells, dtype=str), rule)
    return [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["02134", "10001"], ["02134", "10001"]),
        (["007", "7", "NA"], ["007", "7", None]),
        (["-007", "7"], ["-007", "7"]),
        (["0", "-0", "10"], [0, 0, 10]),
        (["0", "0.5", "-0.5"], [0.0, 0.5, -0.5]),
        (["+7", "8"], [7, 8]),
        (["1e5", "2"], [1e5, 2.0]),
        ([".5", "1."], [0.5, 1.0]),
        (["1_000", "2"], ["1_000", "2"]),
        (["0x10", "2"], ["0x10", "2"]),
        (["1,234", "2"], ["1,234", "2"]),
        (["１２", "2"], ["１２", "2"]),
        (["1", "", "3"], [1, None, 3]),
        (["1.0", "NA", "3"], [1.0, None, 3.0]),
        ([" 1", "2 "], [1, 2]),
        (["True", "false", "TRUE"], [True, False, True]),
        (["True", "", "false"], [True, None, False]),
        (["True", "0"], ["True", "0"]),
        ([" State-gov", "Private ", "n/a"], ["State-gov", "Private", None]),
        (["9007199254740993", "12345678901234567890"], [9007199254740993, 12345678901234567890]),
        (["inf", "-Infinity"], [float("inf"), float("-inf")]),
        (["9" * 400, "1"], [float("inf"), 1.0]),
        (["", "NA"], [None, None]),
    ],
)
def test_a_column_is_read_as_one_kind(cells: list[str], read: list[object]) -> None:
    found = values(*cells)

    assert found == read
    assert [type(value) for value in found if isinstance(value, bool)] == [
        type(value) for value in read if isinstance(value, bool)
    ]


def test_whole_numbers_with_gaps_stay_whole() -> None:
    assert kind_of(["1", "", "3"]) == "integer"
    assert [type(value) for value in values("1", "", "3")] == [int, type(None), int]


def test_blanks_and_words_stay_when_asked() -> None:
    rule = CellRule(("",), strip=False)

    assert values(" a", "NA", "", rule=rule) == [" a", "NA", None]
    assert values(" 1", "2", rule=rule) == [1, 2]


def test_a_number_can_be_a_word_for_missing_however_it_is_spelled() -> None:
    rule = CellRule(("", "-999", "?"), strip=True)

    assert values("-999", "-999.0", "1.5", "?", rule=rule) == [None, None, 1.5, None]
    assert values("-999", "-999.0", "a", rule=rule) == [None, "-999.0", "a"]
