"""Keeping the champion in service."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from src.bundle import Bundle
from src.config import Settings
from src.errors import BundleError, RegistryError
from src.runtime import session
from src.serving.follower import Follower
from src.serving.state import Serving
from tests.conftest import FixedRuntime
from tests.serving.conftest import FakeSource

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def serving() -> Serving:
    return Serving(Settings(model_refresh_seconds=0.001))


@pytest.fixture(autouse=True)
def any_model_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundles here hold no real model."""
    monkeypatch.setattr(session, "load", lambda bundle: FixedRuntime(1.0, 0.0, 0.0))


def version_of(serving: Serving) -> Any:
    return serving.served and serving.served.version


def test_the_champion_is_served_and_loaded_once(serving: Serving, make_bundle: MakeBundle) -> None:
    source = FakeSource("a", make_bundle())
    follower = Follower(source, serving)

    follower.round()
    follower.round()

    assert (version_of(serving), source.loads) == ("7", 1)


def test_a_new_champion_replaces_the_old(serving: Serving, make_bundle: MakeBundle) -> None:
    source = FakeSource("a", make_bundle())
    follower = Follower(source, serving)
    follower.round()

    source.token, source.bundle = "b", make_bundle(version="8")
    follower.round()

    assert version_of(serving) == "8"
    lines = serving.metrics.render().decode().splitlines()
    assert "model_swaps_total 2.0" in lines
    info = [line.rsplit('version="')[1] for line in lines if line.startswith("model_info{")]
    assert sorted(info) == ['7"} 0.0', '8"} 1.0']


def test_old_versions_do_not_pile_up(serving: Serving, make_bundle: MakeBundle) -> None:
    source = FakeSource()
    follower = Follower(source, serving)

    for version in [*map(str, range(12)), "10", "11", "10"]:  # and back, and forth
        source.token, source.bundle = version, make_bundle(version=version)
        follower.round()

    lines = serving.metrics.render().decode().splitlines()
    info = [line.rsplit('version="')[1] for line in lines if line.startswith("model_info{")]
    assert sorted(info) == ['10"} 1.0', '11"} 0.0']


@pytest.mark.parametrize(
    ("token", "bundle", "refused"),
    [
        (None, None, 0.0),
        (RegistryError("down"), None, 0.0),
        (BundleError("bad pointer"), None, 1.0),
        ("b", BundleError("bad bundle"), 1.0),
        ("b", RegistryError("gone"), 0.0),
    ],
)
def test_what_is_served_stays_when_there_is_nothing_better(
    serving: Serving,
    make_bundle: MakeBundle,
    caplog: pytest.LogCaptureFixture,
    token: Any,
    bundle: Any,
    refused: float,
) -> None:
    source = FakeSource("a", make_bundle())
    follower = Follower(source, serving)
    follower.round()

    source.token, source.bundle = token, bundle
    for _ in range(3):
        follower.round()

    assert version_of(serving) == "7"
    assert f"model_refused_total {refused}" in serving.metrics.render().decode()
    assert len([record for record in caplog.records if record.levelno >= 30]) == 1

    source.token, source.bundle = "c", make_bundle(version="9")
    follower.round()
    assert version_of(serving) == "9"


def test_a_bundle_that_was_refused_is_tried_again(serving: Serving, make_bundle: MakeBundle) -> None:
    source = FakeSource("a", BundleError("half copied"))
    follower = Follower(source, serving)
    follower.round()

    source.bundle = make_bundle()
    follower.round()

    assert version_of(serving) == "7"


def test_a_round_that_fails_is_not_the_last(
    serving: Serving, make_bundle: MakeBundle, caplog: pytest.LogCaptureFixture
) -> None:
    source = FakeSource(ZeroDivisionError("a bug"), make_bundle())
    follower = Follower(source, serving)

    follower.start()
    assert follower.asked.wait(10)
    source.token = "a"
    wait_for(lambda: version_of(serving) == "7")
    follower.stop()

    assert "asking a fake failed" in caplog.text


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
