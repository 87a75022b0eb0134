"""What the parts of one app share."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus

from src.bundle.bundle import Bundle
from src.config import Settings
from src.runtime.predictions import Runtime
from src.serving.auth import ApiKeyAuth
from src.serving.loaded_model import LoadedModel
from src.serving.metrics import Metrics
from src.serving.problems import Problem
from src.serving.ratelimits import Quotas

BATCH_THREADS = 1  # one fills what the event loop leaves of the interpreter; each more holds memory

logger = logging.getLogger(__name__)


class AppState:
    """The settings, the model in service, and whether we are about to stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics(settings.drift_features)
        self.quotas = Quotas(settings, self.metrics)
        keys = (key.get_secret_value() for key in settings.api_key)
        self.auth = ApiKeyAuth(keys, self.quotas.wrong_key, self.metrics)
        self.batch_threads = ThreadPoolExecutor(BATCH_THREADS, "batch")
        self.draining = False
        self.served_since = ""  # when the model came into service here, ISO 8601, UTC
        self.source_message: str | None = None  # what is wrong with the model's source, if anything
        self.loaded: LoadedModel | None = None

    def serve(self, bundle: Bundle, runtime: Runtime) -> None:
        """Put a model into service; requests that have begun keep the one they began with."""
        self.loaded = LoadedModel(bundle, runtime, self.metrics, self.settings.batch_max_rows)
        self.served_since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.metrics.show(bundle)
        self.metrics.loaded.set(1)
        self.metrics.swaps.inc()
        logger.info("serving %s version %s, %s", bundle.manifest.name, bundle.manifest.version, bundle.digest)

    def require_model(self) -> LoadedModel:
        """Return the model in service; raises a Problem, 503, when there is none."""
        if self.loaded is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "no_model", "No model is loaded yet.", {"Retry-After": "5"}
            )
        return self.loaded
