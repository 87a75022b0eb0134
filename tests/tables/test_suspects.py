import numpy as np
import pandas as pd
import pytest

from src.tables.suspects import suspects
from src.tasks import TaskName

ROWS = 400


@pytest.fixture
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    x = random.normal(size=ROWS)
    return pd.DataFrame(
        {
            "x": x,
            "place": random.choice(["a", "b", "c"], ROWS),
            "price": np.round(100 * x + random.normal(0, 40, ROWS), 2),
            "bought": np.where(x + random.normal(size=ROWS) > 0, "yes", "no"),
        }
    )


def found(table: pd.DataFrame, target: str, task: TaskName = "classification") -> dict[str, str]:
    return dict(suspects(table, target, task))


def test_an_ordinary_table_has_none(table: pd.DataFrame) -> None:
    assert found(table, "bought") == {}
    assert found(table, "price", "regression") == {}


@pytest.mark.parametrize(
    "values",
    [np.arange(ROWS) + 7, np.arange(ROWS)[::-1] * 3, [f"customer {place}" for place in range(ROWS)]],
)
def test_an_identifier_is_named(table: pd.DataFrame, values: object) -> None:
    assert found(table.assign(id=values), "bought") == {
        "id": "has another value in each row, as an identifier has"
    }


@pytest.mark.parametrize("values", [np.arange(ROWS) * 1_000, np.arange(ROWS) + 0.5, np.arange(ROWS) // 2])
def test_what_counts_something_is_no_identifier(table: pd.DataFrame, values: object) -> None:
    assert found(table.assign(population=values), "bought") == {}


def test_a_copy_of_a_column_is_named(table: pd.DataFrame) -> None:
    table.loc[::9, "place"] = None

    assert found(table.assign(again=table["place"], twice=table["x"]), "bought") == {
        "again": "repeats column 'place'",
        "twice": "repeats column 'x'",
    }


@pytest.mark.parametrize(
    "leak",
    [
        lambda table: table["bought"].map({"yes": 1, "no": 0}),
        lambda table: table["bought"].map({"yes": "Y", "no": "N"}).where(np.arange(ROWS) % 50 != 0, "?"),
        lambda table: table["bought"].map({"yes": 7.5, "no": None}),
    ],
)
def test_what_gives_the_classes_away_is_named(table: pd.DataFrame, leak: object) -> None:
    [(header, what)] = found(table.assign(later=leak), "bought").items()

    assert header == "later"
    assert what.endswith("of the classes: is it known before the target is?")


def test_what_gives_the_number_away_is_named(table: pd.DataFrame) -> None:
    leak = table["price"] * 1.2 + np.random.default_rng(1).normal(0, 1, ROWS)

    [(header, what)] = found(table.assign(gross=leak), "price", "regression").items()

    assert header == "gross"
    assert what.endswith("of the variance: is it known before the target is?")


def test_the_commonest_class_is_no_news(table: pd.DataFrame) -> None:
    rare = np.where(np.arange(ROWS) % 100 == 0, "yes", "no")

    assert found(table.assign(bought=rare), "bought") == {}


def test_few_rows_say_nothing() -> None:
    table = pd.DataFrame({"id": range(10), "same": ["a", "b"] * 5, "y": ["a", "b"] * 5})

    assert found(table, "y") == {}
