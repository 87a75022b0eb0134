"""Folders with a table and its parameters, what the stages make of them, and servers of the result."""

import contextlib
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from starlette.testclient import TestClient

from src.bundle.bundle import Bundle
from src.config import Settings
from src.data import prepare
from src.evaluation import evaluate
from src.runtime.session import load
from src.schema.features import to_features
from src.serving.factory import create_app
from src.training import train
from tests import servers
from tests.conftest import REPOSITORY, run
from tests.ports import free_port
from tests.serving.conftest import FakeSource

UNLIMITED = dict.fromkeys(
    ("RATE_LIMIT_PREDICT", "RATE_LIMIT_PREDICT_BATCH", "RATE_LIMIT_MODEL_INFO"), "100000/minute"
)


def write_checkout(
    folder: Path,
    table: pd.DataFrame,
    target: str,
    trained: Mapping[str, Any],
    gate: Mapping[str, Any],
    **data: Any,
) -> None:
    """Make `table` and its parameters the inputs in `folder`; `data` are those beside the defaults here."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "data/table.csv", index=False)
    known = {
        "name": "table",
        "source": "data/table.csv",
        "target": target,
        "drop": [],
        "ranges": {},
        "test_size": 0.25,
        "random_state": 0,
    }
    params = {"data": {**known, **data}, "train": dict(trained), "evaluate": dict(gate)}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True))


def run_stages() -> str:
    """Prepare, train and evaluate in the folder that the process is in; return what was printed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for main in (prepare.main, train.main, evaluate.main):
            run(main)
    return printed.getvalue()


def values(bundle: Bundle, rows: list[dict[str, Any]]) -> list[Any]:
    """Return what the model says of `rows`, without a server: the numbers, or the scores of each class."""
    columns = {name: [row[name] for row in rows] for name in bundle.schema.names}
    found: list[Any] = load(bundle).predict(to_features(bundle.schema, columns))[-1].tolist()
    return found


@contextmanager
def client_of(bundle: Bundle) -> Iterator[TestClient]:
    """Give the client of an app that serves `bundle`."""
    app = create_app(Settings(model_refresh_seconds=3600, rate_limit_predict="1000/minute"), FakeSource())
    app.state.shared.serve(bundle, load(bundle))
    with TestClient(app) as client:
        yield client


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the model of `folder` in a process of its own; give its address."""
    port = free_port()
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "PORT": str(port), **UNLIMITED}
    command = [sys.executable, "-m", "src.serving"]
    server = servers.Server(command, folder, folder / "log", environment)
    url = f"http://127.0.0.1:{port}"
    try:
        server.wait_until(lambda: servers.answers(f"{url}/readyz"), "the server is ready")
        yield url
    finally:
        server.end()
