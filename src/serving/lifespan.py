"""From start to stop: the first model, and the time between being told to stop and stopping."""

import asyncio
import logging
import multiprocessing
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import FrameType

from fastapi import FastAPI
from uvicorn import Server

from src.config import near_misses
from src.serving import logs
from src.serving.follower import Follower
from src.serving.http.shutdown import close_listeners
from src.serving.state import AppState
from src.serving.worker_gauges import has_siblings

FIRST_MODEL_SECONDS = 10.0  # longer than that, and the server starts without one

logger = logging.getLogger(__name__)


def lifespan_of(
    state: AppState, follower: Follower
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the lifespan of the app that serves what `follower` finds."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if state.auth.is_open:
            logger.warning("API_KEY is not set: anyone who reaches this port may predict")
        for line in near_misses():
            logger.warning(line)
        if multiprocessing.parent_process() is not None and not has_siblings():
            logger.warning(
                "started by another supervisor: where it runs several workers, each counts its metrics and"
                " limits for itself; WORKERS=2 python -m src.serving counts them together"
            )
        look_on_sighup(follower)
        drain_on_sigterm(state)
        follower.start()
        await _first_round(state, follower)
        yield
        follower.stop()
        state.metrics.close()
        logs.lines.flush()

    return lifespan


async def _first_round(state: AppState, follower: Follower) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + FIRST_MODEL_SECONDS
    while not (follower.asked.is_set() or state.draining) and loop.time() < deadline:
        await asyncio.sleep(0.005)


def look_on_sighup(follower: Follower) -> None:
    """Let SIGHUP have the source asked at once; of a server on a terminal, it stays the terminal's end."""
    if _uvicorn() is None or not hasattr(signal, "SIGHUP") or (sys.stdin and sys.stdin.isatty()):
        return

    def look(number: int, frame: FrameType | None) -> None:
        logger.info("SIGHUP: asking for a newer model")
        follower.look()

    signal.signal(signal.SIGHUP, look)


def drain_on_sigterm(state: AppState) -> None:
    """Let readiness say 503 for a while before Uvicorn closes its doors, however it was started."""
    server = _uvicorn()
    if server is None:
        return
    loop = asyncio.get_running_loop()

    async def stop() -> None:
        await asyncio.sleep(state.settings.drain_seconds)
        await close_listeners(server)
        server.should_exit = True  # by its own handler, it would end as killed instead of with 0

    def drain(number: int, frame: FrameType | None) -> None:
        if state.draining:  # told twice: at once, then
            server.should_exit = True
            return
        state.draining = True
        asyncio.run_coroutine_threadsafe(stop(), loop)

    signal.signal(signal.SIGTERM, drain)


def _uvicorn() -> Server | None:
    """Return the server that we run in and whose signals are ours; None in another one, or in a test."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, Server) else None
