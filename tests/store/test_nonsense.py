"""Bundles that are whole, whose digests are right, and which make no sense: each is refused in one line."""

import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.bundle.limits import MAX_COLUMNS, MAX_EXAMPLES
from src.config import Settings
from src.errors import BundleError
from src.monitoring.profile import profile
from src.promotion.publish import publish
from src.promotion.sealed import read_sealed
from src.runtime import session
from src.schema.columns import Schema
from src.schema.features import to_features
from src.store.files import FolderFiles, fetch_from
from src.store.sources import source_for
from tests.conftest import resealed
from tests.stores import MakeFiles, Trained

Change = Callable[[Any], Any]  # edits a parsed file in place, or returns another
HUGE = 10**400


@pytest.fixture
def files(make_version: MakeFiles, trained: Trained, schema: Schema) -> dict[str, bytes]:
    """A bundle that is served: a real model with the profile of its rows."""
    rows = to_features(schema, trained.rows)
    predictions = session.open_model(trained.model, schema).predict(rows)
    return make_version("7", profile=profile(schema, rows, predictions).model_dump(mode="json"))


def put(*path_and_value: Any) -> Change:
    """Return the change that puts the last of its arguments where the others lead."""
    *path, last, value = path_and_value

    def change(content: Any) -> None:
        for part in path:
            content = content[part]
        content[last] = value

    return change


def first_again(*path: Any) -> Change:
    """Return the change that makes the second entry of a list the first one again."""

    def change(content: Any) -> None:
        for part in path:
            content = content[part]
        content[1] = content[0]

    return change


def to_column(name: str, value: Any) -> Change:
    return put("columns", 0, name, value)


def to_feature(name: str, value: Any) -> Change:
    return put("features", "sepal_length", name, value)


def many_columns(schema: Any) -> None:
    column = schema["columns"][0]
    schema["columns"] = [{**column, "name": f"c{number}"} for number in range(MAX_COLUMNS + 1)]


def category(**changes: Any) -> dict[str, Any]:
    whole = {"name": "a", "header": "A", "type": "category", "nullable": False, "categories": ["x", "y"]}
    return {**whole, **changes}


def many_examples(example: Any) -> None:
    for part in ("rows", "labels", "scores"):
        example[part] = example[part][:1] * (MAX_EXAMPLES + 1)


def unordered(content: Any) -> None:
    edges = content["features"]["sepal_length"]["edges"]
    edges[1], edges[2] = edges[2], edges[1]


def unequal_shares(content: Any) -> None:
    content["features"]["sepal_length"]["shares"][1] += 0.1


def twice_the_key(content: bytes) -> bytes:
    return content.replace(b"{", b'{"twice": 1, "twice": 2, ', 1)


