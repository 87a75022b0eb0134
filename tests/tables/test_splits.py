"""Rows that chance must not spread: later ones are not learnt from, groups are not torn apart."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from src.errors import ConfigError, DataError
from src.params import DataParams, load_params
from src.tables import frames
from src.tables.frames import Prepared
from tests.conftest import REPOSITORY

ROWS = 200


def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.permutation(ROWS), "D")
    return pd.DataFrame(
        {
            "Day": days.strftime("%Y-%m-%d"),
            "Number": random.permutation(ROWS),
            "Patient": random.integers(0, 40, ROWS),
            "x": random.normal(size=ROWS).round(3),
            "y": random.choice(["no", "yes"], ROWS),
        }
    )


def prepare(rows: pd.DataFrame, **changes: Any) -> Prepared:
    data = DataParams.model_validate(
        {
            "name": "visits",
            "source": "visits.csv",
            "target": "y",
            "drop": [],
            "ranges": {},
            "test_size": 0.25,
            "random_state": 0,
            **changes,
        }
    )
    texts = rows.map(str)
    data = frames.with_task(texts, data)
    return frames.prepared(frames.to_values(texts, data), data)


def test_the_last_rows_by_a_date_are_held_out() -> None:
    prepared = prepare(table(), time="Day")

    assert (len(prepared.train), len(prepared.test)) == (150, 50)
    assert prepared.train["day"].max() < prepared.test["day"].min() == "2020-05-30"
    assert "day" in prepared.schema.names


@pytest.mark.parametrize("target", ["y", "x"])
def test_the_last_rows_by_a_number_are_held_out_and_it_may_be_no_feature(target: str) -> None:
    prepared = prepare(table(), time="Number", drop=["Number"], target=target)

    assert "number" not in prepared.schema.names
    held_out = set(table().index[table()["Number"] >= 150])
    assert set(prepared.test.index) == held_out
    assert set(prepared.train.index) == set(range(ROWS)) - held_out


def test_rows_of_one_moment_stay_together() -> None:
    rows = table().assign(Number=np.arange(ROWS) // 30)

    prepared = prepare(rows, time="Number")

    assert set(prepared.train["number"]) == {0.0, 1.0, 2.0, 3.0, 4.0}
    assert set(prepared.test["number"]) == {5.0, 6.0}


def test_a_group_is_held_out_whole_or_not_at_all_and_is_no_feature() -> None:
    rows = table()

    prepared = prepare(rows, group="Patient")

    trained, held_out = (set(rows.loc[part.index, "Patient"]) for part in (prepared.train, prepared.test))
    assert trained and held_out and not trained & held_out
    assert trained | held_out == set(rows["Patient"])
    assert len(held_out) == round(len(trained | held_out) * 0.25)
    assert prepared.schema.names == ["day", "number", "x"]
    again = prepare(rows, group="Patient")
    pd.testing.assert_frame_equal(again.test, prepared.test)
    assert set(prepare(rows, group="Patient", random_state=1).test.index) != set(prepared.test.index)


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        (table(), {"time": "when"}, "data.time: no column 'when', the table has day, number, patient, x, y"),
        (table(), {"group": "who"}, "data.group: no column 'who', the table has day, number, patient, x, y"),
        (
            table().assign(Day="soon"),
            {"time": "Day"},
            "data.time: column 'Day': 'soon' is neither a date nor a number",
        ),
        (
            table().assign(Day=[""] * 3 + ["2020-01-01"] * 197),
            {"time": "day"},
            "data.time: column 'Day': 3 rows have no time",
        ),
        (
            table().assign(Number=7),
            {"time": "Number"},
            "data.time: column 'Number': no row is before the 200 last ones",
        ),
        (
            table().assign(Patient=7),
            {"group": "Patient"},
            "data.group: column 'Patient': every row is of one group",
        ),
        (
            table().assign(Patient=["NA"] * 2 + ["a", "b"] * 99),
            {"group": "Patient"},
            "data.group: column 'Patient': 2 rows have no group",
        ),
        (
            table().assign(Number=range(ROWS), y=["no"] * 190 + ["yes"] * 10),
            {"time": "Number"},
            "class 'yes' is held out whole, so that it cannot be learnt",
        ),
    ],
)
def test_what_cannot_be_split_says_why(rows: pd.DataFrame, changes: dict[str, str], message: str) -> None:
    with pytest.raises(DataError) as error:
        prepare(rows, **changes)

    assert str(error.value) == message


def test_time_and_group_exclude_each_other(tmp_path: Path) -> None:
    content = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    content["data"] |= {"time": "a", "group": "b"}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))

    with pytest.raises(ValidationError):
        prepare(table(), time="Day", group="Patient")
    with pytest.raises(
        ConfigError, match="data: time and group exclude each other: rows are held out by one"
    ):
        load_params(path)
