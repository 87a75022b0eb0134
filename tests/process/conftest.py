"""The real server in a process of its own, with a small forest of iris in it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from src.bundle import bundle as bundles
from src.bundle.examples.classification import Example
from src.export.export import export
from src.export.pipeline import build_pipeline
from src.schema.columns import Schema
from tests import servers
from tests.conftest import REPOSITORY
from tests.ports import free_port

KEY = "good-" + "k" * 32
MakeFiles = Callable[..., dict[str, bytes]]


class Server:
    """A running server and the folder it runs in."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    def log(self) -> str:
        return self._log.read_text()

    def wait_for(self, path: str, status: int, seconds: float = servers.PATIENCE) -> httpx.Response:
        """Ask for `path` until it answers with `status`."""
        deadline = time.monotonic() + seconds
        last = "no answer"
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log()}"
            try:
                response = servers.get(self.url + path)
                if response.status_code == status:
                    return response
                last = str(response.status_code)
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"{path} did not answer {status} in time, but {last}:\n{self.log()}")

    def predict(self, content: bytes, **headers: str) -> httpx.Response:
        given = {"Content-Type": "application/json", "X-API-Key": KEY, **headers}
        return servers.post(self.url + "/predict", content=content, headers=given)

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=servers.PATIENCE)


@pytest.fixture(scope="session")
def trained_once() -> dict[str, tuple[bytes, Example]]:
    return {}


@pytest.fixture
def bundle_files(
    schema: Schema, make_files: MakeFiles, trained_once: dict[str, tuple[bytes, Example]]
) -> MakeFiles:
    """Return the files of a bundle with a real forest."""

    def make(**changes: object) -> dict[str, bytes]:
        if not trained_once:
            trained_once["forest"] = train(schema)
        model, example = trained_once["forest"]
        return make_files(model, example, **changes)

    return make


def train(schema: Schema) -> tuple[bytes, Example]:
    table = pd.read_csv(REPOSITORY / "data/iris.csv")
    rows, labels = table.iloc[:, :4].set_axis(schema.names, axis="columns"), table["species"]
    pipeline = build_pipeline(schema, RandomForestClassifier(20, random_state=0)).fit(rows, labels)
    few = rows.iloc[::30]
    example = Example(
        rows=tuple({name: float(row[name]) for name in schema.names} for _, row in few.iterrows()),
        labels=tuple(str(label) for label in pipeline.predict(few)),
        scores=tuple(tuple(map(float, scores)) for scores in pipeline.predict_proba(few)),
    )
    return export(pipeline, schema), example


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test, by our entry point or, `plain`, by Uvicorn's command."""
    started: list[Server] = []
    running: list[servers.Server] = []

    def start(plain: bool = False, **environment: str) -> Server:
        port = free_port()
        command = [sys.executable, "-m", "src.serving"]
        if plain:
            command = [sys.executable, "-m", "uvicorn", "src.serving.app:app", "--port", str(port)]
        folder = tmp_path / f"server-{len(started)}"
        folder.mkdir()
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        given = {**keep, "PYTHONPATH": str(REPOSITORY), "PORT": str(port), **environment}
        running.append(servers.Server(command, folder, folder / "log", given))
        started.append(Server(running[-1].process, port, running[-1].log))
        return started[-1]

    yield start
    for server in running:
        server.end()


@pytest.fixture
def model_dir(tmp_path: Path, bundle_files: MakeFiles) -> Path:
    folder = tmp_path / "models"
    bundles.write_folder(folder, bundle_files())
    return folder