NONSENSE: list[tuple[str, Change, str]] = [
    # What the numbers of a column may be.
    ("schema.json", to_column("lowest", float("nan")), "has NaN, which is no number"),
    ("schema.json", to_column("highest", float("inf")), "has Infinity, which is no number"),
    ("schema.json", to_column("lowest", float("-inf")), "has -Infinity, which is no number"),
    ("schema.json", to_column("lowest", 99.0), "column sepal_length: goes from 99 to 11.5"),
    ("schema.json", to_column("highest", HUGE), "has a whole number of 401 digits, at most 20 are allowed"),
    # Names and texts.
    ("schema.json", to_column("name", ""), "column: has 0 characters, allowed are 1 to 1024"),
    ("schema.json", to_column("name", "a\nb"), r"column: a\\nb holds a control character"),
    ("schema.json", to_column("name", "a\x7fb"), r"column: a\\x7fb holds a control character"),
    ("schema.json", to_column("name", "x" * 100_000), "column: has 100000 characters"),
    ("schema.json", to_column("header", ""), "column sepal_length: header: has 0 characters"),
    ("schema.json", to_column("header", "x" * 100_000), "column sepal_length: header: has 100000 characters"),
    ("schema.json", to_column("name", "sepal_width"), "column sepal_width is there twice"),
    ("schema.json", put("target", ""), "target: has 0 characters"),
    ("schema.json", put("target", "\x1b[31m"), r"target: \\x1b\[31m holds a control character"),
    ("schema.json", put("target_header", ""), "target_header: has 0 characters"),
    ("schema.json", put("columns", []), "has 0 columns, allowed are 1 to 5000"),
    ("schema.json", many_columns, "has 5001 columns, allowed are 1 to 5000"),
    ("schema.json", first_again("classes"), "class setosa is there twice"),
    ("schema.json", put("classes", ["setosa"]), "has 1 classes, allowed are 2 to 100"),
    ("schema.json", put("classes", []), "has 0 classes, allowed are 2 to 100"),
    ("schema.json", put("classes", [str(number) for number in range(101)]), "has 101 classes"),
    ("schema.json", put("classes", 0, ""), "class: has 0 characters"),
    ("schema.json", put("classes", 0, "a\0b"), "class: holds a NUL"),
    ("schema.json", put("classes", 0, "x" * 100_000), "class: has 100000 characters"),
    (
        "schema.json",
        put("columns", 0, category(categories=["x", "x"])),
        "column a: category x is there twice",
    ),
    ("schema.json", put("columns", 0, category(categories=[""])), "column a: category: has 0 characters"),
    ("schema.json", put("columns", 0, category(categories=["x" * 257])), "column a: category: has 257 char"),
    ("schema.json", put("columns", 0, category(categories=[f"{n}" for n in range(1001)])), "1001 categories"),
    ("schema.json", put("classes", 0, "\ud800"), "not JSON: not UTF-8|half a surrogate pair"),
    # How the model came to be.
    ("metadata.json", put("n_samples", -1), "n_samples: Input should be greater than or equal to 1"),
    ("metadata.json", put("n_samples", 0), "n_samples: Input should be greater than or equal to 1"),
    ("metadata.json", put("n_samples", 10**30), "has a whole number of 31 digits"),
    ("metadata.json", put("n_samples", True), "n_samples: Input should be a valid integer"),
    ("metadata.json", put("n_features", 5), "n_features is 5, schema.json has 4"),
    ("metadata.json", put("created_at", "yesterday"), "created_at: Invalid isoformat string: 'yesterday'"),
    ("metadata.json", put("created_at", "2026-01-02"), "created_at: not a time of UTC in ISO 8601"),
    ("metadata.json", put("created_at", "2026-01-02T03:04:05+02:00"), "created_at: not a time of UTC"),
    ("metadata.json", put("version", "x" * 100_000), "version: String should have at most 1024 characters"),
    ("metadata.json", put("version", ""), "version: String should have at least 1 character"),
    ("metadata.json", put("name", "x" * 100_000), "name: String should have at most 1024 characters"),
    ("metadata.json", put("name", "a\r\nb"), r"name: a\\r\\nb holds a control character"),
    ("metadata.json", put("model_type", ""), "model_type: String should have at least 1 character"),
    ("metadata.json", put("git_commit", "x" * 100_000), "git_commit: String should have at most 1024"),
    ("metadata.json", put("data_digest", "none"), "data_digest: String should match pattern"),
    ("metadata.json", put("files", "model.onnx", "x" * 100_000), "files.model.onnx: String should match"),
    ("metadata.json", put("x\n" * 100_000, 1), r"x\\nx\\n.*…: unknown key"),
    ("metadata.json", put("measures", "accuracy", 1.5), "measures.accuracy: 1.5 is not from 0 to 1"),
    ("metadata.json", put("measures", "accuracy", -0.5), "measures.accuracy: -0.5 is not from 0 to 1"),
    ("metadata.json", put("measures", "log_loss", -1e-9), "measures.log_loss: -1e-09 is not from 0 to inf"),
    ("metadata.json", put("measures", "accuracy", float("nan")), "has NaN, which is no number"),
    (
        "metadata.json",
        put("measures", "accuracy", "good"),
        "measures.accuracy: Input should be a valid number",
    ),
    ("metadata.json", put("measures", {}), "measures: Dictionary should have at least 1 item"),
    ("metadata.json", put("primary_measure", "beauty"), "primary_measure is none of measures"),
    (
        "metadata.json",
        put("measures", "accuracy", 0.5),
        "metrics.json: accuracy is not that of metadata.json",
    ),
    (
        "metadata.json",
        put("parameters", {str(n): n for n in range(1001)}),
        "parameters: Dictionary should have",
    ),
    ("metadata.json", put("parameters", {"a": HUGE}), "has a whole number of 401 digits"),
    ("metadata.json", put("libraries", {"a": "x" * 100_000}), "libraries.a: String should have at most 1024"),
    # What was measured.
    ("metrics.json", put("f1_score", "good"), "metrics.json: f1_score is not that of metadata.json"),
    ("metrics.json", put("gate", []), "gate: Input should be a valid dictionary"),
    ("metrics.json", put("gate", {"missed": 7}), "gate.missed: Input should be a valid tuple"),
    ("metrics.json", put("log_loss", float("nan")), "has NaN, which is no number"),
    ("metrics.json", put("more", [0] * 250_001), "has more than 250000 entries"),
    ("metrics.json", lambda content: [], "not a JSON object"),
    # What training saw.
    ("profile.json", put("rows", 0), "rows: Input should be greater than or equal to 1"),
    ("profile.json", put("rows", -1), "rows: Input should be greater than or equal to 1"),
    ("profile.json", to_feature("edges", [float("nan")] * 3), "has NaN, which is no number"),
    ("profile.json", to_feature("edges", [1.0, 1.0]), "features.sepal_length: its edges do not ascend"),
    ("profile.json", unordered, "features.sepal_length: its edges do not ascend"),
    ("profile.json", to_feature("edges", [1.0]), "features.sepal_length: has 1 edges, allowed are 2 to 11"),
    ("profile.json", to_feature("edges", list(range(200_000))), "features.sepal_length: has 200000 edges"),
    ("profile.json", to_feature("shares", [1.0]), "features.sepal_length: has 1 shares for 13 bins"),
    ("profile.json", to_feature("shares", [-1.0, 2.0, *[0.0] * 11]), "a share is not a number from 0 to 1"),
    ("profile.json", to_feature("shares", [float("inf")] * 13), "has Infinity, which is no number"),
    ("profile.json", unequal_shares, "features.sepal_length: shares add up to 1.1, not to 1"),
    ("profile.json", put("predictions", "setosa", 0.9), "predictions: shares add up to"),
    ("profile.json", put("predictions", "setosa", -0.1), "predictions: a share is not a number from 0 to 1"),
    (
        "profile.json",
        put("predictions", "tulip", 0.0),
        "predictions: are not those of the classes of schema.json",
    ),
    ("profile.json", to_feature("type", "category"), "features.sepal_length.category.categories: missing"),
    (
        "profile.json",
        put("features", "sepal_length", {"type": "category", "categories": [], "shares": [1, 0, 0]}),
        "features.sepal_length: is a category, schema.json has a number",
    ),
    ("profile.json", lambda content: [], "not a JSON object"),
    # The rows that it must answer again.
    ("example.json", many_examples, "rows: Tuple should have at most 100 items"),
    ("example.json", put("rows", []), "rows: Tuple should have at least 1 item"),
    ("example.json", put("rows", 0, "sepal_length", HUGE), "has a whole number of 401 digits"),
    ("example.json", put("rows", 0, "sepal_length", 10**19), "row 1: sepal_length: not what schema.json"),
    ("example.json", put("rows", 0, "sepal_length", "5.1"), "row 1: sepal_length: not what schema.json"),
    ("example.json", put("rows", 0, "sepal_length", True), "row 1: sepal_length: not what schema.json"),
    ("example.json", put("rows", 0, "sepal_length", None), "row 1: sepal_length: not what schema.json"),
    ("example.json", put("rows", 0, "sepal_length", -1e300), "row 1: sepal_length: not what schema.json"),
    ("example.json", put("rows", 0, "sepal_length", "x" * 3_000_000), "row 1: sepal_length: not what schema"),
    ("example.json", put("rows", 0, "more", 1), "row 1: does not hold the schema's columns"),
    ("example.json", put("labels", 0, "tulip"), "row 1: its label or scores are not of the schema's classes"),
    ("example.json", put("scores", 0, [0.5, 0.5]), "row 1: its label or scores are not of the schema's"),
    ("example.json", put("scores", 0, [0.5, 0.5, 0.5]), "row 1: shares add up to 1.5, not to 1"),
    ("example.json", put("scores", 0, 0, float("nan")), "has NaN, which is no number"),
    ("example.json", put("scores", 0, 0, -0.1), "scores.0.0: Input should be greater than or equal to 0"),
]


