"""Keeps the champion in service: asks the source for it again and again, in a thread of its own."""

import asyncio
import logging
import os
import threading
import time
from datetime import UTC, datetime, timedelta

from src.bundle import bundle as bundles
from src.errors import BundleError, RegistryError
from src.runtime import session
from src.serving.state import AppState
from src.serving.worker_gauges import has_siblings, shared_folder
from src.store.sources import Source

PATIENCE_SECONDS = 5.0  # a round that takes longer is spoken of
ASKED = "reload"  # in the folder that workers share: written when one of them was told to ask at once

logger = logging.getLogger(__name__)


class Follower:
    """A thread, because a source may block for as long as it likes, and must never hold up an exit."""

    def __init__(self, source: Source, state: AppState) -> None:
        self._source = source
        self._state = state
        self._token: str | None = None  # of the model in service
        self._said: tuple[str | None, str] | None = None  # what was logged last, so that it is logged once
        self._stop = threading.Event()
        self._wake = threading.Event()  # the next round is now
        self._begun = self._ended = 0  # rounds
        self._began: float | None = None  # when the round that is going on began
        self.asked = threading.Event()  # the first round is over, however it ended

    def start(self) -> None:
        """Begin to ask; returns at once, `asked` is set after the first round."""
        threading.Thread(target=self._run, name="follower", daemon=True).start()
        threading.Thread(target=self._watch, name="follower-watch", daemon=True).start()

    def stop(self) -> None:
        """Ask no more; a round that has begun is not waited for."""
        self._stop.set()
        self._wake.set()

    def look(self) -> None:
        """Let the next round begin at once; returns before it does."""
        self._wake.set()

    async def ask_now(self, seconds: float) -> bool:
        """Ask at once, and so do the other workers; return whether the answer came within `seconds`."""
        wanted = self._begun + 1  # the round that goes on may have looked before the change
        if has_siblings():
            (shared_folder() / ASKED).write_text(str(os.getpid()))
        self._wake.set()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._ended < wanted and loop.time() < deadline:
            await asyncio.sleep(0.01)
        return self._ended >= wanted

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            self._begun += 1
            self._began = time.monotonic()
            try:
                self.round()
            except Exception as error:  # a round that fails must not be the last
                self._say(
                    f"asking {self._source.description} failed: {type(error).__name__}: {_one_line(error)}",
                    logging.ERROR,
                )
            self._began = None
            self._ended = self._begun
            self.asked.set()
            self._wake.wait(self._state.settings.model_refresh_seconds)

    def _watch(self) -> None:
        """Say, once, that a round does not come to its end, and when it does after all.

        And begin one when another worker was told to.
        """
        asked = _last_asked()
        while not self._stop.wait(PATIENCE_SECONDS / 10):
            if (now := _last_asked()) != asked:
                asked = now
                self._wake.set()
            began = self._began
            waited = 0.0 if began is None else time.monotonic() - began
            if began is None or waited < PATIENCE_SECONDS:
                continue
            since = datetime.now(UTC) - timedelta(seconds=waited)
            logger.warning("waiting for %s since %s", self._source.description, f"{since:%Y-%m-%dT%H:%M:%SZ}")
            while self._began == began:
                if self._stop.wait(PATIENCE_SECONDS / 10):
                    return
                waited = time.monotonic() - began
            logger.info("%s answered after %.0f s", self._source.description, waited)

    def round(self) -> None:
        """Put the champion into service, if it is not yet; what is in service stays when that fails."""
        token = None
        try:
            token = self._source.current()
            if token is None:
                self._say(f"{self._source.description} has no model yet", logging.WARNING)
            else:
                if token != self._token:
                    with bundles.loading("the bundle"):
                        bundle = self._source.load()
                        self._state.serve(bundle, session.load(bundle))
                    self._token = token
                self._said = self._state.source_message = None
        except BundleError as error:
            message = f"refused a bundle from {self._source.description}: {error}"
            if self._say(message, logging.ERROR, token or error.digest):
                self._state.metrics.refused.inc()
        except RegistryError as error:
            self._say(f"cannot reach the model: {error}", logging.ERROR)

    def _say(self, message: str, level: int, digest: str | None = None) -> bool:
        """Log `message` unless it was the last one, of the same bundle; return whether it was logged."""
        if (digest, message) == self._said:
            return False
        self._said = (digest, message)
        self._state.source_message = message
        logger.log(level, message)
        return True


def _last_asked() -> int | None:
    """Return when a worker was last told to ask at once, in nanoseconds; None: never."""
    try:
        return (shared_folder() / ASKED).stat().st_mtime_ns if has_siblings() else None
    except FileNotFoundError:
        return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
