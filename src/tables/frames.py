"""Tables on disk and in memory: read them, bring them to a schema, split them, write them."""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError
from sklearn.model_selection import train_test_split

from src import paths
from src.disk.files import write_file
from src.errors import DataError
from src.params import DataParams
from src.schema.cells import CellRule
from src.schema.columns import CategoryColumn, Schema
from src.schema.names import find, named
from src.strict_model import StrictModel
from src.tables.infer import infer
from src.tables.kinds import typed
from src.tables.source import read_texts

_LARGEST = float(np.finfo(np.float32).max)  # scikit-learn's trees refuse more


@dataclass(frozen=True)
class Prepared:
    """What the stages after `prepare` work on: the rows to fit and the rows held out."""

    schema: Schema
    train: pd.DataFrame
    test: pd.DataFrame

    def schema_file(self) -> bytes:
        """Return the content of `schema.json`."""
        return (self.schema.model_dump_json(indent=2) + "\n").encode()


class Recipe(StrictModel):
    """`prepared.json`: the parameters and the snapshot that the prepared tables were made from."""

    data: DataParams
    raw_digest: str  # SHA-256 of the snapshot in `data/raw`
    test_digest: str  # SHA-256 of the rows held out from it

    def is_of(self, data: DataParams) -> bool:
        """Return whether `data` and the snapshot as it is now would give the same tables."""
        return self.data == data and self.raw_digest == digest(data.raw)

    def difference(self, data: DataParams) -> str:
        """Return what is not as `data` and the snapshot are now."""
        before, now = self.data.model_dump(), data.model_dump()
        other = [f"data.{key} {before[key]!r}, now {now[key]!r}" for key in now if before[key] != now[key]]
        return ", ".join(other) or f"another {data.raw}"


def read_source(path: Path, data: DataParams) -> pd.DataFrame:
    """Return the table at `path` as `to_values` does; raises as it and `read_texts` do."""
    return to_values(read_texts(path), data)


def to_values(texts: pd.DataFrame, data: DataParams) -> pd.DataFrame:
    """Return `texts` as what they spell, headers as they are, without what `data.drop` names.

    The target stays as it is spelled, words for missing included.

    Raises:
        DataError: a column to drop, or one to keep as text, is not there.
    """
    headers = named(texts.columns)
    dropped, kept = _columns("drop", data.drop, headers), _columns("text", data.text, headers)
    target = find(data.target, headers)
    columns: dict[str, Any] = {}
    for name, header in headers.items():
        if name in dropped:
            continue
        if name == target:
            columns[header] = texts[header]
        elif name in kept:
            spelled = texts[header].map(data.cells.text)
            columns[header] = spelled.where(spelled != "")
        else:
            columns[header] = typed(texts[header], data.cells)
    return pd.DataFrame(columns, index=texts.index)


def prepared(table: pd.DataFrame, data: DataParams) -> Prepared:
    """Return the schema of `table`, as `read_source` gives it, and its rows in two parts.

    Raises:
        DataError: the table does not hold what the parameters say.
    """
    schema = infer(table, data.target, data.ranges, data.cells)
    frame = to_schema_frame(table, schema)
    train, test = split(frame, data.test_size, data.random_state, schema.target)
    return Prepared(schema, train, test)


def write_prepared(prepared: Prepared, data: DataParams) -> Recipe:
    """Write `data/processed/`; the recipe last, so that a part of it is never taken for the whole."""
    paths.PREPARED.unlink(missing_ok=True)
    write(paths.TRAIN, to_bytes(prepared.train))
    write(paths.TEST, to_bytes(prepared.test))
    write(paths.SCHEMA, prepared.schema_file())
    recipe = Recipe(data=data, raw_digest=digest(data.raw), test_digest=digest(paths.TEST))
    write(paths.PREPARED, (recipe.model_dump_json(indent=2) + "\n").encode())
    return recipe


def read_recipe() -> Recipe:
    """Return what `data/processed/` was made from; raises DataError when it cannot be told."""
    try:
        return Recipe.model_validate_json(paths.PREPARED.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{paths.PREPARED}: no such file; run python -m src.data.prepare first") from error
    except ValidationError as error:
        raise DataError(f"{paths.PREPARED}: not of this version; run python -m src.data.prepare") from error


def load_prepared() -> Prepared:
    """Return the tables of `data/processed/`; raises DataError."""
    try:
        schema = Schema.model_validate_json(paths.SCHEMA.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{paths.SCHEMA}: damaged; run python -m src.data.prepare") from error
    return Prepared(schema, read_prepared(paths.TRAIN, schema), read_prepared(paths.TEST, schema))


def to_schema_frame(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the schema's columns of `table`, whose headers may be names or the source's.

    Numbers become float64, NaN where missing; categories str, "" where missing; the target, if there, str.

    Raises:
        DataError: a column is missing or holds what its type does not allow.
    """
    headers = named(table.columns)
    positions = {name: place for place, name in enumerate(headers)}
    columns: dict[str, Any] = {}
    for column in schema.columns:
        found = _place(column.name, column.header, headers)
        if found is None:
            raise DataError(f"no column {column.name!r}, the table has {', '.join(headers)}")
        values = table.iloc[:, positions[found]]
        is_text = isinstance(column, CategoryColumn)
        columns[column.name] = (
            _texts(values, schema.cells) if is_text else _numbers(column.header, values, schema.cells)
        )
    target = _place(schema.target, schema.target_header, headers)
    if target is not None:
        columns[schema.target] = _texts(table.iloc[:, positions[target]], schema.cells)
    return pd.DataFrame(columns, index=table.index)


def read_prepared(path: Path, schema: Schema) -> pd.DataFrame:
    """Return a table that `write_prepared` wrote, equal to what it was.

    Raises:
        DataError: as `read_texts` and `to_schema_frame` do.
    """
    return to_schema_frame(read_texts(path), schema)


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


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _columns(key: str, wanted: Iterable[str], headers: Mapping[str, str]) -> set[str]:
    """Return the names of the columns that the parameter `key` lists; raises DataError for one not there."""
    found = {one: find(one, headers) for one in wanted}
    if unknown := [one for one, name in found.items() if name is None]:
        raise DataError(f"data.{key}: no column {unknown[0]!r}, the table has {', '.join(headers)}")
    return {name for name in found.values() if name is not None}


def _place(name: str, header: str, headers: Mapping[str, str]) -> str | None:
    """Return which of `headers` is the schema's column `name`, whose header was `header`."""
    return name if headers.get(name) == name else find(header, headers)


def _numbers(header: str, values: pd.Series, cells: CellRule) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(values) and values.map(lambda value: isinstance(value, str)).any():
        values = typed(values.astype(object).where(values.notna(), "").map(str), cells)
    numbers = pd.to_numeric(values.astype(object), errors="coerce").astype("float64")
    wrong = (numbers.isna() & values.notna()) | (numbers.abs() > _LARGEST)
    if wrong.any():
        first = str(values[wrong].iloc[0])
        raise DataError(
            f"column {header!r}: {first[:40]!r} in {int(wrong.sum())} rows is not a finite number"
        )
    return numbers.where(~numbers.isin(cells.numbers)) if cells.numbers else numbers


def _texts(values: pd.Series, cells: CellRule) -> pd.Series:
    return (
        values.astype(object).where(values.notna(), "").map(lambda value: cells.text(str(value))).astype(str)
    )
