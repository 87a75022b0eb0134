"""What a text or a number means is the same in the table, in the model and in a request."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from pandas._libs.parsers import STR_NA_VALUES
from sklearn.pipeline import Pipeline
from starlette.testclient import TestClient

from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import Settings
from src.data import prepare
from src.evaluation import evaluate
from src.export.pipeline import to_frame
from src.params import load_params
from src.runtime import session
from src.schema.cells import MISSING
from src.schema.columns import Schema
from src.schema.features import to_features
from src.serving.app import create_app
from src.tables import frames
from src.tables.source import read_texts
from src.training import train
from src.training.fit import fit
from tests.conftest import inside, run
from tests.serving.conftest import FakeSource

pytestmark = pytest.mark.xdist_group("pipeline")

Post = Callable[[str], tuple[int, bytes]]  # the body of a request to /predict, the status and the answer
HOUSE = {"âge": 30, "bsmtqual": "Gd", "lotfrontage": 60.5, "rooms": 5, "zip": "02134", "pool": True}


def houses(rows: int = 240) -> pd.DataFrame:
    """Return houses whose price goes by their basement: none is low."""
    random = np.random.default_rng(11)
    quality = random.choice(["NA", " Ex", "Gd", "TA "], rows)
    front = np.where(random.random(rows) < 0.2, "NA", np.round(random.normal(60, 9, rows), 1).astype(str))
    rooms = np.where(random.random(rows) < 0.2, "", random.integers(2, 9, rows).astype(str))
    pool = random.choice(["True", "False", "n/a"], rows)
    return pd.DataFrame(
        {
            "Âge": random.integers(1, 90, rows).astype(str),
            "BsmtQual": quality,
            "LotFrontage": front,
            "Rooms": rooms,
            "Zip": random.choice(["02134", "10001"], rows),
            "Pool": pool,
            "Price": np.where((quality == "NA") | (random.random(rows) < 0.1), "low", " high"),
        }
    )


def train_houses(folder: Path, **data: object) -> Bundle:
    """Run the stages in `folder`, with `data` beside the usual parameters; return the bundle."""
    (folder / "data").mkdir(parents=True)
    houses().to_csv(folder / "data/houses.csv", index=False)
    usual = {"name": "houses", "source": "data/houses.csv", "target": "Price", "drop": [], "ranges": {}}
    params = {
        "data": {**usual, "test_size": 0.25, "random_state": 3, **data},
        "train": {"model": "random_forest", "n_estimators": 10, "max_depth": None},
        "evaluate": {"min_accuracy": 0.0, "beat_baseline_by": 0.0},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    with inside(folder), contextlib.redirect_stdout(io.StringIO()):
        run(prepare.main)
        run(train.main)
        run(evaluate.main, "--no-publish")
        return bundles.load(bundles.folder_fetch(paths.BUNDLE))


def pipeline_of(folder: Path) -> Pipeline:
    """Return the pipeline that was trained in `folder`, as scikit-learn has it."""
    with inside(folder):
        data = load_params().data
        return fit(
            frames.prepared(frames.to_values(read_texts(data.raw), data), data), load_params()
        ).pipeline


def serve(stack: ExitStack, bundle: Bundle) -> TestClient:
    settings = Settings.model_validate({"model_refresh_seconds": 3600, "rate_limit_predict": "9999/minute"})
    app = create_app(settings, FakeSource())
    app.state.shared.serve(bundle, session.load(bundle))
    return stack.enter_context(TestClient(app))


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return train_houses(tmp_path_factory.mktemp("houses") / "default")


@pytest.fixture(scope="module")
def wordless(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Pipeline]:
    folder = tmp_path_factory.mktemp("houses") / "wordless"
    return train_houses(folder, missing=[]), pipeline_of(folder)


@pytest.fixture
def post(default: Bundle) -> Iterator[Post]:
    with ExitStack() as stack:
        client = serve(stack, default)

        def send(body: str) -> tuple[int, bytes]:
            response = client.post(
                "/predict", content=body.encode(), headers={"Content-Type": "application/json"}
            )
            return response.status_code, response.content

        yield send


def house(**changes: Any) -> str:
    return json.dumps({**HOUSE, **changes})


def test_the_words_for_missing_are_those_of_pandas() -> None:
    assert {"", *MISSING} == STR_NA_VALUES


def test_the_schema_says_how_texts_are_read(default: Bundle, wordless: tuple[Bundle, Pipeline]) -> None:
    kinds = {column.name: (column.type, column.nullable) for column in default.schema.columns}

    assert kinds == {
        "âge": ("integer", False),
        "bsmtqual": ("category", True),
        "lotfrontage": ("float", True),
        "rooms": ("integer", True),
        "zip": ("category", False),
        "pool": ("boolean", True),
    }
    categories = {column.name: column.categories for column in default.schema.categorical}
    assert categories == {"bsmtqual": ("Ex", "Gd", "TA"), "zip": ("02134", "10001")}
    assert default.schema.classes == ("high", "low")
    assert (default.schema.missing, default.schema.strip) == (("", *MISSING), True)
    without = {column.name: column for column in wordless[0].schema.categorical}
    assert wordless[0].schema.missing == ("",)
    assert without["bsmtqual"].categories == ("Ex", "Gd", "NA", "TA")
    assert (without["lotfrontage"].nullable, without["pool"].categories) == (
        False,
        ("False", "True", "n/a"),
    )


@pytest.mark.parametrize("word", ["", "  ", " NA\t", *MISSING])
@pytest.mark.parametrize("column", ["bsmtqual", "lotfrontage", "rooms", "pool"])
def test_a_word_for_missing_answers_as_null(post: Post, column: str, word: str) -> None:
    status, expected = post(house(**{column: None}))

    assert status == 200
    assert post(house(**{column: word})) == (200, expected)


def test_a_house_without_a_basement_is_low(post: Post) -> None:
    answers = [json.loads(post(house(bsmtqual=quality))[1])["prediction"] for quality in ("NA", None, "Gd")]

    assert answers == ["low", "low", "high"]


@pytest.mark.parametrize("text", ["Gd", " Gd", "Gd ", "\tGd\n"])
def test_blanks_around_a_text_change_no_answer(post: Post, text: str) -> None:
    assert post(house(bsmtqual=text)) == post(house(bsmtqual="Gd"))
    assert post(house(bsmtqual="gd")) != post(house(bsmtqual="Gd"))


@pytest.mark.parametrize("word", ["", " ", "NA", "null", " <NA> "])
def test_a_word_for_missing_is_refused_where_null_is(post: Post, word: str) -> None:
    status, answer = post(house(zip=word))

    assert status == 422
    assert json.loads(answer)["errors"] == [
        {"field": "zip", "detail": "The text means missing; a value is needed."}
    ]
    assert post(house(zip=None))[0] == post(house(**{"âge": word}))[0] == 422


def test_other_texts_are_no_numbers(post: Post) -> None:
    status, answer = post(house(lotfrontage="none", rooms="5", pool="yes"))

    assert status == 422
    assert json.loads(answer)["errors"] == [
        {"field": "lotfrontage", "detail": "Input should be a valid number"},
        {"field": "rooms", "detail": "Input should be a valid integer"},
        {"field": "pool", "detail": "Input should be a valid boolean, true or false"},
    ]


def test_a_batch_reads_words_as_a_row_does(default: Bundle) -> None:
    rows = [{**HOUSE, "bsmtqual": "N/A", "rooms": "NA"}, {**HOUSE, "bsmtqual": None, "rooms": None}]
    with ExitStack() as stack:
        client = serve(stack, default)
        [first, second] = client.post("/predict/batch", json={"rows": rows}).json()["predictions"]
        refused = client.post("/predict/batch", json={"rows": [HOUSE, {**HOUSE, "zip": "NA"}]})

    assert first == second
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"row": 1, "field": "zip", "detail": "The text means missing; a value is needed."}
    ]


def test_words_for_missing_drift_as_missing(default: Bundle) -> None:
    with ExitStack() as stack:
        client = serve(stack, default)
        for word in ("NA", "", " null "):
            client.post("/predict", json={**HOUSE, "bsmtqual": word, "rooms": "n/a"})
        shown = client.get("/metrics").text

    for column in ("bsmtqual", "rooms"):
        [line] = [
            line
            for line in shown.splitlines()
            if line.startswith("model_feature_rows_total{") and f'"{column}"' in line and '"missing"' in line
        ]
        assert line.endswith(" 3.0")


def test_the_document_says_what_is_missing(default: Bundle) -> None:
    with ExitStack() as stack:
        row = serve(stack, default).get("/openapi.json").json()["components"]["schemas"]["Row"]["properties"]

    assert list(row) == default.schema.names
    assert row["rooms"]["anyOf"] == [{"type": "integer", "minimum": 0, "maximum": 14}, {"type": "null"}]
    assert row["rooms"]["description"].startswith('Missing when left out, null or one of "", "#N/A", ')
    assert (row["zip"]["minLength"], row["zip"]["examples"]) == (1, ["02134", "10001"])
    assert "description" not in row["zip"]


def test_a_key_may_be_escaped_and_may_not_come_twice(post: Post) -> None:
    plain = json.dumps(HOUSE, ensure_ascii=False)

    assert post(json.dumps(HOUSE)) == post(plain)
    assert post(plain)[0] == 200
    for again in ('"\\u00e2ge":30', '"âge":30', '"\\u00E2g\\u0065":31'):
        status, answer = post(f"{plain[:-1]},{again}}}")
        assert status == 422
        assert json.loads(answer)["errors"] == [
            {"field": "âge", "detail": "The field is there more than once."}
        ]


def test_without_words_na_is_a_category_that_answers_as_scikit_learn(
    wordless: tuple[Bundle, Pipeline],
) -> None:
    bundle, pipeline = wordless
    rows = [{**HOUSE, "bsmtqual": quality, "lotfrontage": "NA", "pool": "n/a"} for quality in ("NA", "", "?")]
    rows = [{name: value for name, value in row.items() if name != "rooms"} for row in rows]
    with ExitStack() as stack:
        client = serve(stack, bundle)
        texts = client.post("/predict", json={**rows[0], "rooms": 3})
        number = client.post("/predict", json={**rows[0], "rooms": "NA"})

    features = to_features(bundle.schema, {name: [rows[0].get(name, 3)] for name in bundle.schema.names})
    [expected] = pipeline.predict_proba(to_frame(bundle.schema, features)).tolist()
    assert texts.status_code == 200
    assert list(texts.json()["probabilities"].values()) == expected
    assert texts.json()["prediction"] == "low"
    assert number.status_code == 422


def test_files_are_read_as_requests_are(default: Bundle) -> None:
    rows = {name: [HOUSE[name]] * 3 for name in default.schema.names}
    rows |= {"bsmtqual": ["NA", " Gd", None], "lotfrontage": ["n/a", "61", None], "pool": ["NA", True, None]}

    frame = frames.to_schema_frame(pd.DataFrame(rows), default.schema)

    assert frame["bsmtqual"].tolist() == ["", "Gd", ""]
    assert np.array_equal(frame["lotfrontage"], [np.nan, 61, np.nan], equal_nan=True)
    assert np.array_equal(frame["pool"], [np.nan, 1, np.nan], equal_nan=True)
    features = to_features(default.schema, rows)
    assert features.categorical[:, 0].tolist() == ["", "Gd", ""]


def test_a_model_made_before_there_were_words_reads_texts_as_before(default: Bundle) -> None:
    content = default.schema.model_dump(mode="json", exclude={"missing", "strip"})
    schema = Schema.model_validate_json(json.dumps(content))

    features = to_features(schema, {name: [HOUSE[name]] for name in schema.names} | {"bsmtqual": [" NA"]})

    assert features.categorical.tolist() == [[" NA", "02134"]]
