"""Reports as CSV that a spreadsheet opens without running anything in them."""

import re

import pandas as pd

from src.schema.cells import NUMBER
from src.tables.processed import to_bytes

# What starts a formula; in front of it blanks, and the apostrophes that other texts may have got here.
_FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠]|'*[\t\r\n]")


def to_report(table: pd.DataFrame) -> bytes:
    """Return `table` as CSV, an apostrophe before each text that a spreadsheet would take for a formula.

    For reports only: what is read again, such as data/processed/, must keep its texts.
    """
    safe = {
        column: values if pd.api.types.is_numeric_dtype(values.dtype) else values.map(_harmless)
        for column, values in table.items()
    }
    return to_bytes(pd.DataFrame(safe, index=table.index))


def _harmless(value: object) -> object:
    if isinstance(value, str) and _FORMULA.match(value) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value
