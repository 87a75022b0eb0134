"""Clients of other languages, as they are when nothing is set."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process.conftest import KEY, Server
from tests.process.test_server import GOOD

SETOSA = {
    "prediction": "setosa",
    "confidence": 1.0,
    "probabilities": {"setosa": 1.0, "versicolor": 0.0, "virginica": 0.0},
    "model_version": "7",
}


@pytest.fixture
def server(start_server: Callable[..., Server], model_dir: Path) -> Server:
    server = start_server(API_KEY=KEY, MODEL_DIR=str(model_dir), RATE_LIMIT_PREDICT="1000/minute")
    server.wait_for("/readyz", 200)
    return server


def run(tool: str, *arguments: str) -> str:
    path = shutil.which(tool)
    assert path is not None, f"{tool} is missing: apt-get install default-jdk-headless curl"
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_java_predicts(server: Server) -> None:
    source = Path(__file__).with_name("Predict.java")

    printed = run("java", str(source), f"{server.url}/predict", KEY, GOOD.decode())

    answers = [line.split(" ", 1) for line in printed.splitlines()]
    assert [(status, json.loads(body)) for status, body in answers] == [("200", SETOSA)] * 3


@pytest.mark.parametrize("protocol", ["--http1.0", "--http1.1", "--http2"])
@pytest.mark.parametrize(
    "transfer", [[], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]]
)
def test_curl_predicts(server: Server, protocol: str, transfer: list[str]) -> None:
    if protocol == "--http1.0" and "Transfer-Encoding: chunked" in transfer:
        transfer = []  # HTTP/1.0 has no chunks

    printed = run(
        "curl",
        *("--silent", "--show-error", "--max-time", "20", protocol, *transfer),
        *("-H", "Content-Type: application/json", "-H", f"X-API-Key: {KEY}"),
        *("--data-binary", GOOD.decode(), "--write-out", " %{http_code}", f"{server.url}/predict"),
    )

    body, _, status = printed.rpartition(" ")
    assert (status, json.loads(body)) == ("200", SETOSA)
