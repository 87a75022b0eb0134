"""Folds are as far apart as the held-out rows are, and are kept with the prepared table."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src import paths
from src.errors import DataError
from src.params import DataParams
from src.tables import frames, processed
from src.tables.folds import Fold, folds


def data(**changes: Any) -> DataParams:
    given = {"name": "t", "source": "t.csv", "target": "y", "drop": (), "ranges": {}, "test_size": 0.2}
    return DataParams.model_validate({**given, "random_state": 3, **changes})


def check_partition(found: list[Fold], rows: int) -> None:
    assert sorted(np.concatenate([rest for _, rest in found])) == list(range(rows))
    for fitted, rest in found:
        assert sorted([*fitted, *rest]) == list(range(rows))


def test_by_chance_every_row_is_answered_once_and_classes_keep_their_shares() -> None:
    labels = np.array([0] * 80 + [1] * 20)
    found = list(folds(5, 100, None, data(), labels))

    check_partition(found, 100)
    assert [int(labels[rest].sum()) for _, rest in found] == [4] * 5


@pytest.mark.parametrize("labels", [None, np.array([0] * 97 + [1] * 3)], ids=["numbers", "a rare class"])
def test_otherwise_folds_are_random(labels: Any) -> None:
    found = list(folds(5, 100, None, data(), labels))

    check_partition(found, 100)
    assert [*found[0][1]] != list(range(20))


def test_a_group_is_on_one_side() -> None:
    blocks = np.random.default_rng(1).integers(0, 12, 200)
    found = list(folds(5, 200, blocks, data(group="who"), None))

    check_partition(found, 200)
    for fitted, rest in found:
        assert not set(blocks[fitted]) & set(blocks[rest])


def test_fewer_groups_than_folds_give_fewer_folds() -> None:
    assert len(list(folds(5, 60, np.arange(60) // 20, data(group="who"), None))) == 3


def test_what_is_answered_is_later_than_what_is_fitted() -> None:
    blocks = np.random.default_rng(1).integers(0, 40, 200)  # several rows of one moment
    found = list(folds(5, 200, blocks, data(time="day"), None))

    assert len(found) == 5
    for fitted, rest in found:
        assert blocks[fitted].max() < blocks[rest].min()


@pytest.mark.parametrize("key", ["time", "group"])
def test_they_are_kept_with_the_prepared_table_and_go_with_it(folder: Path, key: str) -> None:
    rows = 60
    table = pd.DataFrame(
        {"day": np.arange(rows) // 3, "a": np.arange(rows) * 1.5, "y": np.arange(rows) * 2.5}
    )
    asked = frames.with_task(table.astype(str), data(**{key: "day"}))
    Path("data/raw").mkdir(parents=True)
    asked.raw.write_text("x")

    made = frames.prepared(frames.to_values(table.astype(str), asked), asked)
    processed.write_prepared(made, asked)
    read = processed.load_prepared()

    assert made.blocks is not None and read.blocks is not None
    assert len(made.blocks) == len(made.train)
    np.testing.assert_array_equal(read.blocks, made.blocks)
    a = made.train["a"].to_numpy() // 4.5  # the day of each row
    assert len({*zip(a, made.blocks, strict=True)}) == len({*a}) == len({*made.blocks})

    paths.BLOCKS.write_text("block\n1\n2\n")
    with pytest.raises(
        DataError, match=f"blocks.csv: 2 rows, .*train.csv has {len(made.train)}; prepare again"
    ):
        processed.load_prepared()
    paths.BLOCKS.write_text("block\nx\n")
    with pytest.raises(DataError, match="blocks.csv: damaged; run python -m src.data.prepare"):
        processed.load_prepared()

    by_chance = frames.with_task(table.astype(str), data())
    processed.write_prepared(
        frames.prepared(frames.to_values(table.astype(str), by_chance), by_chance), by_chance
    )
    assert processed.load_prepared().blocks is None
    assert paths.BLOCKS.read_text() == "block\n"
