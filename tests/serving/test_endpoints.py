"""The table of endpoints, and that one entry of it is all that an endpoint needs."""

import asyncio
import subprocess
import sys
import threading
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from scripts import ingress, tables
from src.serving import factory, models, openapi
from src.serving.endpoint import Endpoint, answering
from src.serving.endpoints import ENDPOINTS
from src.serving.follower import Follower
from src.serving.http.context import RequestContext
from src.serving.metrics import Metrics
from tests.conftest import REPOSITORY
from tests.serving.conftest import KEY, MakeClient, concrete

SHOWN = [endpoint for endpoint in ENDPOINTS if endpoint.documented]


def test_what_callers_rely_on() -> None:
    assert {f"{one.method} {one.path}": (one.key, one.limit) for one in SHOWN} == {
        "GET /": (False, None),
        "GET /health": (False, "rate_limit_health"),
        "GET /livez": (False, None),
        "GET /readyz": (False, None),
        "GET /metrics": (False, None),
        "GET /model/info": (True, "rate_limit_model_info"),
        "GET /model/card": (True, "rate_limit_model_info"),
        "POST /model/reload": (True, "rate_limit_model_info"),
        "POST /predict": (True, "rate_limit_predict"),
        "POST /predict/batch": (True, "rate_limit_predict_batch"),
        "GET /v2": (False, None),
        "GET /v2/health/live": (False, None),
        "GET /v2/health/ready": (False, None),
        "GET /v2/models/{name}": (True, "rate_limit_model_info"),
        "GET /v2/models/{name}/ready": (False, None),
        "POST /v2/models/{name}/infer": (True, "rate_limit_predict_batch"),
        "GET /v2/models/{name}/versions/{version}": (True, "rate_limit_model_info"),
        "GET /v2/models/{name}/versions/{version}/ready": (False, None),
        "POST /v2/models/{name}/versions/{version}/infer": (True, "rate_limit_predict_batch"),
        "POST /invocations": (True, "rate_limit_predict_batch"),
        "POST /endpoints/{name}/invocations": (True, "rate_limit_predict_batch"),
        "GET /api/2.0/endpoints": (True, "rate_limit_model_info"),
        "GET /api/2.0/endpoints/{name}": (True, "rate_limit_model_info"),
        "GET /ping": (False, None),
        "GET /version": (False, None),
    }


