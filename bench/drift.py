"""What drift counters cost: one model, with the profile that rows are counted by and without, in turns."""

import argparse
import json
import os
import statistics
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.request import urlopen

from bench import load
from bench.bench import ROW, measure, ours
from bench.samples import Sample
from bench.servers import Running, Server, started
from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Training
from src.errors import MlopsError, UsageError, exit_on_error

CONNECTIONS = 16
MOST = 1.05  # times what a request costs without
WITH, WITHOUT = "with", "without"


@dataclass(frozen=True)
class Options:
    pairs: int
    seconds: int
    out: Path


def parse_options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.drift", description=__doc__)
    parser.add_argument("--pairs", type=int, default=7, help="so often is each server started")
    parser.add_argument("--seconds", type=int, default=7, help="how long each is loaded then")
    parser.add_argument(
        "--out", type=Path, default=Path("build/bench/drift.json"), help="file of the results"
    )
    arguments = parser.parse_args()
    if arguments.pairs < 1 or arguments.seconds < 1:
        raise UsageError("--pairs and --seconds must be at least 1")
    return Options(arguments.pairs, arguments.seconds, arguments.out)


def without_profile(source: Path, folder: Path) -> None:
    """Write the bundle in `source` to `folder`, sealed anew with nothing to count rows by."""
    fetch = bundles.folder_fetch(source)
    manifest = bundles.load(fetch).manifest
    files = {name: fetch(name) for name in bundles.FILES} | {bundles.PROFILE: bundles.dump_json({})}
    training = Training(**{name: getattr(manifest, name) for name in Training.model_fields})
    bundles.write_folder(folder, bundles.seal(training, json.loads(files[bundles.METRICS]), files))


def serving(name: str, models: Path) -> Server:
    """Return our server on the bundle in `models`; the rest is as `make bench` has it."""
    server = ours(1)
    environment = {**server.environment, "MODEL_DIR": str(models), "MLFLOW_TRACKING_URI": ""}
    return replace(server, name=name, title=f"{name} drift counters", environment=environment)


def costs(samples: list[Sample], server: str) -> list[float]:
    """Return the processor time of a request in µs, pair by pair, each the median of its turns."""
    pairs: dict[int, list[float]] = {}
    for sample in samples:
        if sample.server == server:
            pairs.setdefault(sample.round, []).append(sample.cpu_us_per_request)
    return [statistics.median(pairs[pair]) for pair in sorted(pairs)]


def check_counting(running: Running, wanted: bool) -> None:
    """Raise an MlopsError where rows are counted by feature and bin, and should not be, or the reverse."""
    with urlopen(running.url + "/metrics", timeout=10) as answer:
        counting = b"\nmodel_feature_rows_total{" in answer.read()
    if counting != wanted:
        raise MlopsError(f"the server that is loaded {'counts' if counting else 'does not count'} drift")


def run(pairs: int, seconds: int, models: Path, bare: Path) -> list[Sample]:
    """Start both servers for each pair, and load them in turns of a second: one machine for both."""
    samples: list[Sample] = []
    servers = [serving(WITH, models), serving(WITHOUT, bare)]
    for pair in range(pairs):
        with started(servers[0]) as counting, started(servers[1]) as other:
            both = list(zip(servers, (counting, other), strict=True))
            for server, running in both:
                check_counting(running, server.name == WITH)
                load.run(running.url + "/predict", json.dumps(ROW).encode(), dict(server.headers), 4, 1)
            for turn in range(seconds):
                for server, running in both if turn % 2 == 0 else reversed(both):
                    samples.append(measure(server, running, pair, "predict", CONNECTIONS, 1))
        print(
            f"pair {pair + 1}: {costs(samples, WITH)[-1]:6.1f} µs of processor time with drift counters,",
            end=" ",
        )
        print(f"{costs(samples, WITHOUT)[-1]:6.1f} µs without", flush=True)
    return samples


def main() -> None:
    options = parse_options()
    load.require_wrk()
    models = paths.MODELS.resolve()
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "models"
        without_profile(models, bare)
        samples = run(options.pairs, options.seconds, models, bare)
    found = [one / other for one, other in zip(costs(samples, WITH), costs(samples, WITHOUT), strict=True)]
    middle = statistics.median(found)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    results = {"cores": os.cpu_count(), "ratios": found, "samples": [asdict(sample) for sample in samples]}
    options.out.write_text(json.dumps(results, indent=2) + "\n")
    print(
        f"processor time of /predict with drift counters / without: {middle:.3f}, "
        f"median of {len(found)} pairs ({min(found):.3f} to {max(found):.3f}); wanted <= {MOST}"
    )


if __name__ == "__main__":
    exit_on_error(main)
