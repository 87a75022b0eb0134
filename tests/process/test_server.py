"""The server as users start it, from its first line to its exit code."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

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
from tests.process.conftest import KEY, MakeFiles, Server
from tests.servers import PATIENCE

GOOD = b'{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}'
Start = Callable[..., Server]


@pytest.mark.parametrize("plain", [False, True])
def test_it_predicts_over_http(start_server: Start, model_dir: Path, plain: bool) -> None:
    server = start_server(plain=plain, API_KEY=KEY, MODEL_DIR=str(model_dir))
    server.wait_for("/readyz", 200)

    response = server.predict(GOOD)

    assert response.status_code == 200
    assert response.json() == {
        "prediction": "setosa",
        "confidence": 1.0,
        "probabilities": {"setosa": 1.0, "versicolor": 0.0, "virginica": 0.0},
        "model_version": "7",
    }


@pytest.mark.parametrize("module", [["-m", "src.serving"], ["-m", "uvicorn", "src.serving.app:app"]])
@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"ENVIRONMENT": "production"},
            "error: API_KEY is required in production; make one with: openssl rand -hex 32",
        ),
        (
            {"ENVIRONMENT": "producton"},
            "error: ENVIRONMENT: producton; allowed: development or production",
        ),
    ],
)
def test_an_unsafe_setting_stops_the_start_with_one_line(
    tmp_path: Path, module: list[str], environment: dict[str, str], message: str
) -> None:
    done = subprocess.run(
        [sys.executable, *module],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr.splitlines(), done.stdout) == (2, [message], "")


@pytest.mark.parametrize(("plain", "workers"), [(False, 1), (False, 2), (True, 1)])
def test_a_stop_is_announced_then_done(
    start_server: Start, model_dir: Path, plain: bool, workers: int
) -> None:
    server = start_server(
        plain=plain, API_KEY=KEY, MODEL_DIR=str(model_dir), WORKERS=str(workers), DRAIN_SECONDS="2"
    )
    server.wait_for("/readyz", 200)

    server.process.send_signal(signal.SIGTERM)

    assert server.wait_for("/readyz", 503, seconds=2).json()["detail"] == "The server is about to stop."
    assert server.predict(GOOD).status_code == 200
    assert server.process.wait(timeout=PATIENCE) == 0


def test_a_request_in_flight_is_answered_before_the_end(start_server: Start, model_dir: Path) -> None:
    server = start_server(API_KEY=KEY, MODEL_DIR=str(model_dir), DRAIN_SECONDS="0")
    server.wait_for("/readyz", 200)
    head = (
        f"POST /predict HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(GOOD)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + GOOD[:10])
        wait_until(lambda: "http_requests_in_flight 2.0" in servers.get(server.url + "/metrics").text)

        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not accepts(server.port))
        connection.sendall(GOOD[10:])
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert server.process.wait(timeout=PATIENCE) == 0


def test_it_starts_without_a_model_and_serves_the_first_that_comes(
    start_server: Start, tmp_path: Path, bundle_files: MakeFiles
) -> None:
    folder = tmp_path / "models"
    server = start_server(API_KEY=KEY, MODEL_DIR=str(folder), MODEL_REFRESH_SECONDS="0.1")
    assert server.wait_for("/readyz", 503).json()["detail"] == "No model is loaded yet."
    assert server.predict(GOOD).status_code == 503

    bundles.write_folder(folder, bundle_files())
    server.wait_for("/readyz", 200)

    assert server.predict(GOOD).json()["prediction"] == "setosa"


def test_a_new_model_is_taken_and_a_broken_one_refused(
    start_server: Start, model_dir: Path, bundle_files: MakeFiles
) -> None:
    server = start_server(API_KEY=KEY, MODEL_DIR=str(model_dir), MODEL_REFRESH_SECONDS="0.1")
    server.wait_for("/readyz", 200)

    bundles.write_folder(model_dir, bundle_files(version="8"))
    wait_until(lambda: health(server)["model_version"] == "8")
    bundles.write_folder(model_dir, {**bundle_files(version="9"), "model.onnx": b"changed"})
    wait_until(lambda: "model.onnx: SHA-256 is" in server.log())

    assert health(server)["model_version"] == "8"
    assert server.predict(GOOD).json()["model_version"] == "8"


@pytest.mark.parametrize("plain", [False, True], ids=["ours", "uvicorn"])
def test_sighup_has_the_source_asked_at_once(
    start_server: Start, model_dir: Path, bundle_files: MakeFiles, plain: bool
) -> None:
    settings = {"MODEL_DIR": str(model_dir), "MODEL_REFRESH_SECONDS": "3600"}
    server = start_server(plain, API_KEY=KEY, RATE_LIMIT_HEALTH="1000/second", **settings)
    server.wait_for("/readyz", 200)
    wait_until(lambda: server.log().count("IrisClassifier version 7") == 1, PATIENCE)

    bundles.write_folder(model_dir, bundle_files(version="8"))
    server.process.send_signal(signal.SIGHUP)

    wait_until(lambda: server.log().count("IrisClassifier version 8") == 1, PATIENCE)
    wait_until(lambda: health(server)["model_version"] == "8", PATIENCE)
    assert server.predict(GOOD).json()["model_version"] == "8"
    assert server.stop() == 0


@pytest.mark.parametrize("plain", [False, True])
def test_a_forwarded_address_changes_nothing_unless_its_proxy_is_trusted(
    start_server: Start, model_dir: Path, plain: bool
) -> None:
    server = start_server(plain=plain, MODEL_DIR=str(model_dir), RATE_LIMIT_HEALTH="3/minute")
    server.wait_for("/readyz", 200)

    statuses = [
        servers.get(server.url + "/health", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(4)
    ]

    assert statuses == [200, 200, 200, 429]


def test_a_trusted_proxy_names_its_clients(start_server: Start, model_dir: Path) -> None:
    server = start_server(
        MODEL_DIR=str(model_dir), RATE_LIMIT_HEALTH="1/minute", FORWARDED_ALLOW_IPS="127.0.0.1"
    )
    server.wait_for("/readyz", 200)

    statuses = [
        servers.get(server.url + "/health", headers={"X-Forwarded-For": address}).status_code
        for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1")
    ]

    assert statuses == [200, 200, 429]


@pytest.mark.parametrize("forged", ["nobody-{}", "1.2.3.{}x", "[::{}", "10.0.0.9, _hidden{}", "2001:db8::{}"])
def test_what_is_no_address_is_no_client_of_its_own(
    start_server: Start, model_dir: Path, forged: str
) -> None:
    server = start_server(
        MODEL_DIR=str(model_dir), RATE_LIMIT_HEALTH="2/minute", FORWARDED_ALLOW_IPS="127.0.0.1"
    )
    server.wait_for("/readyz", 200)

    statuses = [
        servers.get(server.url + "/health", headers={"X-Forwarded-For": forged.format(number)}).status_code
        for number in range(3)
    ]

    assert statuses == [200, 200, 429]


def test_two_workers_count_together(start_server: Start, model_dir: Path) -> None:
    server = start_server(
        API_KEY=KEY, MODEL_DIR=str(model_dir), WORKERS="2", RATE_LIMIT_PREDICT="1000/minute"
    )
    server.wait_for("/readyz", 200)

    statuses = {server.predict(GOOD).status_code for _ in range(40)}  # a connection each, so both get some

    assert statuses == {200}
    text = servers.get(server.url + "/metrics").text
    assert 'model_predictions_total{predicted_class="setosa"} 40.0' in text
    assert "model_confidence_count 40.0" in text
    assert "model_loaded 1.0" in text
    assert 'http_requests_total{method="POST",route="/predict",status="200"} 40.0' in text


def test_rows_of_every_worker_are_counted_a_little_later(
    start_server: Start, schema: Schema, tmp_path: Path, bundle_files: MakeFiles
) -> None:
    rows = Features(np.array([[5.0, 3.0, 1.0, 0.2], [6.0, 3.0, 4.0, 1.2]]), np.empty((2, 0), dtype=object))
    trained = profile(schema, rows, Predictions(np.array([0, 1]), np.empty((2, 3)))).model_dump(mode="json")
    bundles.write_folder(tmp_path / "models", bundle_files(profile=trained))
    server = start_server(
        API_KEY=KEY, MODEL_DIR=str(tmp_path / "models"), WORKERS="2", RATE_LIMIT_PREDICT="1000/minute"
    )
    server.wait_for("/readyz", 200)
    for _ in range(40):
        server.predict(GOOD)

    counted = 0.0
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(timeout=PATIENCE) as one:  # connection, so one worker is asked
        while counted < 40 and time.monotonic() < deadline:
            lines = one.get(server.url + "/metrics").text.splitlines()
            counts = [line for line in lines if 'feature="petal_width"' in line and "rows_total" in line]
            counted = sum(float(line.split()[-1]) for line in counts)
            time.sleep(0.05)

    assert counted == 40


def test_every_line_of_the_log_is_json_and_none_holds_a_key(start_server: Start, model_dir: Path) -> None:
    server = start_server(API_KEY=KEY, MODEL_DIR=str(model_dir))
    server.wait_for("/readyz", 200)
    server.predict(GOOD, **{"X-Request-ID": "mine-1"})
    server.predict(GOOD, **{"X-API-Key": "wrong-secret"})
    assert server.stop() == 0

    lines = [json.loads(line) for line in server.log().splitlines()]

    [line] = [line for line in lines if line.get("request_id") == "mine-1"]
    assert (line["route"], line["status"], line["predicted_class"]) == ("/predict", 200, "setosa")
    assert line["client"].startswith("key-")
    assert KEY not in server.log()
    assert "wrong-secret" not in server.log()


def test_wrong_keys_are_limited(start_server: Start, model_dir: Path) -> None:
    server = start_server(API_KEY=KEY, MODEL_DIR=str(model_dir))
    server.wait_for("/readyz", 200)

    statuses = [server.predict(GOOD, **{"X-API-Key": f"wrong-{number}"}).status_code for number in range(12)]

    assert statuses == [403] * 10 + [429] * 2
    assert server.predict(GOOD).status_code == 200


def health(server: Server) -> dict[str, str]:
    body: dict[str, str] = servers.get(server.url + "/health").json()
    return body


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
