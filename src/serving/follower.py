"""Keeps the champion in service: asks the source for it again and again, in a thread of its own."""

import logging
import threading

from src.errors import BundleError, RegistryError
from src.registry.sources import Source
from src.runtime import session
from src.serving.state import Serving

logger = logging.getLogger(__name__)


class Follower:
    """A thread, because a source may block for as long as it likes, and must never hold up an exit."""

    def __init__(self, source: Source, serving: Serving) -> None:
        self._source = source
        self._serving = serving
        self._token: str | None = None  # of the model in service
        self._said: str | None = None  # what was logged last, so that it is logged once
        self._stop = threading.Event()
        self.asked = threading.Event()  # the first round is over, however it ended

    def start(self) -> None:
        """Begin to ask; returns at once, `asked` is set after the first round."""
        threading.Thread(target=self._run, name="follower", daemon=True).start()

    def stop(self) -> None:
        """Ask no more; a round that has begun is not waited for."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.round()
            except Exception:  # a round that fails must not be the last
                logger.exception("asking %s failed", self._source.description)
            self.asked.set()
            self._stop.wait(self._serving.settings.model_refresh_seconds)

    def round(self) -> None:
        """Put the champion into service, if it is not yet; what is in service stays when that fails."""
        try:
            token = self._source.current()
            if token is None:
                self._say(f"{self._source.description} has no model yet", logging.WARNING)
            elif token != self._token:
                bundle = self._source.load()
                self._serving.serve(bundle, session.load(bundle))
                self._token = token
                self._said = None
        except BundleError as error:
            if self._say(f"refused a bundle from {self._source.description}: {error}", logging.ERROR):
                self._serving.metrics.refused.inc()
        except RegistryError as error:
            self._say(f"cannot reach the model: {error}", logging.ERROR)

    def _say(self, message: str, level: int) -> bool:
        """Log `message` unless it was the last one; return whether it was logged."""
        if message == self._said:
            return False
        self._said = message
        logger.log(level, message)
        return True
