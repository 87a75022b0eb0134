"""The columns of a table: what they hold, the request model, and rows as arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, WithJsonSchema, create_model
from pydantic_core import CoreSchema, core_schema

from src.schema.cells import CellRule
from src.strict_model import StrictModel
from src.tasks import CLASSIFICATION, TaskName

if TYPE_CHECKING:
    import pandas as pd

MAX_CATEGORIES = 1_000
MAX_CLASSES = 100
MAX_TEXT = 256  # characters of one categorical value in a request
NOT_A_WORD = "a word for missing"  # where pydantic says that a text in a number's place is none


class NumericColumn(StrictModel):
    """A number; `lowest` and `highest` are what a request may hold, wider than what training saw."""

    name: str
    header: str  # as the source table spells it
    type: Literal["float", "integer", "boolean"]
    nullable: bool
    lowest: float
    highest: float


class CategoryColumn(StrictModel):
    """A text; a request may hold one that training did not see, the model then ignores it."""

    name: str
    header: str
    type: Literal["category"]
    nullable: bool
    categories: tuple[str, ...] = Field(fail_fast=True)


Column = Annotated[NumericColumn | CategoryColumn, Field(discriminator="type")]


class Schema(StrictModel):
    """The features in the order of the table, and what is predicted from them."""

    columns: tuple[Column, ...] = Field(fail_fast=True)
    target: str
    target_header: str
    classes: tuple[str, ...] = Field(fail_fast=True)  # in the order of the model's scores
    missing: tuple[str, ...] = ()  # texts that mean no value, "" is one; models made before have none
    strip: bool = False  # whether blanks around a text are no part of it

    @property
    def cells(self) -> CellRule:
        """What texts mean, in tables and requests."""
        return CellRule(self.missing, self.strip)

    @property
    def task(self) -> TaskName:
        """What the target asks for."""
        return CLASSIFICATION.name

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


def request_model(schema: Schema) -> type[BaseModel]:
    """Return the strict model of one row: exactly the schema's columns, within their ranges.

    A word for missing in a number's place is None; in a category it stays, for `CellRule.text` to read.
    """
    fields: dict[str, Any] = {}
    for position, column in enumerate(schema.columns):
        options: dict[str, Any] = {"alias": column.name, "title": column.header}
        if isinstance(column, CategoryColumn):
            kind: Any = str
            options |= {"max_length": MAX_TEXT, "examples": list(column.categories)[:20]}
            if schema.missing and not column.nullable:
                options["json_schema_extra"] = {"minLength": 1}
        else:
            kind = _number_type(column, schema.cells)
        if column.nullable:
            kind, options = kind | None, {**options, "default": None}
            if schema.missing:
                words = ", ".join(f'"{word}"' for word in schema.missing)
                options["description"] = f"Missing when left out, null or one of {words}."
        # The field's own name is a number, so that no column name can clash with pydantic's.
        fields[f"column_{position}"] = (kind, Field(**options))
    model: type[BaseModel] = create_model(
        "Row", __config__=ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False), **fields
    )
    return model


def batch_model(row: type[BaseModel], most: int) -> type[BaseModel]:
    """Return the strict model of `rows`, one to `most` of them, each a `row` of `request_model`."""
    rows: Any = list[row]  # type: ignore[valid-type]
    model: type[BaseModel] = create_model(
        "Batch",
        __config__=ConfigDict(extra="forbid", strict=True, frozen=True),
        rows=(rows, Field(min_length=1, max_length=most)),
    )
    return model


def to_features(schema: Schema, table: Mapping[str, Sequence[object]] | pd.DataFrame) -> Features:
    """Return the columns of `table` (names to values, a data frame too) as the model's matrices.

    A missing value is None, NaN or a text that the schema takes for none.
    """
    rows, cells = len(table[schema.names[0]]), schema.cells
    numeric = np.empty((rows, len(schema.numeric)), dtype=np.float64)
    for position, number in enumerate(schema.numeric):
        values = [math.nan if cells.is_missing(value) else value for value in table[number.name]]
        numeric[:, position] = np.array(values, dtype=np.float64)
    categorical = np.empty((rows, len(schema.categorical)), dtype=object)
    for position, category in enumerate(schema.categorical):
        categorical[:, position] = [
            "" if cells.is_missing(value) else cells.text(str(value)) for value in table[category.name]
        ]
    return Features(numeric, categorical)


def _number_type(column: NumericColumn, cells: CellRule) -> Any:
    """Return the type of a number.

    Python is called for a text alone; and for numbers, when some of them mean that there is none.
    """
    low, high = column.lowest, column.highest
    number: CoreSchema
    described: dict[str, Any]
    if column.type == "boolean":
        number, described = core_schema.bool_schema(strict=True), {"type": "boolean"}
    elif column.type == "integer":
        low, high = int(low), int(high)
        number, described = _whole(low, high), {"type": "integer", "minimum": low, "maximum": high}
    else:
        number = core_schema.float_schema(strict=True, allow_inf_nan=False, ge=low, le=high)
        described = {"type": "number", "minimum": low, "maximum": high}
    if cells.numbers:
        number = core_schema.nullable_schema(number) if column.nullable else number
        number = core_schema.no_info_before_validator_function(_without(cells), number)
    elif column.nullable and cells.missing:
        number = core_schema.union_schema([number, (_word(cells), NOT_A_WORD)], mode="left_to_right")
    return Annotated[object, GetPydanticSchema(lambda source, handler: number), WithJsonSchema(described)]


def _whole(low: int, high: int) -> CoreSchema:
    """Return what takes 3 and, exactly, 3.0, as JSON Schema's `integer` does; not 3.5, true or "3"."""
    either = core_schema.union_schema(
        [core_schema.int_schema(strict=True), core_schema.float_schema(strict=True, allow_inf_nan=False)],
        custom_error_type="int_type",
    )
    return core_schema.chain_schema([either, core_schema.int_schema(strict=False, ge=low, le=high)])


def _without(cells: CellRule) -> Callable[[object], object]:
    return lambda value: None if cells.is_missing(value) else value


def _word(cells: CellRule) -> CoreSchema:
    def check(text: str) -> None:
        if not cells.is_missing(text):
            raise ValueError("no word for missing")

    return core_schema.no_info_after_validator_function(check, core_schema.str_schema(strict=True))
