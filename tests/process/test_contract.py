"""The server keeps what its OpenAPI document promises, on whatever schemathesis thinks of."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from src.config import Settings
from tests.process.conftest import KEY, Server

# A schema cannot say that a tensor has as many values as its shape, nor that all have as many rows.
TENSORS = "/infer$"


@pytest.mark.parametrize(
    "options",
    [
        ["--exclude-path-regex", TENSORS],
        ["--include-path-regex", TENSORS, "--exclude-checks=positive_data_acceptance"],
    ],
    ids=["rows", "tensors"],
)
def test_schemathesis_finds_nothing(
    start_server: Callable[..., Server], model_dir: Path, tmp_path: Path, options: list[str]
) -> None:
    never = "1000000000/minute"
    limits = {name.upper() for name in Settings.model_fields if name.startswith("rate_limit_")}
    limits.remove("RATE_LIMIT_STORAGE")
    server = start_server(API_KEY=KEY, MODEL_DIR=str(model_dir), **dict.fromkeys(limits, never))
    server.wait_for("/readyz", 200)
    schemathesis = Path(sys.executable).with_name("schemathesis")

    done = subprocess.run(
        [
            *(str(schemathesis), "run", f"{server.url}/openapi.json", "--checks=all", "--no-color"),
            *("--header", f"X-API-Key: {KEY}", "--max-examples=100", "--seed=1", "--workers=1"),
            *options,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout and "❌" not in done.stdout
