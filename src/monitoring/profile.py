"""What the training rows looked like, feature by feature and answer by answer: the reference for drift."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from src.bundle.bundle import Bundle
from src.errors import BundleError
from src.monitoring.bins import (
    CategoryProfile,
    NumericProfile,
    category_profile,
    check_category,
    check_numeric,
    numeric_profile,
)
from src.runtime.predictions import Outputs
from src.schema.columns import CategoryColumn, NumericColumn, Schema
from src.schema.features import Features
from src.strict_model import StrictModel
from src.tasks import side
from src.validation import first_problem, shown

MAX_LABELS = 2**23  # characters of all bins' names, which /metrics writes out

FeatureProfile = Annotated[NumericProfile | CategoryProfile, Field(discriminator="type")]


class Profile(StrictModel):
    """`profile.json`."""

    format: Literal[1] = 1
    rows: int = Field(ge=1)
    features: dict[str, FeatureProfile]
    predictions: dict[str, float] | NumericProfile  # share of the rows that got each class; numbers in bins


def profile(schema: Schema, features: Features, predictions: Outputs) -> Profile:
    """Return the distribution of `features` and of the `predictions` that the model made of them."""
    distributions: dict[str, NumericProfile | CategoryProfile] = {}
    for position, number in enumerate(schema.numeric):
        distributions[number.name] = numeric_profile(features.numeric[:, position])
    for position, category in enumerate(schema.categorical):
        distributions[category.name] = category_profile(features.categorical[:, position], category)
    return Profile(
        rows=len(features.numeric),
        features={column.name: distributions[column.name] for column in schema.features},
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
    if found.features.keys() != {column.name for column in schema.features}:
        raise BundleError("profile.json: its columns are not those of schema.json")
    for column in schema.features:
        _check(f"features.{shown(column.name)}", _check_feature, found.features[column.name], column)
    _check("predictions", answers.check, found.predictions, schema)
    labels = sum(_labels(name, one) for name, one in found.features.items())
    if labels > MAX_LABELS:
        raise BundleError(f"profile.json: its bins take {labels} characters to name, at most {MAX_LABELS}")
    return found


def _check(where: str, check: Callable[..., None], *arguments: Any) -> None:
    try:
        check(*arguments)
    except ValueError as error:
        raise BundleError(f"profile.json: {where}: {error}") from error


def _check_feature(one: NumericProfile | CategoryProfile, column: NumericColumn | CategoryColumn) -> None:
    """Raise ValueError unless `one` is a distribution of `column`."""
    if isinstance(one, NumericProfile):
        if isinstance(column, CategoryColumn):
            raise ValueError("is a number, schema.json has a category")
        check_numeric(one)
    else:
        if not isinstance(column, CategoryColumn):
            raise ValueError("is a category, schema.json has a number")
        check_category(one, column)


def _labels(name: str, one: NumericProfile | CategoryProfile) -> int:
    """Return how many characters the names of the feature `name` and its bins take, together."""
    known = sum(map(len, one.categories)) if isinstance(one, CategoryProfile) else 0
    return len(name) * len(one.shares) + known
