"""Uvicorn's HTTP protocol, with what an open port needs: one write an answer, and bounded heads."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from src.serving.problems import Problem
from src.serving.security import STRICT

HEAD_SECONDS = 10.0  # how long the head of a request may take, and a new connection may be silent
HEAD_BYTES = 64 * 1024
GATHER_BYTES = 64 * 1024
LAST_REQUEST_SECONDS = 0.5  # for what was sent before the sender could know that we stop


class Gathering:
    """A transport that writes once what is written in one turn of the loop: each write is a system call."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        if len(data) > GATHER_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            self._transport.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head_open = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = True

    def on_headers_complete(self) -> None:
        self._head_open = False
        if self._head_timer is not None:
            self._forget_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_open and not self.transport.is_closing():
            self._head_bytes += len(data)
            self._watch_head()
            if self._head_bytes > HEAD_BYTES:
                self._refuse(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of the request is too large."
                )

    def shutdown(self) -> None:
        """Close after the answer that is due; a connection without one, after time for a last request."""
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LAST_REQUEST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "This is not HTTP.")

    def _unsupported_upgrade_warning(self) -> None:
        """Answer as if no upgrade had been asked for: a caller decides neither what we log nor how often."""

    def _watch_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up_on_head)

    def _forget_head(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up_on_head(self) -> None:
        if not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The head took longer than {HEAD_SECONDS:g} seconds.")

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer what never became a request, and close."""
        response = Problem(status, status.name.lower(), detail, {"Connection": "close"}).response()
        headers = [*self.server_state.default_headers, *response.raw_headers, *STRICT]
        lines = [
            b"HTTP/1.1 %d %s" % (status, status.phrase.encode()),
            *(b": ".join(pair) for pair in headers),
        ]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body))
        self.transport.close()
