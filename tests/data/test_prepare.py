import logging
from pathlib import Path

import pandas as pd
import pytest

from src.data import prepare
from src.errors import DataError
from tests.conftest import run
from tests.mixed import write_mixed

OUTPUTS = ["raw/iris.csv", "processed/train.csv", "processed/test.csv", "processed/schema.json",
           "processed/prepared.json", "processed/blocks.csv"]  # fmt: skip


def test_iris_is_copied_checked_and_split(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(prepare.main)

    assert Path("data/raw/iris.csv").read_bytes() == Path("data/iris.csv").read_bytes()
    train, test = (pd.read_csv(f"data/processed/{name}.csv") for name in ("train", "test"))
    assert list(train.columns) == ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
    assert train["species"].value_counts().to_dict() == dict.fromkeys(
        ["setosa", "versicolor", "virginica"], 40
    )
    assert test["species"].value_counts().to_dict() == dict.fromkeys(
        ["setosa", "versicolor", "virginica"], 10
    )
    assert capsys.readouterr().err.splitlines() == [
        "WARNING 1 row repeats another one",
        "INFO    task: classification, set another with data.task; "
        "classes: setosa 33.3%, versicolor 33.3%, virginica 33.3%",
        "INFO    prepared data/iris.csv: 120 rows to train, 30 held out, in data/processed",
    ]


def test_the_same_table_gives_the_same_bytes(workspace: Path) -> None:
    run(prepare.main)
    first = [(workspace / "data" / name).read_bytes() for name in OUTPUTS]

    run(prepare.main)

    assert [(workspace / "data" / name).read_bytes() for name in OUTPUTS] == first


def test_a_missing_target_stops_and_leaves_no_file(workspace: Path) -> None:
    source = Path("data/iris.csv")
    lines = source.read_text().splitlines()
    lines[1:3] = [line.replace("setosa", "") for line in lines[1:3]]
    source.write_text("\n".join(lines))

    with pytest.raises(DataError, match="column 'species': 2 rows have no target"):
        run(prepare.main)

    assert list(Path("data").iterdir()) == [source]


def test_what_may_be_why_is_said_before_the_error(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f'"{number // 1000},{number % 1000:03d}",{"ab"[number % 2]}' for number in range(1000, 2100)]
    Path("data/iris.csv").write_text("\n".join(["price,species", *rows]))

    with pytest.raises(DataError, match="column 'price': 1100 different texts, at most 1000 are allowed"):
        run(prepare.main)

    assert "column 'price': '1,000' is a text, not a number" in capsys.readouterr().err


def test_a_table_of_every_kind_is_prepared(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_mixed(workspace)

    run(prepare.main)

    train = pd.read_csv("data/processed/train.csv")
    assert list(train.columns) == ["age", "income", "city", "member", "newsletter", "bought"]
    assert len(train) == 180
    assert logging.getLogger("src").level == logging.INFO
