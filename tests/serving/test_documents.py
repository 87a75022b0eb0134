"""The OpenAPI document and the pages that show it."""

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from src.serving.endpoints import ENDPOINTS
from tests.serving.conftest import KEY, MakeClient


def document(make_client: MakeClient, **options: Any) -> dict[str, Any]:
    with make_client(**options) as client:
        content: dict[str, Any] = client.get("/openapi.json").json()
        assert client.app.openapi() == content  # type: ignore[attr-defined]
    return content


def test_every_endpoint_is_described(make_client: MakeClient) -> None:
    content = document(make_client)

    assert content["openapi"].startswith("3.1")
    assert {path: list(operations) for path, operations in content["paths"].items()} == {
        endpoint.path: [endpoint.method.lower()] for endpoint in ENDPOINTS if endpoint.documented
    }


def test_predict_is_described_as_the_model_in_service_has_it(make_client: MakeClient) -> None:
    content = document(make_client, api_key=KEY)
    predict, schemas = content["paths"]["/predict"]["post"], content["components"]["schemas"]

    assert list(predict["responses"]) == [
        "200",
        "400",
        "401",
        "403",
        "408",
        "409",
        "413",
        "415",
        "422",
        "429",
        "503",
        "500",
    ]
    assert predict["security"] == [{"APIKey": []}]
    assert content["components"]["securitySchemes"]["APIKey"]["name"] == "X-API-Key"
    assert predict["requestBody"]["content"]["application/json"]["example"] == {
        "sepal_length": 5.1,
        "sepal_width": 3.5,
        "petal_length": 1.4,
        "petal_width": 0.2,
    }
    assert schemas["Row"]["properties"]["sepal_length"] == {
        "type": "number",
        "minimum": 0.7,
        "maximum": 11.5,
        "title": "sepal length (cm)",
    }
    assert schemas["Row"]["additionalProperties"] is False
    assert schemas["Prediction"]["properties"]["prediction"]["enum"] == ["setosa", "versicolor", "virginica"]
    refused = predict["responses"]["429"]
    assert list(refused["content"]) == ["application/problem+json"]
    assert {"Retry-After", "X-RateLimit-Limit", "X-Request-ID"} <= refused["headers"].keys()


def test_without_a_model_predict_takes_any_object(make_client: MakeClient) -> None:
    content = document(make_client, runtime=None)

    body = content["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["type"] == "object"
    assert "Row" not in content["components"]["schemas"]


def test_without_keys_no_operation_asks_for_one(make_client: MakeClient) -> None:
    content = document(make_client)

    operations = [operation for path in content["paths"].values() for operation in path.values()]
    assert [operation for operation in operations if "security" in operation] == []


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_a_page_loads_only_what_we_serve(client: TestClient, page: str) -> None:
    response = client.get(page)

    addresses = re.findall(r"""(?:src|href|url|spec-url)\s*[=:]\s*["']([^"']+)""", response.text)
    assert len(addresses) >= 3
    assert {client.get(address).status_code for address in addresses} == {200}
    assert "//" not in "".join(addresses)


def below(app: ASGIApp, prefix: str, root_path: bool) -> ASGIApp:
    """Return `app` as a server shows it below `prefix`; a proxy that strips it says nothing of it."""

    async def shown(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(f"{prefix}/"):
            await PlainTextResponse("not ours", 404)(scope, receive, send)
            return
        if scope["type"] == "http" and root_path:
            scope = {**scope, "root_path": prefix}
        elif scope["type"] == "http":
            path = scope["path"].removeprefix(prefix)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await app(scope, receive, send)

    return shown


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
@pytest.mark.parametrize("prefix", ["", "/api", "/models/iris-1"])
@pytest.mark.parametrize("root_path", [False, True])
def test_a_page_asks_below_its_own_prefix(
    client: TestClient, flower: dict[str, float], page: str, prefix: str, root_path: bool
) -> None:
    behind = TestClient(below(client.app, prefix, root_path))

    response = behind.get(prefix + page)
    found = re.findall(r"""(?:src|href|url|spec-url)\s*[=:]\s*["']([^"']+)""", response.text)
    addresses = {urljoin(str(response.url), address) for address in found}
    [document] = [address for address in addresses if address.endswith("/openapi.json")]
    [server] = behind.get(document).json()["servers"]
    base = urljoin(document, server["url"]).removesuffix("/")  # as Swagger UI has it

    assert len(addresses) == {"/docs": 4, "/redoc": 3}[page]
    assert [one for one in addresses if not one.startswith(f"http://testserver{prefix}/")] == []
    assert {behind.get(address).status_code for address in addresses} == {200}
    assert base == f"http://testserver{prefix}"
    assert behind.post(f"{base}/predict", json=flower).status_code == 200


def test_the_document_is_sent_to_no_validator(client: TestClient) -> None:
    assert '"validatorUrl": null' in client.get("/docs").text


def test_the_script_in_a_page_may_run_and_no_other(client: TestClient) -> None:
    policy = client.get("/docs").headers["content-security-policy"]

    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/]{43}='; style-src", policy)


def test_a_browser_may_keep_the_assets(client: TestClient) -> None:
    first = client.get("/assets/swagger-ui.css")
    second = client.get("/assets/swagger-ui.css", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, max-age=86400"
    assert (second.status_code, second.content) == (304, b"")
