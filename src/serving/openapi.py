"""The OpenAPI document, from the table of endpoints and the model in service."""

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from src.serving import auth, models, problems
from src.serving.endpoint import Endpoint, RequestBody
from src.serving.loaded_model import LoadedModel, task_of
from src.serving.state import AppState
from src.tasks import side
from src.version import VERSION

_DESCRIPTION = "Errors are `application/problem+json` (RFC 9457) and never repeat what was sent."
_REFERENCE = "#/components/schemas/{model}"
_SECURITY = "APIKey"
_INTEGER = {"type": "integer"}
_HEADERS = {
    "Allow": ("The methods of this path.", {"type": "string"}),
    "RateLimit": ("What is left of the limit, as the draft of the IETF says it.", {"type": "string"}),
    "RateLimit-Policy": ("The limit, as the draft of the IETF says it.", {"type": "string"}),
    "Retry-After": ("Seconds to wait.", _INTEGER),
    "WWW-Authenticate": (f"Send {auth.HEADER}.", {"type": "string"}),
    "X-RateLimit-Limit": ("Requests allowed in the window.", _INTEGER),
    "X-RateLimit-Remaining": ("Requests left in the window.", _INTEGER),
    "X-RateLimit-Reset": ("When the window ends, in seconds since 1970.", _INTEGER),
    "X-Request-ID": ("The id of this request in the server's log.", {"type": "string"}),
}


class Document:
    """The document of one app, written once for each model."""

    def __init__(self, state: AppState, endpoints: Sequence[Endpoint]) -> None:
        self._state = state
        self._endpoints = endpoints
        self._written: tuple[LoadedModel | None, bytes] | None = None
        self._writing = asyncio.Lock()

    def content(self) -> dict[str, Any]:
        """Return the document of the model in service."""
        content: dict[str, Any] = json.loads(self._current())
        return content

    async def body(self) -> bytes:
        """Return the same as JSON; it is written in a thread, because a wide table takes long."""
        if self._is_current():
            return self._current()
        async with self._writing:  # one writes, and who asks meanwhile waits for it
            return await asyncio.to_thread(self._current)

    def _is_current(self) -> bool:
        return self._written is not None and self._written[0] is self._state.loaded

    def _current(self) -> bytes:
        loaded, written = self._state.loaded, self._written
        if written is None or written[0] is not loaded:
            content = write(self._endpoints, loaded, asks_for_key=not self._state.auth.is_open)
            written = self._written = (loaded, json.dumps(content).encode())
        return written[1]


async def respond(request: Request) -> Response:
    """The OpenAPI document."""
    document = cast(Document, request.app.state.document)
    return Response(await document.body(), media_type="application/json")


def write(endpoints: Iterable[Endpoint], loaded: LoadedModel | None, asks_for_key: bool) -> dict[str, Any]:
    """Return the OpenAPI document of `endpoints` with `loaded` in service."""
    task = task_of(loaded)
    shown = [endpoint.for_task(task) for endpoint in endpoints if endpoint.documented]
    bodies = {endpoint.name: endpoint.body(loaded) for endpoint in shown if endpoint.body}
    wanted: dict[tuple[str, str], Any] = {
        **{("body", name): body.type for name, body in bodies.items()},
        **{("answer", endpoint.name): endpoint.answer for endpoint in shown},
        **{("problem", form.model.__name__): form.model for form in {one.form for one in shown}},
        ("problem", "ProblemDetails"): models.ProblemDetails,
    }
    schemas, definitions = TypeAdapter.json_schemas(
        [(key, "validation", TypeAdapter(kind)) for key, kind in wanted.items()], ref_template=_REFERENCE
    )
    components = definitions["$defs"]
    if loaded is not None:
        side("src.serving.answers", task).constrain(components, loaded.bundle.schema)
    paths: dict[str, Any] = {}
    for endpoint in shown:
        operation = _operation(endpoint, schemas[("answer", endpoint.name), "validation"])
        if endpoint.name in bodies:
            schema = schemas[("body", endpoint.name), "validation"]
            operation["requestBody"] = _request_body(schema, bodies[endpoint.name])
        if endpoint.key and asks_for_key:
            operation["security"] = [{_SECURITY: []}]
        paths[endpoint.path] = {endpoint.method.lower(): operation}
    key = {"type": "apiKey", "in": "header", "name": auth.HEADER}
    return {
        "openapi": "3.1.0",
        "info": _info(loaded),
        "servers": [{"url": "."}],  # where the document is: below the same prefix, behind a proxy
        "tags": [{"name": name} for name in dict.fromkeys(endpoint.tag for endpoint in shown)],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {
                name: {"description": text, "schema": schema} for name, (text, schema) in _HEADERS.items()
            },
            "securitySchemes": {_SECURITY: key},
        },
    }


def _info(loaded: LoadedModel | None) -> dict[str, str]:
    """Return the title and the description: what is predicted, once there is a model."""
    title, what = "mlops-core", ""
    if loaded is not None:
        manifest, schema = loaded.bundle.manifest, loaded.bundle.schema
        title = manifest.name
        what = (
            f"Predicts `{schema.target}` from {len(schema.columns)} columns: {manifest.task} by"
            f" {manifest.model_type}, version {manifest.version}.\n\n"
        )
    return {"title": title, "description": what + _DESCRIPTION, "version": VERSION}


def _operation(endpoint: Endpoint, answer: dict[str, Any]) -> dict[str, Any]:
    plain = "application/json" if issubclass(endpoint.answer, BaseModel) else "text/plain"
    media_type = endpoint.media_type or plain
    content = {media_type: {"schema": answer}}
    answers = {HTTPStatus.OK: "Successful Response", **endpoint.other_answers}
    responses = {
        **{status: {"description": text, "content": content} for status, text in answers.items()},
        **{status: problems.described(status, endpoint.form) for status in endpoint.all_problems},
        HTTPStatus.INTERNAL_SERVER_ERROR: problems.described(
            HTTPStatus.INTERNAL_SERVER_ERROR, problems.PROBLEM
        ),
    }
    described = {"description": endpoint.description} if endpoint.description else {}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", endpoint.path)
    ]
    parameters += [
        {
            "name": name,
            "in": "query",
            "description": text,
            "schema": {"type": "boolean", "default": False},
        }
        for name, text in endpoint.query.items()
    ]
    return {
        "summary": endpoint.summary,
        **described,
        "operationId": re.sub("_(.)", lambda match: match[1].upper(), endpoint.name),
        "tags": [endpoint.tag],
        **({"parameters": parameters} if parameters else {}),
        "responses": {
            str(status.value): {**response, "headers": _headers(status, limited=endpoint.limit is not None)}
            for status, response in responses.items()
        },
    }


def _request_body(schema: dict[str, Any], body: RequestBody) -> dict[str, Any]:
    example = {} if body.example is None else {"example": body.example}
    return {"content": {"application/json": {"schema": schema, **example}}, "required": True}


def _headers(status: HTTPStatus, limited: bool) -> dict[str, Any]:
    names = ["X-Request-ID"]
    if limited and status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        names += ["RateLimit", "RateLimit-Policy"]
        names += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        names.append("Retry-After")
    if status == HTTPStatus.UNAUTHORIZED:
        names.append("WWW-Authenticate")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}
