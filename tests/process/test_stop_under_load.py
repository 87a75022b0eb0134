"""Stopping while clients call: whoever was let in is answered."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import servers
from tests.process.conftest import Server

BODY = b'{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}'
HEAD = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
CLIENTS = 16
BEFORE_THE_STOP = 400  # requests


async def call_until_refused(port: int, keep_alive: bool, seen: Counter[str]) -> None:
    request = (HEAD % (len(BODY), "" if keep_alive else "Connection: close\r\n")).encode() + BODY
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return
        told_to_close = False
        while not told_to_close:
            try:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            except (ConnectionError, asyncio.IncompleteReadError):
                seen["lost"] += 1
                break
            seen[head.split()[1].decode()] += 1
            told_to_close = b"connection: close" in head
        writer.close()


async def stop_under_load(server: Server, keep_alive: bool) -> Counter[str]:
    seen: Counter[str] = Counter()
    clients = [call_until_refused(server.port, keep_alive, seen) for _ in range(CLIENTS)]
    calling = asyncio.gather(*clients)
    while seen["200"] < BEFORE_THE_STOP:
        await asyncio.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(calling, 60)
    return seen


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("keep_alive", [False, True])
@pytest.mark.parametrize("drain_seconds", ["0", "0.3"])
def test_no_request_is_lost(
    start_server: Callable[..., Server], model_dir: Path, workers: int, keep_alive: bool, drain_seconds: str
) -> None:
    server = start_server(
        MODEL_DIR=str(model_dir),
        WORKERS=str(workers),
        DRAIN_SECONDS=drain_seconds,
        RATE_LIMIT_PREDICT="1000000/minute",
    )
    server.wait_for("/readyz", 200)

    seen = asyncio.run(stop_under_load(server, keep_alive))

    assert seen.keys() == {"200"}, seen
    assert server.process.wait(timeout=servers.PATIENCE) == 0
