"""The thread in which many rows are answered: the model takes long enough for others to wait meanwhile."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from src.serving.http.turns import overloaded
from src.serving.state import AppState

PATIENCE_SECONDS = 5.0  # whose batch has waited longer for the thread is told to come back

T = TypeVar("T")


async def in_batch_thread(state: AppState, function: Callable[..., T], *arguments: object) -> T:
    """Return what `function` does with `arguments`; raises a Problem, 503, when its turn came too late."""
    loop = asyncio.get_running_loop()
    since = time.monotonic()
    return await loop.run_in_executor(state.batch_threads, _in_time, since, function, arguments)


def _in_time(since: float, function: Callable[..., T], arguments: tuple[object, ...]) -> T:
    if time.monotonic() - since > PATIENCE_SECONDS:
        raise overloaded()
    return function(*arguments)