def changed(files: dict[str, bytes], name: str, change: Change) -> dict[str, bytes]:
    content = json.loads(files[name])
    other = change(content)
    text = json.dumps(content if other is None else other, ensure_ascii=False)
    raw = {name: text.encode(errors="surrogatepass")}
    return {**files, **raw} if name == bundles.MANIFEST else resealed(files, raw)


def refusal(files: dict[str, bytes], folder: Path) -> str:
    """Return why a server that follows `folder`, or who publishes it, refuses `files`."""
    bundles.write_folder(folder, files)
    with pytest.raises(BundleError) as refused:
        read_sealed(fetch_from(FolderFiles(folder)))
    return str(refused.value)


def test_the_bundle_that_is_changed_here_is_served(files: dict[str, bytes], folder: Path) -> None:
    bundles.write_folder(folder / "models", files)

    assert read_sealed(bundles.folder_fetch(folder / "models")).bundle.manifest.version == "7"


@pytest.mark.parametrize(("name", "change", "message"), NONSENSE)
def test_what_makes_no_sense_is_refused_in_one_line(
    name: str, change: Change, message: str, files: dict[str, bytes], folder: Path
) -> None:
    why = refusal(changed(files, name, change), folder / "models")

    assert why.split(":")[0].endswith(".json")
    assert re.search(message, why), why
    assert why.isprintable() and len(why) < 300


