"""What the parent of workers decides; with real processes it is tested elsewhere."""

import signal
import socket
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from src.serving import workers
from src.serving.workers import SILENT_ROUNDS, Worker, Workers


class Body:
    """A process that lives for as long as a test says."""

    pid = 4711
    sentinel = -1

    def __init__(self) -> None:
        self.exitcode: int | None = None

    def is_alive(self) -> bool:
        return self.exitcode is None

    def kill(self) -> None:
        if self.exitcode is None:
            self.exitcode = -9

    def start(self) -> None:
        """It runs."""

    def join(self) -> None:
        """It has ended."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def config() -> uvicorn.Config:
    return uvicorn.Config("app:app", log_config=None, workers=2)


@pytest.fixture
def make_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: uvicorn.Config, listener: socket.socket
) -> Callable[[], Any]:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    def make(*_: object) -> Any:
        worker: Any = Worker(config, listener)
        worker.process = Body()
        worker.parent_conn, worker.child_conn = Pipe()
        return worker

    return make


def answer(worker: Any, started: bool) -> None:
    assert worker.child_conn.recv() == b"ping"
    worker.child_conn.send(started)


def test_a_start_is_waited_for_however_slow_and_said(
    make_worker: Callable[[], Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make_worker()
    monkeypatch.setattr(worker, "_started", worker._started - 100)

    assert all(worker.lives() for _ in range(SILENT_ROUNDS * 10))
    assert worker.child_conn.recv() == b"ping"
    assert not worker.child_conn.poll()  # no second one: a pipe that is full would hold up the parent
    assert [record.message for record in caplog.records][:1] == ["worker 4711 is not ready after 100 seconds"]
    assert len(caplog.records) == 2  # after 30 seconds, and after 60


def test_a_worker_that_was_ready_and_hangs_is_found(make_worker: Callable[[], Any]) -> None:
    worker = make_worker()
    for started in (False, False, True, True):
        assert worker.lives()
        answer(worker, started)

    rounds = [worker.lives() for _ in range(SILENT_ROUNDS + 1)]

    assert (rounds, worker.ready) == ([True] * SILENT_ROUNDS + [False], True)


def test_an_answer_in_time_is_no_silence(make_worker: Callable[[], Any]) -> None:
    worker = make_worker()
    worker.lives()
    answer(worker, True)

    for _ in range(3):
        assert all(worker.lives() for _ in range(SILENT_ROUNDS))
        answer(worker, True)


@pytest.fixture
def supervised(
    monkeypatch: pytest.MonkeyPatch,
    config: uvicorn.Config,
    listener: socket.socket,
    make_worker: Callable[[], Any],
) -> Any:
    """Workers without processes, and time that does not pass."""
    monkeypatch.setattr(workers, "Worker", make_worker)
    monkeypatch.setattr(workers, "wait", lambda sentinels, seconds: [])
    supervised: Any = Workers(config, listener, 31)
    supervised._round()
    return supervised


def test_the_dead_are_replaced_and_leave_no_gauge(supervised: Any, tmp_path: Path) -> None:
    for name in (
        "gauge_livesum_4711.db",
        "gauge_livemax_4711-ab.db",
        "gauge_livesum_471.db",
        "counter_4711.db",
    ):
        (tmp_path / name).touch()
    dead, other = supervised._workers
    dead.ready = other.ready = True

    dead.process.exitcode = -9
    supervised._round()

    assert sorted(file.name for file in tmp_path.glob("*.db")) == ["counter_4711.db", "gauge_livesum_471.db"]
    assert supervised._workers == [other]
    supervised._round()
    assert len(supervised._workers) == 2


def test_a_worker_that_cannot_start_stops_all(supervised: Any) -> None:
    supervised._workers[0].process.exitcode = 2
    supervised._workers[1].process.exitcode = 2

    supervised._round()

    assert (supervised._stopping, supervised._exit_code) == (True, 2)


@pytest.mark.parametrize(("code", "other_is_ready"), [(2, True), (-9, True), (-9, False), (0, False)])
def test_a_start_that_failed_is_tried_again_after_a_pause_that_grows(
    supervised: Any, monkeypatch: pytest.MonkeyPatch, code: int, other_is_ready: bool
) -> None:
    now = [1000.0]
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    pauses = []

    for _ in range(7):
        supervised._workers[0].ready = other_is_ready
        supervised._workers[-1].process.exitcode = code
        supervised._round()
        assert len(supervised._workers) == 1
        pauses.append(supervised._next_start - now[0])
        now[0] = supervised._next_start
        supervised._start_missing()
        assert len(supervised._workers) == 2

    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert not supervised._stopping


def test_a_machine_that_is_full_is_asked_again_later(
    supervised: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(body: Body) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    supervised._workers[0].ready = supervised._workers[1].ready = True
    supervised._workers[1].process.exitcode = -9
    monkeypatch.setattr(Body, "start", full)

    for _ in range(5):
        supervised._round()

    messages = [record.message for record in caplog.records]
    assert messages == [
        "worker 4711 ended with -9",
        "no worker can be started: Resource temporarily unavailable",
    ]


def test_the_parent_lets_go_of_the_port_before_its_workers_stop(
    supervised: Any, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_then: list[bool] = []

    def stop(worker: Any) -> None:
        open_then.append(listener.fileno() != -1)
        worker.process.exitcode = 0

    monkeypatch.setattr(Worker, "terminate", stop)

    supervised._stop()

    assert open_then == [False, False]
    assert supervised._leaving == []


def test_a_worker_that_does_not_stop_in_time_is_killed(
    supervised: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1000.0]

    def pass_time(sentinels: object, seconds: float) -> list[object]:
        now[0] += 10
        return []

    monkeypatch.setattr(Worker, "terminate", lambda worker: None)
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(workers, "wait", pass_time)

    supervised._stop()

    assert now == [1040.0]  # the first round after the 31 seconds of its patience
    assert [record.message for record in caplog.records] == ["worker 4711 did not stop in time: killed"] * 2


@pytest.fixture
def handlers_restored() -> Iterator[None]:
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU]
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_signals_say_how_many_and_when_to_stop(supervised: Any, handlers_restored: None) -> None:
    supervised._obey_signals()

    for number in (signal.SIGTTIN, signal.SIGTTOU, signal.SIGTTOU, signal.SIGTTOU):
        signal.raise_signal(number)
    assert supervised._count == 1

    signal.raise_signal(signal.SIGTERM)
    assert (supervised._stopping, supervised._hurry) == (True, False)
    signal.raise_signal(signal.SIGTERM)
    assert supervised._hurry
