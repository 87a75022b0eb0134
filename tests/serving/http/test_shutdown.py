"""Stopping, one step at a time; under load it is tested with real processes."""

import asyncio
import errno
import socket

import pytest
import uvicorn
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from src.serving.http import protocol, shutdown
from src.serving.http.protocol import Protocol
from src.serving.http.shutdown import close_listeners
from tests.servers import PATIENCE

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def started() -> tuple[uvicorn.Server, socket.socket]:
    config = uvicorn.Config(app, lifespan="off", log_config=None, http=Protocol, loop="asyncio")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.startup([listener])
    return server, listener


@pytest.mark.parametrize("filtered", [True, False])
def test_who_waits_in_front_of_closing_doors_is_answered(
    monkeypatch: pytest.MonkeyPatch, filtered: bool
) -> None:
    if not filtered:
        monkeypatch.setattr(shutdown, "_begin_no_more", lambda door: False)

    async def run() -> list[bytes]:
        server, listener = await started()
        address = listener.getsockname()
        # The kernel accepts them while nothing else runs in this loop.
        clients = [socket.create_connection(address, timeout=PATIENCE) for _ in range(20)]
        await close_listeners(server)
        with socket.socket() as late:
            assert late.connect_ex(address) != 0

        answers = []
        for client in clients:
            reader, writer = await asyncio.open_connection(sock=client)
            writer.write(GET)
            answers.append(await asyncio.wait_for(reader.readuntil(b"hello"), PATIENCE))
            writer.close()
        return answers

    answers = asyncio.run(run())

    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * 20


def test_a_closed_door_that_another_worker_still_holds_takes_nobody_in() -> None:
    async def run() -> None:
        server, listener = await started()
        address = listener.getsockname()
        with listener.dup(), socket.socket() as late:
            await close_listeners(server)
            late.settimeout(0.2)
            with pytest.raises(TimeoutError):
                late.connect(address)
        with socket.socket() as later:
            assert later.connect_ex(address) == errno.ECONNREFUSED

    asyncio.run(run())


@pytest.mark.parametrize("before", [b"", GET])
def test_a_request_under_way_when_the_server_stops_is_answered(before: bytes) -> None:
    async def run() -> bytes:
        server, listener = await started()
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(before)
        if before:
            await reader.readuntil(b"hello")
        while not server.server_state.connections:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.shutdown([listener]))
        await asyncio.sleep(0.05)
        writer.write(GET)
        answer = await asyncio.wait_for(reader.readuntil(b"hello"), PATIENCE)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        await stopping
        return answer

    answer = asyncio.run(run())

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_answer_that_is_due_when_the_server_stops_ends_its_connection() -> None:
    async def run() -> bytes:
        server, listener = await started()
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while not server.server_state.tasks:
            await asyncio.sleep(0)
        [connection] = server.server_state.connections
        connection.shutdown()
        return await asyncio.wait_for(reader.read(), protocol.LAST_REQUEST_SECONDS / 2 + 5)

    assert b"\r\nconnection: close\r\n" in asyncio.run(run())


def test_while_it_drains_every_answer_sends_its_caller_elsewhere(client: TestClient) -> None:
    before = client.get("/livez")
    client.app.state.shared.draining = True  # type: ignore[attr-defined]
    after = client.get("/livez")

    assert "connection" not in before.headers
    assert after.headers["connection"] == "close"
