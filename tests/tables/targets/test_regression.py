import logging
from pathlib import Path

import pandas as pd
import pytest

from src.errors import DataError
from src.params import DataParams
from src.tables import frames, processed
from src.tables.frames import Prepared
from src.tables.targets import regression

INFINITE = "holds an infinite number or one beyond 3.4e+38; data.missing can list it as no value"
GOOD = [f"{number}.5" for number in range(20)]


def prepare(targets: list[str], **changes: object) -> Prepared:
    data = DataParams.model_validate(
        {
            "name": "houses",
            "source": "houses.csv",
            "target": "price",
            "task": "regression",
            "drop": [],
            "ranges": {},
            "test_size": 0.25,
            "random_state": 0,
            **changes,
        }
    )
    texts = pd.DataFrame({"Rooms": [str(place % 7) for place in range(len(targets))], "Price": targets})
    return frames.prepared(frames.to_values(texts, data), data)


def test_numbers_are_read_and_split() -> None:
    prepared = prepare(GOOD)

    assert (prepared.schema.task, prepared.schema.classes) == ("regression", ())
    assert (prepared.schema.target, prepared.schema.target_header) == ("price", "Price")
    assert (len(prepared.train), len(prepared.test)) == (15, 5)
    assert prepared.train["price"].dtype == "float64"
    both = pd.concat([prepared.train, prepared.test])["price"]
    assert sorted(both) == [float(text) for text in GOOD]


def test_the_same_seed_splits_alike_and_reads_back(tmp_path: Path) -> None:
    first, second = prepare(GOOD), prepare(GOOD)
    pd.testing.assert_frame_equal(first.train, second.train)

    (tmp_path / "train.csv").write_bytes(processed.to_bytes(first.train))

    back = processed.read_prepared(tmp_path / "train.csv", first.schema)
    pd.testing.assert_frame_equal(back, first.train.reset_index(drop=True))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([*GOOD, ""], "column 'price': 1 rows have no target; data.target_missing: drop leaves them out"),
        (
            [*GOOD, "NA", ""],
            "column 'price': 2 rows have no target; data.target_missing: drop leaves them out",
        ),
        (
            [*GOOD, "12 EUR", "n/b"],
            "column 'price': '12 EUR' in 2 rows is no number; mend it, list it in data.missing, or set "
            "data.task: classification",
        ),
        (["true", "false"] * 5, "column 'price': holds true and false; set data.task: classification"),
        (["3"] * 10, "column 'price': every row has the target 3"),
        (
            [*GOOD, "inf"],
            f"column 'price': {INFINITE}",
        ),
        (
            [*GOOD, "1e39"],
            f"column 'price': {INFINITE}",
        ),
        (["1", "2"], "data.test_size: 0.25 leaves 1 rows of one target to train on"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(targets: list[str], message: str) -> None:
    with pytest.raises(DataError) as error:
        prepare(targets)

    assert str(error.value) == message


def test_rows_without_a_number_are_left_out_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        prepared = prepare([*GOOD, "NA", ""], target_missing="drop")

    assert len(prepared.train) + len(prepared.test) == 20
    assert caplog.messages == ["column 'Price': left out 2 of 22 rows, which have no target"]


def test_the_example_rows_go_from_the_least_to_the_greatest() -> None:
    table = pd.DataFrame({"x": range(11), "price": [5.0, 1, 9, 3, 7, 2, 8, 4, 6, 0, 10]})

    assert regression.example_rows(table, 5, "price")["price"].tolist() == [0.0, 2, 5, 8, 10]
    assert regression.example_rows(table.head(2), 5, "price")["price"].tolist() == [1.0, 5]


def test_the_summary_is_one_line() -> None:
    assert regression.summary(pd.Series([1.0, 2, 3, 4, 5])) == (
        "target: 1 to 5, mean 3, median 3, half of the rows between 2 and 4"
    )
