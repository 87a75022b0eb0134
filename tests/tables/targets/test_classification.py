import numpy as np
import pandas as pd
import pytest

from src.errors import DataError
from src.schema.cells import CellRule
from src.tables.infer import infer
from src.tables.targets import classification


@pytest.mark.parametrize(
    ("targets", "test_size", "message"),
    [
        ("aaaab", 0.4, "column 'y': class 'b' has one row; it takes two to train and to test"),
        (
            "aaabbbccc",
            0.2,
            "data.test_size: 0.2 of 9 rows leaves a part of 2 rows for 3 classes; choose another",
        ),
        ("aaabbb", 0.99, "data.test_size: 0.99 of 6 rows: With n_samples=6"),
        ("a" * 98 + "bb", 0.9, "data.test_size: 0.9 leaves no row of class 'b' to train on"),
    ],
)
def test_a_split_that_cannot_be_says_why(targets: str, test_size: float, message: str) -> None:
    table = pd.DataFrame({"x": range(len(targets)), "y": list(targets)})

    with pytest.raises(DataError) as error:
        classification.split(table, test_size, 0, "y")

    assert str(error.value).startswith(message)


def test_what_looks_like_a_number_is_a_class() -> None:
    cells = CellRule(("", "NA"), strip=True)
    table = pd.DataFrame({"x": [1, 2, 3, 4], "y": ["1", "1.0", " 1", "02"]})

    schema = infer(table, "y", {}, cells, "classification")

    assert schema.classes == ("02", "1", "1.0")
    column = classification.to_column(schema, table["y"])
    assert column.tolist() == ["1", "1.0", "1", "02"]
    learned = classification.to_array(column)
    assert learned.dtype == np.dtype(object)
    assert learned.tolist() == ["1", "1.0", "1", "02"]


def test_classes_as_common_as_each_other_are_told_in_their_order() -> None:
    told = classification.summary(pd.Series(["b", "a", "100%", "b", "a", "c"]))

    assert told == "classes: a 33.3%, b 33.3%, 100% 16.7%, c 16.7%"


@pytest.mark.parametrize(
    ("targets", "count", "places"),
    [("aabac", 5, [0, 2, 4, 1, 3]), ("aabac", 2, [0, 2]), ("aabac", 9, [0, 2, 4, 1, 3]), ("aa", 1, [0])],
)
def test_example_rows_are_of_different_classes_first(targets: str, count: int, places: list[int]) -> None:
    table = pd.DataFrame({"x": range(len(targets)), "y": list(targets)})

    assert classification.example_rows(table, count, "y")["x"].tolist() == places
