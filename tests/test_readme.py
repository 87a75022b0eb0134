"""The README's commands are typed here."""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts import tables
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text()


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def curl(command: str, port: int) -> Any:
    """Do what curl would, on a machine that may not have it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    arguments = parser.parse_args(shlex.split(command.replace("\\\n", " "))[1:])
    method = "GET" if arguments.data is None else "POST"
    url = "http://" + arguments.url.replace("localhost:8000", f"127.0.0.1:{port}")
    headers = dict(header.split(": ") for header in arguments.headers)
    response = httpx.request(method, url, headers=headers, content=arguments.data)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what Git knows of this checkout, uncommitted changes included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path / "mlops-core"
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def served(clone: Path, port: int) -> Iterator[Path]:
    """`make run` in a fresh clone, with the dependencies that are installed already."""
    clone_and_enter, *commands = blocks(section("Start"), "bash")[0].splitlines()
    assert clone_and_enter.startswith("git clone ")
    assert commands == ["make run"]
    venv = Path(sys.prefix)
    make = ["make", f"VENV={venv}", f"--assume-old={venv}/.installed", "run"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    process = subprocess.Popen(
        make, cwd=clone, env={**environment, "PORT": str(port)}, start_new_session=True
    )
    try:
        wait_until_ready(process, port, seconds=120)
        yield clone
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def wait_until_ready(process: subprocess.Popen[bytes], port: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"make run ended with {process.returncode}"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not ready after {seconds} s")


def test_the_quick_start_answers_as_the_readme_says(served: Path, port: int) -> None:
    commands = blocks(section("Start"), "bash")[1:]
    answers = blocks(section("Start"), "json")

    assert len(commands) == len(answers) == 2
    for command, answer in zip(commands, answers, strict=True):
        assert curl(command, port) == json.loads(answer)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)", README))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    assert f"`make {target}`" in [command for command, _ in tables.commands()]
