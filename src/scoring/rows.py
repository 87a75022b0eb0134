"""The cells of a file as the rows of a model: what `/predict` takes is taken, the rest named by its place."""

from collections.abc import Callable, Iterator
from datetime import time
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.errors import DataError
from src.schema.cells import NUMBER, CellRule
from src.schema.columns import MAX_TEXT, CategoryColumn, Column, DateColumn, NumericColumn, Schema
from src.schema.dates import parts, read_moment
from src.schema.features import Features
from src.schema.names import find, named
from src.tables.kinds import BOOLEANS

FIRST_LINE = 2  # of the rows: the header is line 1


class Fault(NamedTuple):
    """A cell that the model does not take."""

    row: int  # the first is 0
    column: str
    detail: str


class _WrongCell(ValueError):
    pass


def to_rows(schema: Schema, texts: pd.DataFrame) -> tuple[Features, list[Fault]]:
    """Return the rows of `texts`, every cell of it a str, and the faults of those that the model refuses.

    Columns are found by name or by header, in any order; others are left alone. Of a cell that is a fault the
    value is missing, so that the other rows keep their places.

    Raises:
        DataError: a column is not there; all that are missing are named.
    """
    headers = named(texts.columns)
    wanted = {
        column.name: find(column.header, headers) or find(column.name, headers) for column in schema.columns
    }
    if missing := [column.header for column in schema.columns if wanted[column.name] is None]:
        raise DataError(
            f"column {', '.join(map(repr, missing))} is missing; there are: {', '.join(headers.values())}"
        )
    numeric = np.empty((len(texts), len(schema.numeric)), dtype=np.float64)
    categorical = np.empty((len(texts), len(schema.categorical)), dtype=object)
    faults: list[Fault] = []
    numbers, categories = iter(range(len(schema.numeric))), iter(range(len(schema.categorical)))
    for column in schema.columns:
        cells = texts[headers[str(wanted[column.name])]]
        if isinstance(column, DateColumn):
            missing_parts = (np.nan,) * len(column.parts)
            read = _read(column.header, cells, _date(column, schema.cells), missing_parts, faults)
            for place in range(len(column.parts)):
                numeric[:, next(numbers)] = [one[place] for one in read]
        elif isinstance(column, NumericColumn):
            numeric[:, next(numbers)] = _read(
                column.header, cells, _number(column, schema.cells), np.nan, faults
            )
        else:
            categorical[:, next(categories)] = _read(
                column.header, cells, _category(column, schema.cells), "", faults
            )
    return Features(numeric, categorical), sorted(faults)


def named_faults(faults: list[Fault], most: int = 10) -> str:
    """Return the first of `faults`, a line each, by the line of the file that they are in."""
    lines = [
        f"line {fault.row + FIRST_LINE}, column {fault.column!r}: {fault.detail}" for fault in faults[:most]
    ]
    more = len(faults) - most
    return "\n".join([*lines, *([f"… and {more} more"] if more > 0 else [])])


def _read(
    header: str,
    cells: "pd.Series[str]",
    read: Callable[[str], object],
    empty: object,
    faults: list[Fault],
) -> NDArray[np.object_]:
    """Return what each of `cells` spells; every different text is read once."""
    codes, uniques = pd.factorize(cells.to_numpy(dtype=object))
    values = np.empty(len(uniques), dtype=object)
    wrong: dict[int, str] = {}
    for code, text in enumerate(uniques):
        try:
            values[code] = read(text)
        except _WrongCell as error:
            values[code], wrong[code] = empty, str(error)
    for row in _rows_of(codes, wrong):
        faults.append(Fault(row, header, wrong[codes[row]]))
    spelled: NDArray[np.object_] = values[codes]
    return spelled


def _rows_of(codes: NDArray[np.int64], wrong: dict[int, str]) -> Iterator[int]:
    if wrong:
        yield from (int(row) for row in np.flatnonzero(np.isin(codes, list(wrong))))


def _number(column: NumericColumn, cells: CellRule) -> Callable[[str], object]:
    def read(raw: str) -> object:
        text = cells.text(raw).strip()
        if not text or (NUMBER.fullmatch(text) and float(text) in cells.numbers):
            return _missing(column)
        if column.type == "boolean":
            if text not in BOOLEANS:
                raise _WrongCell(f"{_shown(raw)}; allowed: true, false")
            return float(BOOLEANS[text])
        if not NUMBER.fullmatch(text):
            raise _WrongCell(f"{_shown(raw)} is not a number")
        value = float(text)
        if column.type == "integer" and not value.is_integer():
            raise _WrongCell(f"{_shown(raw)} is not a whole number")
        if not column.lowest <= value <= column.highest:
            raise _WrongCell(f"{_shown(raw)}; allowed: {column.lowest:g} to {column.highest:g}")
        return value

    return read


def _date(column: DateColumn, cells: CellRule) -> Callable[[str], object]:
    def read(raw: str) -> object:
        text = cells.text(raw).strip()
        if not text:
            return (_missing(column),) * len(column.parts)
        try:
            moment = read_moment(text)
        except (ValueError, OverflowError):
            raise _WrongCell(f"{_shown(raw)} is not a date such as {column.lowest}") from None
        if not column.spans(moment):
            raise _WrongCell(f"{_shown(raw)}; allowed: {column.lowest} to {column.highest}")
        if not column.has_time and moment.time() != time():
            raise _WrongCell(f"{_shown(raw)}; allowed: a date without a time")
        return parts(moment, column.has_time)

    return read


def _category(column: CategoryColumn, cells: CellRule) -> Callable[[str], object]:
    def read(raw: str) -> object:
        text = cells.text(raw)
        if not text:
            _missing(column)
        if len(text) > MAX_TEXT:
            raise _WrongCell(f"{_shown(raw)}; allowed: {MAX_TEXT} characters")
        return text

    return read


def _missing(column: Column) -> float:
    if not column.nullable:
        raise _WrongCell("no value; the training data has one in every row")
    return np.nan


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
