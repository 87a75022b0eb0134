"""From the bytes of a request to the model's matrices, or to what is wrong with them."""

import json
from http import HTTPStatus
from typing import Any

import numpy as np
from pydantic import ValidationError

from src.schema import Features, Schema, request_model
from src.serving.problems import Problem

_NO_CATEGORIES = np.empty((1, 0), dtype=np.object_)


class RowReader:
    """Reads a row of `schema` from JSON."""

    def __init__(self, schema: Schema) -> None:
        model = request_model(schema)
        fields = {column.name: f"column_{place}" for place, column in enumerate(schema.columns)}
        self._validate = model.__pydantic_validator__.validate_json
        self._numeric = [fields[column.name] for column in schema.numeric]
        self._categorical = [fields[column.name] for column in schema.categorical]
        self._names = ", ".join(schema.names)

    def read(self, body: bytes) -> Features:
        """Return the row as matrices of one row.

        Raises:
            Problem: 422, an entry for each field that is wrong.
        """
        try:
            row = self._validate(body)
        except ValidationError as error:
            raise _invalid(self._explain(error)) from None
        values: dict[str, Any] = row.__dict__
        texts = [values[name] for name in self._categorical]
        # Each key and each text takes two quotes. More than that, and a key came twice, of which the
        # validator keeps the last, or a text holds an escaped one.
        quotes = 2 * (len(row.model_fields_set) + len(texts) - texts.count(None))
        if body.count(b'"') != quotes and (repeated := _repeated(body)):
            raise _invalid(
                [{"field": name, "detail": "The field is there more than once."} for name in repeated]
            )
        numeric = np.array([[values[name] for name in self._numeric]], dtype=np.float64)  # None becomes NaN
        if not texts:
            return Features(numeric, _NO_CATEGORIES)
        return Features(numeric, np.array([[text or "" for text in texts]], dtype=np.object_))

    def _explain(self, error: ValidationError) -> list[dict[str, str | None]]:
        """Return an entry for each wrong field; a field that is not ours is not repeated."""
        entries: list[dict[str, str | None]] = []
        unknown = 0
        for problem in error.errors(include_url=False, include_input=False):
            if problem["type"] == "extra_forbidden":
                unknown += 1
                continue
            field = str(problem["loc"][0]) if problem["loc"] else None
            entries.append({"field": field, "detail": problem["msg"]})
        if unknown:
            detail = f"{unknown} unknown; the fields are {self._names}."
            entries.append({"field": None, "detail": detail})
        return entries


def _repeated(body: bytes) -> list[str]:
    """Return the keys that a valid row holds more than once."""
    pairs = json.loads(body, object_pairs_hook=list, parse_int=str, parse_float=str)
    names = [name for name, _ in pairs]
    return sorted({name for name in names if names.count(name) > 1})


def _invalid(entries: list[dict[str, str | None]]) -> Problem:
    fields = [entry["field"] for entry in entries if entry["field"] is not None]
    detail = f"Not as the schema says: {', '.join(fields)}." if fields else str(entries[0]["detail"])
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "validation", detail, errors=entries)
