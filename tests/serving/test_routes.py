"""The endpoints beside `/predict`, and what every answer has."""

import pytest
from starlette.testclient import TestClient

from src.serving.endpoints import ENDPOINTS
from src.version import VERSION
from tests.serving.conftest import KEY, MakeClient, concrete

PATHS = [concrete(endpoint.path) for endpoint in ENDPOINTS if endpoint.method == "GET"]


def test_home_says_where_to_look_next(client: TestClient) -> None:
    assert client.get("/").json() == {
        "message": "mlops-core serves a model",
        "version": VERSION,
        "docs": "/docs",
        "health": "/health",
    }


def test_health_with_and_without_a_model(client: TestClient, make_client: MakeClient) -> None:
    with make_client(runtime=None) as without:
        unhealthy = without.get("/health")
    healthy = client.get("/health")

    assert healthy.status_code == 200
    assert healthy.json() == {
        "status": "healthy",
        "model_loaded": True,
        "version": VERSION,
        "model_version": "7",
    }
    assert unhealthy.status_code == 503
    assert unhealthy.json() == {
        "status": "unhealthy",
        "model_loaded": False,
        "version": VERSION,
        "model_version": None,
    }


def test_alive_without_a_model_but_not_ready(make_client: MakeClient) -> None:
    with make_client(runtime=None) as client:
        assert client.get("/livez").json() == {"status": "alive"}
        assert client.get("/readyz").status_code == 503


def test_not_ready_once_told_to_stop(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}

    client.app.state.shared.draining = True  # type: ignore[attr-defined]

    assert client.get("/readyz").status_code == 503
    assert client.get("/health").status_code == 200


def test_model_info_is_the_manifest(client: TestClient) -> None:
    answer = client.get("/model/info").json()

    assert len(answer.pop("digest")) == 64
    assert answer == {
        "name": "IrisClassifier",
        "version": "7",
        "model_type": "RandomForestClassifier",
        "n_features": 4,
        "n_samples": 120,
        "feature_names": ["sepal_length", "sepal_width", "petal_length", "petal_width"],
        "target_names": ["setosa", "versicolor", "virginica"],
        "accuracy": 0.9,
        "precision": 0.91,
        "recall": 0.92,
        "f1_score": 0.93,
        "mlflow_run_id": "0" * 32,
        "git_commit": "1" * 40,
        "data_digest": "2" * 64,
        "created_at": "2026-01-02T03:04:05Z",
    }


def test_model_info_needs_a_model_and_a_key(make_client: MakeClient) -> None:
    with make_client(runtime=None, api_key=KEY) as client:
        assert client.get("/model/info").status_code == 401
        assert client.get("/model/info", headers={"X-API-Key": "wrong"}).status_code == 403
        assert client.get("/model/info", headers={"X-API-Key": KEY}).status_code == 404


@pytest.mark.parametrize(
    ("path", "limit"), [("/health", "rate_limit_health"), ("/model/info", "rate_limit_model_info")]
)
def test_a_limit_is_told_and_kept(make_client: MakeClient, path: str, limit: str) -> None:
    with make_client(**{limit: "2/hour"}) as client:
        responses = [client.get(path) for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert [response.headers["x-ratelimit-remaining"] for response in responses] == ["1", "0", "0"]
    assert responses[0].headers["x-ratelimit-limit"] == "2"
    assert 3590 <= int(responses[2].headers["retry-after"]) <= 3600
    assert responses[2].json()["title"] == "Too Many Requests"


def test_metrics_count_what_was_answered(make_client: MakeClient, flower: dict[str, float]) -> None:
    with make_client(api_key=KEY, rate_limit_health="1/minute") as client:
        client.post("/predict", json=flower, headers={"X-API-Key": KEY})
        client.post("/predict")
        client.request("BREW", "/nothing/here")
        client.get("/health")
        client.get("/health")
        response = client.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=")
    lines = response.text.splitlines()
    assert 'http_requests_total{method="POST",route="/predict",status="200"} 1.0' in lines
    assert 'http_requests_total{method="other",route="unknown",status="404"} 1.0' in lines
    assert 'http_request_duration_seconds_count{method="POST",route="/predict"} 2.0' in lines
    assert "http_requests_in_flight 1.0" in lines
    assert 'model_predictions_total{predicted_class="setosa"} 1.0' in lines
    assert 'model_confidence_bucket{le="0.8"} 1.0' in lines
    assert "model_loaded 1.0" in lines
    assert any(line.startswith("model_info{") and line.endswith('version="7"} 1.0') for line in lines)
    assert 'api_errors_total{endpoint="/predict",error_type="missing_key"} 1.0' in lines
    assert 'auth_failures_total{reason="missing"} 1.0' in lines
    assert 'rate_limited_requests_total{route="/health"} 1.0' in lines
    assert "model_swaps_total 1.0" in lines


@pytest.mark.parametrize("path", [*PATHS, "/nothing/here", "/assets/favicon.png", "/assets/../x", "/docs/"])
def test_every_answer_has_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["permissions-policy"] == "camera=(), geolocation=(), microphone=()"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert len(headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_its_body(client: TestClient, path: str) -> None:
    get, head = client.get(path), client.head(path)

    assert head.status_code == get.status_code == (404 if path == "/model/card" else 200)
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/predict", *PATHS])
def test_a_method_that_is_not_allowed(client: TestClient, path: str) -> None:
    response = client.delete(path)

    assert response.status_code == 405
    assert response.headers["allow"] == ("OPTIONS, POST" if path == "/predict" else "GET, HEAD, OPTIONS")
    assert response.headers["content-type"] == "application/problem+json"


def test_head_is_not_allowed_where_get_is_not(client: TestClient) -> None:
    assert client.head("/predict").status_code == 405


def test_options_says_what_is_allowed(client: TestClient) -> None:
    response = client.options("/predict")

    assert (response.status_code, response.headers["allow"]) == (204, "OPTIONS, POST")


def test_an_unknown_path_is_a_problem(client: TestClient) -> None:
    response = client.get("/<script>")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "https://github.com/mlarnes/mlops-core/blob/main/docs/errors.md#not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this path; /docs lists what there is.",
        "code": "not_found",
    }
