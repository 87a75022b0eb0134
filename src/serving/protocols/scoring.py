"""What the scoring endpoints of all protocols share: a body within bounds, the batch thread, named rows."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from src.runtime.predictions import Outputs
from src.schema.columns import Schema
from src.serving.batches import in_batch_thread
from src.serving.body import BODY_SECONDS, read_body
from src.serving.http.context import RequestContext
from src.serving.http.turns import require_patience
from src.serving.loaded_model import LoadedModel
from src.serving.problems import Problem, bad_request
from src.serving.state import AppState


class Call(NamedTuple):
    """A request to score rows, its body read."""

    loaded: LoadedModel
    headers: Mapping[bytes, bytes]
    path: Mapping[str, str]  # the parameters of the path
    body: bytes


class Scoring:
    """An ASGI app that reads a body and lets a function answer it in the thread of batches."""

    def __init__(
        self, state: AppState, media_types: Sequence[str], answer: Callable[[Call], Response]
    ) -> None:
        self._state = state
        self._most_bytes = state.settings.batch_max_body_bytes
        self._media_types = media_types
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: RequestContext = scope["context"]
        loaded = self._state.require_model()
        self._require_media_type(context)
        try:
            body = await read_body(context, receive, self._most_bytes, BODY_SECONDS)
        except ClientDisconnect:
            return
        require_patience(scope)
        call = Call(loaded, context.headers, scope.get("path_params", {}), body)
        response = await in_batch_thread(self._state, self._answer, call)
        await response(scope, receive, send)

    def _require_media_type(self, context: RequestContext) -> None:
        given = media_type(context.headers)
        if given not in self._media_types or context.repeats(b"content-type"):
            listed = " or ".join(self._media_types)
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                f"Send the rows as {listed}.",
                {"Accept": ", ".join(self._media_types)},
            )
        if context.headers.get(b"content-encoding", b"identity") != b"identity":
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "Send the rows as they are, not compressed.",
                {"Accept-Encoding": "identity"},
            )


def asked_for(loaded: LoadedModel, path: Mapping[str, str]) -> LoadedModel:
    """Return `loaded` if the parameters of the path name it; a Problem, 404, otherwise."""
    manifest = loaded.bundle.manifest
    name, version = path.get("name", manifest.name), path.get("version", manifest.version)
    if (name, version) != (manifest.name, manifest.version):
        known = f"{manifest.name} version {manifest.version}"
        raise Problem(
            HTTPStatus.NOT_FOUND, "unknown_model", f"There is no such model; in service is {known}."
        )
    return loaded


def media_type(headers: Mapping[bytes, bytes]) -> str:
    """Return the media type of the body, without parameters; JSON where none is given."""
    given = headers.get(b"content-type", b"application/json")
    return given.split(b";")[0].strip().lower().decode("latin-1")


def read_json(body: bytes) -> dict[str, Any]:
    """Return `body` as a JSON object; a Problem, 400, when it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise bad_request("The body is not a JSON object.")
    return value


def predict_rows(loaded: LoadedModel, columns: Mapping[str, Sequence[object]]) -> Outputs:
    """Return what the model says of rows given by column, read as `/predict/batch` reads rows.

    Raises:
        Problem: 400 when columns are missing, unknown or not equally long; 422 for the values.
    """
    names = by_name(loaded.bundle.schema, columns)
    if len({len(values) for values in names.values()}) > 1:
        raise bad_request("The columns are not equally long.")
    values = [[_value(value) for value in column] for column in names.values()]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    body = json.dumps({"rows": rows}, ensure_ascii=False, separators=(",", ":"))
    outputs: Outputs = loaded.predict_all(loaded.read_all(body.encode("utf-8", "replace")))
    return outputs


def by_name(schema: Schema, columns: Mapping[str, Sequence[object]]) -> dict[str, Sequence[object]]:
    """Return `columns`, which have the names of the model's columns or their headers, by name.

    Raises:
        Problem: 400, one is missing, unknown or there twice.
    """
    known = {column.header: column.name for column in schema.columns}
    known |= {name: name for name in schema.names}
    if unknown := sum(name not in known for name in columns):
        raise bad_request(f"{unknown} unknown columns; the columns are {', '.join(schema.names)}.")
    found = {known[name]: values for name, values in columns.items()}
    if len(found) < len(columns):
        raise bad_request("A column is there more than once.")
    required = [column.name for column in schema.columns if not column.nullable and column.name not in found]
    if required:
        raise bad_request(f"Without {', '.join(required)}; the columns are {', '.join(schema.names)}.")
    return found


def _value(value: object) -> object:
    """Return `value` as a row of `/predict` has it: what is no number is missing."""
    return None if isinstance(value, float) and math.isnan(value) else value
