"""The body of a request: what it must be, and reading it within bounds."""

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from src.serving.http.context import RequestContext
from src.serving.problems import Problem

BODY_SECONDS = 10.0  # how long a body may take

_CLOSE = {"Connection": "close"}
_UTF_8 = (b"charset=utf-8", b'charset="utf-8"')


def require_json(context: RequestContext) -> None:
    """Raise a Problem, 415, unless the body says that it is JSON in UTF-8 and not compressed."""
    given = context.headers.get(b"content-type", b"")
    if given != b"application/json" or context.repeats(b"content-type"):
        media_type, *parameters = (part.strip().lower() for part in given.split(b";"))
        if (
            media_type != b"application/json"
            or any(parameter not in _UTF_8 for parameter in parameters if parameter)
            or context.repeats(b"content-type")
        ):
            raise _unsupported("Send the row as application/json in UTF-8.", {"Accept": "application/json"})
    if context.headers.get(b"content-encoding", b"identity") != b"identity":
        raise _unsupported("Send the row as it is, not compressed.", {"Accept-Encoding": "identity"})


async def read_body(context: RequestContext, receive: Receive, most: int, seconds: float) -> bytes:
    """Return the body.

    Raises:
        Problem: 413 when it is larger than `most` bytes, 408 when it takes longer than `seconds`.
        ClientDisconnect: the caller left.
    """
    length = context.headers.get(b"content-length", b"0")
    if len(length) > 18 or int(length) > most:
        raise _too_large(most, None)
    if context.is_whole:  # as nearly always, and then a timeout would cost more than reading
        return await _read(receive, most)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, most)
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT, "slow_body", f"The body took longer than {seconds:g} seconds.", _CLOSE
        ) from None


async def _read(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise _too_large(most, _CLOSE)
        more = message.get("more_body", False)
    return b"".join(parts)


def _too_large(most: int, headers: dict[str, str] | None) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"The body may hold {most} bytes.", headers
    )


def _unsupported(detail: str, headers: dict[str, str]) -> Problem:
    return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", detail, headers)