@pytest.mark.parametrize(
    ("change", "message"), [(change, message) for name, change, message in NONSENSE if name == "schema.json"]
)
def test_a_schema_that_makes_no_sense_is_refused_where_the_manifest_agrees_with_it(
    change: Change, message: str, files: dict[str, bytes], folder: Path
) -> None:
    whole = changed(files, "schema.json", change)
    schema = json.loads(whole["schema.json"].decode(errors="surrogatepass"))
    manifest = json.loads(whole["metadata.json"])
    manifest["feature_names"] = [column["name"] for column in schema["columns"]]
    manifest |= {"target_names": schema["classes"], "n_features": len(schema["columns"])}
    whole["metadata.json"] = json.dumps(manifest).encode()

    why = refusal(whole, folder / "models")

    assert why.split(":")[0] in ("metadata.json", "schema.json")
    assert why.isprintable() and len(why) < 300


RAW: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("a key twice", twice_the_key, "has 'twice' twice"),
    ("a deep nest", lambda content: b"[" * 100_000, "nested too deeply"),
    ("a deep nest of objects", lambda content: b'{"a":' * 100_000, "nested too deeply"),
    (
        "a number of 5,000 digits",
        lambda content: b'{"a": 1' + b"0" * 5_000 + b"}",
        "a whole number of 5001 dig",
    ),
    ("a number of 10^400", lambda content: b'{"a": 1e400}', "has the number 1e400, which is too large"),
    ("half a pair", lambda content: b'{"a": "\\ud800"}', "a text holds half a surrogate pair"),
    ("half a pair in a key", lambda content: b'{"\\udfff": 1}', "a text holds half a surrogate pair"),
    ("another encoding", lambda content: content.decode().encode("utf-16"), "not JSON: not UTF-8"),
    ("a byte order mark", lambda content: b"\xef\xbb\xbf" + content, "not JSON: Unexpected UTF-8 BOM"),
    ("a nest", lambda content: b'{"more":' + b"[" * 900 + b"]" * 900 + b"}", ": "),
    ("two values", lambda content: content + b"{}", "not JSON: Extra data"),
    ("nothing", lambda content: b"", "not JSON: Expecting value"),
    ("a million entries", lambda content: b"[" + b"0," * 499_999 + b"0]", "has more than 250000 entries"),
    ("a million lists", lambda content: b"[" + b"[]," * 300_000 + b"0]", "has more than 250000 entries"),
]


