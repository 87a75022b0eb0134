"""Rows as training saw them, drawn from its profile: what a prediction is compared with to explain it."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from src.bundle.bundle import Bundle
from src.monitoring.bins import CategoryProfile, NumericProfile
from src.monitoring.profile import Profile, profile_of
from src.runtime.explain import Explanation, explain
from src.runtime.predictions import Outputs
from src.schema.columns import CategoryColumn, Schema
from src.schema.features import Features
from src.tasks import side

ROWS = 25
SEED = 0


def explainer(
    bundle: Bundle, predict: Callable[[Features], Outputs]
) -> Callable[[Features], Explanation] | None:
    """Return what explains the answer that `predict` gives to one row, a matrix of one, by the training of
    `bundle`; None when it came without a distribution."""
    profile = profile_of(bundle)
    if profile is None:
        return None
    beside = background(profile, bundle.schema)
    answers = side("src.runtime.answers", bundle.manifest.task)

    def scores(rows: Features) -> NDArray[np.float64]:
        found: NDArray[np.float64] = answers.scores_of(predict(rows))
        return found

    return lambda row: explain(bundle.schema, scores, row, beside)


def background(profile: Profile, schema: Schema, rows: int = ROWS) -> Features:
    """Return `rows` rows whose values are distributed as in training, each column by itself."""
    generator = np.random.default_rng(SEED)
    numeric, categorical = [], []
    for column in schema.features:
        of_column = profile.features[column.name]
        # A quantile a row, in any order: so that few rows already have the distribution.
        places = _bins(of_column.shares, (generator.permutation(rows) + 0.5) / rows)
        if isinstance(of_column, NumericProfile):
            numeric.append([_number(of_column, place, generator) for place in places])
        else:
            categorical.append([_text(of_column, column, place, generator) for place in places])
    texts = np.empty((rows, len(categorical)), dtype=object)
    for position, values in enumerate(categorical):
        texts[:, position] = values
    return Features(np.array(numeric, dtype=np.float64).T.reshape(rows, len(numeric)), texts)


def _bins(shares: tuple[float, ...], quantiles: NDArray[np.float64]) -> Iterator[int]:
    ends = np.cumsum(shares)
    yield from np.minimum(np.searchsorted(ends, quantiles * ends[-1]), len(shares) - 1).tolist()


def _number(profile: NumericProfile, place: int, generator: np.random.Generator) -> float:
    """Return an edge of the bin, a value that training saw; NaN of the bin of missing ones."""
    last = len(profile.edges) - 1
    if place > last + 1:
        return np.nan
    return profile.edges[min(max(place - int(generator.integers(2)), 0), last)]


def _text(profile: CategoryProfile, column: object, place: int, generator: np.random.Generator) -> str:
    """Return the category of the bin, one of the bin of the others, or the empty text for missing."""
    if place < len(profile.categories):
        return profile.categories[place]
    assert isinstance(column, CategoryColumn)
    others = sorted(set(column.categories) - set(profile.categories))
    return str(generator.choice(others)) if place == len(profile.categories) and others else ""
