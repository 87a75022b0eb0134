"""How the model does now: counted by this process since it started, beside what training saw."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping

from starlette.requests import Request

from src.serving.metrics import Metrics
from src.serving.models import AnswerModel
from src.serving.routes import require_pages, state_of
from src.serving.state import AppState

MOST_COLUMNS = 50  # of more, those that drifted most
LEAST = 0.0001  # as the rules of drift count shares below it
STARTED = time.time()

Samples = dict[str, list[tuple[Mapping[str, str], float]]]


class ClassShare(AnswerModel):
    name: str
    served: float
    training: float


class Bin(AnswerModel):
    name: str
    served: float
    training: float


class Column(AnswerModel):
    name: str
    psi: float | None  # None: too few rows, or training's distribution is not known
    rows: int
    bins: list[Bin]


class Live(AnswerModel):
    seconds: float  # since this process started
    ready: bool
    requests: int
    errors: int  # 4xx and 5xx
    failures: int  # 5xx
    p50_ms: float | None
    p99_ms: float | None
    predictions: list[ClassShare]
    columns: list[Column]
    source: str | None  # what the model's source was last said to lack, or why a bundle was refused


async def live(request: Request) -> Live:
    """Counts since the server started."""
    state = state_of(request)
    require_pages(state)
    state.metrics.flush()
    return await asyncio.to_thread(counted, state)


def counted(state: AppState) -> Live:
    """Return what this process counted; for any thread, of a wide table it takes long."""
    metrics = _by_name(state.metrics)
    requests: dict[str, float] = defaultdict(float)
    for labels, value in metrics["http_requests_total"]:
        requests[labels["status"][0]] += value
    p50, p99 = _quantiles(metrics)
    loaded = state.loaded
    version = None if loaded is None else loaded.version
    return Live(
        seconds=round(time.time() - STARTED, 1),
        ready=loaded is not None and not state.draining,
        requests=int(sum(requests.values())),
        errors=int(requests["4"] + requests["5"]),
        failures=int(requests["5"]),
        p50_ms=p50,
        p99_ms=p99,
        predictions=_predictions(metrics, version),
        columns=_columns(metrics, version),
        source=state.source_message,
    )


def _by_name(metrics: Metrics) -> Samples:
    """Return the labels and the value of each sample, by its name."""
    found: Samples = defaultdict(list)
    for family in metrics.collect():
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return found


def psi(served: Iterable[float], training: Iterable[float]) -> float:
    """Return the population stability index of two distributions over the same bins."""
    pairs = [(max(one, LEAST), max(other, LEAST)) for one, other in zip(served, training, strict=True)]
    return sum((one - other) * math.log(one / other) for one, other in pairs)


def _quantiles(metrics: Samples) -> tuple[float | None, float | None]:
    """Return the median and the 99th percentile of the time to predict, in milliseconds."""
    counts: dict[float, float] = defaultdict(float)
    for labels, value in metrics["http_request_duration_seconds_bucket"]:
        if labels["route"].startswith("/predict"):
            counts[float(labels["le"])] += value
    total = max(counts.values(), default=0.0)
    if not total:
        return None, None
    found = [_quantile(sorted(counts.items()), total * share) for share in (0.5, 0.99)]
    return found[0], found[1]


def _quantile(counts: list[tuple[float, float]], wanted: float) -> float:
    below, passed = 0.0, 0.0
    for edge, count in counts:
        if count >= wanted:
            if math.isinf(edge):
                return round(below * 1000, 2)
            inside = (wanted - passed) / (count - passed) if count > passed else 1.0
            return round((below + (edge - below) * inside) * 1000, 2)
        below, passed = edge, count
    return round(below * 1000, 2)


def _predictions(metrics: Samples, version: str | None) -> list[ClassShare]:
    training = {
        labels["predicted_class"]: value
        for labels, value in metrics["model_class_reference_share"]
        if labels["version"] == version
    }
    served = {
        labels["predicted_class"]: value
        for labels, value in metrics["model_predictions_total"]
        if labels["predicted_class"] in training
    }
    total = sum(served.values()) or 1.0
    return [
        ClassShare(name=name, served=served.get(name, 0.0) / total, training=share)
        for name, share in training.items()
    ]


def _columns(metrics: Samples, version: str | None) -> list[Column]:
    training: dict[str, dict[str, float]] = defaultdict(dict)
    for labels, value in metrics["model_feature_reference_share"]:
        if labels["version"] == version:
            training[labels["feature"]][labels["bin"]] = value
    served: dict[str, dict[str, float]] = defaultdict(dict)
    for labels, value in metrics["model_feature_rows_total"]:
        if labels["version"] == version:
            served[labels["feature"]][labels["bin"]] = value
    found = []
    for name, shares in training.items():
        rows = sum(served[name].values())
        bins = [
            Bin(name=one, served=served[name].get(one, 0.0) / (rows or 1.0), training=share)
            for one, share in shares.items()
        ]
        index = psi((one.served for one in bins), (one.training for one in bins)) if rows else None
        found.append(Column(name=name, psi=index, rows=int(rows), bins=bins))
    if len(found) <= MOST_COLUMNS:
        return found
    return sorted(found, key=lambda column: -(column.psi or 0.0))[:MOST_COLUMNS]
