"""`make bench`: our server as users run it, beside the least and the usual FastAPI, in the same run."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import joblib
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench import load, report
from bench.samples import BATCH_ROWS, CONNECTIONS, Sample, Start
from bench.servers import KEY, Running, Server, started, uvicorn
from src import paths
from src.bundle.bundle import folder_fetch
from src.bundle.bundle import load as load_bundle
from src.errors import MlopsError, UsageError, exit_on_error
from src.export.families.registry import build, family_of
from src.params import load_params

NEVER = "1000000000/minute"  # a limit that is counted on every request and never refuses
ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


REQUESTS: dict[str, tuple[str, object]] = {
    "predict": ("/predict", ROW),
    "explain": ("/predict?explain=true", ROW),
    "batch": ("/predict/batch", {"rows": [ROW] * BATCH_ROWS}),
}


def ours(workers: int) -> Server:
    """Return our server with every feature on, as in production."""
    environment = {
        "ENVIRONMENT": "production",
        "API_KEY": KEY,
        "CORS_ORIGINS": "https://example.com",
        "PORT": "{port}",
        "WORKERS": str(workers),
        "RATE_LIMIT_PREDICT": NEVER,
        "RATE_LIMIT_PREDICT_BATCH": NEVER,
    }
    return Server(
        name="ours" if workers == 1 else f"ours-{workers}",
        title="mlops-core" if workers == 1 else f"mlops-core, {workers} workers",
        command=(sys.executable, "-m", "src.serving"),
        environment=environment,
        headers={"X-API-Key": KEY},
    )


def servers(model: Path) -> list[Server]:
    """Return the servers in the order they are measured."""
    return [
        ours(1),
        Server("empty", "(a) empty FastAPI", uvicorn("bench.apps.empty:app")),
        Server(
            "plain",
            "(b) scikit-learn",
            uvicorn("bench.apps.plain:app"),
            environment={"BENCH_MODEL": str(model)},
        ),
        ours(2),
    ]


def fit_the_same_model(path: Path) -> None:
    """Write the model of `params.yaml`, fitted on the same rows, as scikit-learn's users keep it."""
    params = load_params()
    train = pd.read_csv(paths.TRAIN)
    schema = load_bundle(folder_fetch(paths.MODELS)).schema
    target = schema.target
    model = build(params.train, schema.task, params.data.random_state).fit(
        train.drop(columns=target), train[target]
    )
    family_of(model).use_one_thread(model)
    joblib.dump(model, path)


def measure(
    server: Server, running: Running, round: int, what: str, connections: int, seconds: float
) -> Sample:
    """Load `server` once.

    Raises:
        MlopsError: it failed a request, so that its figures mean nothing.
    """
    path, content = REQUESTS[what]
    body = json.dumps(content).encode()
    before = running.cpu_seconds()
    result = load.run(running.url + path, body, dict(server.headers), connections, seconds)
    cpu = running.cpu_seconds() - before
    if result.failures or not result.requests:
        raise MlopsError(f"{server.title}: {result.failures} of {result.requests} requests to {path} failed")
    return Sample(
        round=round,
        server=server.name,
        what=what,
        connections=connections,
        requests_per_second=result.requests_per_second,
        p50_ms=result.p50,
        p99_ms=result.p99,
        cpu_us_per_request=cpu / result.requests * 1e6,
    )


def loads_of(server: Server) -> list[tuple[str, int]]:
    """Return what is asked of `server`: the kind of request and the connections."""
    loads = [("predict", connections) for connections in CONNECTIONS]
    return [*loads, ("batch", 4), ("explain", 4)] if server.name == "ours" else loads


def run(
    rounds: int, seconds: float, model: Path, advance: Callable[[str], None]
) -> tuple[list[Sample], list[Start]]:
    """Start and load each server once a round, so that a slow minute of the machine meets all of them."""
    samples: list[Sample] = []
    starts: list[Start] = []
    for round in range(rounds):
        for server in servers(model):
            with started(server) as running:
                load.run(running.url + "/predict", json.dumps(ROW).encode(), dict(server.headers), 4, 1)
                memory = 0
                for what, connections in loads_of(server):
                    advance(f"{server.title}, {what}, {connections} connections")
                    samples.append(measure(server, running, round, what, connections, seconds))
                    if what != "explain":  # which the others do not do
                        memory = running.memory_bytes()
                starts.append(Start(round, server.name, running.start_seconds, memory / 2**20))
    return samples, starts


@dataclass(frozen=True)
class Options:
    rounds: int
    seconds: float
    out: Path


def parse_options() -> Options:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="each server is started and loaded so often")
    parser.add_argument("--seconds", type=float, default=5, help="how long each load lasts")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder of the results")
    parser.add_argument(
        "--smoke", action="store_true", help="one round of one second: shows that everything runs, no more"
    )
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.seconds < 1:
        raise UsageError("--rounds and --seconds must be at least 1")
    if arguments.smoke:
        return Options(1, 1, arguments.out)
    return Options(arguments.rounds, arguments.seconds, arguments.out)


def write(folder: Path, titles: Mapping[str, str], samples: list[Sample], starts: list[Start]) -> None:
    """Write every sample, the ratios and the picture to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "ratios": {ratio.name: ratio.value for ratio in report.ratios(samples, starts)},
        "batch_rows_per_second": report.batch_rows_per_second(samples),
        "explained": report.explained(samples),
        "samples": [asdict(sample) for sample in samples],
        "starts": [asdict(start) for start in starts],
    }
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    report.draw(folder / "results.png", titles, samples, starts)


def main() -> None:
    options = parse_options()
    load.require_wrk()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.joblib"
        fit_the_same_model(model)
        titles = {server.name: server.title for server in servers(model)}
        total = options.rounds * sum(len(loads_of(server)) for server in servers(model))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("starting", total=total)

            def advance(description: str) -> None:
                progress.update(task, description=description)
                progress.advance(task)

            samples, starts = run(options.rounds, options.seconds, model, advance)
    report.print_tables(Console(), titles, samples, starts)
    write(options.out, titles, samples, starts)
    print(f"written: {options.out}/results.json, {options.out}/results.png")


if __name__ == "__main__":
    exit_on_error(main)
