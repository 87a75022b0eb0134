"""Tables on disk and in memory: read them, bring them to a schema, split them, write them."""

import csv
import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from src import paths
from src.disk.files import write_file
from src.errors import DataError
from src.params import DataParams
from src.schema.columns import DateColumn, NumericColumn, Schema
from src.schema.names import find, named
from src.strict_model import StrictModel
from src.tables.conform import to_dates, to_numbers, to_texts
from src.tables.infer import infer
from src.tables.kinds import typed
from src.tables.source import read_texts
from src.tables.splits import Split, by_group, by_time
from src.tables.targets.choice import chosen_task
from src.tasks import side

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """What the stages after `prepare` work on: the rows to fit and the rows held out."""

    schema: Schema
    train: pd.DataFrame
    test: pd.DataFrame
    blocks: NDArray[np.int64] | None = None  # the group of each training row, or its place in time

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


def with_task(texts: pd.DataFrame, data: DataParams) -> DataParams:
    """Return `data` with the task that the target in `texts` asks for, unless it says which."""
    headers = named(texts.columns)
    target = find(data.target, headers)
    if data.task is not None or target is None:
        return data
    task = chosen_task(texts[headers[target]], data.cells)
    return data.model_copy(update={"task": task})


def to_values(texts: pd.DataFrame, data: DataParams) -> pd.DataFrame:
    """Return `texts` as what they spell, headers as they are, without what `data.drop` names.

    A target that is text stays as it is spelled, words for missing included.

    Raises:
        DataError: a column to drop, or one to keep as text, is not there.
    """
    headers = named(texts.columns)
    dropped, kept = _columns("drop", data.drop, headers), _columns("text", data.text, headers)
    target = find(data.target, headers) if _targets(data).IS_TEXT else None
    columns: dict[str, Any] = {}
    decides = _split_column(data, headers)  # is needed although it is no feature
    for name, header in headers.items():
        if name in dropped and name != decides:
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
    """Return the schema of `table`, as `to_values` gives it, and its rows in two parts.

    Raises:
        DataError: the table does not hold what the parameters say.
    """
    table = _usable(table, data)
    split, table = _held_out(table, data)
    schema = infer(table, data.target, data.ranges, data.cells, data.target_task, data.unusable, data.text)
    frame = to_schema_frame(table, schema)
    targets = side("src.tables.targets", schema.task)
    if split is None:
        train, test = targets.split(frame, data.test_size, data.random_state, schema.target)
        return Prepared(schema, train, test)
    held_out, blocks = split
    targets.check_train(frame[~held_out], schema)
    return Prepared(schema, frame[~held_out], frame[held_out], blocks[~held_out])


def _held_out(table: pd.DataFrame, data: DataParams) -> tuple[Split | None, pd.DataFrame]:
    """Return how the time or the group splits the rows, None: chance does, and the table of features.

    Raises:
        DataError: there is no such column, or it does not tell.
    """
    headers = named(table.columns)
    name = _split_column(data, headers)
    if name is None:
        return None, table
    header = headers[name]
    if data.group is not None:
        split = by_group(header, table[header], data.test_size, data.random_state)
        return split, table.drop(columns=header)
    split = by_time(header, table[header], data.test_size, data.cells)
    left_out = name in {find(one, headers) for one in data.drop}
    return split, table.drop(columns=header) if left_out else table


def _split_column(data: DataParams, headers: Mapping[str, str]) -> str | None:
    """Return the name of the column by which rows are held out; raises DataError when it is not there."""
    for key, wanted in (("time", data.time), ("group", data.group)):
        if wanted is not None:
            [name] = _columns(key, (wanted,), headers)
            return name
    return None


