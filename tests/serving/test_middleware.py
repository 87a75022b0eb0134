"""What happens to every request."""

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from src.runtime.answers.classification import Predictions
from src.schema.features import Features
from src.serving.http.context import RequestContext
from src.serving.middleware import LastResort
from tests.serving.conftest import KEY, MakeClient

ORIGIN = "https://shop.example"


class Broken:
    """A runtime that fails."""

    def predict(self, features: Features) -> Predictions:
        raise RuntimeError("secret detail")


def test_an_unexpected_failure_is_a_problem_and_is_logged(
    make_client: MakeClient, flower: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    with make_client(Broken()) as client:
        failed = client.post("/predict", json=flower, headers={"X-Request-ID": "mine"})
        after = client.get("/livez")

    assert failed.status_code == 500
    assert failed.headers["x-request-id"] == "mine"
    assert "secret" not in failed.text
    assert after.status_code == 200
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.__dict__["request_id"] == "mine"
    assert "secret detail" in str(record.exc_info)


async def half_way(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("half way")


async def receive() -> Message:
    return {"type": "http.request"}


async def send(message: Message) -> None:
    pass


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_failure_that_cannot_be_answered_is_left_to_the_server(kind: str) -> None:
    scope: Scope = {"type": kind, "headers": [], "client": None}
    context = scope["context"] = RequestContext(scope, send, "/", trusts_proxies=False)

    with pytest.raises(RuntimeError, match="half way"):
        asyncio.run(LastResort(half_way)(scope, receive, context.send))


def test_a_websocket_is_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect):
        with client.websocket_connect("/predict"):
            pass


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [(ORIGIN, 200, ORIGIN), ("https://evil.example", 400, None)],
)
def test_a_preflight_needs_no_key(
    make_client: MakeClient, origin: str, status: int, allowed: str | None
) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key, content-type",
    }

    with make_client(api_key=KEY, cors_origins=ORIGIN) as client:
        response = client.options("/predict", headers=headers)

    assert response.status_code == status
    assert response.headers.get("access-control-allow-origin") == allowed
    assert (response.headers["content-type"] == "application/problem+json") == (status == 400)


@pytest.mark.parametrize(
    ("origin", "allowed"), [(ORIGIN, ORIGIN), ("https://evil.example", None), (None, None)]
)
def test_errors_can_be_read_by_pages_that_may_call(
    make_client: MakeClient, origin: str | None, allowed: str | None
) -> None:
    headers = {} if origin is None else {"Origin": origin}

    with make_client(Broken(), api_key=KEY, cors_origins=ORIGIN, rate_limit_health="1/minute") as client:
        responses: list[Any] = [
            client.post("/predict", headers=headers),
            client.get("/nothing", headers=headers),
            client.get("/health", headers=headers),
            client.get("/health", headers=headers),
        ]

    assert [response.status_code for response in responses] == [401, 404, 200, 429]
    for response in responses:
        assert response.headers.get("access-control-allow-origin") == allowed
        assert response.headers["vary"] == "Origin"


def test_in_development_every_page_may_call(client: TestClient) -> None:
    response = client.get("/", headers={"Origin": ORIGIN})

    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


def test_in_production_only_named_origins_may_call(make_client: MakeClient) -> None:
    locked = {"environment": "production", "api_key": KEY, "cors_origins": "https://shop.example"}
    with make_client(**locked) as client:
        other = client.get("/", headers={"Origin": ORIGIN.replace("shop", "evil")})
        named = client.get("/", headers={"Origin": "https://shop.example"})

    assert "access-control-allow-origin" not in other.headers
    assert named.headers["access-control-allow-origin"] == "https://shop.example"


def test_the_path_below_a_root_is_what_counts(make_client: MakeClient, flower: dict[str, float]) -> None:
    with make_client() as running:
        client = TestClient(running.app, root_path="/api")
        response = client.post("/api/predict", json=flower)
        page = client.get("/api/docs")

    assert response.status_code == 200
    assert "'openapi.json'" in page.text  # beside the page, so below the same root
