from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.evaluation.importance import importances
from src.runtime.answers.classification import Predictions
from src.schema.columns import CategoryColumn, NumericColumn, Schema
from src.schema.features import Features

SCHEMA = Schema(
    columns=(
        CategoryColumn(name="city", header="city", type="category", nullable=False, categories=("a", "b")),
        NumericColumn(name="noise", header="noise", type="float", nullable=False, lowest=0, highest=1),
        NumericColumn(name="x", header="x", type="float", nullable=False, lowest=0, highest=1),
    ),
    target="y",
    target_header="y",
    classes=("no", "yes"),
)


def predict(features: Features) -> Predictions:
    """Yes for large x, a little surer in city b; noise is not used."""
    yes = 0.8 * (features.numeric[:, 1] > 0.5) + 0.2 * (features.categorical[:, 0] == "b")
    scores = np.column_stack([1 - yes, yes])
    return Predictions(scores.argmax(axis=1), scores)


def quality(features: Features, actual: NDArray[Any]) -> float:
    return float(predict(features).scores[np.arange(len(actual)), actual].mean())


def rows(count: int) -> Features:
    random = np.random.default_rng(0)
    return Features(random.random((count, 2)), random.choice(np.array(["a", "b"], dtype=object), (count, 1)))


def test_what_the_model_goes_by_is_important() -> None:
    features = rows(400)
    actual = (features.numeric[:, 1] > 0.5).astype(np.int64)

    found = importances(SCHEMA, quality, features, actual, seed=1)

    assert list(found) == ["city", "noise", "x"]
    assert found["noise"] == 0.0
    assert 0.35 < found["x"] < 0.45  # half of the rows get a wrong x, which costs 0.8
    assert abs(found["city"]) < 0.02  # it moves the score, but not towards the truth


def test_the_rows_stay_as_they_were_and_the_same_seed_gives_the_same() -> None:
    features = rows(3_000)
    before = features.numeric.copy()
    actual = (features.numeric[:, 1] > 0.5).astype(np.int64)

    first = importances(SCHEMA, quality, features, actual, seed=1)

    assert importances(SCHEMA, quality, features, actual, seed=1) == first
    assert importances(SCHEMA, quality, features, actual, seed=2) != first
    assert (features.numeric == before).all()
