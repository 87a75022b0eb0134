"""Tables on disk and in memory: read them, bring them to a schema, split them, write them."""

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from src import paths
from src.config import DataParams
from src.errors import DataError
from src.files import write_file
from src.schema import CategoryColumn, Schema, infer, slug, slugs

_LARGEST = float(np.finfo(np.float32).max)  # scikit-learn's trees refuse more


@dataclass(frozen=True)
class Prepared:
    """What the stages after `prepare` work on: the rows to fit and the rows held out."""

    schema: Schema
    train: pd.DataFrame
    test: pd.DataFrame

    def files(self) -> dict[Path, bytes]:
        """Return the content of `data/processed/`."""
        schema = self.schema.model_dump_json(indent=2) + "\n"
        return {
            paths.TRAIN: to_bytes(self.train),
            paths.TEST: to_bytes(self.test),
            paths.SCHEMA: schema.encode(),
        }


def read(path: Path, text: Collection[str] = ()) -> pd.DataFrame:
    """Return the CSV at `path`, its headers as they are spelled and its numbers to the last bit.

    Empty cells and the usual words for them (NA, NaN, null, None) are missing.

    Args:
        text: slugs of columns that stay text even when they look like numbers.

    Raises:
        DataError: it cannot be read as a table; no row is ever skipped.
    """
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text, see byte {error.start + 1}; save it as UTF-8") from error
    headers, rows = _check_rows(path, content)
    types = {header: str for header in headers if slug(header) in text}
    try:
        table = pd.read_csv(io.StringIO(content, newline=""), dtype=types, low_memory=False, index_col=False)
    except pd.errors.ParserError as error:  # text that both take for a table, each in its own way
        raise DataError(f"{path}: not a table: {' '.join(str(error).split())}") from error
    if len(table) != rows or list(table.columns) != headers:  # a lone quoted blank is a row to one of them
        raise DataError(f"{path}: has lines with nothing but a quoted blank; remove them")
    return table


def read_source(path: Path, data: DataParams) -> pd.DataFrame:
    """Return the table at `path`, headers as they are spelled there, without what `data.drop` names.

    Raises:
        DataError: as `read` does, or a column to drop is not there.
    """
    table = read(path, text=[slug(data.target)])
    headers = dict(zip(slugs([str(header) for header in table.columns]), table.columns, strict=True))
    if unknown := [name for name in data.drop if slug(name) not in headers]:
        raise DataError(f"data.drop: no column {unknown[0]!r}, the table has {', '.join(headers)}")
    return table.drop(columns=[headers[slug(name)] for name in data.drop])


def prepared(table: pd.DataFrame, data: DataParams) -> Prepared:
    """Return the schema of `table`, as `read_source` gives it, and its rows in two parts.

    Raises:
        DataError: the table does not hold what the parameters say.
    """
    schema = infer(table, data.target, data.ranges)
    frame = to_schema_frame(table, schema)
    train, test = split(frame, data.test_size, data.random_state, schema.target)
    return Prepared(schema, train, test)


def to_schema_frame(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the schema's columns of `table`, whose headers may be slugs or the source's.

    Numbers become float64, NaN where missing; categories str, "" where missing; the target, if there, str.

    Raises:
        DataError: a column is missing or holds what its type does not allow.
    """
    headers = dict(zip(slugs([str(header) for header in table.columns]), table.columns, strict=True))
    if missing := [name for name in schema.names if name not in headers]:
        raise DataError(f"no column {missing[0]!r}, the table has {', '.join(headers)}")
    columns: dict[str, Any] = {}
    for column in schema.columns:
        values = table[headers[column.name]]
        columns[column.name] = (
            _texts(values) if isinstance(column, CategoryColumn) else _numbers(column.header, values)
        )
    if schema.target in headers:
        columns[schema.target] = _texts(table[headers[schema.target]])
    return pd.DataFrame(columns, index=table.index)


def read_prepared(path: Path, schema: Schema) -> pd.DataFrame:
    """Return a table that `Prepared.files` wrote, equal to what it was.

    Raises:
        DataError: as `read` and `to_schema_frame` do.
    """
    texts = [schema.target, *(column.name for column in schema.categorical)]
    return to_schema_frame(read(path, texts), schema)


def split(
    table: pd.DataFrame, test_size: float, random_state: int, target: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (train, test), each with the class balance of `table`: scikit-learn's own split.

    Raises:
        DataError: a class is too rare, or a part would be too small to hold every class.
    """
    counts = table[target].value_counts()
    if counts.min() < 2:
        raise DataError(
            f"column {target!r}: class {counts.idxmin()!r} has one row; it takes two to train and to test"
        )
    try:
        train, test = train_test_split(
            table, test_size=test_size, random_state=random_state, stratify=table[target]
        )
    except ValueError as error:
        raise DataError(f"data.test_size: {test_size:g} of {len(table)} rows: {error}") from error
    if lost := sorted(set(counts.index) - set(train[target])):
        raise DataError(f"data.test_size: {test_size:g} leaves no row of class {lost[0]!r} to train on")
    return train, test


def to_bytes(table: pd.DataFrame) -> bytes:
    """Return `table` as CSV whose bytes depend on nothing but its values."""
    content = table.to_csv(index=False, lineterminator="\n")
    if "\r" in content:  # Python 3.11 leaves a text with a carriage return without quotes
        content = table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return content.encode()


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole or not at all."""
    write_file(path, content)


def _check_rows(path: Path, content: str) -> tuple[list[str], int]:
    """Return the headers and the number of rows; pandas renames double headers and fills up short rows."""
    if "\0" in content:
        raise DataError(f"{path}: holds NUL bytes; this is not a CSV")
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    headers: list[str] = []
    rows = 0
    try:
        for cells in reader:
            if len(cells) < 2 and not "".join(cells).strip():
                continue  # an empty line
            if not headers:
                headers = cells
                continue
            rows += 1
            if len(cells) != len(headers):
                found, needed = len(cells), len(headers)
                raise DataError(f"{path}: line {reader.line_num} has {found} cells, the header has {needed}")
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}") from error
    if not headers:
        raise DataError(f"{path}: empty, a header is needed")
    if nameless := [place for place, header in enumerate(headers, 1) if not header.strip()]:
        raise DataError(f"{path}: column {nameless[0]} has no name in the header")
    if all(_is_number(header) for header in headers):
        raise DataError(f"{path}: the first line holds numbers, a header is needed")
    if twice := [header for header in headers if headers.count(header) > 1]:
        raise DataError(f"{path}: two columns are named {twice[0]!r}")
    if not rows:
        raise DataError(f"{path}: no rows below the header")
    return headers, rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(header: str, values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values.astype(object), errors="coerce").astype("float64")
    wrong = (numbers.isna() & values.notna()) | (numbers.abs() > _LARGEST)
    if wrong.any():
        first = str(values[wrong].iloc[0])
        raise DataError(
            f"column {header!r}: {first[:40]!r} in {int(wrong.sum())} rows is not a finite number"
        )
    return numbers


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), "").map(str).astype(str)
