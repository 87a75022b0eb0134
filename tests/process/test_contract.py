"""The server keeps what its OpenAPI document promises, on whatever schemathesis thinks of."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from src.config import Settings
from tests.process.conftest import KEY, Server


def test_schemathesis_finds_nothing(
    start_server: Callable[..., Server], model_dir: Path, tmp_path: Path
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
            *("--header", f"X-API-Key: {KEY}", "--max-examples=100", "--seed=1", "--workers=2"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout[-8000:]
    assert "No issues found" in done.stdout
