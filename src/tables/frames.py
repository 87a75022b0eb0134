"""Tables in memory: their values, their schema, and the rows that are held out."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.errors import DataError
from src.params import DataParams
from src.schema.columns import DateColumn, NumericColumn, Schema
from src.schema.names import find, named
from src.tables.conform import to_dates, to_numbers, to_texts
from src.tables.infer import infer
from src.tables.kinds import typed
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
