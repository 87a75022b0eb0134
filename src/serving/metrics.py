"""What Prometheus can ask: counted in one process, or summed over all workers."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    values,
)

from src.bundle.bundle import Bundle
from src.monitoring.online import Reference, RowCounter
from src.monitoring.profile import profile_of
from src.monitoring.watched import watched
from src.serving.predictions import PredictionMetrics
from src.serving.worker_gauges import forget_dead_workers, forget_worker, shared_folder
from src.serving.worker_versions import Everyone, Labels, SharedVersions

CONTENT_TYPE = CONTENT_TYPE_LATEST
FLUSH_SECONDS = 1.0  # how late rows may be where another worker shows them
_SECONDS = (0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RequestMetrics(NamedTuple):
    """What is counted for one route, method and status."""

    add: Callable[[], None]
    observe: Callable[[float], None]  # seconds


class Metrics:
    """The metrics of one app, in a registry of its own."""

    def __init__(self, most_features: int = sys.maxsize) -> None:
        self._most_features = most_features  # that are watched for drift
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._shared = bool(getattr(values.ValueClass, "_multiprocess", False))
        own = self._own = CollectorRegistry()
        self._requests = Counter(
            "http_requests", "Requests answered.", ["method", "route", "status"], registry=own
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time to answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=own,
        )
        self.in_flight = Gauge(
            "http_requests_in_flight", "Requests being answered.", registry=own, multiprocess_mode="livesum"
        )
        self.predictions = PredictionMetrics(own)
        self.loaded = Gauge(
            "model_loaded", "1 when a model is in service.", registry=own, multiprocess_mode="livemin"
        )
        self.info = Gauge(
            "model_info",
            "1 for the model in service, 0 for the one before it.",
            ["name", "version", "digest"],
            registry=own,
            multiprocess_mode="livemax",
        )
        self.feature_rows = Counter(
            "model_feature_rows",
            "Rows answered, by the bin of training's profile that their value is in.",
            ["version", "feature", "bin"],
            registry=own,
        )
        self._rows: RowCounter | None = None  # of the model in service
        self._versions: list[Labels] = []  # in `info`, the newest last
        self.reference = Reference()
        own.register(self.reference)
        self.swaps = Counter("model_swaps", "Models put into service.", registry=own)
        self.refused = Counter("model_refused", "Bundles that were not fit to serve.", registry=own)
        self.errors = Counter("api_errors", "Problems answered.", ["error_type", "endpoint"], registry=own)
        self.auth_failures = Counter(
            "auth_failures", "Requests without a good key.", ["reason"], registry=own
        )
        self.rate_limited = Counter(
            "rate_limited_requests", "Requests over a limit.", ["route"], registry=own
        )
        self.limit_storage_up = Gauge(
            "rate_limit_storage_up",
            "0 while limits are counted in each process because their storage is down.",
            registry=own,
            multiprocess_mode="livemin",
        )
        self.request = lru_cache(1024)(self._request)
        self.loaded.set(0)
        self.limit_storage_up.set(1)
        self._workers: SharedVersions | None = None
        if self._shared:
            forget_dead_workers()
            self._workers = SharedVersions(shared_folder(), self.info, self.feature_rows)
        else:
            ProcessCollector(registry=own)

    def render(self) -> bytes:
        """Return the metrics of this process, or of all workers, in Prometheus' text format.

        What was noted since the last `flush` is not in it. For any thread: of a wide table it takes long.
        """
        if not self._shared:
            return generate_latest(self._own)
        everyone = CollectorRegistry()
        Everyone(everyone)  # type: ignore[no-untyped-call]
        everyone.register(self.reference)
        return generate_latest(everyone)

    def collect(self) -> Iterable[Metric]:
        """Return what this process counted, as families of samples; as `render` does."""
        return self._own.collect()

    def row_counter(self, bundle: Bundle) -> RowCounter | None:
        """Return what counts the rows of a model about to serve; those before it are forgotten.

        Of several workers one may still serve what came before: its rows stay until nobody does.

        Raises:
            BundleError: its profile is not of its schema.
        """
        profile, version = profile_of(bundle), bundle.manifest.version
        files = None
        if self._workers is None:
            self.feature_rows.clear()
        else:
            files = self._workers.open(_labels(bundle))
        features = watched(bundle, self._most_features)
        self.reference.show(version, profile, bundle.manifest.task, features)
        if profile is None:
            self._rows = None
            return None

        def counter(feature: str, name: str) -> Callable[[float], None]:
            if files is not None:
                return files.row_counter(version, feature, name)
            return self.feature_rows.labels(version, feature, name).inc

        # Who asks for the metrics flushes; but of several workers, one alone is asked.
        later = _in_a_while if self._shared else None
        self._rows = RowCounter(profile, bundle.schema, counter, later, features)
        return self._rows

    def show(self, bundle: Bundle) -> None:
        """Say that `bundle` is in service, and what was before it; those before them are forgotten."""
        labels = _labels(bundle)
        if self._workers is not None:
            self._workers.show(labels)
            return
        self._versions = [*(known for known in self._versions if known != labels), labels]
        while len(self._versions) > 2:
            self.info.remove(*self._versions.pop(0))
        for known in self._versions:
            self.info.labels(*known).set(float(known == labels))

    def close(self) -> None:
        """Leave no gauge of this worker behind, and no row uncounted."""
        self.flush()
        if self._shared:
            forget_worker(os.getpid())

    def flush(self) -> None:
        """Count the rows that were noted; by the thread alone that answers single rows."""
        if self._rows is not None:
            self._rows.flush()

    def _request(self, method: str, route: str, status: int) -> RequestMetrics:
        return RequestMetrics(
            add=self._requests.labels(method, route, str(status)).inc,
            observe=self._seconds.labels(method, route).observe,
        )


def _in_a_while(flush: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(FLUSH_SECONDS, flush)


def _labels(bundle: Bundle) -> Labels:
    return (bundle.manifest.name, bundle.manifest.version, bundle.digest)