def _usable(table: pd.DataFrame, data: DataParams) -> pd.DataFrame:
    """Return the rows that a model can be trained on, without those that the parameters leave out."""
    headers = named(table.columns)
    target = find(data.target, headers)
    if target is None:
        return table
    kept, remarks = _targets(data).usable(
        headers[target], table[headers[target]], data.cells, data.target_missing, data.rare_classes
    )
    if not kept.any():
        raise DataError(f"{'; '.join(remarks) or 'the table is empty'}: no row is left")
    for remark in remarks:
        logger.warning(remark)
    return table if kept.all() else table[kept.to_numpy()].reset_index(drop=True)


def write_prepared(prepared: Prepared, data: DataParams) -> Recipe:
    """Write `data/processed/`; the recipe last, so that a part of it is never taken for the whole."""
    paths.PREPARED.unlink(missing_ok=True)
    write_file(paths.TRAIN, to_bytes(prepared.train))
    write_file(paths.TEST, to_bytes(prepared.test))
    write_file(paths.SCHEMA, prepared.schema_file())
    blocks = pd.Series(() if prepared.blocks is None else prepared.blocks, dtype=np.int64, name="block")
    write_file(paths.BLOCKS, to_bytes(blocks.to_frame()))
    recipe = Recipe(data=data, raw_digest=digest(data.raw), test_digest=digest(paths.TEST))
    write_file(paths.PREPARED, (recipe.model_dump_json(indent=2) + "\n").encode())
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
    train, test = read_prepared(paths.TRAIN, schema), read_prepared(paths.TEST, schema)
    return Prepared(schema, train, test, _read_blocks(len(train)))


def _read_blocks(rows: int) -> NDArray[np.int64] | None:
    try:
        blocks = np.array([int(line) for line in paths.BLOCKS.read_text().split()[1:]], dtype=np.int64)
    except (OSError, ValueError) as error:
        raise DataError(f"{paths.BLOCKS}: damaged; run python -m src.data.prepare") from error
    if len(blocks) not in (0, rows):
        raise DataError(f"{paths.BLOCKS}: {len(blocks)} rows, {paths.TRAIN} has {rows}; prepare again")
    return blocks if len(blocks) else None


def to_schema_frame(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the schema's columns of `table`, whose headers may be names or the source's.

    Numbers become float64, NaN where missing; categories str, "" where missing; the target, if there,
    what its task learns from.

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
        if isinstance(column, NumericColumn):
            columns[column.name] = to_numbers(column.header, values, schema.cells)
        else:
            columns[column.name] = to_texts(values, schema.cells)
        if isinstance(column, DateColumn):
            columns[column.name] = to_dates(column, columns[column.name])
    target = _place(schema.target, schema.target_header, headers)
    if target is not None:
        values = table.iloc[:, positions[target]]
        columns[schema.target] = side("src.tables.targets", schema.task).to_column(schema, values)
    return pd.DataFrame(columns, index=table.index)


def read_prepared(path: Path, schema: Schema) -> pd.DataFrame:
    """Return a table that `write_prepared` wrote, equal to what it was.

    Raises:
        DataError: as `read_texts` and `to_schema_frame` do.
    """
    return to_schema_frame(read_texts(path), schema)


def to_bytes(table: pd.DataFrame) -> bytes:
    """Return `table` as CSV whose bytes depend on nothing but its values."""
    content = table.to_csv(index=False, lineterminator="\n")
    if "\r" in content:  # Python 3.11 leaves a text with a carriage return without quotes
        content = table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return content.encode()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _targets(data: DataParams) -> Any:
    return side("src.tables.targets", data.target_task)


def _columns(key: str, wanted: Iterable[str], headers: Mapping[str, str]) -> set[str]:
    """Return the names of the columns that the parameter `key` lists; raises DataError for one not there."""
    found = {one: find(one, headers) for one in wanted}
    if unknown := [one for one, name in found.items() if name is None]:
        raise DataError(f"data.{key}: no column {unknown[0]!r}, the table has {', '.join(headers)}")
    return {name for name in found.values() if name is not None}


def _place(name: str, header: str, headers: Mapping[str, str]) -> str | None:
    """Return which of `headers` is the schema's column `name`, whose header was `header`."""
    return name if headers.get(name) == name else find(header, headers)