def test_no_two_endpoints_have_a_path_or_a_name() -> None:
    assert len({endpoint.path for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert len({endpoint.name for endpoint in ENDPOINTS}) == len(ENDPOINTS)


async def shout(request: Request) -> models.Probe:
    return models.Probe(status="alive")


def new_endpoint(**options: Any) -> Endpoint:
    return Endpoint(
        path="/shout",
        name="shout",
        handler=answering(shout),
        summary="Shout.",
        method="PUT",
        answer=models.Probe,
        **options,
    )


@pytest.mark.parametrize("limit", ["2/hour", "rate_limit_health"])
def test_an_entry_is_a_route_with_a_key_a_limit_and_labels(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(factory, "ENDPOINTS", (*ENDPOINTS, new_endpoint(key=True, limit=limit)))

    with make_client(api_key=KEY, rate_limit_health="2/hour") as client:
        client.get("/health")  # counts for itself, however many share the setting
        answers = [client.put("/shout", headers={"X-API-Key": KEY}) for _ in range(3)]
        refused = [client.put("/shout"), client.put("/shout", headers={"X-API-Key": "wrong"})]
        other, options = client.get("/shout"), client.options("/shout")
        counted = client.get("/metrics").text

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].content == b'{"status":"alive"}'
    assert answers[0].headers["x-ratelimit-remaining"] == "1"
    assert [answer.status_code for answer in refused] == [401, 403]
    assert (other.status_code, other.headers["allow"]) == (405, "OPTIONS, PUT")
    assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, PUT")
    assert 'http_requests_total{method="PUT",route="/shout",status="200"} 2.0' in counted
    assert 'rate_limited_requests_total{route="/shout"} 1.0' in counted


def test_pages_of_other_origins_may_use_its_method(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "ENDPOINTS", (*ENDPOINTS, new_endpoint()))
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}

    with make_client(cors_origins="https://shop.example") as client:
        assert client.options("/shout", headers=headers).status_code == 200


def test_an_entry_is_documented(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = new_endpoint(
        key=True, limit="2/hour", description="Loud.", problems=(HTTPStatus.SERVICE_UNAVAILABLE,)
    )
    for module in (factory, tables):
        monkeypatch.setattr(module, "ENDPOINTS", (*ENDPOINTS, entry))

    with make_client(api_key=KEY) as client:
        operation = client.get("/openapi.json").json()["paths"]["/shout"]["put"]

    assert operation["operationId"] == "shout"
    assert (operation["summary"], operation["description"]) == ("Shout.", "Loud.")
    assert list(operation["responses"]) == ["200", "401", "403", "429", "503", "500"]
    assert operation["security"] == [{"APIKey": []}]
    assert "X-RateLimit-Limit" in operation["responses"]["503"]["headers"]
    assert tables.endpoints()[-1] == (
        "`PUT /shout`",
        "yes",
        "`2/hour`",
        "Shout. Loud.",
        "`status`",
        "401, 403, 429, 503",
    )


@pytest.mark.parametrize("internal", [True, False])
def test_the_ingress_leads_to_what_is_for_the_world(monkeypatch: pytest.MonkeyPatch, internal: bool) -> None:
    monkeypatch.setattr(ingress, "ENDPOINTS", (*ENDPOINTS, new_endpoint(internal=internal)))
    before = ingress.INGRESS.read_text()

    added = set(ingress.filled(before).splitlines()) - set(before.splitlines())

    backend = "{service: {name: iris-api, port: {name: http}}}"
    line = f"          - {{path: /shout, pathType: Exact, backend: {backend}}}"
    assert added == (set() if internal else {line})


def test_the_apps_routes_are_those_of_the_table(client: TestClient) -> None:
    app: Any = client.app
    routes = [(route.path, route.name) for route in app.routes if isinstance(route, Route)]

    assert routes == [(endpoint.path, endpoint.name) for endpoint in ENDPOINTS]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_router_answers_as_the_app_does(
    client: TestClient, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = client.app
    monkeypatch.setattr(Follower, "round", lambda self: None)  # the source has nothing new
    app.state.shared.source_message = None
    loaded = app.state.shared.loaded
    loaded.bundle = replace(loaded.bundle, card_page=b"<h1>Card</h1>")

    async def without_middleware(scope: Any, receive: Any, send: Any) -> None:
        scope["context"], scope["app"] = RequestContext(scope, send, endpoint.path, False), app
        await app.router(scope, receive, send)

    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    matrix = {"name": "rows", "datatype": "FP64", "shape": [1, 4], "data": [*row.values()]}
    bodies = {
        "predict": row,
        "predict_batch": {"rows": [row]},
        **dict.fromkeys(("invocations", "endpoint_invocations"), {"instances": [row]}),
    }
    options = {"json": bodies.get(endpoint.name, {"inputs": [matrix]})} if endpoint.method == "POST" else {}
    answers = [
        to.request(endpoint.method, concrete(endpoint.path), **options)
        for to in (client, TestClient(without_middleware))
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    if endpoint.name not in ("prometheus", "page_live"):  # what was asked counts
        assert answers[0].content == answers[1].content


def test_the_document_is_written_while_others_are_answered(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    others_are_answered = threading.Event()
    write = openapi.write

    def slow(*args: Any, **options: Any) -> dict[str, Any]:
        written.append(1)
        assert others_are_answered.wait(60)
        return write(*args, **options)

    async def ask(app: FastAPI) -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            documents = [asyncio.create_task(client.get("/openapi.json")) for _ in range(3)]
            while not written:
                await asyncio.sleep(0)
            alive = await client.get("/livez")
            others_are_answered.set()
            return [alive, *await asyncio.gather(*documents)]

    monkeypatch.setattr(openapi, "write", slow)
    with make_client() as client:
        answers = asyncio.run(ask(client.app))  # type: ignore[arg-type]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers[1:]}) == 1
    assert len(written) == 1


@pytest.mark.parametrize(("path", "method"), [("/metrics", "render"), ("/page/live", "collect")])
def test_others_are_answered_while_the_metrics_are_written(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, path: str, method: str
) -> None:
    begun = threading.Event()
    others_are_answered = threading.Event()
    write = getattr(Metrics, method)

    def slow(metrics: Metrics) -> Any:
        begun.set()
        assert others_are_answered.wait(60)
        return write(metrics)

    async def ask(app: FastAPI) -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            asked = asyncio.create_task(client.get(path))
            while not begun.is_set():
                await asyncio.sleep(0)
            alive = await client.get("/livez")
            others_are_answered.set()
            return [alive.status_code, (await asked).status_code]

    monkeypatch.setattr(Metrics, method, slow)
    with make_client() as client:
        assert asyncio.run(ask(client.app)) == [200, 200]  # type: ignore[arg-type]


def test_the_document_follows_the_model(client: TestClient, make_bundle: Any) -> None:
    serving = client.app.state.shared  # type: ignore[attr-defined]
    before = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]

    serving.loaded = None
    without = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]

    assert before["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Row"}
    assert without["content"]["application/json"] == {
        "schema": {"additionalProperties": True, "type": "object"}
    }


def test_importing_the_factory_does_nothing() -> None:
    code = (
        "import gc, logging, src.serving.factory, src.serving.endpoints\n"
        "print(gc.get_freeze_count(), logging.getLogger().handlers)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"PORT": "none"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "0 []\n"
