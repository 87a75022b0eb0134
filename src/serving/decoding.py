"""From the bytes of a request to the model's matrices, or to what is wrong with them."""

import json
import math
import re
from http import HTTPStatus
from operator import itemgetter
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from src.schema.columns import CategoryColumn, DateColumn, NumericColumn, Schema
from src.schema.features import Features
from src.schema.request import NOT_A_WORD, batch_model, request_model
from src.serving.problems import Problem, bad_request

MAX_NAMED = 3  # unknown fields of a row
_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,39}").fullmatch  # of a column, as far as one can tell
MAX_ENTRIES = 100  # of one answer; a batch may hold many more mistakes
Entry = dict[str, str | int | None]


class RowDecoder:
    """Reads rows of `schema` from JSON, at most `most` at a time."""

    def __init__(self, schema: Schema, most: int = 1) -> None:
        fields = {column.name: f"column_{place}" for place, column in enumerate(schema.columns)}
        self.row_model = request_model(schema)
        self.batch_model = batch_model(self.row_model, most)
        self._validate = self.row_model.__pydantic_validator__.validate_json
        self._validate_all = self.batch_model.__pydantic_validator__.validate_json
        self._numeric = [
            fields[column.name] for column in schema.columns if not isinstance(column, CategoryColumn)
        ]
        self._categorical = [fields[column.name] for column in schema.categorical]
        self._width = len(schema.numeric)
        # By the field: what stands for a date that is missing.
        self._dates = {
            fields[column.name]: (math.nan,) * len(column.parts)
            for column in schema.columns
            if isinstance(column, DateColumn)
        }
        self._numbers = itemgetter(*self._numeric) if self._numeric else None
        self._names = ", ".join(schema.names)
        self._columns = {column.name: column for column in schema.columns}
        # What most texts are is looked up, and only the others are read.
        self._known: dict[str | None, str] = dict.fromkeys((None, "", *schema.missing), "")
        self._known |= {text: text for column in schema.categorical for text in column.categories}
        self._text = schema.cells.text
        # Models made before there were words for missing take the empty text everywhere.
        self._required = [
            (place, column.name)
            for place, column in enumerate(schema.categorical)
            if schema.missing and not column.nullable
        ]

    def read(self, body: bytes) -> Features:
        """Return the row as matrices of one row.

        Raises:
            Problem: 422, an entry for each field that is wrong.
        """
        try:
            row = self._validate(body)
        except ValidationError as error:
            raise self._refused(body, error) from None
        values: dict[str, Any] = row.__dict__
        texts = [values[name] for name in self._categorical]
        # Each key and each text takes two quotes. More than that, and a key came twice, of which the
        # validator keeps the last, or a text holds an escaped one.
        quotes = 2 * (len(row.model_fields_set) + len(texts) - texts.count(None))
        if self._dates:
            quotes += 2 * self._given_dates(values)
        if body.count(b'"') != quotes:
            _refuse_repeated(body)
        numbers = self._spread(values) if self._dates else [values[name] for name in self._numeric]
        numeric = np.array([numbers], dtype=np.float64)  # None becomes NaN
        return Features(numeric, self._read_texts([texts]))

    def read_all(self, body: bytes) -> Features:
        """Return the rows of a batch as matrices; raises as `read` does, an entry naming its row too."""
        try:
            batch = self._validate_all(body)
        except ValidationError as error:
            raise self._refused(body, error, batch=True) from None
        rows: list[BaseModel] = batch.rows
        values = [row.__dict__ for row in rows]
        texts = [[row[name] for name in self._categorical] for row in values] if self._categorical else []
        given = sum(len(row.model_fields_set) for row in rows)
        given += sum(text is not None for row in texts for text in row)
        given += sum(self._given_dates(row) for row in values) if self._dates else 0
        if body.count(b'"') != 2 * (given + 1):  # as above, and `rows` itself
            _refuse_repeated(body)
        read = self._spread if self._dates else self._numbers
        numbers = [read(row) for row in values] if read else []
        numeric = np.array(numbers, dtype=np.float64).reshape(len(rows), self._width)
        return Features(numeric, self._read_texts(texts or [[]] * len(rows), numbered=True))

    def _given_dates(self, values: dict[str, Any]) -> int:
        return sum(values[name] is not None for name in self._dates)

    def _spread(self, values: dict[str, Any]) -> list[float | None]:
        """Return the numbers of a row, the parts of each date among them."""
        numbers: list[float | None] = []
        for name in self._numeric:
            value = values[name]
            if name in self._dates:
                numbers += self._dates[name] if value is None else value
            else:
                numbers.append(value)
        return numbers

    def _read_texts(
        self, rows: list[list[str | None]], numbered: bool = False
    ) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Return [rows, categories], missing as the empty text.

        Raises:
            Problem: 422, a text means missing where training saw no row without one.
        """
        known, read = self._known, self._text
        matrix = np.empty((len(rows), len(rows[0])), dtype=np.object_)
        if not matrix.size:
            return matrix
        texts = [[known[text] if text in known else read(text or "") for text in row] for row in rows]
        if self._required:
            missing = [
                _entry(row if numbered else None, name, "The text means missing; a value is needed.")
                for row, values in enumerate(texts)
                for place, name in self._required
                if not values[place]
            ]
            if missing:
                raise _invalid(missing)
        matrix[:] = texts
        return matrix

    def _refused(self, body: bytes, error: ValidationError, batch: bool = False) -> Problem:
        """Return the problem of a body that is not what it should be: no JSON, or not as the schema says."""
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            what = first["msg"] if body.strip() else "The body is empty"
            return bad_request(f"{what}; send a JSON object, /docs shows one.", "malformed_json")
        if batch and isinstance(given := json.loads(body), dict) and given.keys() & self._columns.keys():
            return _invalid(
                [_entry(None, "rows", 'Put rows under `rows`: {"rows": [{…}]}, or ask /predict.')]
            )
        return _invalid(self._explain(error))

    def _explain(self, error: ValidationError) -> list[Entry]:
        """Return an entry for each wrong field; one that is not ours is named if it looks like a name."""
        entries: list[Entry] = []
        unknown: dict[int | None, list[str]] = {}
        for problem in error.errors(include_url=False, include_input=False):
            row, field = _place(problem["loc"])
            if problem["loc"] and problem["loc"][-1] == NOT_A_WORD:
                continue  # the number's own problem is said
            if problem["type"] == "extra_forbidden":
                unknown.setdefault(row, []).append(str(problem["loc"][-1]))
            else:
                entries.append(_entry(row, field, self._detail(problem, field)))
        for row, names in unknown.items():
            named = [name for name in names if _NAME(name)][:MAX_NAMED]
            said = f"{len(names)} unknown{''.join(f', {name}' for name in named)}"
            entries.append(_entry(row, None, f"{said}; the fields are {self._names}."))
        return entries

    def _detail(self, problem: ErrorDetails, field: str | None) -> str:
        """Return what is allowed, where pydantic does not say it."""
        column = self._columns.get(field or "")
        if problem["type"] == "bool_type":
            return "Input should be a valid boolean, true or false"
        if problem["type"] == "int_parsing_size" and isinstance(column, NumericColumn):
            return f"Input should be from {column.lowest:.0f} to {column.highest:.0f}"
        return problem["msg"]


def _place(loc: tuple[int | str, ...]) -> tuple[int | None, str | None]:
    """Return the row, of a batch, and the field that pydantic means."""
    if len(loc) > 1 and isinstance(loc[1], int):
        return loc[1], str(loc[2]) if len(loc) > 2 else None
    return None, str(loc[0]) if loc else None


def _entry(row: int | None, field: str | None, detail: str) -> Entry:
    return (
        {"field": field, "detail": detail} if row is None else {"row": row, "field": field, "detail": detail}
    )


def _refuse_repeated(body: bytes) -> None:
    """Raise a Problem when an object of a valid body has a key more than once; it is one of ours, then."""
    repeated: set[str] = set()

    def note(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        repeated.update(name for name in names if names.count(name) > 1)

    json.loads(body, object_pairs_hook=note, parse_int=str, parse_float=str)
    if repeated:
        raise _invalid(
            [_entry(None, name, "The field is there more than once.") for name in sorted(repeated)]
        )


def _invalid(entries: list[Entry]) -> Problem:
    fields = dict.fromkeys(str(entry["field"]) for entry in entries if entry["field"] is not None)
    detail = f"Not as the schema says: {', '.join(fields)}." if fields else str(entries[0]["detail"])
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "validation", detail, errors=entries[:MAX_ENTRIES])
