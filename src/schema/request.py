"""What a request must hold: the strict models of one row and of a batch."""

from collections.abc import Callable
from datetime import time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, WithJsonSchema, create_model
from pydantic_core import CoreSchema, core_schema

from src.schema.cells import CellRule
from src.schema.columns import MAX_TEXT, CategoryColumn, DateColumn, NumericColumn, Schema
from src.schema.dates import parts, read_moment

MAX_DATE = 40  # characters
NOT_A_WORD = "a word for missing"  # where pydantic says that a text in a number's place is none


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
        elif isinstance(column, DateColumn):
            kind = _date_type(column, schema.cells)
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


def _date_type(column: DateColumn, cells: CellRule) -> Any:
    """Return the type of a date: a text in ISO 8601, which becomes the tuple of its parts."""

    def check(text: str) -> tuple[float, ...] | None:
        if column.nullable and cells.is_missing(text):
            return None
        try:
            moment = read_moment(text.strip() if cells.strip else text)
        except OverflowError:
            moment = None
        if moment is None or not column.spans(moment):
            raise ValueError(f"a date from {column.lowest} to {column.highest} is allowed")
        if not column.has_time and moment.time() != time():
            raise ValueError("a date without a time is allowed")
        return parts(moment, column.has_time)

    checked = core_schema.no_info_after_validator_function(
        check, core_schema.str_schema(strict=True, max_length=MAX_DATE)
    )
    described = {"type": "string", "format": "date-time" if column.has_time else "date"}
    return Annotated[object, GetPydanticSchema(lambda source, handler: checked), WithJsonSchema(described)]


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
