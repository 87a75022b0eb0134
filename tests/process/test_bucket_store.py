"""The server on a copy of `mlruns/` in a bucket, through Google's own client."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from src.data import prepare
from src.evaluation import evaluate
from src.promotion.folder_store import FolderStore
from src.store.pointer import POINTER
from src.training import train
from tests import servers
from tests.buckets import bucket, bucket_server, upload  # noqa: F401
from tests.conftest import copy_inputs, inside, run
from tests.process.conftest import KEY, Server
from tests.process.test_server import GOOD, wait_until

Start = Callable[..., Server]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """The folder we are in, after `make train`."""
    folder = tmp_path / "workspace"
    copy_inputs(folder)
    with inside(folder), contextlib.redirect_stdout(io.StringIO()):
        run(prepare.main)
        train_and_publish(5)
        yield folder


def train_and_publish(trees: int) -> None:
    run(train.main, "--n-estimators", str(trees))
    run(evaluate.main)


def version(server: Server) -> str:
    return str(servers.get(server.url + "/health").json()["model_version"])


def test_it_serves_a_copied_store_and_follows_it(
    bucket: Any, workspace: Path, start_server: Start  # noqa: F811
) -> None:
    upload(bucket, Path("mlruns"), "mlruns/")
    server = start_server(
        API_KEY=KEY,
        ENVIRONMENT="production",
        CORS_ORIGINS="https://example.com",
        MLFLOW_TRACKING_URI="gs://models/mlruns/",
        MODEL_REFRESH_SECONDS="0.1",
        RATE_LIMIT_HEALTH="1000/minute",
        STORAGE_EMULATOR_HOST=os.environ["STORAGE_EMULATOR_HOST"],
    )
    server.wait_for("/readyz", 200)
    assert server.predict(GOOD).json()["prediction"] == "setosa"
    assert server.predict(GOOD).json()["model_version"] == "1"

    # The next champion, copied in the worst order: what points to it comes before it.
    train_and_publish(6)
    bucket.blob(f"mlruns/{POINTER}").upload_from_filename(f"mlruns/{POINTER}")
    wait_until(lambda: "refused a bundle from model store gs://models/mlruns/: gs://models" in server.log())
    assert server.predict(GOOD).json()["model_version"] == "1"
    upload(bucket, Path("mlruns"), "mlruns/")
    wait_until(lambda: version(server) == "2")
    assert server.predict(GOOD).json()["prediction"] == "setosa"

    # One that was damaged on the way.
    train_and_publish(7)
    damaged = FolderStore(Path("mlruns")).ledger()[-1].bundle
    (workspace / "mlruns" / damaged / "model.onnx").write_bytes(b"damaged")
    upload(bucket, Path("mlruns"), "mlruns/")
    wait_until(lambda: "model.onnx: SHA-256 is" in server.log())
    answer = server.predict(GOOD)
    assert (answer.status_code, answer.json()["model_version"]) == (200, "2")
