"""The training distribution of each feature and of the answers, in bins: what drift is measured against."""

import math
import operator
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from src.bundle.bundle import Bundle
from src.bundle.limits import check_shares
from src.errors import BundleError
from src.runtime.predictions import Outputs
from src.schema.columns import CategoryColumn, Column, Schema
from src.schema.features import Features
from src.strict_model import StrictModel
from src.tasks import side
from src.validation import first_problem, shown

BINS = 10
COMMONEST = 20  # categories with a bin of their own
MAX_LABELS = 2**23  # characters of all bins' names, which /metrics writes out

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


FeatureProfile = Annotated[NumericProfile | CategoryProfile, Field(discriminator="type")]


class Profile(StrictModel):
    """`profile.json`."""

    format: Literal[1] = 1
    rows: int = Field(ge=1)
    features: dict[str, FeatureProfile]
    predictions: dict[str, float]  # share of the rows that got each answer, such as a class


def profile(schema: Schema, features: Features, predictions: Outputs) -> Profile:
    """Return the distribution of `features` and of the `predictions` that the model made of them."""
    distributions: dict[str, NumericProfile | CategoryProfile] = {}
    for position, number in enumerate(schema.numeric):
        distributions[number.name] = _numeric(features.numeric[:, position])
    for position, category in enumerate(schema.categorical):
        distributions[category.name] = _category(features.categorical[:, position], category)
    return Profile(
        rows=len(features.numeric),
        features={name: distributions[name] for name in schema.names},
        predictions=side("src.monitoring.answers", schema.task).distribution(schema, predictions),
    )


def profile_of(bundle: Bundle) -> Profile | None:
    """Return the training distribution in `bundle`; None when it came without one.

    Raises:
        BundleError: it is not one of the bundle's columns and classes, or no distribution at all.
    """
    if not bundle.profile:
        return None
    try:
        found = Profile.model_validate(bundle.profile)
    except ValidationError as error:
        raise BundleError(f"profile.json: {first_problem(error)}") from error
    schema, answers = bundle.schema, side("src.monitoring.answers", bundle.manifest.task)
    if found.features.keys() != set(schema.names) or not answers.fits(found.predictions, schema):
        raise BundleError("profile.json: columns or classes are not those of schema.json")
    for column in schema.columns:
        _check(f"features.{shown(column.name)}", _check_feature, found.features[column.name], column)
    _check("predictions", check_shares, found.predictions.values())
    labels = sum(_labels(name, one) for name, one in found.features.items())
    if labels > MAX_LABELS:
        raise BundleError(f"profile.json: its bins take {labels} characters to name, at most {MAX_LABELS}")
    return found


def _check(where: str, check: Callable[..., None], *arguments: Any) -> None:
    try:
        check(*arguments)
    except ValueError as error:
        raise BundleError(f"profile.json: {where}: {error}") from error


def _check_feature(one: NumericProfile | CategoryProfile, column: Column) -> None:
    """Raise ValueError unless `one` is a distribution of `column`."""
    if isinstance(one, NumericProfile):
        if isinstance(column, CategoryColumn):
            raise ValueError("is a number, schema.json has a category")
        if not 2 <= len(one.edges) <= BINS + 1:
            raise ValueError(f"has {len(one.edges)} edges, allowed are 2 to {BINS + 1}")
        if not all(math.isfinite(edge) for edge in one.edges) or not all(
            map(operator.lt, one.edges, one.edges[1:])
        ):
            raise ValueError("its edges do not ascend")
        bins = len(one.edges) + 2
    else:
        if not isinstance(column, CategoryColumn):
            raise ValueError("is a category, schema.json has a number")
        if len(one.categories) > COMMONEST:
            raise ValueError(f"has {len(one.categories)} categories, at most {COMMONEST}")
        if len(set(one.categories) & set(column.categories)) != len(one.categories):
            raise ValueError("its categories are not those of schema.json, each once")
        bins = len(one.categories) + 3
    if len(one.shares) != bins:
        raise ValueError(f"has {len(one.shares)} shares for {bins} bins")
    check_shares(one.shares)


def _labels(name: str, one: NumericProfile | CategoryProfile) -> int:
    """Return how many characters the names of the feature `name` and its bins take, together."""
    known = sum(map(len, one.categories)) if isinstance(one, CategoryProfile) else 0
    return len(name) * len(one.shares) + known


def _numeric(values: NDArray[np.float64]) -> NumericProfile:
    empty = NumericProfile(edges=_edges(values[~np.isnan(values)]), shares=())
    counts = np.bincount(empty.bins(values), minlength=len(empty.edges) + 2)
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
    counts = np.bincount(empty.bins(values, column.categories), minlength=len(commonest) + 3)
    return empty.model_copy(update={"shares": _shares(counts)})


def _shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple((counts / counts.sum()).tolist())
