"""Fair turns of the event loop: so many requests go on in each, and the others wait in their order.

A loop runs all that is ready before it looks at its sockets again. With a thousand requests ready, a
thousand answers would be made first, and a probe, a new connection even, would wait for all of them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle as Cycle

from src.serving.problems import Problem

AT_ONCE = 16  # requests that go on in one turn: more hold up probes, fewer make the turns cost more
PATIENCE_SECONDS = 1.0  # whoever has waited longer is told to come back
PROBES = frozenset({"/livez", "/readyz", "/metrics"})

Step = Callable[[Cycle], None]


class Lane:
    """Requests of one kind: the first come is the first served."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._left = AT_ONCE  # of this turn; nobody waits unless it is 0
        self._waiting: deque[tuple[Step, Cycle, float]] = deque()

    def take(self, step: Step, cycle: Cycle) -> None:
        """Call `step` with `cycle`, now or in the turn that is its own."""
        if not self._left:
            self._waiting.append((step, cycle, time.perf_counter()))
            return
        if self._left == AT_ONCE:
            self._loop.call_soon(self._turn)
        self._left -= 1
        step(cycle)

    def _turn(self) -> None:
        self._left = AT_ONCE
        if not self._waiting:
            return
        now = time.perf_counter()
        while self._waiting and self._left:
            step, cycle, since = self._waiting.popleft()
            if not cycle.disconnected:
                state: dict[str, Any] = cycle.scope["state"]
                state["waited"] = state.get("waited", 0.0) + now - since
                self.take(step, cycle)


class Turns:
    """The lanes of one event loop: probes do not stand behind predictions."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._probes = Lane(loop)
        self._others = Lane(loop)

    def take(self, step: Step, cycle: Cycle) -> None:
        """Call `step` with `cycle` when it is its turn."""
        (self._probes if cycle.scope["path"] in PROBES else self._others).take(step, cycle)


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns_of(loop: asyncio.AbstractEventLoop) -> Turns:
    """Return the turns that all connections of `loop` share."""
    if loop not in _turns:
        _turns[loop] = Turns(loop)
    return _turns[loop]


def wake(cycle: Cycle) -> None:
    """Let a request go on that waits for its body, a step to take a turn for."""
    cycle.message_event.set()


def waited(scope: Scope) -> float:
    """Return the seconds that a request has waited for its turns."""
    seconds: float = scope.get("state", {}).get("waited", 0.0)
    return seconds


def require_patience(scope: Scope) -> None:
    """Raise a Problem, 503, when the request has waited so long that its caller may have given up."""
    if waited(scope) > PATIENCE_SECONDS:
        raise overloaded()


def overloaded() -> Problem:
    """Return the answer to who comes while there is more to do than can be done in time.

    It is given after the wait, not before: who is refused at once asks again at once, and refusals
    would take the time that answers need.
    """
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "overloaded",
        "More is asked than can be answered in time.",
        {"Retry-After": "1"},
    )
