"""Asking for a newer model at once: `POST /model/reload` and `make reload`."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from src.bundle.bundle import Bundle
from src.config import Settings
from src.errors import BundleError, RegistryError
from src.runtime import session
from src.serving import reload
from src.serving.factory import create_app
from tests.conftest import FixedRuntime
from tests.ports import free_port
from tests.serving.conftest import KEY, FakeSource

MakeBundle = Callable[..., Bundle]


@pytest.fixture(autouse=True)
def any_model_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundles here hold no real model."""
    monkeypatch.setattr(session, "load", lambda bundle: FixedRuntime(1.0, 0.0, 0.0))


@contextmanager
def following(source: FakeSource, **settings: Any) -> Iterator[TestClient]:
    """Serve what `source` gives, and ask it once an hour."""
    with TestClient(create_app(Settings(**{"model_refresh_seconds": 3600, **settings}), source)) as client:
        yield client


def test_a_newer_model_is_taken_at_once(make_bundle: MakeBundle) -> None:
    source = FakeSource("a", make_bundle())
    with following(source) as client:
        before = client.post("/model/reload")
        source.token, source.bundle = "b", make_bundle(version="8")
        after = client.post("/model/reload")
        again = client.post("/model/reload")

        assert client.get("/health").json()["model_version"] == "8"
    assert before.json() == {"name": "IrisClassifier", "version": "7", "changed": False}
    assert after.json() == {"name": "IrisClassifier", "version": "8", "changed": True}
    assert again.json() == {"name": "IrisClassifier", "version": "8", "changed": False}
    assert source.loads == 2


@pytest.mark.parametrize(
    ("token", "bundle", "said"),
    [
        (RegistryError("nobody there"), None, "cannot reach the model: nobody there"),
        ("b", BundleError("it is torn"), "refused a bundle from a fake: it is torn"),
        (None, None, "a fake has no model yet"),
    ],
)
def test_what_is_wrong_with_the_source_is_said_and_the_model_stays(
    make_bundle: MakeBundle, token: str | Exception | None, bundle: Exception | None, said: str
) -> None:
    source = FakeSource("a", make_bundle())
    with following(source) as client:
        source.token, source.bundle = token, bundle
        answers = [client.post("/model/reload") for _ in range(2)]

        assert client.get("/health").json()["model_version"] == "7"
    for answer in answers:
        assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (
            503,
            "reload_failed",
            said,
        )


def test_a_source_that_came_back_is_no_longer_complained_of(make_bundle: MakeBundle) -> None:
    source = FakeSource("a", make_bundle())
    with following(source) as client:
        source.token = RegistryError("nobody there")
        assert client.post("/model/reload").status_code == 503
        source.token = "a"
        assert client.post("/model/reload").json()["changed"] is False


def test_it_takes_a_key_where_there_is_one(make_bundle: MakeBundle) -> None:
    with following(FakeSource("a", make_bundle()), api_key=KEY) as client:
        assert client.post("/model/reload").status_code == 401
        assert client.post("/model/reload", headers={"X-API-Key": KEY}).status_code == 200


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(("status", "body"), [(200, b"[]"), (200, b'{"name": "x"}'), (404, b"<html>")])
def test_another_server_on_the_port_is_no_answer(status: int, body: bytes) -> None:
    with answering(status, body) as port:
        with pytest.raises(RegistryError, match=f"port {port}: no answer that is ours"):
            reload.ask(port, None)


def test_no_server_on_the_port_is_one_line() -> None:
    port = free_port()
    with pytest.raises(RegistryError, match=f"port {port}: no server listens there"):
        reload.ask(port, None)
