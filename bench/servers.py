"""The servers that are measured, each started as its users start it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from src.errors import MlopsError

KEY = "bench-" + "k" * 32
STARTS_WITHIN = 60.0  # seconds


@dataclass(frozen=True)
class Server:
    """How a server is started; `{port}` in the command and the environment is the port it listens on."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Running:
    """A server that answers `/readyz` with 200."""

    url: str
    process: psutil.Process
    start_seconds: float

    def cpu_seconds(self) -> float:
        """User and system time of all its processes so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._family())

    def memory_bytes(self) -> int:
        """Resident memory of all its processes."""
        return int(sum(process.memory_info().rss for process in self._family()))

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def uvicorn(app: str) -> tuple[str, ...]:
    """Return the command of a plain Uvicorn with one worker and nothing it could do without."""
    return (
        *(sys.executable, "-m", "uvicorn", app),
        *("--port", "{port}", "--no-access-log", "--log-level", "warning"),
    )


@contextmanager
def started(server: Server) -> Iterator[Running]:
    """Start `server` on a free loopback port and end it afterwards."""
    port = free_port()
    # Bytecode is written and used, as on every machine that does not forbid it.
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment = {key: value.format(port=port) for key, value in server.environment.items()}
    began = time.perf_counter()
    process = psutil.Popen(
        [part.format(port=port) for part in server.command],
        env={**inherited, **environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_ready(process, port, began + STARTS_WITHIN)
        yield Running(f"http://127.0.0.1:{port}", process, time.perf_counter() - began)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)


def wait_until_ready(process: psutil.Popen, port: int, deadline: float) -> None:
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise MlopsError(f"{' '.join(process.args)} ended with {process.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    raise MlopsError(f"{' '.join(process.args)} was not ready in time")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
