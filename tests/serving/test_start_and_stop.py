"""Entry points, from the first line to the exit code; real processes are tested elsewhere."""

import asyncio
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from src.bundle.bundle import Bundle
from src.config import Settings
from src.errors import ConfigError, exit_on_error
from src.monitoring.profile import profile
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema
from src.schema.features import Features
from src.serving import __main__ as entry
from src.serving import app, factory, healthcheck
from src.serving.http import addresses
from src.serving.lifespan import drain_on_sigterm
from src.serving.metrics import Metrics
from src.serving.state import AppState
from src.version import VERSION
from tests.conftest import REPOSITORY
from tests.servers import PATIENCE


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

    assert VERSION == project["version"]


def test_a_mistake_in_the_environment_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "x")

    with pytest.raises(SystemExit) as ended:
        factory.create_app()

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: PORT: ")


def test_an_address_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=f"HOST 127.0.0.1, PORT {port}: Address already in use"):
            entry.listen(Settings(port=port))


def test_a_free_port_is_found() -> None:
    with entry.listen(Settings(port=0)) as listener:
        assert listener.getsockname()[1] > 0


def test_uvicorn_trusts_the_proxies_that_are_named_and_no_others() -> None:
    trusting = entry.server_config(Settings(forwarded_allow_ips="10.0.0.0/8"))
    bare = entry.server_config(Settings())

    assert (trusting.proxy_headers, trusting.forwarded_allow_ips) == (True, ["10.0.0.0/8"])
    assert (bare.proxy_headers, bare.server_header, bare.access_log) == (False, False, False)


