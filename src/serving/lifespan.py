"""From start to stop: the first model, and the time between being told to stop and stopping."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType

from fastapi import FastAPI
from uvicorn import Server

from src.serving import logs
from src.serving.doors import close_doors
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
        drain_on_sigterm(serving)
        follower.start()
        await _first_round(serving, follower)
        yield
        follower.stop()
        serving.metrics.close()
        logs.lines.flush()

    return lifespan


async def _first_round(serving: Serving, follower: Follower) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + FIRST_MODEL_SECONDS
    while not (follower.asked.is_set() or serving.draining) and loop.time() < deadline:
        await asyncio.sleep(0.005)


def drain_on_sigterm(serving: Serving) -> None:
    """Let readiness say 503 for a while before Uvicorn closes its doors, however it was started."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not isinstance(server, Server):  # another server, or a test: there is nothing to put off
        return
    loop = asyncio.get_running_loop()

    async def stop() -> None:
        await asyncio.sleep(serving.settings.drain_seconds)
        await close_doors(server)
        server.should_exit = True  # by its own handler, it would end as killed instead of with 0

    def drain(number: int, frame: FrameType | None) -> None:
        if serving.draining:  # told twice: at once, then
            server.should_exit = True
            return
        serving.draining = True
        asyncio.run_coroutine_threadsafe(stop(), loop)

    signal.signal(signal.SIGTERM, drain)
