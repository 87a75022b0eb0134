"""Where MLflow's web interface shows what was trained."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from src.config import Settings
from src.tracking import ui
from src.tracking.client import connected
from src.tracking.experiment import KIND, KIND_TAG
from src.tracking.runs import start_run
from tests.conftest import REPOSITORY
from tests.ports import free_port
from tests.servers import PATIENCE, Server, answers

ML = "?workflowType=machine_learning"


def record(settings: Settings) -> str:
    with start_run(settings, experiment="iris", run_name="first", tags={}) as run:
        return run.experiment_id


def test_the_page_is_that_of_the_runs_of_the_experiment(folder: Path) -> None:
    assert ui.page(Settings(), "iris", "http://x") == f"http://x/#/experiments{ML}"
    experiment = record(Settings())

    assert ui.page(Settings(), "iris", "http://x") == f"http://x/#/experiments/{experiment}/runs{ML}"


@pytest.mark.parametrize("has_tag", [True, False], ids=["made now", "made by an earlier release"])
def test_an_experiment_is_shown_with_its_runs_not_with_traces(folder: Path, has_tag: bool) -> None:
    experiment = record(Settings())
    if not has_tag:
        with connected(Settings()) as client:
            client.delete_experiment_tag(experiment, KIND_TAG)
        record(Settings())

    with connected(Settings()) as client:
        assert client.get_experiment(experiment).tags[KIND_TAG] == KIND


def test_a_server_has_its_own_pages(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example/")
    monkeypatch.setattr(sys, "argv", ["ui"])
    monkeypatch.setattr(ui, "page", lambda settings, experiment, base: f"{base}/#/{experiment}")
    (folder / "params.yaml").write_text((REPOSITORY / "params.yaml").read_text())

    ui.main()

    assert capsys.readouterr().out.splitlines() == [
        "runs:   https://mlflow.example/#/iris",
        f"models: https://mlflow.example/#/models{ML}",
    ]


@pytest.mark.parametrize("uri", [None, "other store"])
def test_the_command_serves_the_record_it_names(folder: Path, uri: str | None) -> None:
    record(Settings(mlflow_tracking_uri=uri))
    (folder / "params.yaml").write_text((REPOSITORY / "params.yaml").read_text())
    port = free_port()
    command = [sys.executable, "-m", "src.tracking.ui", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "MLFLOW_DISABLE_TELEMETRY": "true"}
    if uri is not None:
        environment["MLFLOW_TRACKING_URI"] = uri
    server = Server(command, folder, folder / "log", environment)
    try:
        server.wait_until(lambda: answers(f"http://localhost:{port}/health"), "MLflow is healthy")
        found = httpx.post(
            f"http://localhost:{port}/api/2.0/mlflow/experiments/search",
            json={"max_results": 10},
            timeout=PATIENCE,
        ).json()
    finally:
        server.end()

    assert "iris" in {one["name"] for one in found["experiments"]}
    assert (
        (folder / "log").read_text().startswith(f"runs:   http://localhost:{port}/#/experiments/1/runs{ML}\n")
    )


def test_a_port_that_is_none_is_one_line() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "src.tracking.ui", "--port", "x"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )

    assert told.returncode == 2
    assert told.stderr == (
        "error: argument --port: invalid int value: 'x'; see python -m src.tracking.ui --help\n"
    )
