"""Errors as callers see them: RFC 9457 `application/problem+json`, without a word of what they sent."""

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from src.serving.models import ProblemDetails

MEDIA_TYPE = "application/problem+json"
ERRORS = "https://github.com/mlarnes/mlops-core/blob/main/docs/errors.md"  # a section for each code

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
        self.status = status
        self.detail: str = detail or _DETAILS.get(status) or status.description or status.phrase
        self.headers = headers
        self.errors = errors

    def response(self) -> Response:
        """Return the answer that the caller gets."""
        content: dict[str, Any] = {
            "type": f"{ERRORS}#{self.kind.replace('_', '-')}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "code": self.kind,
        }
        if self.errors:
            content["errors"] = self.errors
        return Response(json.dumps(content), self.status, self.headers, MEDIA_TYPE)


def bad_request(detail: str, code: str = "bad_request") -> Problem:
    """Return the problem of a body that is not what its protocol says."""
    return Problem(HTTPStatus.BAD_REQUEST, code, detail)


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


class Form(NamedTuple):
    """How problems are answered."""

    model: type[BaseModel]
    media_type: str
    response: Callable[[Problem], Response]


PROBLEM = Form(ProblemDetails, MEDIA_TYPE, Problem.response)


def described(status: HTTPStatus, form: Form) -> dict[str, Any]:
    """Return a problem with `status` as OpenAPI describes a response."""
    schema = {"$ref": f"#/components/schemas/{form.model.__name__}"}
    return {"description": status.phrase, "content": {form.media_type: {"schema": schema}}}
