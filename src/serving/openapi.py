"""The OpenAPI document: as complete as if FastAPI did all of it, and of the model in service."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Security
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from src.schema.columns import Schema, batch_model, request_model
from src.serving import auth, models, problems, routes
from src.serving.loaded_model import LoadedModel
from src.serving.state import AppState
from src.version import VERSION

_DESCRIPTION = "Errors are `application/problem+json` (RFC 9457) and never repeat what was sent."
_LIMITED = {"/health", "/predict", "/predict/batch", "/model/info"}
_PREDICT_PROBLEMS = problems.describe(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_REFERENCE = "#/components/schemas/{model}"
_INTEGER = {"type": "integer"}
_HEADERS = {
    "Allow": ("The methods of this path.", {"type": "string"}),
    "Retry-After": ("Seconds to wait.", _INTEGER),
    "WWW-Authenticate": (f"Send {auth.HEADER}.", {"type": "string"}),
    "X-RateLimit-Limit": ("Requests allowed in the window.", _INTEGER),
    "X-RateLimit-Remaining": ("Requests left in the window.", _INTEGER),
    "X-RateLimit-Reset": ("When the window ends, in seconds since 1970.", _INTEGER),
    "X-Request-ID": ("The id of this request in the server's log.", {"type": "string"}),
}


class Document:
    """The document of one app, written once for each model."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._written: tuple[LoadedModel | None, dict[str, Any], bytes] | None = None

    def content(self) -> dict[str, Any]:
        """Return the document of the model in service."""
        return self._current()[1]

    async def respond(self, request: Request) -> Response:
        """Answer with the document as JSON."""
        return Response(self._current()[2], media_type="application/json")

    def _current(self) -> tuple[LoadedModel | None, dict[str, Any], bytes]:
        loaded = self._state.loaded
        if self._written is None or self._written[0] is not loaded:
            content = _write(loaded, self._state)
            self._written = (loaded, content, json.dumps(content).encode())
        return self._written


def _write(loaded: LoadedModel | None, state: AppState) -> dict[str, Any]:
    router = APIRouter()
    router.include_router(routes.router)
    _describe_predict(router, loaded, state.settings.batch_max_rows)
    content = get_openapi(
        title="mlops-core",
        version=VERSION,
        description=_DESCRIPTION,
        routes=router.routes,
        servers=[{"url": "."}],  # where the document is: below the same prefix, behind a proxy
    )
    schemas = content["components"]["schemas"]
    problem = models.ProblemDetails.model_json_schema(ref_template=_REFERENCE)
    schemas.update({**problem.pop("$defs"), "ProblemDetails": problem})
    if loaded is not None:
        for name in ("Prediction", "RowPrediction"):
            _name_the_classes(schemas[name]["properties"], loaded.bundle.schema)
    for path, operations in content["paths"].items():
        for operation in operations.values():
            operation["responses"]["500"] = problems.described(HTTPStatus.INTERNAL_SERVER_ERROR)
            if state.auth.is_open:
                operation.pop("security", None)
            for status, response in operation["responses"].items():
                names = ["X-Request-ID", *_headers_of(int(status), limited=path in _LIMITED)]
                described = {name: _HEADERS[name] for name in sorted(names)}
                response["headers"] = {
                    name: {"description": text, "schema": schema}
                    for name, (text, schema) in described.items()
                }
    return content


def _describe_predict(router: APIRouter, loaded: LoadedModel | None, most_rows: int) -> None:
    """Add /predict and /predict/batch as FastAPI would have them; what runs is `src.serving.predict`."""
    row: Any = dict[str, Any]
    batch: Any = dict[str, list[dict[str, Any]]]
    examples: list[dict[str, Any]] = []
    if loaded is not None:
        schema = loaded.bundle.schema
        row, batch = request_model(schema), batch_model(schema, most_rows)
        examples = [{name: one[name] for name in schema.names} for one in loaded.bundle.example.rows]

    async def predict(row: row) -> models.Prediction:
        """Predict the class of one row; what is not JSON, or not as the schema says, is answered with 422."""
        raise AssertionError("never called")

    async def predict_batch(batch: batch) -> models.BatchPrediction:
        """Predict the class of each row; when any is wrong, none is predicted, and `errors` says which."""
        raise AssertionError("never called")

    for path, endpoint, example in (
        ("/predict", predict, examples[0] if examples else None),
        ("/predict/batch", predict_batch, {"rows": examples} if examples else None),
    ):
        content = {"application/json": {"example": example} if example else {}}
        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            dependencies=[Security(routes.api_key)],
            openapi_extra={"requestBody": {"content": content}},
            responses=_PREDICT_PROBLEMS,
        )


def _name_the_classes(properties: dict[str, Any], schema: Schema) -> None:
    classes = list(schema.classes)
    score = {"type": "number", "minimum": 0, "maximum": 1}
    properties["prediction"]["enum"] = classes
    properties["confidence"].update(score)
    properties["probabilities"].update(
        properties=dict.fromkeys(classes, score), required=classes, additionalProperties=False
    )


def _headers_of(status: int, limited: bool) -> list[str]:
    names = []
    if limited and status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        names += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        names.append("Retry-After")
    if status == HTTPStatus.UNAUTHORIZED:
        names.append("WWW-Authenticate")
    return names
