"""How often a client may call."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st
from limits.errors import StorageError
from limits.storage import RedisStorage

from src.serving import ratelimits
from src.serving.metrics import Metrics
from src.serving.ratelimits import Counts, LoopStorage, open_storage
from tests.serving.conftest import KEY, MakeClient


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.set_by = 0.0  # seconds that somebody set the wall clock by

    def time(self) -> float:
        return self.now + self.set_by

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ratelimits, "time", clock)
    return clock


class Flaky(LoopStorage):
    """A shared storage that can be down."""

    STORAGE_SCHEME = ["flaky"]
    up = True

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        if not self.up:
            raise StorageError(ConnectionError("no route to host"))
        return int(super().incr(key, expiry, amount))


def test_hits_are_counted_until_they_expire(clock: Clock) -> None:
    storage = LoopStorage()

    assert [storage.incr("a", 60), storage.incr("a", 60), storage.incr("b", 60)] == [1, 2, 1]
    assert (storage.get("a"), storage.get_expiry("a")) == (2, 1060.0)

    clock.now = 1060.0
    assert (storage.get("a"), storage.get("nobody")) == (0, 0)
    assert storage.incr("a", 60) == 1


@given(calls=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90))), most=st.integers(1, 5))
def test_no_client_gets_more_than_the_limit_in_a_window(calls: list[tuple[str, int]], most: int) -> None:
    clock = Clock()
    windows: dict[str, tuple[float, int]] = {}  # client: when its window ends, how often it was let in

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratelimits, "time", clock)
        storage = LoopStorage()
        for client, pause in calls:
            clock.now += pause
            end, let_in = windows.get(client, (0.0, 0))
            if clock.now >= end:
                end, let_in = clock.now + 60, 0

            allowed = storage.incr(client, 60) <= most

            assert allowed == (let_in < most)
            assert storage.get_expiry(client) == end
            windows[client] = (end, let_in + allowed)


@pytest.mark.parametrize("step", [-3600.0, 3600.0, -1e9])
def test_who_sets_the_clock_moves_no_window(
    clock: Clock, make_client: MakeClient, flower: dict[str, float], step: float
) -> None:
    def call() -> Response:
        return client.post("/predict", json=flower)

    with make_client(rate_limit_predict="1/minute") as client:
        first = call()
        clock.set_by = step
        clock.now += 20
        refused = call()
        clock.now += 40
        after = call()

    assert (first.status_code, refused.status_code, after.status_code) == (200, 429, 200)
    assert refused.headers["retry-after"] == "40"
    assert refused.json()["detail"] == "At most 1 per 1 minute are answered; try again in 40 seconds."
    assert refused.headers["x-ratelimit-reset"] == f"{1060 + step:.0f}"
    assert after.headers["x-ratelimit-reset"] == f"{1120 + step:.0f}"


def test_wrong_keys_are_let_in_again_in_time_whatever_the_wall_clock_says(
    clock: Clock, make_client: MakeClient, flower: dict[str, float]
) -> None:
    with make_client(api_key=KEY, rate_limit_wrong_key="1/minute") as client:
        statuses = []
        for pause in (0, 1, 60):
            clock.now += pause
            clock.set_by -= 3600
            sent = client.post("/predict", json=flower, headers={"X-API-Key": "wrong"})
            statuses.append(sent.status_code)

    assert statuses == [403, 429, 403]


def test_what_expired_is_forgotten(clock: Clock) -> None:
    storage = LoopStorage()
    for number in range(1000):
        storage.incr(str(number), 60)

    clock.now = 1061.0
    storage.incr("new", 60)

    assert storage.reset() == 1


def test_a_client_can_be_cleared(clock: Clock) -> None:
    storage = LoopStorage()
    storage.incr("a", 60)

    storage.clear("a")

    assert storage.check()
    assert storage.get("a") == 0


def test_a_shared_storage_is_used_while_it_is_up(clock: Clock) -> None:
    shared = Flaky()
    counts = Counts(Metrics(), shared)

    hits = [asyncio.run(counts.hit("a", 60)) for _ in range(2)]

    assert hits == [(1, 60.0), (2, 60.0)]
    assert shared.get("a") == 2


def test_each_process_counts_for_itself_while_the_storage_is_down(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    shared, metrics = Flaky(), Metrics()
    counts = Counts(metrics, shared)

    shared.up = False
    down = [asyncio.run(counts.hit("a", 60))[0] for _ in range(3)]
    clock.now += 1
    still_down = asyncio.run(counts.hit("a", 60))[0]

    assert (down, still_down) == ([1, 2, 3], 4)
    assert b"rate_limit_storage_up 0.0" in metrics.render()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "ConnectionError" in caplog.text

    shared.up = True
    clock.now += 1
    assert asyncio.run(counts.hit("a", 60))[0] == 1
    assert asyncio.run(counts.hit("a", 60))[0] == 2
    assert b"rate_limit_storage_up 1.0" in metrics.render()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_redis_connects_when_it_is_first_used() -> None:
    storage = open_storage("redis://127.0.0.1:1")

    assert isinstance(storage, RedisStorage)
    with pytest.raises(StorageError):
        storage.incr("a", 60)


def test_a_request_does_not_fail_for_the_storage(make_client: MakeClient, flower: dict[str, float]) -> None:
    with make_client(rate_limit_storage="redis://127.0.0.1:1", rate_limit_predict="2/minute") as client:
        statuses = [client.post("/predict", json=flower).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_each_key_has_a_limit_of_its_own(make_client: MakeClient, flower: dict[str, float]) -> None:
    with make_client(api_key=f"{KEY},second", rate_limit_predict="1/minute") as client:
        statuses = [
            client.post("/predict", json=flower, headers={"X-API-Key": key}).status_code
            for key in (KEY, "second", KEY, "second")
        ]

    assert statuses == [200, 200, 429, 429]


def test_wrong_keys_are_limited_and_good_ones_are_not_held_up(
    make_client: MakeClient, flower: dict[str, float]
) -> None:
    def send() -> Iterator[int]:
        for number in range(12):
            yield client.post("/predict", json=flower, headers={"X-API-Key": f"wrong-{number}"}).status_code
        yield client.post("/predict", json=flower, headers={"X-API-Key": KEY}).status_code

    with make_client(api_key=KEY) as client:
        statuses = list(send())

    assert statuses == [403] * 10 + [429] * 2 + [200]


def test_the_reset_is_a_time_to_come(make_client: MakeClient) -> None:
    with make_client() as client:
        reset = int(client.get("/health").headers["x-ratelimit-reset"])

    assert time.time() < reset <= time.time() + 61
