"""Answers to what never became a request for the app; each ends its connection."""

from collections.abc import Iterable
from http import HTTPStatus

from src.serving.problems import Problem
from src.serving.security import STRICT

CLOSE = {"Connection": "close"}


def bad_request(detail: str) -> Problem:
    """Return the answer to what is not HTTP, or not in the one way that everybody understands."""
    return Problem(HTTPStatus.BAD_REQUEST, "bad_request", detail, CLOSE)


def no_proxy() -> Problem:
    """Return the answer to CONNECT, after which no more HTTP would come."""
    allowed = {"Allow": "GET, HEAD, OPTIONS, POST", **CLOSE}
    return Problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "This is no proxy.", allowed)


def too_large() -> Problem:
    """Return the answer to a head that is larger than any of ours."""
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return Problem(status, "request_header_fields_too_large", "The head of the request is too large.", CLOSE)


def too_late(part: str, seconds: float) -> Problem:
    """Return the answer to a `part` of a request that did not come in time."""
    detail = f"The {part} took longer than {seconds:g} seconds."
    return Problem(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", detail, CLOSE)


def written(problem: Problem, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the bytes that answer with `problem`."""
    response = problem.response()
    status = HTTPStatus(response.status_code)
    headers = [*default_headers, *response.raw_headers, *STRICT]
    lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode()), *(b": ".join(pair) for pair in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)
