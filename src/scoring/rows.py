"""The columns of a file as rows of a model: what `/predict` takes is taken, the rest named by its place."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import time
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from src.errors import DataError
from src.schema.cells import NUMBER, CellRule
from src.schema.columns import MAX_TEXT, CategoryColumn, Column, DateColumn, NumericColumn, Schema
from src.schema.dates import parts, read_moment
from src.schema.features import Features
from src.schema.names import find, named
from src.tables.dialect import DECIMAL_COMMA
from src.tables.kinds import BOOLEANS
from src.tables.parquet import text_of

Read: TypeAlias = Callable[[str], object]  # of a cell; raises _WrongCell

# Numbers that Arrow reads as Python does; it is asked first, and Python for the rest.
_PLAIN_NUMBER = r"^-?[0-9]{1,200}(\.[0-9]{1,200})?(e-?[0-9]{1,2})?$"


class Fault(NamedTuple):
    """A cell that the model does not take."""

    row: int  # the first is 0
    column: str
    detail: str


class _WrongCell(ValueError):
    pass


def places(schema: Schema, headers: Iterable[str]) -> dict[str, str]:
    """Return the header of each column of `schema`, which is found by name or by header.

    Raises:
        DataError: a column is not there; all that are missing are named.
    """
    there = named(headers)
    wanted = {
        column.name: find(column.header, there) or find(column.name, there) for column in schema.columns
    }
    if missing := [column.header for column in schema.columns if wanted[column.name] is None]:
        raise DataError(
            f"column {', '.join(map(repr, missing))} is missing; there are: {', '.join(there.values())}"
        )
    return {name: there[str(found)] for name, found in wanted.items()}


def to_rows(
    schema: Schema, columns: Mapping[str, pa.Array], decimal_comma: bool = False
) -> tuple[Features, list[Fault]]:
    """Return the rows of `columns`, by the names of the schema, and the faults that the model refuses.

    They hold texts as they are written, or values, whose text then counts. Of a cell that is a fault the
    value is missing, so that the other rows keep their places. `decimal_comma`: `1,5` is the number 1.5.

    Raises:
        DataError: a column holds no numbers, texts, booleans or times.
    """
    rows, cells = len(columns[schema.names[0]]), schema.cells
    numeric = np.empty((rows, len(schema.numeric)), dtype=np.float64)
    categorical = np.empty((rows, len(schema.categorical)), dtype=object)
    faults: list[Fault] = []
    numbers, categories = iter(range(len(schema.numeric))), iter(range(len(schema.categorical)))
    for column in schema.columns:
        values = columns[column.name]
        if isinstance(column, DateColumn):
            missing_parts = (np.nan,) * len(column.parts)
            read = _read(column.header, values, _date(column, cells), missing_parts, faults)
            for place in range(len(column.parts)):
                numeric[:, next(numbers)] = [one[place] for one in read]
        elif isinstance(column, NumericColumn):
            numeric[:, next(numbers)] = _numbers(column, values, cells, faults, decimal_comma)
        else:
            categorical[:, next(categories)] = _read(
                column.header, values, _category(column, cells), "", faults
            )
    return Features(numeric, categorical), sorted(faults)


def _numbers(
    column: NumericColumn, values: pa.Array, cells: CellRule, faults: list[Fault], decimal_comma: bool
) -> NDArray[np.float64]:
    """Return the numbers [rows] of `values`; those that are not surely allowed are read as texts."""
    found = _known(column, values)
    sure = (found >= column.lowest) & (found <= column.highest)  # not NaN either
    if column.type == "integer":
        sure &= np.floor(found) == found
    for word in cells.numbers:
        sure &= found != word
    if not sure.all():
        rest = np.flatnonzero(~sure)
        read = _number(column, cells, decimal_comma)
        unsure: list[Fault] = []
        found[rest] = _read(column.header, values.take(pa.array(rest)), read, np.nan, unsure)
        faults += [fault._replace(row=int(rest[fault.row])) for fault in unsure]
    return found


def _known(column: NumericColumn, values: pa.Array) -> NDArray[np.float64]:
    """Return the numbers that `values` plainly are, NaN in place of the others."""
    kind = values.type
    if pa.types.is_string(kind) and column.type != "boolean":
        plain = pc.match_substring_regex(values, _PLAIN_NUMBER)
        values = pc.if_else(plain, values, pa.scalar(None, kind)).cast(pa.float64())
    elif pa.types.is_boolean(kind) if column.type == "boolean" else _is_number(kind):
        values = values.cast(pa.float64(), safe=False)  # a whole number beyond 2**53 is rounded, as a text is
    else:
        return np.full(len(values), np.nan)
    found: NDArray[np.float64] = values.to_numpy(zero_copy_only=False)
    return found if found.flags.writeable else found.copy()


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _read(
    header: str, values: pa.Array, read: Read, empty: object, faults: list[Fault]
) -> NDArray[np.object_]:
    """Return what each of `values` spells; every different one is read once."""
    try:
        encoded = values.dictionary_encode()
        codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    except (pa.ArrowNotImplementedError, AttributeError) as error:
        raise DataError(f"column {header!r} holds {values.type}, which is no number, text or time") from error
    texts = [text_of(header, value) for value in encoded.dictionary.to_pylist()] + [""]
    spelled = np.empty(len(texts), dtype=object)
    wrong: dict[int, str] = {}
    for code, text in enumerate(texts):
        try:
            spelled[code] = read(text)
        except _WrongCell as error:
            spelled[code], wrong[code] = empty, str(error)
    for row in _rows_of(codes, wrong):
        faults.append(Fault(row, header, wrong[int(codes[row])]))
    found: NDArray[np.object_] = spelled[codes]
    return found


def _rows_of(codes: NDArray[np.int32], wrong: dict[int, str]) -> Iterator[int]:
    if wrong:
        yield from (int(row) for row in np.flatnonzero(np.isin(codes, list(wrong))))


def _number(column: NumericColumn, cells: CellRule, decimal_comma: bool) -> Read:
    def read(raw: str) -> object:
        text = cells.text(raw).strip()
        if decimal_comma and DECIMAL_COMMA.fullmatch(text):
            text = text.replace(",", ".")
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


def _date(column: DateColumn, cells: CellRule) -> Read:
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


def _category(column: CategoryColumn, cells: CellRule) -> Read:
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
