import numpy as np

from src.monitoring.background import background
from src.monitoring.bins import CategoryProfile, NumericProfile
from src.monitoring.profile import Profile
from src.schema.columns import CategoryColumn, NumericColumn, Schema

SCHEMA = Schema(
    columns=(
        CategoryColumn(
            name="city", header="city", type="category", nullable=True, categories=("a", "b", "c")
        ),
        NumericColumn(name="age", header="age", type="float", nullable=True, lowest=0, highest=99),
    ),
    target="y",
    target_header="y",
    classes=("no", "yes"),
)
PROFILE = Profile(
    rows=100,
    features={
        "city": CategoryProfile(categories=("a",), shares=(0.6, 0.2, 0.0, 0.2)),
        "age": NumericProfile(edges=(10.0, 20.0, 30.0), shares=(0.0, 0.5, 0.3, 0.0, 0.2)),
    },
    predictions={"no": 0.5, "yes": 0.5},
)


def test_the_background_is_distributed_as_training_was() -> None:
    rows = background(PROFILE, SCHEMA, rows=100)

    cities = rows.categorical[:, 0].tolist()
    assert (cities.count("a"), cities.count("")) == (60, 20)
    assert set(cities) <= {"a", "b", "c", ""}
    assert int(np.isnan(rows.numeric).sum()) == 20
    assert set(rows.numeric[~np.isnan(rows.numeric)]) <= {10.0, 20.0, 30.0}


def test_the_background_is_always_the_same() -> None:
    one, other = (background(PROFILE, SCHEMA) for _ in range(2))

    assert np.array_equal(one.numeric, other.numeric, equal_nan=True)
    assert np.array_equal(one.categorical, other.categorical)
