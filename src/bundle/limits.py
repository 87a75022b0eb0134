"""How much a bundle may say and what makes sense in it: texts, columns, classes, shares, example rows.

Training writes far less, and nothing that is refused here; who changes a limit changes what is served.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from src.schema.columns import (
    MAX_CATEGORIES,
    MAX_CLASSES,
    MAX_TEXT,
    CategoryColumn,
    Column,
    DateColumn,
    Schema,
)
from src.schema.dates import is_moment, read_moment
from src.validation import shown

MAX_BYTES = {  # of each file
    "metadata.json": 2**20,
    "schema.json": 16 * 2**20,
    "profile.json": 4 * 2**20,
    "example.json": 4 * 2**20,
    "metrics.json": 4 * 2**20,
    "model.onnx": 512 * 2**20,
    "card.md": 2**20,
    "card.html": 2**20,
}
MAX_NAME = 1_024  # characters of a name, a header or a class
MAX_COLUMNS = 5_000
MAX_EXAMPLES = 100  # rows of example.json
MAX_NOTES = 1_000  # parameters, libraries
ROUNDING = 1e-6  # how far a sum of shares may be from 1

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Scalar = str | int | float | bool | None


def _check_name(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError(f"{shown(text)} holds a control character")
    return text


def _check_time(text: str) -> str:
    if datetime.fromisoformat(text).utcoffset() != timedelta():
        raise ValueError("not a time of UTC in ISO 8601")
    return text


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_check_name)]
Time = Annotated[str, Field(max_length=40), AfterValidator(_check_time)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Classes = Annotated[tuple[str, ...], Field(max_length=MAX_CLASSES)]
Notes = Annotated[dict[Name, Annotated[str, Field(max_length=MAX_NAME)]], Field(max_length=MAX_NOTES)]


def check_shares(shares: Iterable[float]) -> None:
    """Raise ValueError unless `shares` are shares that add up to 1."""
    found = list(shares)
    if not all(0 <= share <= 1 for share in found):
        raise ValueError("a share is not a number from 0 to 1")
    if not abs(math.fsum(found) - 1) <= ROUNDING:
        raise ValueError(f"shares add up to {math.fsum(found):g}, not to 1")


def check_schema(schema: Schema) -> None:
    """Raise ValueError when requests or metrics could not be made of the columns of `schema`."""
    if not 1 <= len(schema.columns) <= MAX_COLUMNS:
        raise ValueError(f"has {len(schema.columns)} columns, allowed are 1 to {MAX_COLUMNS}")
    for column in schema.columns:
        _check_column(column)
    _check_different("column", [column.name for column in schema.features])
    _check_different("column", schema.names)
    _check_named("target", schema.target)
    _check_length("target_header", schema.target_header)


def check_row(schema: Schema, row: Mapping[str, Scalar]) -> None:
    """Raise ValueError unless `row` is one that a request may hold."""
    if row.keys() != set(schema.names):
        raise ValueError("does not hold the schema's columns")
    for column in schema.columns:
        if not _is_allowed(column, row[column.name]):
            raise ValueError(f"{shown(column.name)}: not what schema.json allows")


def _check_column(column: Column) -> None:
    _check_named("column", column.name)
    where = f"column {shown(column.name)}"
    _check_length(f"{where}: header", column.header)
    if isinstance(column, CategoryColumn):
        if len(column.categories) > MAX_CATEGORIES:
            raise ValueError(f"{where}: has {len(column.categories)} categories, at most {MAX_CATEGORIES}")
        check_texts(f"{where}: category", column.categories, MAX_TEXT)
    elif isinstance(column, DateColumn):
        if not (_is_day(column.lowest) and _is_day(column.highest) and column.lowest <= column.highest):
            raise ValueError(f"{where}: goes from {shown(column.lowest)} to {shown(column.highest)}")
    elif not -math.inf < column.lowest <= column.highest < math.inf:
        raise ValueError(f"{where}: goes from {column.lowest:g} to {column.highest:g}")


def _is_day(text: str) -> bool:
    return len(text) == len("1970-01-01") and is_moment(text)


def _check_named(where: str, name: str) -> None:
    _check_length(where, name)
    if _CONTROL.search(name):
        raise ValueError(f"{where}: {shown(name)} holds a control character")


def _check_length(where: str, text: str, most: int = MAX_NAME) -> None:
    if not 1 <= len(text) <= most:
        raise ValueError(f"{where}: has {len(text)} characters, allowed are 1 to {most}")
    if "\0" in text:  # ends what Prometheus reads
        raise ValueError(f"{where}: holds a NUL")


def check_texts(where: str, texts: Sequence[str], most: int) -> None:
    """Raise ValueError unless `texts` are different, each of 1 to `most` characters."""
    for text in texts:
        _check_length(where, text, most)
    _check_different(where, texts)


def _check_different(where: str, texts: Sequence[str]) -> None:
    if len(set(texts)) < len(texts):
        [(twice, _)] = Counter(texts).most_common(1)
        raise ValueError(f"{where} {shown(twice)} is there twice")


def _is_allowed(column: Column, value: Scalar) -> bool:
    if value is None:  # an empty text of the table is missing too, whatever its column says
        return column.nullable or isinstance(column, CategoryColumn)
    if isinstance(column, CategoryColumn):
        return isinstance(value, str) and 0 < len(value) <= MAX_TEXT
    if isinstance(column, DateColumn):
        return isinstance(value, str) and is_moment(value) and column.spans(read_moment(value))
    kinds = {"boolean": (bool,), "integer": (int,), "float": (int, float)}[column.type]
    return type(value) in kinds and column.lowest <= float(value) <= column.highest
