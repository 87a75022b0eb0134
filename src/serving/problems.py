"""Errors as callers see them: RFC 9457 `application/problem+json`, without a word of what they sent."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path; /docs lists what there is.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server failed; the log holds the reason under this request's id.",
}


class Problem(Exception):
    """Ends a request with an error status.

    Args:
        kind: names the error in metrics and logs.
        errors: one entry per wrong field.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self._status = status
        self._detail = detail or _DETAILS.get(status) or status.description or status.phrase
        self._headers = headers
        self._errors = errors

    def response(self) -> Response:
        """Return the answer that the caller gets."""
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": self._status.phrase,
            "status": self._status.value,
            "detail": self._detail,
        }
        if self._errors:
            content["errors"] = self._errors
        return Response(json.dumps(content), self._status, self._headers, MEDIA_TYPE)


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer what our code raised."""
    assert isinstance(error, Problem)
    request.scope["context"].error = error.kind
    return error.response()


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework raised, without its texts."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return await answer_problem(request, Problem(status, status.name.lower(), headers=error.headers))


def described(status: HTTPStatus) -> dict[str, Any]:
    """Return a problem with `status` as OpenAPI describes a response."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}}


def describe(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return what FastAPI takes as the `responses` of a route."""
    return {status.value: described(status) for status in statuses}
