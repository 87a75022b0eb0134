"""Which rows are held out where chance would flatter the model: the last ones, or whole groups."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit

from src.errors import DataError
from src.schema.cells import CellRule
from src.schema.dates import is_moment, read_moment

Split = tuple[NDArray[np.bool_], NDArray[np.int64]]


def by_time(header: str, values: "pd.Series[Any]", test_size: float, cells: CellRule) -> Split:
    """Return which rows [rows] are held out, those from the moment on after which `test_size` of them are,
    and the place of each row in time.

    `values` of the column `header` are dates, times or numbers; rows of one moment stay together.

    Raises:
        DataError: a row has none, or all would be held out.
    """
    moments = _moments(header, values, cells)
    first = np.sort(moments)[min(len(moments) - 1, int(len(moments) * (1 - test_size)))]
    held_out: NDArray[np.bool_] = moments >= first
    if held_out.all():
        raise DataError(f"data.time: column {header!r}: no row is before the {held_out.sum()} last ones")
    return held_out, np.unique(moments, return_inverse=True)[1]


def by_group(header: str, values: "pd.Series[Any]", test_size: float, random_state: int) -> Split:
    """Return which rows [rows] are held out, all of some groups, about `test_size` of the groups, and the
    number of each row's group.

    Raises:
        DataError: a row has no group, or there is one group only.
    """
    if missing := int((values.isna() | (values.map(str) == "")).sum()):
        raise DataError(f"data.group: column {header!r}: {missing} rows have no group")
    groups = values.map(str).to_numpy()
    if len(np.unique(groups)) < 2:
        raise DataError(f"data.group: column {header!r}: every row is of one group")
    splitter = GroupShuffleSplit(1, test_size=test_size, random_state=random_state)
    try:
        _, rows = next(splitter.split(groups, groups=groups))
    except ValueError as error:
        raise DataError(
            f"data.test_size: {test_size:g} of {len(np.unique(groups))} groups: {error}"
        ) from error
    held_out = np.zeros(len(groups), dtype=bool)
    held_out[rows] = True
    return held_out, np.unique(groups, return_inverse=True)[1]


def _moments(header: str, values: "pd.Series[Any]", cells: CellRule) -> NDArray[Any]:
    texts = values.map(lambda value: isinstance(value, str))
    spelled = values.where(~texts, values.map(lambda value: cells.text(str(value)).strip()))
    if missing := int((spelled.isna() | (spelled.map(str) == "")).sum()):
        raise DataError(f"data.time: column {header!r}: {missing} rows have no time")
    if not texts.any():
        return spelled.to_numpy(dtype=np.float64)
    wrong = [text for text in spelled.unique() if not is_moment(str(text))]
    if wrong:
        raise DataError(
            f"data.time: column {header!r}: {str(wrong[0])[:40]!r} is neither a date nor a number"
        )
    read = {text: np.datetime64(read_moment(str(text)), "us") for text in spelled.unique()}
    return np.array([read[text] for text in spelled])
