"""The columns of a table: infer them, build the request model, and turn rows into arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, create_model

from src.errors import DataError
from src.frozen import Frozen

if TYPE_CHECKING:
    import pandas as pd

MAX_CATEGORIES = 1_000
MAX_CLASSES = 100
MAX_TEXT = 256  # characters of one categorical value in a request
_FLOAT32_MAX = float(np.finfo(np.float32).max)  # scikit-learn's trees refuse more
_INTEGER_MAX = 2**53  # beyond it a double no longer holds every integer


class NumericColumn(Frozen):
    """A number; `lowest` and `highest` are what a request may hold, wider than what training saw."""

    name: str
    header: str  # as the source table spells it
    type: Literal["float", "integer", "boolean"]
    nullable: bool
    lowest: float
    highest: float


class CategoryColumn(Frozen):
    """A text; a request may hold one that training did not see, the model then ignores it."""

    name: str
    header: str
    type: Literal["category"]
    nullable: bool
    categories: tuple[str, ...] = Field(fail_fast=True)


Column = Annotated[NumericColumn | CategoryColumn, Field(discriminator="type")]


class Schema(Frozen):
    """The features in the order of the table, and what is predicted from them."""

    columns: tuple[Column, ...] = Field(fail_fast=True)
    target: str
    target_header: str
    classes: tuple[str, ...] = Field(fail_fast=True)  # in the order of the model's scores

    @property
    def names(self) -> list[str]:
        """The columns' names, as requests and prepared tables spell them."""
        return [column.name for column in self.columns]

    @property
    def numeric(self) -> list[NumericColumn]:
        """The columns of the `numeric` matrix, in its order."""
        return [column for column in self.columns if isinstance(column, NumericColumn)]

    @property
    def categorical(self) -> list[CategoryColumn]:
        """The columns of the `categorical` matrix, in its order."""
        return [column for column in self.columns if isinstance(column, CategoryColumn)]


class Features(NamedTuple):
    """Rows as the exported model takes them."""

    numeric: NDArray[np.float64]  # [rows, numeric columns], NaN = missing
    categorical: NDArray[np.object_]  # [rows, categorical columns] of str, "" = missing


def slug(header: str) -> str:
    """Return `header` as an identifier: `sepal length (cm)` becomes `sepal_length`."""
    without_unit = re.sub(r"[(\[].*?[)\]]", " ", header)
    words = re.findall(r"[a-z0-9]+", without_unit.lower())
    return "_".join(words)


def slugs(headers: Sequence[str]) -> list[str]:
    """Return one slug per header; two that would be the same are an error.

    Raises:
        DataError: a header has no letter or digit, or two have the same slug.
    """
    seen: dict[str, str] = {}
    for header in headers:
        name = slug(header)
        if not name:
            raise DataError(f"column {header!r}: its name needs a letter or a digit outside brackets")
        if name in seen:
            raise DataError(f"columns {seen[name]!r} and {header!r} are both named {name!r}")
        seen[name] = header
    return list(seen)


def infer(table: pd.DataFrame, target: str, ranges: Mapping[str, Sequence[float]]) -> Schema:
    """Return the schema of `table`, whose headers are as the source spells them.

    `target` and the keys of `ranges` may be headers or slugs.

    Raises:
        DataError: a column cannot be used; the message names it and says why.
    """
    headers = dict(zip(slugs([str(header) for header in table.columns]), table.columns, strict=True))
    target = slug(target)
    if target not in headers:
        raise DataError(f"data.target: no column {target!r}, the table has {', '.join(headers)}")
    allowed = {slug(name): (float(low), float(high)) for name, (low, high) in ranges.items()}
    if unknown := allowed.keys() - headers.keys():
        raise DataError(f"data.ranges: no column {sorted(unknown)[0]!r}, the table has {', '.join(headers)}")
    columns = tuple(
        _infer_column(name, str(header), table[header], allowed.get(name))
        for name, header in headers.items()
        if name != target
    )
    if not columns:
        raise DataError("the table has no column beside its target")
    return Schema(
        columns=columns,
        target=target,
        target_header=str(headers[target]),
        classes=_classes(target, table[headers[target]]),
    )


def request_model(schema: Schema) -> type[BaseModel]:
    """Return the strict model of one row: exactly the schema's columns, within their ranges."""
    fields: dict[str, Any] = {}
    for position, column in enumerate(schema.columns):
        kind, constraints = _request_type(column)
        options: dict[str, Any] = {"alias": column.name, "title": column.header, **constraints}
        if column.nullable:
            kind, options = kind | None, {**options, "default": None}
        # The field's own name is a number, so that no column name can clash with pydantic's.
        fields[f"column_{position}"] = (kind, Field(**options))
    model: type[BaseModel] = create_model(
        "Row", __config__=ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False), **fields
    )
    return model


