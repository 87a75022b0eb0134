"""The folds of a cross-validation, as far apart as the held-out rows are: by time, by group or by chance."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

from src.params import DataParams

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]  # the rows to fit, the rows to answer


def folds(
    count: int, rows: int, blocks: NDArray[np.int64] | None, data: DataParams, labels: NDArray[Any] | None
) -> Iterator[Fold]:
    """Give at most `count` folds of `rows`, at least two of them.

    `blocks` [rows] are the group of each row or its place in time, where `data` has one of these; then no
    group is on both sides, and what is answered is later than what is fitted. `labels` [rows] are classes,
    whose shares the folds keep where each has rows enough.
    """
    seed = data.random_state
    places = np.arange(rows)
    if blocks is not None and data.time is not None:
        order = np.argsort(blocks, kind="stable")
        for fitted, rest in TimeSeriesSplit(min(count, rows - 1)).split(order):
            later = rest[
                blocks[order[rest]] > blocks[order[fitted]].max()
            ]  # rows of one moment stay together
            if len(later):
                yield order[fitted], order[later]
    elif blocks is not None and len(np.unique(blocks)) > 1:
        yield from GroupKFold(min(count, len(np.unique(blocks)))).split(places, groups=blocks)
    elif labels is not None and np.unique(labels, return_counts=True)[1].min() >= count:
        yield from StratifiedKFold(count, shuffle=True, random_state=seed).split(places, labels)
    else:
        yield from KFold(min(count, rows), shuffle=True, random_state=seed).split(places)
