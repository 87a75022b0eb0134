"""More requests than can be answered: in turns, probes beside them, and no longer than their callers wait."""

import asyncio
import re
import time
from collections.abc import Callable

import pytest
from starlette.types import Receive, Scope, Send

from src.bundle.bundle import Bundle
from src.config import Settings
from src.runtime.answers.classification import Predictions
from src.schema.features import Features
from src.serving import batches
from src.serving.app import create_app
from src.serving.http import turns
from tests.conftest import FixedRuntime
from tests.serving.conftest import FakeSource, MakeClient
from tests.serving.connections import Echo, serving, statuses

ROW = b'{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}'
HEAD = b"POST /%b HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
PROBE = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Slow(Echo):
    """Keeps the loop busy for a while with each request that is no probe."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/livez":
            time.sleep(0.002)
        await super().__call__(scope, receive, send)


async def ask(address: tuple[str, int], *packets: bytes) -> bytes:
    """Send a request in `packets`, and return its answer."""
    reader, writer = await asyncio.open_connection(*address)
    for packet in packets:
        writer.write(packet)
        await writer.drain()
        await asyncio.sleep(0.05 if packet is not packets[-1] else 0)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    writer.close()
    return head + body


@pytest.mark.parametrize("packets", [[HEAD % (b"x", 1) + b"a"], [HEAD % (b"x", 1), b"a"]])
def test_a_probe_does_not_stand_behind_others(packets: list[bytes]) -> None:
    slow = Slow()

    async def run() -> int:
        async with serving(slow) as (address, _):
            others = [asyncio.create_task(ask(address, *packets)) for _ in range(600)]
            while len(slow.asked) < 20:
                await asyncio.sleep(0)
            before = len(slow.asked)
            assert statuses(await ask(address, PROBE)) == [200]
            between = len(slow.asked) - before
            assert [statuses(answer) for answer in await asyncio.gather(*others)] == [[200]] * 600
            return between

    assert asyncio.run(run()) < 300  # behind all others it would be 580


def test_who_comes_first_is_answered_first() -> None:
    slow = Slow()

    async def run() -> None:
        async with serving(slow) as (address, _):
            callers = [await asyncio.open_connection(*address) for _ in range(50)]
            for number, (_, writer) in enumerate(callers):
                writer.write(HEAD % (b"%d" % number, 0))
            for reader, writer in callers:
                await reader.readuntil(b"=")
                writer.close()

    asyncio.run(run())

    assert [path for _, path, _ in slow.asked] == [f"/{number}" for number in range(50)]


def test_who_left_while_it_waited_is_not_answered() -> None:
    slow = Slow()

    async def run() -> None:
        async with serving(slow) as (address, connections):
            callers = [await asyncio.open_connection(*address) for _ in range(200)]
            for _, writer in callers:
                writer.write(HEAD % (b"x", 0))
            while not slow.asked:
                await asyncio.sleep(0)
            for _, writer in callers:
                writer.transport.abort()
            while connections:
                await asyncio.sleep(0.01)

    asyncio.run(run())

    assert len(slow.asked) < 150


class SlowRuntime(FixedRuntime):
    def predict(self, features: Features) -> Predictions:
        time.sleep(0.01)
        return super().predict(features)


@pytest.mark.parametrize(
    "packets", [[HEAD % (b"predict", len(ROW)) + ROW], [HEAD % (b"predict", len(ROW)), ROW]]
)
def test_who_waited_too_long_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch, make_bundle: Callable[..., Bundle], packets: list[bytes]
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(turns, "AT_ONCE", 2)
    app = create_app(Settings(model_refresh_seconds=3600, rate_limit_predict="1000/minute"), FakeSource())
    app.state.shared.serve(make_bundle(), SlowRuntime(0.75, 0.25, 0.0))

    async def run() -> tuple[list[bytes], str]:
        async with serving(app) as (address, _):
            answers = await asyncio.gather(*(ask(address, *packets) for _ in range(200)))
            return answers, app.state.shared.metrics.render().decode()

    answers, metrics = asyncio.run(run())

    given = [statuses(answer)[0] for answer in answers]
    refused = [answer for answer in answers if statuses(answer) == [503]]
    assert set(given) == {200, 503}
    assert all(b"\r\nretry-after: 1\r\n" in answer for answer in refused)
    assert all(b"content-type: application/problem+json" in answer for answer in refused)
    assert f'http_requests_total{{method="POST",route="/predict",status="503"}} {len(refused)}.0' in metrics
    assert f'api_errors_total{{endpoint="/predict",error_type="overloaded"}} {len(refused)}.0' in metrics
    assert f'model_predictions_total{{predicted_class="setosa"}} {given.count(200)}.0' in metrics
    [seconds] = re.findall(r'request_duration_seconds_sum\{method="POST",route="/predict"\} (\S+)', metrics)
    assert float(seconds) >= 0.01 * len(refused)


def test_a_batch_that_waited_too_long_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch, make_client: MakeClient
) -> None:
    monkeypatch.setattr(batches, "PATIENCE_SECONDS", -1)
    with make_client() as client:
        response = client.post(
            "/predict/batch", content=b"[" + ROW + b"]", headers={"Content-Type": "application/json"}
        )

        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert (
            'api_errors_total{endpoint="/predict/batch",error_type="overloaded"} 1.0'
            in client.get("/metrics").text
        )