@pytest.mark.parametrize(
    ("interrupted", "started", "code"), [(False, True, 0), (True, True, 0), (False, False, 1)]
)
def test_the_exit_code_says_whether_it_served(
    monkeypatch: pytest.MonkeyPatch, sigterm_restored: None, interrupted: bool, started: bool, code: int
) -> None:
    listeners: list[socket.socket] = []

    def run(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        listeners.extend(sockets)
        server.started = started
        if interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(uvicorn.Config, "configure_logging", lambda config: None)
    monkeypatch.setenv("PORT", "0")

    assert exit_code(entry.main) == code
    assert len(listeners) == addresses.ACCEPTED_AT_ONCE
    assert len({listener.getsockname() for listener in listeners}) == 1
    for listener in listeners:
        listener.close()


def exit_code(main: Callable[[], None]) -> object:
    try:
        main()
    except SystemExit as ended:
        return ended.code
    return 0


@pytest.mark.parametrize(
    ("storage", "warnings"),
    [
        ("memory://", ["RATE_LIMIT_STORAGE is memory://: each of 2 workers counts for itself"]),
        ("redis://localhost", []),
    ],
)
def test_workers_share_a_folder_that_ends_with_them(
    monkeypatch: pytest.MonkeyPatch,
    sigterm_restored: None,
    caplog: pytest.LogCaptureFixture,
    storage: str,
    warnings: list[str],
) -> None:
    folders: list[Path] = []

    class Supervisor:
        def __init__(self, config: uvicorn.Config, listener: socket.socket, patience: float) -> None:
            listener.close()
            assert (config.workers, patience) == (2, 31)

        def run(self) -> int:
            folders.append(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
            assert folders[0].is_dir()
            return 3

    monkeypatch.setattr(entry, "Workers", Supervisor)
    monkeypatch.setattr(uvicorn.Config, "configure_logging", lambda config: None)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")  # so that it is undone
    monkeypatch.setenv("RATE_LIMIT_STORAGE", storage)
    monkeypatch.setenv("WORKERS", "2")
    monkeypatch.setenv("PORT", "0")

    assert exit_code(entry.main) == 3
    assert not folders[0].exists()
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == warnings


@pytest.fixture
def sigterm_restored() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


def told_to_stop(times: int, drain_seconds: float) -> tuple[AppState, uvicorn.Server]:
    serving = AppState(Settings(drain_seconds=drain_seconds))
    server = uvicorn.Server(uvicorn.Config(app.app))

    async def run() -> None:
        signal.signal(signal.SIGTERM, server.handle_exit)
        drain_on_sigterm(serving)
        for _ in range(times):
            signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)

    asyncio.run(run())
    return serving, server


@pytest.mark.parametrize(("times", "drain_seconds", "stopped"), [(1, 60, False), (1, 0, True), (2, 60, True)])
def test_a_stop_is_announced_first(
    sigterm_restored: None, times: int, drain_seconds: float, stopped: bool
) -> None:
    serving, server = told_to_stop(times, drain_seconds)

    assert serving.draining
    assert server.should_exit == stopped


def test_the_handler_of_another_server_is_left_alone(sigterm_restored: None) -> None:
    def other(number: int, frame: object) -> None:
        """Not ours."""

    signal.signal(signal.SIGTERM, other)

    asyncio.run(_drain())

    assert signal.getsignal(signal.SIGTERM) is other


async def _drain() -> None:
    drain_on_sigterm(AppState(Settings()))


class Answering(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def health_check(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["healthcheck", *arguments])
    return exit_code(partial(exit_on_error, healthcheck.main))


@pytest.mark.parametrize(("status", "code"), [(200, False), (503, True), (None, True)])
def test_the_health_check_asks_whether_the_server_is_ready(
    monkeypatch: pytest.MonkeyPatch, status: int | None, code: bool
) -> None:
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setattr(Answering, "status", status)
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        port = server.server_address[1]
        threading.Thread(target=server.handle_request, daemon=True).start()
        if status is None:
            port = 1

        assert health_check(monkeypatch, str(port)) == code


HOSTS = ["::", "::1", "0:0:0:0:0:0:0:0", "0.0.0.0", "127.0.0.1", "127.0.0.2", "localhost"]


@pytest.mark.parametrize("host", HOSTS)
def test_the_health_check_finds_the_server_wherever_it_listens(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with entry.listen(Settings(host=host, port=0)) as listener:
        threading.Thread(target=answer_once, args=[listener], daemon=True).start()
        monkeypatch.setenv("HOST", host)

        assert health_check(monkeypatch, str(listener.getsockname()[1])) is False


@pytest.mark.parametrize("host", ["::1", "::"])
def test_the_health_check_finds_an_ipv6_server_without_being_told(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with entry.listen(Settings(host=host, port=0)) as listener:
        threading.Thread(target=answer_once, args=[listener], daemon=True).start()
        monkeypatch.delenv("HOST", raising=False)

        assert health_check(monkeypatch, str(listener.getsockname()[1])) is False


def answer_once(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("arguments", [[], ["x"], ["0"], ["65536"], ["-1"], ["1.5"], ["80", "81"]])
def test_a_health_check_of_no_port_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert health_check(monkeypatch, *arguments) == 2
    expected = "error: usage: python -m src.serving.healthcheck PORT, a number from 1 to 65535\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("host", ["::", "0:0:0:0:0:0:0:0"])
def test_every_address_is_of_both_families(host: str) -> None:
    with entry.listen(Settings(host=host, port=0)) as listener:
        port = listener.getsockname()[1]

        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), timeout=PATIENCE).close()


def test_a_machine_without_ipv6_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)

    with pytest.raises(ConfigError) as error:
        entry.listen(Settings(host="::", port=8000))

    assert str(error.value) == "HOST ::, PORT 8000: Address family not supported by protocol"


@pytest.mark.parametrize(
    "host", ["no-such-host.invalid", "[::1]", "2001:db8::1", "192.0.2.1", "a..b", "x" * 70]
)
def test_a_host_that_is_not_ours_is_one_line(host: str) -> None:
    with pytest.raises(ConfigError) as error:
        entry.listen(Settings(host=host, port=0))

    assert str(error.value).startswith(f"HOST {host}")
    assert "\n" not in str(error.value)


@pytest.fixture
def shared_metrics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The client as it is in a worker that is one of several."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    value_class = values.MultiProcessValue()
    monkeypatch.setattr(values, "ValueClass", value_class)
    yield tmp_path
    value_class.close_all_files()


def test_workers_are_summed_and_the_dead_forgotten(shared_metrics: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    left_behind = [
        shared_metrics / f"gauge_livesum_{int(dead.stdout)}.db",
        shared_metrics / f"gauge_livemax_{int(dead.stdout)}-0123456789abcdef.db",
    ]
    for file in left_behind:
        file.write_bytes(b"")

    shared = Metrics()
    shared.request("GET", "/", 200).add()
    shared.in_flight.inc()

    assert not any(file.exists() for file in left_behind)
    text = shared.render().decode()
    assert 'http_requests_total{method="GET",route="/",status="200"} 1.0' in text
    assert "http_requests_in_flight 1.0" in text

    shared.close()
    assert [path.name for path in shared_metrics.glob("gauge_live*")] == []
    assert "http_requests_total" in shared.render().decode()


def test_a_version_ends_when_no_worker_serves_it(
    shared_metrics: Path, make_bundle: Callable[..., Bundle], schema: Schema
) -> None:
    rows = Features(np.array([[5.0, 3.0, 1.0, 0.2], [6.0, 3.0, 4.0, 1.2]]), np.empty((2, 0), dtype=object))
    trained = profile(schema, rows, Predictions(np.array([0, 1]), np.empty((2, 3)))).model_dump(mode="json")

    def swap(worker: Metrics, version: str) -> None:
        bundle = make_bundle(version=version, profile=trained)
        counter = worker.row_counter(bundle)
        worker.show(bundle)
        assert counter is not None
        counter.count_all(rows)

    def shown(name: str) -> dict[str, float]:
        lines = [line for line in worker.render().decode().splitlines() if line.startswith(name)]
        found = re.findall('version="(.*?)".* (.*)', "\n".join(lines))
        return {version: float(value) for version, value in found}

    worker = Metrics()
    for version in map(str, range(10)):
        swap(worker, version)
    of_another = shared_metrics / "gauge_livemax_1-0123456789abcdef.db"
    rows_of_another = shared_metrics / "counter_1-0123456789abcdef.db"
    for file in (of_another, rows_of_another):
        MmapedDict(str(file)).close()

    swap(worker, "8")
    assert shown("model_info{") == {"8": 1.0, "9": 0.0}
    assert set(shown("model_feature_rows_total{")) == {"8", "9"}
    assert rows_of_another.exists()

    of_another.unlink()
    swap(worker, "9")
    assert shown("model_info{") == {"8": 0.0, "9": 1.0}
    assert not rows_of_another.exists()
    assert len(list(shared_metrics.glob("counter_*-*.db"))) == 2


def test_a_version_that_another_worker_forgets_meanwhile_is_no_error(
    shared_metrics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, gone = MultiProcessCollector.collect, ["counter_1-0123456789abcdef.db"]

    def collect(collector: MultiProcessCollector) -> object:
        if gone:
            raise FileNotFoundError(gone.pop())
        return read(collector)

    worker = Metrics()
    worker.request("GET", "/", 200).add()
    monkeypatch.setattr(MultiProcessCollector, "collect", collect)

    assert b'http_requests_total{method="GET",route="/",status="200"} 1.0' in worker.render()