def batch_model(schema: Schema, most: int) -> type[BaseModel]:
    """Return the strict model of `rows`, one to `most` of them, each as `request_model` has it."""
    rows: Any = list[request_model(schema)]  # type: ignore[misc]
    model: type[BaseModel] = create_model(
        "Batch",
        __config__=ConfigDict(extra="forbid", strict=True, frozen=True),
        rows=(rows, Field(min_length=1, max_length=most)),
    )
    return model


def to_features(schema: Schema, table: Mapping[str, Sequence[object]] | pd.DataFrame) -> Features:
    """Return the columns of `table` (slugs to values, a data frame too) as the model's matrices.

    A missing value is None, NaN or, in a category, the empty text.
    """
    rows = len(table[schema.names[0]])
    numeric = np.empty((rows, len(schema.numeric)), dtype=np.float64)
    for position, number in enumerate(schema.numeric):
        values = [math.nan if _missing(value) else value for value in table[number.name]]
        numeric[:, position] = np.array(values, dtype=np.float64)
    categorical = np.empty((rows, len(schema.categorical)), dtype=object)
    for position, category in enumerate(schema.categorical):
        categorical[:, position] = ["" if _missing(value) else value for value in table[category.name]]
    return Features(numeric, categorical)


def _missing(value: object) -> bool:
    return value is None or value != value  # NaN, NaT and pandas' NA differ from themselves


def _request_type(column: Column) -> tuple[Any, dict[str, Any]]:
    if isinstance(column, CategoryColumn):
        known = list(column.categories)[:20]
        return str, {"max_length": MAX_TEXT, "examples": known}
    if column.type == "boolean":
        return bool, {}
    if column.type == "integer":
        return int, {"ge": int(column.lowest), "le": int(column.highest)}
    return float, {"ge": column.lowest, "le": column.highest}


def _infer_column(
    name: str, header: str, values: pd.Series[Any], allowed: tuple[float, float] | None
) -> NumericColumn | CategoryColumn:
    present = values.dropna()
    nullable = len(present) < len(values)
    if present.empty:
        raise DataError(f"column {header!r}: every value is missing; leave it out with data.drop")
    kind = _kind(present)
    if kind == "category":
        categories = tuple(sorted(str(value) for value in present.unique() if str(value) != ""))
        if len(categories) > MAX_CATEGORIES:
            count = f"{len(categories)} different texts, at most {MAX_CATEGORIES} are allowed"
            raise DataError(f"column {header!r}: {count}; leave it out with data.drop")
        if longest := next((text for text in categories if len(text) > MAX_TEXT), None):
            raise DataError(f"column {header!r}: {longest[:40]!r}… has more than {MAX_TEXT} characters")
        if allowed:
            raise DataError(f"data.ranges: column {name!r} holds text, a range needs numbers")
        return CategoryColumn(name=name, header=header, type=kind, nullable=nullable, categories=categories)
    numbers = present.astype(float)
    low, high = float(numbers.min()), float(numbers.max())
    if not (math.isfinite(low) and math.isfinite(high) and max(-low, high) <= _FLOAT32_MAX):
        raise DataError(f"column {header!r}: holds an infinite number or one beyond {_FLOAT32_MAX:.3g}")
    if kind == "boolean":
        lowest, highest = 0.0, 1.0
    else:
        lowest, highest = allowed or _widened(low, high, whole=kind == "integer")
    if not lowest <= low <= high <= highest:
        raise DataError(f"data.ranges: column {name!r} goes from {low:g} to {high:g}, beyond its range")
    return NumericColumn(
        name=name, header=header, type=kind, nullable=nullable, lowest=lowest, highest=highest
    )


def _kind(present: pd.Series[Any]) -> Literal["float", "integer", "boolean", "category"]:
    letter = np.dtype(present.dtype).kind if isinstance(present.dtype, np.dtype) else "O"
    if letter == "b" or all(isinstance(value, (bool, np.bool_)) for value in present):
        return "boolean"
    if letter in "iu":
        return "integer"
    if letter == "f":
        return "float"
    return "category"


def _widened(low: float, high: float, whole: bool) -> tuple[float, float]:
    """Return what a request may hold: as far again beyond what was seen, so that drift shows.

    What was never negative stays so.
    """
    span = (high - low) or max(abs(high), 1.0)
    limit = float(_INTEGER_MAX) if whole else _FLOAT32_MAX
    lowest = max(low - span, 0.0 if low >= 0 else -limit)
    highest = min(high + span, limit)
    if whole:
        return float(math.floor(lowest)), float(math.ceil(highest))
    return min(float(f"{lowest:.6g}"), low), max(float(f"{highest:.6g}"), high)


def _classes(target: str, values: pd.Series[Any]) -> tuple[str, ...]:
    if values.isna().any():
        raise DataError(f"column {target!r}: {int(values.isna().sum())} rows have no target")
    classes = tuple(sorted({str(value) for value in values.unique()}))
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise DataError(
            f"column {target!r}: {len(classes)} different targets, a classifier needs 2 to {MAX_CLASSES}"
        )
    return classes
