"""The server keeps what its OpenAPI document promises, on whatever schemathesis thinks of."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.process.conftest import KEY, Server


def test_schemathesis_finds_nothing(
    start_server: Callable[..., Server], model_dir: Path, tmp_path: Path
) -> None:
    never = "1000000000/minute"
    server = start_server(
        API_KEY=KEY,
        MODEL_DIR=str(model_dir),
        RATE_LIMIT_PREDICT=never,
        RATE_LIMIT_PREDICT_BATCH=never,
        RATE_LIMIT_WRONG_KEY=never,
        RATE_LIMIT_HEALTH=never,
        RATE_LIMIT_MODEL_INFO=never,
    )
    server.wait_for("/readyz", 200)
    schemathesis = Path(sys.executable).with_name("schemathesis")

    done = subprocess.run(
        [
            *(str(schemathesis), "run", f"{server.url}/openapi.json", "--checks=all", "--no-color"),
            *("--header", f"X-API-Key: {KEY}", "--max-examples=100", "--seed=1", "--workers=2"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout[-8000:]
    assert "No issues found" in done.stdout
