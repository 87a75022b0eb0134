"""Several workers behind one port: slow ones, dead ones, orphans, and what a swap of the model leaves."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pytest

from src.bundle import bundle as bundles
from src.monitoring.profile import profile
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema
from src.schema.features import Features
from tests import servers
from tests.conftest import REPOSITORY
from tests.ports import free_port
from tests.process.conftest import MakeFiles, Server

GOOD = b'{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}'
LONG = 40.0  # seconds: only a fault takes so long
Start = Callable[..., Server]


def wait_until(condition: Callable[[], object], server: Server, seconds: float = LONG) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time:\n{server.log()[-4000:]}"
        time.sleep(0.05)


class Running(NamedTuple):
    """A process, as `ps` shows it."""

    parent: int
    pid: int
    command: str


def running() -> list[Running]:
    """Return every process but those that have ended and that nobody has asked how."""
    found = subprocess.run(
        ["ps", "-A", "-ww", "-o", "ppid=", "-o", "pid=", "-o", "stat=", "-o", "args="],
        capture_output=True,
        text=True,
    )
    lines = (line.split(maxsplit=3) for line in found.stdout.splitlines())
    return [
        Running(int(line[0]), int(line[1]), line[-1])
        for line in lines
        if len(line) == 4 and line[2][0] != "Z"
    ]


def workers_of(server: Server) -> set[int]:
    """Return the server processes below the one that was started."""
    below = [process for process in running() if process.parent == server.process.pid]
    return {process.pid for process in below if "spawn_main" in process.command}


def ready_workers(server: Server) -> set[int]:
    """Return those of them that have loaded the app."""
    said = re.findall(r'"Started server process \[(\d+)\]"', server.log())
    return workers_of(server) & {int(pid) for pid in said}


def series(server: Server, name: str) -> dict[str, float]:
    text = servers.get(server.url + "/metrics").text
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(name))
    return {labels: float(value) for labels, value in lines}


def version_in(labels: str) -> str:
    return re.findall('version="(.*?)"', labels)[0]


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def callers(server: Server) -> Iterator[None]:
    """Call now and then, a connection each, whatever becomes of it; none may wait long."""
    over = threading.Event()
    waited = [0.0]

    def call() -> None:
        while not over.wait(0.02):
            started = time.monotonic()
            try:
                server.predict(GOOD)
            except httpx.TransportError:
                pass  # it was with the worker that was killed
            waited.append(time.monotonic() - started)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert max(waited) < LONG


@pytest.fixture
def in_workers(tmp_path: Path) -> Callable[[str], str]:
    """Return a PYTHONPATH with code that each worker runs first."""

    def make(code: str) -> str:
        folder = tmp_path / "first"
        folder.mkdir(exist_ok=True)
        lines = "".join(f"    {line}\n" for line in code.splitlines())
        worker = "'spawn_main' in ' '.join(sys.orig_argv)"
        (folder / "sitecustomize.py").write_text(f"import sys\nif {worker}:\n{lines}")
        return f"{folder}{os.pathsep}{REPOSITORY}"

    return make


def test_workers_may_take_longer_to_start_than_uvicorn_waits(
    start_server: Start, model_dir: Path, tmp_path: Path, in_workers: Callable[[str], str]
) -> None:
    begun = tmp_path / "begun"
    slow = in_workers(f"import time\nprint('one', file=open({str(begun)!r}, 'a'))\ntime.sleep(12)")
    server = start_server(MODEL_DIR=str(model_dir), WORKERS="2", PYTHONPATH=slow)

    server.wait_for("/readyz", 200, seconds=LONG)
    wait_until(lambda: len(ready_workers(server)) == 2, server)

    assert begun.read_text().splitlines() == ["one", "one"]
    assert server.stop() == 0


@pytest.mark.parametrize(("slow", "kills"), [(0, 5), (6, 2)])
def test_killed_workers_are_replaced_and_their_gauges_go(
    start_server: Start,
    model_dir: Path,
    tmp_path: Path,
    in_workers: Callable[[str], str],
    slow: int,
    kills: int,
) -> None:
    server = start_server(
        MODEL_DIR=str(model_dir),
        WORKERS="3",
        RATE_LIMIT_PREDICT="1000000/minute",
        TMPDIR=str(tmp_path),
        PYTHONPATH=in_workers(f"import time; time.sleep({slow})"),
    )
    server.wait_for("/readyz", 200, seconds=LONG)
    wait_until(lambda: len(ready_workers(server)) == 3, server)
    [folder] = tmp_path.glob("metrics-*")

    with callers(server):
        for _ in range(kills):
            victim = min(ready_workers(server))
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: not list(folder.glob(f"gauge_live*_{victim}[.-]*")), server, seconds=5)
            wait_until(lambda: len(ready_workers(server) - {victim}) == 3, server)

    living = {str(pid) for pid in workers_of(server)}
    assert {re.split("[_-]", file.stem)[2] for file in folder.glob("gauge_live*")} == living
    wait_until(lambda: series(server, "model_loaded") == {"model_loaded": 1.0}, server)
    assert list(series(server, "model_info").values()) == [1.0]
    assert series(server, "http_requests_in_flight") == {"http_requests_in_flight": 1.0}
    assert server.predict(GOOD).status_code == 200
    assert server.stop() == 0
    assert not folder.exists()


@pytest.mark.parametrize("when", ["starting", "serving"])
def test_no_worker_outlives_a_parent_that_was_killed(
    start_server: Start, model_dir: Path, tmp_path: Path, in_workers: Callable[[str], str], when: str
) -> None:
    slow = in_workers("import time; time.sleep(2)" if when == "starting" else "pass")
    server = start_server(
        MODEL_DIR=str(model_dir), WORKERS="2", DRAIN_SECONDS="60", TMPDIR=str(tmp_path), PYTHONPATH=slow
    )
    if when == "serving":
        server.wait_for("/readyz", 200, seconds=LONG)
    wait_until(lambda: len((ready_workers if when == "serving" else workers_of)(server)) == 2, server)
    workers = workers_of(server)

    server.process.kill()

    wait_until(lambda: port_is_free(server.port), server, seconds=20)
    wait_until(lambda: not workers & {process.pid for process in running()}, server, seconds=20)
    assert list(tmp_path.glob("metrics-*")) == []


@pytest.mark.parametrize(
    ("first", "code", "line"),
    [
        ("import os; os.environ['LOG_LEVEL'] = 'loud'", 2, "error: LOG_LEVEL: loud; allowed: DEBUG"),
        ("import os; os._exit(7)", 7, " ended with 7 before it was ready: stopping"),
    ],
)
def test_workers_that_cannot_start_end_the_server_with_their_code(
    start_server: Start, model_dir: Path, in_workers: Callable[[str], str], first: str, code: int, line: str
) -> None:
    server = start_server(MODEL_DIR=str(model_dir), WORKERS="2", PYTHONPATH=in_workers(first))

    assert server.process.wait(timeout=LONG) == code
    assert line in server.log()
    assert server.log().count("before it was ready: stopping") == 1
    assert "Traceback" not in server.log()


def test_workers_are_replaced_one_by_one_when_asked(start_server: Start, model_dir: Path) -> None:
    server = start_server(MODEL_DIR=str(model_dir), WORKERS="2", DRAIN_SECONDS="0")
    server.wait_for("/readyz", 200, seconds=LONG)
    wait_until(lambda: len(ready_workers(server)) == 2, server)
    before = workers_of(server)

    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(ready_workers(server) - before) == 2 and not workers_of(server) & before, server)
    server.process.send_signal(signal.SIGTTIN)
    wait_until(lambda: len(ready_workers(server)) == 3, server)
    server.process.send_signal(signal.SIGTTOU)
    wait_until(lambda: len(workers_of(server)) == 2, server)

    assert "ended with" not in server.log()
    assert server.stop() == 0


def test_old_versions_do_not_pile_up(
    start_server: Start, schema: Schema, tmp_path: Path, bundle_files: MakeFiles
) -> None:
    rows = Features(np.array([[5.0, 3.0, 1.0, 0.2], [6.0, 3.0, 4.0, 1.2]]), np.empty((2, 0), dtype=object))
    trained = profile(schema, rows, Predictions(np.array([0, 1]), np.empty((2, 3)))).model_dump(mode="json")
    models = tmp_path / "models"
    bundles.write_folder(models, bundle_files(version="0", profile=trained))
    server = start_server(
        MODEL_DIR=str(models),
        WORKERS="2",
        MODEL_REFRESH_SECONDS="0.1",
        RATE_LIMIT_PREDICT="1000000/minute",
        TMPDIR=str(tmp_path),
    )
    server.wait_for("/readyz", 200, seconds=LONG)
    wait_until(lambda: len(ready_workers(server)) == 2, server)
    [folder] = tmp_path.glob("metrics-*")
    files = []

    for version in map(str, range(1, 13)):
        bundles.write_folder(models, bundle_files(version=version, profile=trained))
        wait_until(lambda: server.log().count(f"version {version}, ") == 2, server)
        assert server.predict(GOOD).json()["model_version"] == version
        files.append(len(list(folder.iterdir())))

    info = series(server, "model_info")
    assert {version_in(labels): value for labels, value in info.items()} == {"11": 0.0, "12": 1.0}
    assert {version_in(labels) for labels in series(server, "model_feature_rows_total")} == {"11", "12"}
    assert files[-1] == files[2]
    assert server.stop() == 0


def test_all_workers_look_for_a_newer_model_when_one_is_told_to(
    start_server: Start, tmp_path: Path, bundle_files: MakeFiles
) -> None:
    models = tmp_path / "models"
    bundles.write_folder(models, bundle_files(version="1"))
    server = start_server(MODEL_DIR=str(models), WORKERS="3", MODEL_REFRESH_SECONDS="3600")
    server.wait_for("/readyz", 200, seconds=LONG)
    wait_until(lambda: server.log().count("version 1, ") == 3, server)
    bundles.write_folder(models, bundle_files(version="2"))

    command = [sys.executable, "-m", "src.serving.reload"]
    environment = {"PORT": str(server.port), "PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]}
    told = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=LONG
    )

    assert (told.returncode, told.stdout, told.stderr) == (0, "IrisClassifier version 2 is in service\n", "")
    wait_until(lambda: server.log().count("version 2, ") == 3, server)
    assert server.stop() == 0


def test_workers_of_another_supervisor_are_warned_of(tmp_path: Path, bundle_files: MakeFiles) -> None:
    models = tmp_path / "models"
    bundles.write_folder(models, bundle_files())
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "src.serving.app:app", "--workers", "2", "--port", str(port)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "MODEL_DIR": str(models)}
    server = servers.Server(command, tmp_path, tmp_path / "log", environment)
    try:
        server.wait_until(lambda: servers.answers(f"http://127.0.0.1:{port}/readyz"), "the server is ready")
        server.wait_until(
            lambda: (tmp_path / "log").read_text().count("another supervisor") == 2, "both warn"
        )
    finally:
        server.end()

    assert "WORKERS=2 python -m src.serving counts them together" in (tmp_path / "log").read_text()
