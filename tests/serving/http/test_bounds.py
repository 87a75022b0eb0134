"""Every phase of a request ends: after so many bytes, and after some time."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from src.serving.http import head, protocol, transport
from tests.servers import PATIENCE
from tests.serving.connections import Echo, serving, statuses, talk

HOST = b"Host: a\r\n"
POST = b"POST /%b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"POST /%b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def a_head_of(size: int) -> bytes:
    start = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize("before", [b"", GET, POST % (b"first", 5000) + b"x" * 5000])
@pytest.mark.parametrize("packet", [4_000, 65_000, 1_000_000])
@pytest.mark.parametrize(
    ("size", "status"), [(head.HEAD_BYTES, 200), (head.HEAD_BYTES + 1, 431), (100_000, 431)]
)
def test_a_head_may_have_64_kib_however_it_comes(before: bytes, packet: int, size: int, status: int) -> None:
    sent = before + a_head_of(size)

    received = talk(Echo(), *(sent[at : at + packet] for at in range(0, len(sent), packet)))

    assert statuses(received) == ([200] if before else []) + [status]


@pytest.mark.parametrize(("fields", "status"), [(head.HEAD_FIELDS, 200), (head.HEAD_FIELDS + 1, 431)])
@pytest.mark.parametrize("value", [b"", b"x" * 200])
def test_a_head_may_have_256_fields(fields: int, status: int, value: bytes) -> None:
    more = b"a:" + value + b"\r\n"
    sent = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + more * (fields - 2) + b"\r\n"

    assert statuses(talk(Echo(), sent)) == [status]


ENDLESS: dict[str, tuple[bytes, bytes, list[int]]] = {
    "path": (b"GET /", b"a", [431]),
    "name of a field": (b"GET / HTTP/1.1\r\n" + HOST, b"a", [431]),
    "value of a field": (b"GET / HTTP/1.1\r\n" + HOST + b"a: ", b"a", [431]),
    "fields": (b"GET / HTTP/1.1\r\n" + HOST, b"a: b\r\n", [431]),
    "lines before a request": (b"", b"\r\n", [431]),
    "lines after a request": (GET, b"\r\n", [200, 431]),
    "chunk extension": (CHUNKED % b"first" + b"5;", b"a", [400]),
    "chunk extension that nobody reads": (CHUNKED % b"deaf" + b"5;", b"a", [200]),
    "value of a trailer": (CHUNKED % b"first" + b"5\r\nhello\r\n0\r\na: ", b"a", [400]),
    "trailers": (CHUNKED % b"first" + b"5\r\nhello\r\n0\r\n", b"a: b\r\n", [400]),
    "trailers that nobody reads": (CHUNKED % b"deaf" + b"5\r\nhello\r\n0\r\n", b"a: b\r\n", [200]),
    "body that nobody reads": (POST % (b"deaf", 10**12), b"a" * 100, [200]),
    "chunks that nobody reads": (CHUNKED % b"deaf", b"5\r\nhello\r\n", [200]),
}


@pytest.mark.parametrize("phase", ENDLESS)
def test_what_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    monkeypatch.setattr(protocol, "UNREAD_BYTES", 300_000)
    start, more, expected = ENDLESS[phase]

    async def run() -> bytes:
        async with serving(Echo()) as (address, _):
            reader, writer = await asyncio.open_connection(*address)
            received = bytearray()
            reading = asyncio.create_task(read_into(received, reader))
            writer.write(start)
            for _ in range(2000):
                if reading.done():
                    break
                with suppress(ConnectionError):
                    writer.write(more * (1000 // len(more)))
                    await writer.drain()
                await asyncio.wait([reading], timeout=0.001)
            await asyncio.wait_for(reading, PATIENCE)
            writer.close()
            return bytes(received)

    assert statuses(asyncio.run(run())) == expected


async def read_into(received: bytearray, reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            received += piece


DRIBBLED: dict[str, tuple[bytes, bytes, list[int]]] = {
    "nothing": (b"", b"", [408]),
    "request line": (b"GET /", b"a", [408]),
    "field": (b"GET / HTTP/1.1\r\n" + HOST + b"a: ", b"a", [408]),
    "lines between requests": (GET, b"\r\n", [200, 408]),
    "second head": (GET + b"GET /", b"a", [200, 408]),
    "chunk extension": (CHUNKED % b"first" + b"5;", b"a", [408]),
    "trailer": (CHUNKED % b"first" + b"5\r\nhello\r\n0\r\na: ", b"a", [408]),
    "body": (POST % (b"first", 10**6), b"a", [408]),
    "body that nobody reads": (POST % (b"deaf", 10**6), b"a", [200]),
    "chunks that nobody reads": (CHUNKED % b"deaf", b"1\r\na\r\n", [200]),
    "trailer that nobody reads": (CHUNKED % b"deaf" + b"0\r\na: ", b"a", [200]),
    "body of a second request": (GET + POST % (b"deaf", 10**6), b"a", [200, 200]),
}


@pytest.mark.parametrize("phase", DRIBBLED)
def test_what_comes_byte_by_byte_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "REST_SECONDS", 0.3)
    start, more, expected = DRIBBLED[phase]

    async def run() -> bytes:
        async with serving(Echo()) as (address, _):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(start)
            received = bytearray()
            reading = asyncio.create_task(read_into(received, reader))
            deadline = time.monotonic() + PATIENCE
            while not reading.done():
                assert time.monotonic() < deadline, "the connection stays open"
                writer.write(more)
                await asyncio.wait([reading], timeout=0.02)
            writer.close()
            return bytes(received)

    assert statuses(asyncio.run(run())) == expected


def test_requests_behind_others_are_not_parsed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[int] = []
    start = protocol.Protocol._start

    def counting(connection: protocol.Protocol, cycle: object) -> None:
        waiting.append(len(connection.pipeline))
        start(connection, cycle)  # type: ignore[arg-type]

    monkeypatch.setattr(protocol.Protocol, "_start", counting)
    echo = Echo()

    received = talk(echo, GET * 20_000 + a_head_of(100), seconds=60)

    assert statuses(received) == [200] * 20_001
    assert max(waiting) <= protocol.PIECE_BYTES // len(GET) + 1


class Large(Echo):
    """Answers with much more than a socket holds."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        size = 20_000_000 if scope["path"] == "/large" else 10_000
        await send({"type": "http.response.body", "body": b"x" * size})


@pytest.mark.parametrize(
    "sent", [GET * 5_000, GET.replace(b"/", b"/large", 1), a_head_of(100).replace(b"/", b"/large", 1)]
)
def test_who_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(transport, "STALL_SECONDS", 0.3)

    async def run() -> None:
        async with serving(Large()) as (address, connections):
            with socket.create_connection(address) as caller:
                caller.sendall(sent)
                await until(lambda: bool(connections))
                await until(lambda: not connections)

    asyncio.run(run())


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not happened():
            await asyncio.sleep(0.02)
