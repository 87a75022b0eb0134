"""A bundle may hold any text that a table holds: nothing that is served from it breaks."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.bundle.examples.classification import Example
from src.bundle.limits import MAX_NAME
from src.monitoring.profile import profile
from src.runtime.answers.classification import Predictions
from src.schema.columns import MAX_CATEGORIES, MAX_CLASSES, MAX_TEXT, CategoryColumn, NumericColumn, Schema
from src.schema.features import Features
from tests.conftest import FixedRuntime, resealed
from tests.serving.conftest import MakeClient

TEXTS = (
    'a "quoted" one',
    "100 %s %r %(x)s",
    "{braces} {{}} {0}",
    "back\\slash\\n",
    "two\nlines\r\n\ttabbed",
    "</script><!-- <b>",
    "naïve 日本語 🙂 \u202egnp.exe",
    "\x1b[31mred\x85",
    "a/b~c#d$ref",
    "x" * MAX_TEXT,
)
NAMES = (
    "rows",
    "model_config",
    "__class__",
    "self",
    "100%",
    'q"uote',
    "{x}",
    "a/b~c",
    "é日🙂",
    "n" * MAX_NAME,
)


def sealed(
    schema: Schema, features: Features, make_files: Callable[..., dict[str, bytes]], version: str
) -> Bundle:
    """Return a verified bundle of `schema`, whose examples are the first rows of `features`."""
    rows = tuple(
        {
            **dict(zip([column.name for column in schema.numeric], numbers, strict=True)),
            **dict(zip([column.name for column in schema.categorical], texts, strict=True)),
        }
        for numbers, texts in zip(
            features.numeric[:5].tolist(), features.categorical[:5].tolist(), strict=True
        )
    )
    scores = (1.0, *[0.0] * (len(schema.classes) - 1))
    example = Example(rows=rows, labels=(schema.classes[0],) * len(rows), scores=(scores,) * len(rows))
    labels = np.arange(len(features.numeric)) % len(schema.classes)
    seen = profile(schema, features, Predictions(labels, np.empty((len(labels), len(schema.classes)))))
    changes = {
        "feature_names": tuple(schema.names),
        "target_names": schema.classes,
        "n_features": len(schema.columns),
        "version": version,
    }
    files = make_files(example=example, profile=seen.model_dump(mode="json"), **changes)
    whole = resealed(files, {bundles.SCHEMA: bundles.dump_json(schema.model_dump(mode="json"))})
    return bundles.load(whole.__getitem__)


@pytest.fixture
def weird(make_files: Callable[..., dict[str, bytes]]) -> Bundle:
    columns = tuple(
        NumericColumn(name=name, header=text, type="float", nullable=False, lowest=-9, highest=9)
        for name, text in zip(NAMES, TEXTS, strict=True)
    )
    category = CategoryColumn(name="text", header="Text", type="category", nullable=True, categories=TEXTS)
    schema = Schema(columns=(*columns, category), target="y\\", target_header='"', classes=TEXTS)
    features = Features(
        np.arange(100.0).reshape(10, 10) % 7, np.array([[text] for text in TEXTS], dtype=object)
    )
    return sealed(schema, features, make_files, version='7 "%s" {x} \\')


def test_texts_of_every_kind_are_answered_as_they_are(make_client: MakeClient, weird: Bundle) -> None:
    row = {**dict.fromkeys(NAMES, 1.5), "text": TEXTS[4]}
    for place, label in enumerate(TEXTS):
        scores = [0.0] * len(TEXTS)
        scores[place] = 1.0
        with make_client(FixedRuntime(*scores), weird) as client:
            one = client.post("/predict", json=row)
            many = client.post("/predict/batch", json={"rows": [row, row]})

        assert (one.status_code, many.status_code) == (200, 200)
        assert one.json()["prediction"] == label
        assert one.json()["probabilities"] == dict(zip(TEXTS, scores, strict=True))
        assert one.json()["model_version"] == weird.manifest.version
        assert [answer["prediction"] for answer in many.json()["predictions"]] == [label, label]


def test_metrics_of_texts_of_every_kind_can_be_read(make_client: MakeClient, weird: Bundle) -> None:
    with make_client(FixedRuntime(1.0, *[0.0] * 9), weird) as client:
        client.post("/predict", json={**dict.fromkeys(NAMES, 1.5), "text": TEXTS[4]})
        text = client.get("/metrics").text

    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    answered = {
        sample.labels["predicted_class"]: sample.value
        for sample in samples
        if sample.name == "model_predictions_total"
    }
    assert answered == {label: float(label == TEXTS[0]) for label in TEXTS}
    slots = {
        sample.labels["bin"]: sample.value for sample in samples if sample.labels.get("feature") == "text"
    }
    assert {f"{place:02d} {label}" for place, label in enumerate(sorted(TEXTS))} <= set(slots)


def test_a_model_of_texts_of_every_kind_is_described(make_client: MakeClient, weird: Bundle) -> None:
    with make_client(FixedRuntime(1.0, *[0.0] * 9), weird) as client:
        info = client.get("/model/info")
        document = client.get("/openapi.json")
        health = client.get("/health")

    assert (info.status_code, document.status_code, health.status_code) == (200, 200, 200)
    assert info.json()["target_names"] == list(TEXTS)
    assert info.json()["feature_names"] == [*NAMES, "text"]
    schemas = document.json()["components"]["schemas"]
    assert set(schemas["Row"]["properties"]) == {*NAMES, "text"}
    assert schemas["Prediction"]["properties"]["prediction"]["enum"] == list(TEXTS)
    assert health.json()["model_version"] == weird.manifest.version


def test_the_most_that_training_writes_is_served(
    make_client: MakeClient, make_files: Callable[..., dict[str, bytes]]
) -> None:
    numbers = tuple(
        NumericColumn(
            name=f"column_{n}", header=f"Column {n}", type="float", nullable=True, lowest=-9, highest=9
        )
        for n in range(2_100)
    )
    known = tuple(f"{n:04}{'é' * (MAX_TEXT - 4)}" for n in range(MAX_CATEGORIES))
    texts = tuple(
        CategoryColumn(name=f"text_{n}", header=f"Text {n}", type="category", nullable=True, categories=known)
        for n in range(20)
    )
    schema = Schema(
        columns=numbers + texts,
        target="y",
        target_header="y",
        classes=tuple(f"{n:03}{'x' * 253}" for n in range(MAX_CLASSES)),
    )
    features = Features(
        np.random.default_rng(0).normal(size=(50, 2_100)),
        np.array([known[n : n + 20] for n in range(50)], dtype=object),
    )
    bundle = sealed(schema, features, make_files, version="7")

    with make_client(FixedRuntime(1.0, *[0.0] * (MAX_CLASSES - 1)), bundle, max_body_bytes=10**6) as client:
        answer = client.post(
            "/predict",
            content=json.dumps(bundle.example.rows[0]).encode(),
            headers={"Content-Type": "application/json"},
        )
        metrics = client.get("/metrics")

    assert (answer.status_code, metrics.status_code) == (200, 200)