@pytest.mark.parametrize(
    "name", ["metadata.json", "schema.json", "profile.json", "example.json", "metrics.json"]
)
@pytest.mark.parametrize(("what", "change", "message"), RAW, ids=[what for what, _, _ in RAW])
def test_what_is_no_plain_json_is_refused_in_one_line(
    name: str,
    what: str,
    change: Callable[[bytes], bytes],
    message: str,
    files: dict[str, bytes],
    folder: Path,
) -> None:
    content = {name: change(files[name])}
    whole = {**files, **content} if name == "metadata.json" else resealed(files, content)

    why = refusal(whole, folder / "models")

    if len(content[name]) > 2**20 and name == "metadata.json":
        message = "larger than 1048576 bytes"
    assert message in why
    assert why.isprintable() and len(why) < 300


def test_nonsense_is_not_published(files: dict[str, bytes], folder: Path) -> None:
    bundles.write_folder(folder / "build", changed(files, "profile.json", put("rows", 0)))

    with pytest.raises(BundleError, match="^profile.json: rows: "):
        publish(folder / "build", Settings())

    assert sorted(path.name for path in folder.iterdir()) == ["build"]


def test_what_nobody_thought_of_is_refused_in_one_line(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(bundle: Bundle) -> None:
        raise MemoryError("no\nmemory")

    monkeypatch.setattr(session, "load", run_out)

    with pytest.raises(BundleError, match="^the bundle: MemoryError: no memory$"):
        read_sealed(files.__getitem__)


def test_the_largest_documents_are_refused_in_time(files: dict[str, bytes], folder: Path) -> None:
    fill = b'{"a":' + b"[" + b'"\\\\\\"",' * 200_000 + b"0]}"
    for name in ("schema.json", "profile.json", "example.json", "metrics.json"):
        began = time.process_time()

        refusal(resealed(files, {name: fill}), folder / "models")

        assert time.process_time() - began < 5


@pytest.mark.parametrize("seed", range(2))
def test_a_changed_model_is_refused_or_passes_its_self_test(
    seed: int, files: dict[str, bytes], trained: Trained, schema: Schema
) -> None:
    chance = random.Random(seed)
    expected = [list(scores) for scores in trained.example.scores]
    rows = to_features(schema, {name: [row[name] for row in trained.example.rows] for name in schema.names})
    refused = 0
    for _ in range(150):
        model = bytearray(files["model.onnx"])
        for _ in range(chance.randint(1, 3)):
            model[chance.randrange(len(model))] = chance.randrange(256)
        whole = resealed(files, {"model.onnx": bytes(model)})
        began = time.process_time()
        try:
            bundle = read_sealed(whole.__getitem__).bundle
        except BundleError as error:
            assert str(error).isprintable()
            refused += 1
        else:
            scores = session.load(bundle).predict(rows).scores
            assert np.allclose(scores, expected, rtol=0, atol=1e-12)
        assert time.process_time() - began < 5
    assert refused > 50


def test_a_source_refuses_nonsense_as_publishing_does(files: dict[str, bytes], folder: Path) -> None:
    bundles.write_folder(folder / "models", changed(files, "schema.json", put("columns", [])))

    with pytest.raises(BundleError, match="^schema.json: has 0 columns"):
        source_for(Settings()).load()
