"""Numbers come out of texts and of values with the bits that Python gives them, however they are written."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as some

from src.schema.columns import NumericColumn, Schema
from src.scoring.rows import Fault, to_rows

COLUMN = NumericColumn(name="a", header="A", type="float", nullable=False, lowest=-1e300, highest=1e300)
NUMBERS = some.floats(-1e300, 1e300)
SPELLED = some.one_of(
    NUMBERS.map(repr),
    NUMBERS.map("{:.17g}".format),
    some.decimals(-(10**9), 10**9, places=25).map(str),
    some.integers(-(2**70), 2**70).map("{:+d}".format),
)


def schema(column: NumericColumn) -> Schema:
    return Schema(columns=(column,), target="t", target_header="T", classes=("x", "y"))


@given(some.lists(SPELLED, min_size=1))
def test_texts_have_the_bits_that_python_reads(texts: list[str]) -> None:
    features, faults = to_rows(schema(COLUMN), {"a": pa.array(texts, pa.string())})

    assert faults == []
    expected = np.array([float(text) for text in texts])
    assert features.numeric[:, 0].tobytes() == expected.tobytes()


@given(some.lists(some.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_are_rounded_as_their_texts_are(values: list[int]) -> None:
    features, faults = to_rows(schema(COLUMN), {"a": pa.array(values, pa.int64())})

    assert faults == []
    assert list(features.numeric[:, 0]) == [float(str(value)) for value in values]


def test_a_value_is_judged_by_the_text_that_stands_for_it() -> None:
    whole = COLUMN.model_copy(update={"type": "integer", "lowest": 0.0, "highest": 9.0, "nullable": True})

    features, faults = to_rows(schema(whole), {"a": pa.array([1.0, 2.5, None, 10.0, float("nan"), 3.0])})

    assert faults == [
        Fault(1, "A", "'2.5' is not a whole number"),
        Fault(3, "A", "'10.0'; allowed: 0 to 9"),
    ]
    assert np.array_equal(features.numeric[:, 0], [1, np.nan, np.nan, np.nan, np.nan, 3], equal_nan=True)


def test_a_decimal_comma_is_read_where_commas_part_nothing() -> None:
    columns = {"a": pa.array(["1,5", "2.5", "1,2,3"])}

    features, faults = to_rows(schema(COLUMN), columns, decimal_comma=True)

    assert list(features.numeric[:2, 0]) == [1.5, 2.5]
    assert faults == [Fault(2, "A", "'1,2,3' is not a number")]
    assert len(to_rows(schema(COLUMN), columns)[1]) == 2
