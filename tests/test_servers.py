"""What a test starts ends with it, however that ends."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import REPOSITORY
from tests.servers import PATIENCE, Server

# A server with a worker that does not listen to it, as `mlflow server` has.
COMMAND = ["sh", "-c", "trap '' TERM; sleep 600 & echo $$ $!; wait"]


def pids(log: Path) -> list[int]:
    return [int(word) for word in log.read_text().split()]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(map(alive, pids)):
        assert time.monotonic() < deadline, pids
        time.sleep(0.02)


def test_a_server_ends_with_all_it_started(tmp_path: Path) -> None:
    server = Server(COMMAND, tmp_path, tmp_path / "log")
    server.wait_until(lambda: len(pids(server.log)) == 2, "it says who it is")
    started = pids(server.log)

    server.end()

    assert started[0] == server.process.pid
    wait_until_gone(started)


def test_a_server_ends_when_its_test_is_killed(tmp_path: Path) -> None:
    test = f"""
import time
from pathlib import Path
from tests.servers import PATIENCE, Server
for name in "ab":
    Server({COMMAND}, Path("{tmp_path}"), Path("{tmp_path}") / name)
time.sleep(600)
"""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    tester = Server([sys.executable, "-c", test], tmp_path, tmp_path / "tester", environment)
    logs = [tmp_path / "a", tmp_path / "b"]
    try:
        tester.wait_until(
            lambda: all(log.exists() and len(pids(log)) == 2 for log in logs), "both servers run"
        )
        started = [pid for log in logs for pid in pids(log)]
        assert all(map(alive, started))

        os.kill(tester.process.pid, signal.SIGKILL)
        tester.process.wait()

        wait_until_gone(started)
    finally:
        tester.end()


def test_a_server_that_ends_too_early_is_no_wait(tmp_path: Path) -> None:
    server = Server(["sh", "-c", "echo no port is free; exit 3"], tmp_path, tmp_path / "log")

    with pytest.raises(AssertionError, match="ended with 3:\nno port is free"):
        server.wait_until(lambda: False, "never")

    server.end()


def test_a_server_that_takes_too_long_is_said(tmp_path: Path) -> None:
    server = Server(["sleep", "600"], tmp_path, tmp_path / "log")

    with pytest.raises(AssertionError, match="not in 0 s: it answers"):
        server.wait_until(lambda: False, "it answers", seconds=0)

    server.end()
    assert server.process.returncode == -signal.SIGKILL


def test_two_test_runs_are_given_different_ports(tmp_path: Path) -> None:
    code = "import time\nfrom tests.ports import free_port\n"
    code += "print(*(free_port() for _ in range(400)), flush=True)\ntime.sleep(600)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTEST_XDIST_WORKER": "gw11"}
    runs = [Server([sys.executable, "-c", code], tmp_path, tmp_path / name, environment) for name in "ab"]

    try:
        for run in runs:
            run.wait_until(lambda log=run.log: len(pids(log)) == 400, "it has its ports")  # type: ignore
        one, other = (set(pids(run.log)) for run in runs)
    finally:
        for run in runs:
            run.end()

    assert one & other == set()
