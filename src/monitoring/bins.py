"""How values are distributed: the bins of a number or a text, and how full they are."""

import math
import operator
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from src.bundle.limits import check_shares
from src.schema.columns import CategoryColumn
from src.strict_model import StrictModel

BINS = 10
COMMONEST = 20  # categories with a bin of their own

Shares = Annotated[
    tuple[float, ...], Field(strict=False, fail_fast=True)
]  # of the rows, one per bin; they add up to 1


class NumericProfile(StrictModel):
    """A number's bins: below, one per pair of edges, above, missing.

    Those between run from edge to edge, each with its left edge, the last with both.
    """

    type: Literal["numeric"] = "numeric"
    edges: Shares
    shares: Shares

    def bins(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the bin [rows] of each of `values` [rows], a position in `shares`; NaN is missing."""
        places: NDArray[np.int64] = np.searchsorted(self.edges, values, side="right")
        places[values == self.edges[-1]] -= 1
        places[np.isnan(values)] = len(self.edges) + 1
        return places


class CategoryProfile(StrictModel):
    """A text's bins: one per category named here, the other known ones, unseen, missing."""

    type: Literal["category"] = "category"
    categories: Annotated[tuple[str, ...], Field(strict=False, fail_fast=True)]
    shares: Shares

    def bins(self, values: NDArray[np.object_], known: Collection[str]) -> NDArray[np.int64]:
        """Return the bin [rows] of each of `values` [rows], "" is missing.

        `known` are the schema's categories.
        """
        other = len(self.categories)
        places = {**dict.fromkeys(known, other), "": other + 2}
        places.update({name: place for place, name in enumerate(self.categories)})
        return np.array([places.get(value, other + 1) for value in values], dtype=np.int64)


def bin_of(edges: Sequence[float], value: float) -> int:
    """Return what `NumericProfile.bins` does, of one value and quicker."""
    place = bisect_right(edges, value)
    if place == len(edges):
        place += (value != value) - (value == edges[-1])  # NaN; the last bin has its right edge too
    return place


def bin_names(profile: NumericProfile | CategoryProfile) -> list[str]:
    """Return a name for each bin; those with a number sort as they follow each other."""
    if isinstance(profile, NumericProfile):
        bounds = zip(profile.edges, profile.edges[1:], strict=False)
        bins = [f"{place:02d} {low:.4g} to {high:.4g}" for place, (low, high) in enumerate(bounds)]
        return ["below", *bins, "above", "missing"]
    return [
        *(f"{place:02d} {name}" for place, name in enumerate(profile.categories)),
        "other",
        "unseen",
        "missing",
    ]


def numeric_profile(values: NDArray[np.float64]) -> NumericProfile:
    """Return how `values` [rows], NaN where missing, are distributed."""
    empty = NumericProfile(edges=_edges(values[~np.isnan(values)]), shares=())
    counts = np.bincount(empty.bins(values), minlength=len(empty.edges) + 2)
    return empty.model_copy(update={"shares": _shares(counts)})


def category_profile(values: NDArray[np.object_], column: CategoryColumn) -> CategoryProfile:
    """Return how `values` [rows] of `column`, "" where missing, are distributed."""
    counted = Counter(value for value in values if value != "")
    commonest = sorted(counted, key=lambda name: (-counted[name], name))[:COMMONEST]
    empty = CategoryProfile(categories=tuple(commonest), shares=())
    counts = np.bincount(empty.bins(values, column.categories), minlength=len(commonest) + 3)
    return empty.model_copy(update={"shares": _shares(counts)})


def check_numeric(one: NumericProfile) -> None:
    """Raise ValueError unless `one` is a distribution of numbers."""
    if not 2 <= len(one.edges) <= BINS + 1:
        raise ValueError(f"has {len(one.edges)} edges, allowed are 2 to {BINS + 1}")
    if not all(math.isfinite(edge) for edge in one.edges) or not all(
        map(operator.lt, one.edges, one.edges[1:])
    ):
        raise ValueError("its edges do not ascend")
    _check_shares(one.shares, len(one.edges) + 2)


def check_category(one: CategoryProfile, column: CategoryColumn) -> None:
    """Raise ValueError unless `one` is a distribution of `column`."""
    if len(one.categories) > COMMONEST:
        raise ValueError(f"has {len(one.categories)} categories, at most {COMMONEST}")
    if len(set(one.categories) & set(column.categories)) != len(one.categories):
        raise ValueError("its categories are not those of schema.json, each once")
    _check_shares(one.shares, len(one.categories) + 3)


def _check_shares(shares: Sequence[float], bins: int) -> None:
    if len(shares) != bins:
        raise ValueError(f"has {len(shares)} shares for {bins} bins")
    check_shares(shares)


def _edges(present: NDArray[np.float64]) -> tuple[float, ...]:
    """Return at most BINS + 1 ascending edges: a bin per value where there are few, else about equal bins."""
    if not len(present):
        return 0.0, 1.0
    lefts = np.unique(present)
    if len(lefts) > BINS:
        lefts = np.unique(np.quantile(present, np.arange(BINS) / BINS, method="inverted_cdf"))
    highest = present.max()
    if highest == lefts[-1]:  # that value has a bin of its own
        highest = np.nextafter(highest, np.inf)
    return tuple(lefts.tolist()) + (float(highest),)


def _shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple((counts / counts.sum()).tolist())
