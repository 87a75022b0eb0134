"""A served app without a server and without training."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from src.bundle.bundle import Bundle
from src.config import Settings
from src.runtime.predictions import Runtime
from src.serving.factory import create_app
from tests.conftest import FixedRuntime

KEY = "good-" + "k" * 32
MakeClient = Callable[..., AbstractContextManager[TestClient]]


def concrete(path: str) -> str:
    """Return `path` with the model of the tests in the place of its parameters."""
    return path.replace("{name}", "IrisClassifier").replace("{version}", "7")


class FakeSource:
    """A source whose answers are attributes: an error is raised, anything else returned."""

    description = "a fake"

    def __init__(
        self, token: str | Exception | None = None, bundle: Bundle | Exception | None = None
    ) -> None:
        self.token = token
        self.bundle = bundle
        self.loads = 0

    def current(self) -> str | None:
        if isinstance(self.token, Exception):
            raise self.token
        return self.token

    def load(self) -> Bundle:
        self.loads += 1
        if isinstance(self.bundle, Exception):
            raise self.bundle
        assert self.bundle is not None
        return self.bundle


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def make_client(make_bundle: Callable[..., Bundle]) -> MakeClient:
    """Return a running app's client: `make_client(runtime=…, bundle=…, api_key=…, …)`, settings by name.

    `runtime=None` is an app without a model. The default answers setosa with 0.75.
    """

    @contextmanager
    def make(
        runtime: Runtime | None = FixedRuntime(0.75, 0.25, 0.0), bundle: Bundle | None = None, **settings: Any
    ) -> Iterator[TestClient]:
        app = create_app(Settings(**{"model_refresh_seconds": 3600, **settings}), FakeSource())
        if runtime is not None:
            app.state.shared.serve(bundle or make_bundle(), runtime)
        with TestClient(app) as client:
            yield client

    return make


@pytest.fixture
def client(make_client: MakeClient) -> Iterator[TestClient]:
    """An open app with a model."""
    with make_client() as client:
        yield client
