"""A file gets the answers that the server gives, bit for bit, or each wrong cell by its place."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from starlette.testclient import TestClient

from src import paths
from src.bundle.bundle import Bundle
from src.config import Settings
from src.data import prepare
from src.errors import ConfigError, DataError, MlopsError
from src.evaluation import evaluate
from src.promotion.publish import publish
from src.runtime.session import open_model
from src.scoring import predict as command
from src.scoring.predict import predict, rows_of_texts
from src.serving.factory import create_app
from src.store.models import in_models
from src.store.sources import source_for
from src.tables.source import read_texts
from src.training import train
from tests.conftest import run
from tests.mixed import mixed_table, write_mixed

IRIS = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)\n"


@pytest.fixture
def served(candidate: Callable[..., Path]) -> Bundle:
    return publish(candidate("7"), Settings())


def write(text: str) -> Path:
    file = Path("rows.csv")
    file.write_text(text)
    return file


def test_a_file_has_the_answers_beside_its_rows(served: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "id,petal_width,petal_length,sepal width (cm),sepal_length\nx7,0.2,1.4,3.5,5.1\n007,1.8,5.1,3.0,5.9\n"
    )

    run(command.main, "rows.csv", "--out", "answers.csv")

    answers = pd.read_csv("answers.csv", dtype={"id": str})
    rows = {"sepal_length": [5.1, 5.9], "sepal_width": [3.5, 3.0], "petal_length": [1.4, 5.1]}
    features, _ = rows_of_texts(served.schema, pd.DataFrame({**rows, "petal_width": [0.2, 1.8]}).astype(str))
    expected = open_model(served.model, served.schema).predict(features)
    assert list(answers["id"]) == ["x7", "007"]
    assert list(answers["prediction"]) == [served.schema.classes[label] for label in expected[0]]
    found = answers[[f"probability_{name}" for name in served.schema.classes]].to_numpy()
    assert np.array_equal(found, expected[1])
    assert capsys.readouterr().out == (
        "answers.csv has the 2 rows of rows.csv with the predictions of IrisClassifier version 7\n"
    )


def test_lines_of_json_keep_every_bit(served: Bundle) -> None:
    write(IRIS + "5.1,3.5,1.4,0.2\n")

    run(command.main, "rows.csv", "--out", "answers.jsonl")

    [line] = Path("answers.jsonl").read_text().splitlines()
    assert json.loads(line)["confidence"] == predict(served, read_texts(Path("rows.csv")))["confidence"][0]


def test_the_screen_shows_some_and_says_of_the_rest(
    served: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    write(IRIS + "5.1,3.5,1.4,0.2\n" * 25)

    run(command.main, "rows.csv")

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22
    assert lines[1].split()[:2] == ["1", "setosa"]
    assert lines[-1] == "… 5 more rows; OUT=predictions.csv writes all of them"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a,b\n1,2\n",
            "column 'sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)' is",
        ),
        (IRIS + "5.1,3.5,1.4,0.2\n5.1,x,1.4,0.2\n", "line 3, column 'sepal width (cm)': 'x' is not a number"),
        (IRIS + "5.1,3.5,1.4,99\n", "line 2, column 'petal width (cm)': '99'; allowed: 0 to "),
        (IRIS + "5.1,,1.4,0.2\n", "line 2, column 'sepal width (cm)': no value; the training data has one"),
        (IRIS + "5.1,inf,1.4,0.2\n", "line 2, column 'sepal width (cm)': 'inf' is not a number"),
        (IRIS + "5.1,x,1.4,0.2\n" * 12, "12 cells do not match the schema"),
        (IRIS + "5.1,x,1.4,0.2\n" * 12, "… and 2 more"),
        (IRIS[:-1] + ",prediction\n5.1,3.5,1.4,0.2,a\n", "column 'prediction' is there already; rename it"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(served: Bundle, text: str, message: str) -> None:
    write(text)
    Path("answers.csv").write_text("of before")

    with pytest.raises(DataError) as refused:
        run(command.main, "rows.csv", "--out", "answers.csv")

    assert str(refused.value).startswith("rows.csv: ")
    assert message in str(refused.value)
    assert Path("answers.csv").read_text() == "of before"


def test_without_a_model_the_remedy_is_said() -> None:
    write(IRIS + "5.1,3.5,1.4,0.2\n")

    with pytest.raises(MlopsError, match="^models: no model is in service yet; make train makes one$"):
        run(command.main, "rows.csv")


def test_another_format_is_refused(served: Bundle) -> None:
    with pytest.raises(ConfigError, match=r"^answers.xls: allowed are .csv, .jsonl$"):
        run(command.main, "rows.csv", "--out", "answers.xls")


@pytest.mark.usefixtures("workspace")
def test_every_kind_of_column_is_answered_as_by_the_server() -> None:
    write_mixed(Path())
    for main in (prepare.main, train.main, evaluate.main):
        run(main)
    bundle = in_models(Settings())
    assert bundle is not None
    texts = read_texts(Path("data/customers.csv"))

    answers = predict(bundle, texts)

    rows = mixed_table().drop(columns=["customer id", "bought?"]).astype(object)
    rows = rows.set_axis(bundle.schema.names, axis="columns").where(rows.notna().to_numpy(), None)
    settings = Settings(rate_limit_predict_batch="1000/minute")
    with TestClient(create_app(settings, source_for(settings))) as client:
        sent = [json.loads(row) for row in rows.apply(lambda row: row.to_json(), axis=1)]
        served = client.post("/predict/batch", json={"rows": sent}).json()["predictions"]
    assert [one["prediction"] for one in served] == list(answers["prediction"])
    assert [one["confidence"] for one in served] == list(answers["confidence"])


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_contributions_are_those_of_the_server_and_add_up(folder: Path, task: str) -> None:
    write_mixed(folder)
    if task == "regression":
        params = yaml.safe_load(Path("params.yaml").read_text())
        params["data"] |= {"target": "income", "target_missing": "drop"}
        params["evaluate"] = {"beat_baseline_by": 0.0}
        Path("params.yaml").write_text(yaml.safe_dump(params))
    for stage in (prepare, train, evaluate):
        run(stage.main)
    bundle = in_models(Settings())
    assert bundle is not None and bundle.manifest.task == task
    headers = [column.header for column in bundle.schema.columns]
    texts = read_texts(Path(paths.RAW / "customers.csv"))[headers].head(12)

    found = predict(bundle, texts, explained=True)

    app = create_app(Settings(), source_for(Settings()))
    with TestClient(app):
        for place, label in enumerate(found["prediction"]):
            features, _ = rows_of_texts(bundle.schema, texts.iloc[place : place + 1])
            told = app.state.shared.loaded.explain(features)["contributions"]
            served = {name: parts if task == "regression" else parts[label] for name, parts in told.items()}
            assert served == {name: found[f"contribution_{name}"].iloc[place] for name in bundle.schema.names}
    parts = found[[name for name in found.columns if name.startswith("contribution_")]].sum(axis=1)
    total = found["prediction"] if task == "regression" else found["confidence"]
    np.testing.assert_allclose(parts, total, rtol=1e-9)


def test_a_model_without_its_distribution_cannot_be_explained(
    served: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.DataFrame([["5.1", "3.5", "1.4", "0.2"]], columns=served.schema.names)

    with pytest.raises(MlopsError, match="came without its training distribution"):
        predict(replace(served, profile={}), rows, explained=True)
