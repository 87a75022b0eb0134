"""How often a client may call: SlowAPI's Limiter holds the counts, here or in a storage that is shared."""

import asyncio
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import Storage
from slowapi import Limiter

from src.config import Settings
from src.errors import ConfigError
from src.serving.http.context import RequestContext
from src.serving.metrics import Metrics
from src.serving.problems import Problem

RETRY_SECONDS = 1.0  # how long a storage that failed is left alone
TIMEOUT_SECONDS = 0.25  # of a storage that is shared
SWEEP_SECONDS = 60.0

logger = logging.getLogger(__name__)


class LoopStorage(Storage):
    """Counts in the memory of one event loop.

    The one that `limits` brings starts a thread after each hit to forget what has expired, which takes
    longer than a prediction, and locks, which one loop does not need.
    """

    STORAGE_SCHEME = ["loop"]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str) -> None:
        super().__init__(uri, wrap_exceptions)
        self._counts: dict[str, tuple[int, float]] = {}  # key: hits, when they expire
        self._next_sweep = -math.inf

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def hit(self, key: str, expiry: int, amount: int = 1) -> tuple[int, float]:
        """Count a hit; return how many there are, and in how many seconds they expire.

        The clock is one that nobody sets: a step of the wall clock locks no client out, and lets none in.
        """
        now = time.monotonic()
        if now >= self._next_sweep:
            self._counts = {name: entry for name, entry in self._counts.items() if entry[1] > now}
            self._next_sweep = now + SWEEP_SECONDS
        count, expires = self._counts.get(key, (0, -math.inf))
        if expires <= now:
            count, expires = 0, now + expiry
        self._counts[key] = (count + amount, expires)
        return count + amount, expires - now

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self.hit(key, expiry, amount)[0]

    def get(self, key: str) -> int:
        count, expires = self._counts.get(key, (0, -math.inf))
        return count if expires > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        now = time.monotonic()
        return time.time() + self._counts.get(key, (0, now))[1] - now

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._counts)
        self._counts.clear()
        return count

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)


def open_storage(uri: str) -> Storage:
    """Return the storage of a SlowAPI Limiter; it connects when it is first used.

    Raises:
        ConfigError: the address is not one.
    """
    options = {} if uri == "loop://" else _shared_options()
    try:
        limiter = Limiter(key_func=_unused, storage_uri=uri, storage_options=options)
    except ValueError as error:  # what it says may hold a password
        raise ConfigError("RATE_LIMIT_STORAGE: must be an address such as redis://host:6379") from error
    storage: Storage = limiter.limiter.storage
    return storage


def _shared_options() -> dict[str, Any]:
    timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), TIMEOUT_SECONDS)
    return {**timeouts, "wrap_exceptions": True}


def _unused() -> str:
    raise AssertionError("the client is named by the caller of the storage")


class Counts:
    """Counts hits in the shared storage, if there is one, and in this process while that is down."""

    def __init__(self, metrics: Metrics, shared: Storage | None) -> None:
        own = open_storage("loop://")
        assert isinstance(own, LoopStorage)
        self._own = own
        self._shared = shared
        self._threads = ThreadPoolExecutor(8, "limits") if shared else None  # the loop never waits for it
        self._up = metrics.limit_storage_up
        self._retry_at = 0.0  # 0: the shared storage answered last time

    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        """Count one hit; return how many there are, and in how many seconds they expire."""
        if self._shared is not None and time.monotonic() >= self._retry_at:
            probing = self._retry_at > 0
            if probing:
                self._retry_at = time.monotonic() + RETRY_SECONDS  # one request asks, the others go on
            loop = asyncio.get_running_loop()
            try:
                found = await loop.run_in_executor(self._threads, self._hit_shared, key, seconds)
            except StorageError as error:
                self._down(error)
            else:
                if probing:
                    self._back()
                return found
        return self._own.hit(key, seconds)

    def _hit_shared(self, key: str, seconds: int) -> tuple[int, float]:
        assert self._shared is not None
        count = self._shared.incr(key, seconds)
        return count, self._shared.get_expiry(key) - time.time()  # which it has added to what is left

    def _down(self, error: StorageError) -> None:
        if self._retry_at == 0:
            reason = type(error.storage_error).__name__
            logger.error("the storage of rate limits is down (%s): each process counts for itself", reason)
            self._up.set(0)
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _back(self) -> None:
        self._retry_at = 0.0
        logger.warning("the storage of rate limits is back")
        self._up.set(1)


class Quota:
    """One limit of one route."""

    def __init__(self, counts: Counts, metrics: Metrics, route: str, limit: str) -> None:
        self._counts = counts
        self._route = route
        self._refused = metrics.rate_limited.labels(route)
        self._item: RateLimitItem = parse(limit)
        self._amount = self._item.amount
        # Ours, and those of the IETF draft (draft-ietf-httpapi-ratelimit-headers).
        self._limit_headers = (
            (b"x-ratelimit-limit", b"%d" % self._amount),
            (b"ratelimit-policy", b'"default";q=%d;w=%d' % (self._amount, self._item.get_expiry())),
        )
        self._key = lru_cache(4096)(self._item.key_for)

    async def take(self, context: RequestContext) -> None:
        """Count the request on its client, and say in its answer what is left.

        Raises:
            Problem: 429, with the seconds to wait.
        """
        count, left = await self._counts.hit(self._key(self._route, context.client), self._item.get_expiry())
        remaining, seconds = max(self._amount - count, 0), math.ceil(left)
        context.added += (
            *self._limit_headers,
            (b"ratelimit", b'"default";r=%d;t=%d' % (remaining, seconds)),
            (b"x-ratelimit-remaining", b"%d" % remaining),
            (b"x-ratelimit-reset", b"%d" % math.ceil(time.time() + left)),
        )
        if count > self._amount:
            self._refuse(left)

    async def take_wrong_key(self, context: RequestContext) -> None:
        """Count a wrong key on the address it came from; raises as `take` does."""
        key = self._key(self._route, context.address)
        count, left = await self._counts.hit(key, self._item.get_expiry())
        if count > self._amount:
            self._refuse(left)

    def _refuse(self, left: float) -> None:
        self._refused.inc()
        seconds = max(math.ceil(left), 1)
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "rate_limited",
            f"At most {self._item} are answered; try again in {seconds} seconds.",
            {"Retry-After": str(seconds)},
        )


class Quotas:
    """The limits of one app, counted in one storage."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        uri = settings.rate_limit_storage
        self._settings = settings
        self._metrics = metrics
        self._counts = Counts(metrics, None if uri.startswith("memory://") else open_storage(uri))
        self.wrong_key = self.of("wrong key", "rate_limit_wrong_key")

    def of(self, route: str, limit: str) -> Quota:
        """Return the quota of `route`; `limit` is the setting that says how much, or says it: `20/minute`."""
        return Quota(self._counts, self._metrics, route, getattr(self._settings, limit, limit))
