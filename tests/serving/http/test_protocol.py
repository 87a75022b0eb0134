"""The bytes of a connection."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from src.serving.http import head, protocol, transport
from src.serving.http.protocol import Protocol

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BIG = b"x" * (transport.GATHER_BYTES + 1)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    body = BIG if scope["path"] == "/big" else b"hello"
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected() -> AsyncIterator[Connection]:
    """Connect to a server that runs `app` behind our protocol."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    yield reader, writer
    writer.close()
    listener.close()


def talk(sent: bytes, until_closed: bool = True) -> bytes:
    async def run() -> bytes:
        async with connected() as (reader, writer):
            writer.write(sent)
            if until_closed:
                return await asyncio.wait_for(reader.read(), 10)
            return await asyncio.wait_for(reader.readuntil(b"hello"), 10)

    return asyncio.run(run())


def test_requests_are_answered_in_their_order() -> None:
    received = talk(
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )

    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.endswith(b"\r\n\r\n" + BIG)


def test_head_and_body_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    flush = transport.BufferedTransport._flush

    def recording(self: transport.BufferedTransport) -> None:
        if self._parts:
            writes.append(b"".join(self._parts))
        flush(self)

    monkeypatch.setattr(transport.BufferedTransport, "_flush", recording)

    talk(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", until_closed=False)

    assert len(writes) == 1
    assert writes[0].startswith(b"HTTP/1.1 200 OK\r\n") and writes[0].endswith(b"hello")


def is_problem(received: bytes, status: int) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    return (
        head.startswith(b"HTTP/1.1 %d " % status)
        and b"\r\nx-content-type-options: nosniff\r\n" in head
        and b"\r\nconnection: close\r\n" in head
        and b"content-type: application/problem+json" in head
        and re.search(rb"content-length: (\d+)", head)[1] == b"%d" % len(body)  # type: ignore[index]
    )


def test_what_is_not_http_is_a_problem() -> None:
    assert is_problem(talk(b"\x16\x03\x01\r\n\r\n"), 400)


def test_a_head_without_end_is_refused() -> None:
    assert is_problem(talk(b"GET / HTTP/1.1\r\nHost: a\r\na: " + b"b" * (head.HEAD_BYTES + 1)), 431)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\na: b"]
)
def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)

    received = talk(sent)

    assert is_problem(received[received.index(b"HTTP/1.1 408") :], 408)


def test_an_upgrade_is_not_heeded(caplog: pytest.LogCaptureFixture) -> None:
    received = talk(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
        until_closed=False,
    )

    assert received.startswith(b"HTTP/1.1 200 OK")
    assert caplog.records == []
