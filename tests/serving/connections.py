"""A server of the protocol in this process, and what callers do to it byte by byte."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import uvicorn
from starlette.types import Receive, Scope, Send

from src.serving.http.protocol import Protocol

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """Answers with the path and the body; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []  # method, path, body
        self.headers: list[list[tuple[bytes, bytes]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more and scope["path"] != "/deaf":
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        self.asked.append((scope["method"], scope["path"], body))
        self.headers.append(scope["headers"])
        answer = scope["path"].encode() + b"=" + body
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


class LoadedModel(NamedTuple):
    """A server: where it is, and its open connections."""

    address: tuple[str, int]
    connections: set[Any]


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[LoadedModel]:
    """Serve `app` behind our protocol."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, proxy_headers=False)
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: Protocol(config, state, {}), "127.0.0.1", 0, backlog=1024  # type: ignore[arg-type]
    )
    yield LoadedModel(listener.sockets[0].getsockname(), state.connections)
    listener.close()
    for connection in list(state.connections):
        connection.transport.abort()


def talk(app: Any, *packets: bytes, end: bytes = b"", seconds: float = 20) -> bytes:
    """Send `packets` one by one; return what comes until the connection closes or `end` has come."""

    async def run() -> bytes:
        async with serving(app) as (address, _):
            reader, writer = await asyncio.open_connection(*address)
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                await asyncio.sleep(0.01)
            received = b""
            async with asyncio.timeout(seconds):
                while not (end and received.endswith(end)):
                    try:
                        more = await reader.read(65536)
                    except ConnectionError:
                        break
                    if not more:
                        break
                    received += more
            writer.close()
            return received

    return asyncio.run(run())


def statuses(received: bytes) -> list[int]:
    """Return the status of each answer."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]
