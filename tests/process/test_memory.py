"""What a caller sends without end fills no memory, with a key or without."""

import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.process.conftest import KEY, Server
from tests.process.test_server import GOOD
from tests.servers import PATIENCE

MOST_BYTES = 5 * 2**20
SENT_BYTES = 64 * 2**20  # much more than the server may take
POST = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n%b"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
GOOD_KEY = b"X-API-Key: " + KEY.encode() + b"\r\n"
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"

ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "path": (b"GET /", b"a"),
    "fields": (b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n"),
    "field": (b"GET /livez HTTP/1.1\r\nHost: a\r\na: ", b"a"),
    "lines before a request": (b"", b"\r\n"),
    "chunk extension": (POST % (b"/predict", GOOD_KEY) + CHUNKED + b"5;", b"a"),
    "chunk extension on a probe": (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"5;", b"a"),
    "trailer": (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"0\r\nX-n: ", b"a"),
    "trailers": (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"0\r\n", b"X-n: a\r\n"),
    "trailers after a body": (POST % (b"/predict", GOOD_KEY) + CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: a\r\n"),
    "body of a probe": (b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", b"a"),
    "body of an unknown path": (POST % (b"/nothing", b"Content-Length: 99999999999\r\n\r\n"), b"a"),
    "body without a key": (POST % (b"/predict", b"Content-Length: 99999999999\r\n\r\n"), b"a"),
    "body with a key": (POST % (b"/predict", GOOD_KEY + b"Content-Length: 99999999999\r\n\r\n"), b"a"),
    "chunks with a key": (POST % (b"/predict", GOOD_KEY) + CHUNKED, b"5\r\n     \r\n"),
    "chunks of a batch": (POST % (b"/predict/batch", GOOD_KEY) + CHUNKED, b"5\r\n     \r\n"),
    "chunks of a probe": (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + CHUNKED, b"5\r\n     \r\n"),
    "requests": (GET, GET),
    "requests with bodies": (b"", POST % (b"/livez", b"Content-Length: 5000\r\n\r\n") + b"a" * 5000),
    "requests for an upgrade": (b"", GET[:-2] + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
    "large answers": (b"", GET.replace(b"/livez", b"/openapi.json")),
}


def grown_by(server: Server, start: bytes, more: bytes) -> int:
    """Send until the server closes, takes no more, or has got what would fill its memory; read nothing."""
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    block = more * (65536 // len(more) + 1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=1) as caller:
        try:
            caller.sendall(start)
            for _ in range(SENT_BYTES // len(block)):
                caller.sendall(block)
        except OSError:  # closed, or it reads no more
            pass
        return process.memory_info().rss - before


@pytest.fixture
def server(start_server: Callable[..., Server], model_dir: Path) -> Server:
    server = start_server(API_KEY=KEY, MODEL_DIR=str(model_dir), RATE_LIMIT_PREDICT="1000000000/minute")
    server.wait_for("/readyz", 200)
    return server


def test_nothing_without_end_fills_the_memory(server: Server) -> None:
    for start, more in ENDLESS.values():
        grown_by(server, start, more)  # what grows once, such as the place for the largest packet
    grown = {name: grown_by(server, start, more) for name, (start, more) in ENDLESS.items()}

    assert {name: size for name, size in grown.items() if size >= MOST_BYTES} == {}
    assert server.predict(GOOD).status_code == 200


DRIBBLED = [name for name in ENDLESS if not name.startswith(("requests", "large", "lines"))]


def test_nothing_that_comes_byte_by_byte_keeps_its_connection(server: Server) -> None:
    callers = {
        name: socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for name in DRIBBLED
    }
    try:
        for name, caller in callers.items():
            caller.sendall(ENDLESS[name][0])
        waiting = dict(callers)
        for _ in range(40):
            waiting = {name: caller for name, caller in waiting.items() if is_open(caller, ENDLESS[name][1])}
            if not waiting:
                break
        assert list(waiting) == []
    finally:
        for caller in callers.values():
            caller.close()


def is_open(caller: socket.socket, more: bytes) -> bool:
    """Send a bit, and return whether the server has not closed."""
    caller.settimeout(1 / len(DRIBBLED))
    try:
        caller.sendall(more)
        while caller.recv(65536):
            pass
    except TimeoutError:
        return True
    except OSError:
        pass
    return False
