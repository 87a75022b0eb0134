"""What is not of one task asks the task's module: here that of one whose target is a number."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src import tasks
from src.data.remarks import remarks
from src.params import DataParams
from src.schema.cells import CellRule
from src.schema.columns import Schema
from src.tables import frames
from src.tables.conform import to_numbers
from src.tasks import CLASSIFICATION

DATA = DataParams(
    name="houses", source="houses.csv", target="price", drop=(), ranges={}, test_size=0.5, random_state=0
)
TEXTS = pd.DataFrame({"Rooms": ["1", "2", "3", "4"], "Price": ["10", "20.5", "30", "40"]})


def infer(target: str, values: "pd.Series[Any]", cells: CellRule) -> dict[str, Any]:
    assert (target, values.tolist()) == ("price", [10, 20.5, 30, 40])
    return {"classes": ()}


def to_column(schema: Schema, values: pd.Series) -> pd.Series:
    return to_numbers(schema.target_header, values, schema.cells)


def split(
    table: pd.DataFrame, test_size: float, random_state: int, target: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return table.head(3), table.tail(1)


def usable(
    target: str, values: "pd.Series[Any]", cells: CellRule, missing: str, rare: str
) -> tuple["pd.Series[bool]", list[str]]:
    return pd.Series(True, index=values.index), []


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(IS_TEXT=False, infer=infer, to_column=to_column, split=split, usable=usable)
    monkeypatch.setitem(sys.modules, "src.tables.targets.numbers", module)
    monkeypatch.setitem(tasks.TASKS, "numbers", CLASSIFICATION._replace(name="numbers", model_suffix="Guess"))
    monkeypatch.setattr(DataParams, "task", "numbers")
    monkeypatch.setattr(Schema, "task", "numbers")


def test_the_target_is_read_inferred_and_split_by_its_task() -> None:
    prepared = frames.prepared(frames.to_values(TEXTS, DATA), DATA)

    assert prepared.train["price"].tolist() == [10.0, 20.5, 30.0]
    assert prepared.test["price"].tolist() == [40.0]
    assert prepared.train["price"].dtype == np.float64
    assert DATA.model_name == "HousesGuess"


def test_a_target_of_numbers_is_remarked_on_as_numbers() -> None:
    texts = TEXTS.assign(Price=["1.50", "1.5", "2", "3"])

    assert list(remarks(texts, frames.to_values(texts, DATA), DATA)) == [
        "column 'Price': '1.50' and '1.5' are read as one value; data.text: [Price] keeps it as text"
    ]
