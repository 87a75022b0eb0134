"""Keeping the champion in service."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import Settings
from src.errors import BundleError, RegistryError
from src.runtime import session
from src.serving.app import create_app
from src.serving.follower import Follower
from src.serving.state import AppState
from src.store.sources import source_for
from tests.conftest import FixedRuntime
from tests.servers import PATIENCE
from tests.serving.conftest import FakeSource

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def serving() -> AppState:
    return AppState(Settings(model_refresh_seconds=0.001))


@pytest.fixture(autouse=True)
def any_model_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundles here hold no real model."""
    monkeypatch.setattr(session, "load", lambda bundle: FixedRuntime(1.0, 0.0, 0.0))


def version_of(serving: AppState) -> Any:
    return serving.loaded and serving.loaded.version


def test_the_champion_is_served_and_loaded_once(serving: AppState, make_bundle: MakeBundle) -> None:
    source = FakeSource("a", make_bundle())
    follower = Follower(source, serving)

    follower.round()
    follower.round()

    assert (version_of(serving), source.loads) == ("7", 1)


def test_a_new_champion_replaces_the_old(serving: AppState, make_bundle: MakeBundle) -> None:
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


def test_old_versions_do_not_pile_up(serving: AppState, make_bundle: MakeBundle) -> None:
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
    serving: AppState,
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


def test_a_bundle_that_was_refused_is_tried_again(serving: AppState, make_bundle: MakeBundle) -> None:
    source = FakeSource("a", BundleError("half copied"))
    follower = Follower(source, serving)
    follower.round()

    source.bundle = make_bundle()
    follower.round()

    assert version_of(serving) == "7"


def test_a_round_that_fails_is_not_the_last(
    serving: AppState, make_bundle: MakeBundle, caplog: pytest.LogCaptureFixture
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
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def refusals(serving: AppState) -> float:
    [line] = [
        line
        for line in serving.metrics.render().decode().splitlines()
        if line.startswith("model_refused_total")
    ]
    return float(line.split()[1])


def test_two_bundles_refused_for_the_same_reason_are_both_said_and_counted(
    serving: AppState, caplog: pytest.LogCaptureFixture
) -> None:
    source = FakeSource("a", BundleError("schema.json: has 0 columns"))
    follower = Follower(source, serving)

    for token in ("a", "a", "b", "b"):
        source.token = token
        follower.round()

    assert refusals(serving) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "refused a bundle from a fake: schema.json: has 0 columns"
    ] * 2


def test_two_pointers_refused_for_the_same_reason_are_both_counted(serving: AppState, tmp_path: Path) -> None:
    follower = Follower(source_for(Settings(mlflow_tracking_uri=str(tmp_path))), serving)

    for content in (b'{"a": 1}', b'{"a": 1}', b'{"a": 2}', b'{"a": 2}'):
        (tmp_path / "champion.json").write_bytes(content)
        follower.round()

    assert refusals(serving) == 2


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("too\ndeep"), OverflowError("int too large"), KeyError("x")]
)
def test_whatever_a_bundle_brings_about_is_a_refusal_of_one_line(
    error: Exception, serving: AppState, make_bundle: MakeBundle, caplog: pytest.LogCaptureFixture
) -> None:
    source = FakeSource("a", make_bundle())
    follower = Follower(source, serving)
    follower.round()
    caplog.clear()

    source.token, source.bundle = "b", error
    for _ in range(3):
        follower.round()

    assert (version_of(serving), refusals(serving)) == ("7", 1)
    [record] = caplog.records
    assert record.getMessage().startswith(
        f"refused a bundle from a fake: the bundle: {type(error).__name__}: "
    )
    assert "\n" not in record.getMessage()
    assert record.exc_info is None


def test_a_refused_bundle_leaves_no_trace_in_the_metrics(serving: AppState, make_bundle: MakeBundle) -> None:
    follower = Follower(FakeSource("a", make_bundle()), serving)
    follower.round()
    before = serving.metrics.render()

    nonsense = make_bundle(version="8", profile={"rows": 0, "features": {}, "predictions": {}})
    classes = {"schema": nonsense.schema.model_copy(update={"classes": ("a", "b", "c")})}
    with pytest.raises(BundleError):
        serving.serve(Bundle(**{**nonsense.__dict__, **classes}), FixedRuntime(1.0, 0.0, 0.0))

    assert model_lines(serving.metrics.render()) == model_lines(before)


def model_lines(metrics: bytes) -> list[bytes]:
    return [line for line in metrics.splitlines() if line.startswith(b"model_")]


class HangingSource(FakeSource):
    """A source that does not answer until it is told to."""

    def __init__(self, token: str, bundle: Bundle) -> None:
        super().__init__(token, bundle)
        self.answer = threading.Event()
        self.answer.set()
        self.waiting = False

    def current(self) -> str | None:
        while not self.answer.wait(0.01):
            self.waiting = True
        return super().current()


@pytest.mark.parametrize("before", [None, "7"])
def test_a_source_that_does_not_answer_is_named_once_and_waited_for(
    before: str | None,
    make_bundle: MakeBundle,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("src.serving.follower.PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr("src.serving.lifespan.FIRST_MODEL_SECONDS", 0.3)
    source = HangingSource("a", make_bundle())
    if before is None:
        source.answer.clear()
    app = create_app(Settings(model_refresh_seconds=0.01, rate_limit_health="1000/second"), source)
    status = 503 if before is None else 200

    with TestClient(app) as client:
        try:
            source.answer.clear()
            wait_for(lambda: source.waiting)
            source.token, source.bundle = "b", make_bundle(version="8")
            wait_for(lambda: "waiting for a fake since " in caplog.text)
            assert client.get("/livez").status_code == 200
            assert (client.get("/readyz").status_code, version_of(app.state.shared)) == (status, before)
            time.sleep(0.5)  # five times as long as it takes to be named
            assert caplog.text.count("waiting for a fake since ") == 1
        finally:
            source.answer.set()
        wait_for(lambda: version_of(app.state.shared) == "8")
        wait_for(lambda: "a fake answered after " in caplog.text)
        assert client.get("/readyz").status_code == 200


def test_a_server_that_never_answers_holds_up_neither_start_nor_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.serving.lifespan.FIRST_MODEL_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        app = create_app(Settings(mlflow_tracking_uri=url))
        began = time.monotonic()

        with TestClient(app) as client:
            assert client.get("/readyz").status_code == 503

        assert time.monotonic() - began < 25  # it is given 30 s to answer


@pytest.mark.timeout(60)
def test_a_pipe_for_a_manifest_is_refused_and_the_model_stays(
    serving: AppState, make_files: Callable[..., dict[str, bytes]], tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    bundles.write_folder(folder, make_files())
    follower = Follower(source_for(Settings(model_dir=folder)), serving)
    follower.round()
    (folder / "metadata.json").unlink()
    os.mkfifo(folder / "metadata.json")

    for _ in range(3):
        follower.round()

    assert (version_of(serving), refusals(serving)) == ("7", 1)
