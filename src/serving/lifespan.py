"""From start to stop: the first model, and the time between being told to stop and stopping."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType

from fastapi import FastAPI

from src.serving import logs
from src.serving.follower import Follower
from src.serving.state import Serving

FIRST_MODEL_SECONDS = 10.0  # longer than that, and the server starts without one

logger = logging.getLogger(__name__)


def lifespan_of(
    serving: Serving, follower: Follower
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the lifespan of the app that serves what `follower` finds."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if serving.gate.is_open:
            logger.warning("API_KEY is not set: anyone who reaches this port may predict")
        follower.start()
        await _first_round(follower)
        drain_on_sigterm(serving)
        yield
        follower.stop()
        serving.metrics.close()
        logs.lines.flush()

    return lifespan


async def _first_round(follower: Follower) -> None:
    deadline = asyncio.get_running_loop().time() + FIRST_MODEL_SECONDS
    while not follower.asked.is_set() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.005)


def drain_on_sigterm(serving: Serving) -> None:
    """Let readiness say 503 for a while before Uvicorn, whose handler this replaces, closes its doors."""
    if threading.current_thread() is not threading.main_thread():
        return
    uvicorn = signal.getsignal(signal.SIGTERM)
    if not callable(uvicorn):
        return
    stop: Callable[[int, FrameType | None], object] = uvicorn
    loop = asyncio.get_running_loop()

    def drain(number: int, frame: FrameType | None) -> None:
        if serving.draining:  # told twice: at once, then
            stop(number, frame)
            return
        serving.draining = True
        seconds = serving.settings.drain_seconds
        loop.call_soon_threadsafe(loop.call_later, seconds, stop, number, None)

    signal.signal(signal.SIGTERM, drain)
