"""The page for people: who gets it, what it shows, and that nothing of a bundle becomes markup."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from src.bundle.bundle import Bundle
from src.serving.page import page
from src.serving.page.live import psi
from src.serving.page.tasks.classification import interval
from src.store.ledger import LEDGER, Promotion
from src.tasks import CLASSIFICATION
from tests.serving.conftest import KEY, MakeClient

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MEASURED = {
    "rows": 30,
    "baseline": dict.fromkeys(CLASSIFICATION.measures, 0.5),
    "per_class": {name: {"f1_score": 0.9} for name in ("setosa", "versicolor", "virginica")},
    "confusion_matrix": [[10, 0, 0], [0, 9, 1], [0, 2, 8]],
    "calibration": [{"rows": 30, "confidence": 0.9, "accuracy": 0.8}],
    "importances": {"sepal_length": 0.1, "petal_width": 0.4},
    "curves": {
        "setosa": {
            "roc_auc": 0.987,
            "average_precision": 0.91,
            "share": 0.3,
            "roc": [[0.0, 0.0], [0.1, 0.9], [1.0, 1.0]],
            "precision_recall": [[1.0, 0.3], [0.8, 0.9], [0.0, 1.0]],
        }
    },
}


@pytest.fixture
def measured(make_bundle: Callable[..., Bundle]) -> Bundle:
    return make_bundle(measured=MEASURED)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/plain", "application/*"])
def test_programs_get_json(client: TestClient, accept: str) -> None:
    answered = client.get("/", headers={"Accept": accept})

    assert answered.headers["content-type"] == "application/json"
    assert answered.content == (
        b'{"message":"mlops-core serves a model","version":"1.0.0","docs":"/docs","health":"/health"}'
    )


def test_browsers_get_the_page(make_client: MakeClient, measured: Bundle) -> None:
    with make_client(bundle=measured) as client:
        answered = client.get("/", headers=HTML)

    assert answered.headers["content-type"] == "text/html; charset=utf-8"
    assert answered.headers["vary"] == "Accept, Origin" or "Accept" in answered.headers["vary"]
    text = answered.text
    assert 'IrisClassifier <span class="tag">version 7</span>' in text
    assert "2026-01-02T03:04:05Z on 120 rows, 4 columns" in text
    assert text.count("<svg") == 6
    assert "setosa: 0.987" in text and "setosa: 0.910" in text
    assert '<input id="f0" name="sepal_length" data-type="float" required' in text
    assert "<td>0.9000</td><td>0.5000</td><td>0.744 to 0.965</td>" in text


def test_the_page_is_small_and_asks_nobody_else(make_client: MakeClient, measured: Bundle) -> None:
    with make_client(bundle=measured) as client:
        parts = [client.get("/", headers=HTML), *(client.get(f"/page/{name}") for name in page.FILES)]

    assert sum(len(part.content) for part in parts) <= 50_000
    policy = parts[0].headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy
    assert [part.status_code for part in parts] == [200] * 3
    assert not re.search(r"(src|href)=\"(https?:)?//", "".join(part.text for part in parts))
    assert not re.search(r"<script>|style=|onclick", "".join(part.text for part in parts))


def test_with_a_key_nothing_is_shown_without_it(make_client: MakeClient, measured: Bundle) -> None:
    with make_client(bundle=measured, api_key=(KEY,)) as client:
        shell = client.get("/", headers=HTML)
        refused = [client.get(path) for path in ("/page/model", "/page/live")]
        shown = client.get("/page/model", headers={"X-API-Key": KEY})

    assert "IrisClassifier" not in shell.text and "<svg" not in shell.text
    assert 'data-needs-key="yes"' in shell.text
    assert [one.status_code for one in refused] == [401, 401]
    assert "IrisClassifier" in shown.text


def test_pages_can_be_turned_off(make_client: MakeClient) -> None:
    with make_client(pages="off") as client:
        answered = client.get("/", headers=HTML)
        others = [
            client.get(path) for path in ("/docs", "/redoc", "/page/model", "/page/live", "/page/page.js")
        ]

    assert answered.headers["content-type"] == "application/json"
    assert [one.status_code for one in others] == [404] * 5


def test_without_a_model_the_page_waits(make_client: MakeClient) -> None:
    with make_client(runtime=None) as client:
        assert client.get("/", headers=HTML).status_code == 200
        assert client.get("/page/model").status_code == 503
        live = client.get("/page/live").json()

    assert (live["ready"], live["columns"], live["source"]) == (False, [], "a fake has no model yet")


HOSTILE = "</title><script>alert(1)</script>\"'&"


def test_no_text_of_a_bundle_becomes_markup(make_client: MakeClient, measured: Bundle) -> None:
    manifest = measured.manifest.model_copy(
        update={"name": HOSTILE, "version": HOSTILE, "model_type": HOSTILE, "parameters": {HOSTILE: HOSTILE}}
    )
    column = measured.schema.columns[0].model_copy(update={"header": HOSTILE, "name": HOSTILE})
    schema = measured.schema.model_copy(
        update={"columns": (column, *measured.schema.columns[1:]), "target_header": HOSTILE}
    )
    metrics = {
        **measured.metrics,
        "per_class": {HOSTILE: {"f1_score": 0.5}},
        "confusion_matrix": [[1]],
        "importances": {HOSTILE: 0.5},
    }
    state: Any
    with make_client(bundle=measured, grafana_url=f"https://g.example/{HOSTILE}") as client:
        state = client.app.state.shared  # type: ignore[attr-defined]
        state.loaded.bundle = replace(measured, manifest=manifest, schema=schema, metrics=metrics)
        text = client.get("/", headers=HTML).text

    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 7


@pytest.mark.parametrize(
    "broken",
    [
        {"rows": "many"},
        {"per_class": []},
        {"confusion_matrix": [["<b>"]]},
        {"calibration": [{}]},
        {"importances": {"a": "b"}},
        {"baseline": None},
    ],
)
def test_metrics_that_make_no_sense_leave_their_part_out(
    make_client: MakeClient, measured: Bundle, broken: dict[str, Any]
) -> None:
    with make_client(bundle=replace(measured, metrics={**measured.metrics, **broken})) as client:
        answered = client.get("/", headers=HTML)

    assert answered.status_code == 200
    assert 'id="form"' in answered.text and "<b>" not in answered.text


def test_the_history_is_that_of_the_model_in_service(
    make_client: MakeClient, measured: Bundle, tmp_path: Path
) -> None:
    line = Promotion(
        time="2026-01-02T03:04:05Z",
        action="promote",
        version="7",
        bundle="bundles/7-x",
        manifest_sha256=measured.digest,
        previous=None,
        user="ada",
        host="laptop",
        reason="<better>",
    )
    (tmp_path / LEDGER).write_text(f"{line.model_dump_json()}\n")
    with make_client(bundle=measured, mlflow_tracking_uri=str(tmp_path)) as client:
        shown = client.get("/", headers=HTML).text
        other = line.model_copy(update={"manifest_sha256": "0" * 64})
        (tmp_path / LEDGER).write_text(f"{other.model_dump_json()}\n")
        of_another = client.get("/", headers=HTML).text
        (tmp_path / "ledger.jsonl").write_text("damaged")
        damaged = client.get("/", headers=HTML)

    assert "ada@laptop: &lt;better&gt;" in shown and '<h2 id="before">History</h2>' in shown
    assert "History" not in of_another
    assert damaged.status_code == 200


def test_live_counts_what_was_answered(client: TestClient, flower: dict[str, float]) -> None:
    for _ in range(4):
        client.post("/predict", json=flower)
    client.post("/predict", json={})
    client.post("/predict/batch", json={"rows": [flower] * 6})

    live = client.get("/page/live").json()

    assert (live["requests"], live["errors"], live["failures"]) == (6, 1, 0)
    assert 0 < live["p50_ms"] <= live["p99_ms"]


def test_drift_is_measured_as_the_rules_do(
    make_client: MakeClient, make_bundle: Callable[..., Bundle], flower: dict[str, float]
) -> None:
    half = {"type": "numeric", "edges": [0.0, 5.0, 10.0], "shares": [0.0, 0.5, 0.5, 0.0, 0.0]}
    profile = {
        "rows": 10,
        "features": dict.fromkeys(flower, half),
        "predictions": {"setosa": 0.5, "versicolor": 0.25, "virginica": 0.25},
    }
    with make_client(bundle=make_bundle(profile=profile)) as client:
        client.post("/predict/batch", json={"rows": [flower] * 8})
        live = client.get("/page/live").json()

    [length] = [one for one in live["columns"] if one["name"] == "sepal_length"]
    assert length["rows"] == 8
    assert length["psi"] == pytest.approx(psi([0, 0, 1, 0, 0], [0, 0.5, 0.5, 0, 0]))
    assert live["predictions"][0] == {"name": "setosa", "served": 1.0, "training": 0.5}


def test_intervals_are_wilsons() -> None:
    assert interval(0.9, 30) == pytest.approx(
        (0.7438, 0.9654), abs=1e-4
    )  # R: prop.test(27, 30, correct=FALSE)
    assert interval(1.0, 10)[1] == 1.0
    assert interval(0.0, 0) == (0.0, 1.0)


def test_the_script_has_no_syntax_of_a_template() -> None:
    assert json.dumps(page._shell().format(version="1", model="", needs_key="", links=""))


def test_the_card_is_served_in_a_sandbox(make_client: MakeClient, measured: Bundle) -> None:
    with make_client(bundle=replace(measured, card_page=b"<h1>Card</h1>")) as client:
        shown, page_ = client.get("/model/card"), client.get("/", headers=HTML).text
    with make_client(bundle=measured) as client:
        absent, without = client.get("/model/card"), client.get("/", headers=HTML).text
    with make_client(bundle=replace(measured, card_page=b"<h1>Card</h1>"), api_key=(KEY,)) as client:
        refused = client.get("/model/card")

    assert (shown.status_code, shown.content) == (200, b"<h1>Card</h1>")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["content-security-policy"].endswith("; sandbox")
    assert 'href="model/card"' in page_ and 'href="model/card"' not in without
    assert (absent.status_code, refused.status_code) == (404, 401)
