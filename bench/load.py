"""Load on a server, by wrk: how many requests a second, and how long each took."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from src.errors import MlopsError, UsageError

SCRIPT = Path(__file__).with_name("report.lua")


@dataclass(frozen=True)
class Load:
    """What one run measured; times in milliseconds."""

    requests: int
    failures: int  # answers that are not 2xx or 3xx, and broken connections
    requests_per_second: float
    p50: float
    p99: float


def require_wrk() -> None:
    """Raise a UsageError that says how to install wrk where it is missing."""
    if shutil.which("wrk") is None:
        raise UsageError("wrk is needed to make load: apt-get install wrk, or brew install wrk")


def run(url: str, body: bytes, headers: dict[str, str], connections: int, seconds: float) -> Load:
    """Post `body` to `url` over `connections` connections for about `seconds`.

    Raises:
        MlopsError: wrk could not make the load.
    """
    header_options = [f"-H{name}: {value}" for name, value in headers.items()]
    done = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "--timeout=10s",
            f"-s{SCRIPT}",
            *header_options,
            url,
        ],
        env={"BODY": body.decode()},
        executable=shutil.which("wrk"),
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    if done.returncode:
        raise MlopsError(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
    report = json.loads(done.stdout.splitlines()[-1])
    return Load(
        requests=report["requests"],
        failures=report["failures"],
        requests_per_second=report["requests"] / report["seconds"],
        p50=report["p50_us"] / 1e3,
        p99=report["p99_us"] / 1e3,
    )
