from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.schema.columns import DateColumn
from src.schema.dates import is_moment, parts, read_moment
from src.schema.features import date_parts


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2013-07-04", datetime(2013, 7, 4)),
        ("2013-07-04T09:30", datetime(2013, 7, 4, 9, 30)),
        ("2013-07-04 09:30:15", datetime(2013, 7, 4, 9, 30, 15)),
        ("2013-07-04T09:30:15.25", datetime(2013, 7, 4, 9, 30, 15, 250_000)),
        ("2013-07-04T09:30Z", datetime(2013, 7, 4, 9, 30)),
        ("2013-07-04T00:30:00+02:00", datetime(2013, 7, 3, 22, 30)),
        ("2013-12-31T23:30:00-0500", datetime(2014, 1, 1, 4, 30)),
        ("0001-01-01", datetime(1, 1, 1)),
        ("9999-12-31", datetime(9999, 12, 31)),
    ],
)
def test_what_iso_8601_spells_is_read(text: str, moment: datetime) -> None:
    assert read_moment(text) == moment
    assert is_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2013",
        "20130704",
        "2013-W27-4",
        "2013-185",
        "2013-7-4",
        "04/07/2013",
        "2013-02-29",
        "2013-13-01",
        "2013-07-04T",
        "2013-07-04T25:00",
        "2013-07-04T09",
        "2013-07-04T09:30+25:00",
        "2013-07-04 ",
        "٢٠١٣-٠٧-٠٤",
        "0000-01-01",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:00-14:00",
    ],
)
def test_anything_else_is_no_date(text: str) -> None:
    assert not is_moment(text)


@given(st.datetimes())
def test_the_parts_are_those_of_pandas(moment: datetime) -> None:
    stamp = np.datetime64(moment, "D")

    found = parts(moment, True)

    assert found[0] == (stamp - np.datetime64("1970-01-01", "D")).astype(int)
    assert found[1:4] == (moment.year, moment.month, moment.weekday() + 1)
    assert found[4] == pytest.approx(
        (moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds() / 3600
    )
    assert parts(moment, False) == found[:4]
    assert read_moment(moment.isoformat()) == moment


def test_a_column_of_dates_becomes_a_matrix() -> None:
    column = DateColumn(
        name="at", header="At", type="date", nullable=True, lowest="2020-01-01", highest="2021-12-31",
        has_time=False,
    )  # fmt: skip

    found = date_parts(column, pd.Series(["2020-02-29", None, "", " 2021-01-03"]))

    assert found[[0, 3]].tolist() == [[18321.0, 2020.0, 2.0, 6.0], [18630.0, 2021.0, 1.0, 7.0]]
    assert np.isnan(found[[1, 2]]).all()
    assert [(one.name, one.header, one.lowest, one.highest) for one in column.parts] == [
        ("at.day", "At (day)", 18262.0, 18992.0),
        ("at.year", "At (year)", 2020.0, 2021.0),
        ("at.month", "At (month)", 1.0, 12.0),
        ("at.weekday", "At (weekday)", 1.0, 7.0),
    ]
    assert date_parts(column, []).shape == (0, 4)
