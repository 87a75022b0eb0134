"""The training distribution of each feature and of the answers, in slots: what drift is measured against."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from src.frozen import Frozen
from src.schema import CategoryColumn, Features, Schema

BINS = 10
COMMONEST = 20  # categories with a slot of their own

Shares = Annotated[tuple[float, ...], Field(strict=False)]  # of the rows, one per slot; they add up to 1


class NumericProfile(Frozen):
    """A number's slots: below, one per bin, above, missing.

    The bins run from edge to edge, each with its left edge, the last with both.
    """

    type: Literal["numeric"] = "numeric"
    edges: Shares
    shares: Shares

    def slots(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the slot [rows] of each of `values` [rows], a position in `shares`; NaN is missing."""
        slots: NDArray[np.int64] = np.searchsorted(self.edges, values, side="right")
        slots[values == self.edges[-1]] -= 1
        slots[np.isnan(values)] = len(self.edges) + 1
        return slots


class CategoryProfile(Frozen):
    """A text's slots: one per category named here, the other known ones, unseen, missing."""

    type: Literal["category"] = "category"
    categories: Annotated[tuple[str, ...], Field(strict=False)]
    shares: Shares

    def slots(self, values: NDArray[np.object_], known: Collection[str]) -> NDArray[np.int64]:
        """Return the slot [rows] of each of `values` [rows], "" is missing.

        `known` are the schema's categories.
        """
        other = len(self.categories)
        places = {**dict.fromkeys(known, other), "": other + 2}
        places.update({name: place for place, name in enumerate(self.categories)})
        return np.array([places.get(value, other + 1) for value in values], dtype=np.int64)


FeatureProfile = Annotated[NumericProfile | CategoryProfile, Field(discriminator="type")]


class Profile(Frozen):
    """`profile.json`."""

    format: Literal[1] = 1
    rows: int
    features: dict[str, FeatureProfile]
    predictions: dict[str, float]  # share of the rows that got each class


def profile(schema: Schema, features: Features, labels: NDArray[np.int64]) -> Profile:
    """Return the distribution of `features` and of the `labels` [rows] that the model gave them.

    Labels are positions in the schema's classes.
    """
    distributions: dict[str, NumericProfile | CategoryProfile] = {}
    for position, number in enumerate(schema.numeric):
        distributions[number.name] = _numeric(features.numeric[:, position])
    for position, category in enumerate(schema.categorical):
        distributions[category.name] = _category(features.categorical[:, position], category)
    counts = np.bincount(labels, minlength=len(schema.classes))
    return Profile(
        rows=len(labels),
        features={name: distributions[name] for name in schema.names},
        predictions=dict(zip(schema.classes, _shares(counts), strict=True)),
    )


def parse(content: Mapping[str, Any]) -> Profile:
    """Return `Bundle.profile` as what it is; pydantic's ValidationError when it is not."""
    return Profile.model_validate(content)


def _numeric(values: NDArray[np.float64]) -> NumericProfile:
    empty = NumericProfile(edges=_edges(values[~np.isnan(values)]), shares=())
    counts = np.bincount(empty.slots(values), minlength=len(empty.edges) + 2)
    return empty.model_copy(update={"shares": _shares(counts)})


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


def _category(values: NDArray[np.object_], column: CategoryColumn) -> CategoryProfile:
    counted = Counter(value for value in values if value != "")
    commonest = sorted(counted, key=lambda name: (-counted[name], name))[:COMMONEST]
    empty = CategoryProfile(categories=tuple(commonest), shares=())
    counts = np.bincount(empty.slots(values, column.categories), minlength=len(commonest) + 3)
    return empty.model_copy(update={"shares": _shares(counts)})


def _shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple((counts / counts.sum()).tolist())
