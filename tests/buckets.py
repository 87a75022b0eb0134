"""A server of Google Cloud Storage on this machine, for the real client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gcp_storage_emulator.server import create_server
from google.cloud.storage import Client


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[Any]:
    server = create_server("127.0.0.1", 0, in_memory=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bucket(bucket_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket `models`; who has STORAGE_EMULATOR_HOST reads it without credentials."""
    bucket_server.wipe()
    port = bucket_server._api._httpd.server_address[1]
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    return Client(project="test").create_bucket("models")


def upload(bucket: Any, folder: Path, prefix: str) -> None:
    """Copy every file under `folder`, as `gcloud storage cp -r mlruns/ gs://models/` does with `mlruns/`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            bucket.blob(f"{prefix}{path.relative_to(folder)}").upload_from_string(path.read_bytes())
