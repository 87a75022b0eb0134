import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.monitoring.bins import CategoryProfile, NumericProfile
from src.monitoring.profile import Profile, profile
from src.runtime.answers.classification import Predictions
from src.schema.columns import CategoryColumn, NumericColumn, Schema
from src.schema.features import Features


def number(name: str) -> NumericColumn:
    return NumericColumn(name=name, header=name, type="float", nullable=True, lowest=-9, highest=9)


def schema_of(*columns: NumericColumn | CategoryColumn) -> Schema:
    return Schema(columns=columns, target="y", target_header="y", classes=("no", "yes"))


def numeric_profile(values: list[float]) -> NumericProfile:
    features = Features(np.array(values).reshape(-1, 1), np.empty((len(values), 0), dtype=object))
    made = profile(
        schema_of(number("x")),
        features,
        Predictions(np.zeros(len(values), dtype=np.int64), np.empty((len(values), 2))),
    )
    found = made.features["x"]
    assert isinstance(found, NumericProfile)
    return found


def test_few_values_have_a_bin_each() -> None:
    found = numeric_profile([0.0, 1.0, 1.0, np.nan])

    assert found.edges == (0.0, 1.0, float(np.nextafter(1.0, 2.0)))
    assert found.shares == (0.0, 0.25, 0.5, 0.0, 0.25)  # below, 0, 1, above, missing


def test_many_values_have_ten_equal_bins() -> None:
    found = numeric_profile([float(value) for value in range(100)])

    assert found.edges == (0.0, 9.0, 19.0, 29.0, 39.0, 49.0, 59.0, 69.0, 79.0, 89.0, 99.0)
    assert found.shares == (0.0, 0.09, *[0.1] * 8, 0.11, 0.0, 0.0)


def test_a_heavy_value_does_not_make_an_empty_bin() -> None:
    found = numeric_profile([5.0] * 90 + [float(value) for value in range(11)])

    assert found.edges == (0.0, 5.0, 10.0)
    assert found.shares == (0.0, 5 / 101, 96 / 101, 0.0, 0.0)


def test_a_column_without_values_is_missing() -> None:
    found = numeric_profile([np.nan, np.nan])

    assert found == NumericProfile(edges=(0.0, 1.0), shares=(0.0, 0.0, 0.0, 1.0))


def test_new_values_fall_below_and_above() -> None:
    found = numeric_profile([1.0, 2.0])

    places = found.bins(np.array([0.9, 1.0, 1.9, 2.0, 2.1, np.inf, np.nan]))

    assert places.tolist() == [0, 1, 1, 2, 3, 3, 4]


@given(st.lists(st.floats(-1e30, 1e30) | st.just(np.nan), min_size=1, max_size=60))
def test_training_rows_are_never_outside_the_bins(values: list[float]) -> None:
    found = numeric_profile(values)

    assert list(found.edges) == sorted(set(found.edges))
    assert len(found.edges) <= 11
    assert found.shares[0] == found.shares[-2] == 0
    assert sum(found.shares) == pytest.approx(1)


def test_the_commonest_categories_have_a_slot_and_the_rest_share_one() -> None:
    names = [f"c{number:02}" for number in range(30)]
    values = np.array([*names, "c29", "", ""], dtype=object).reshape(-1, 1)
    column = CategoryColumn(
        name="x", header="x", type="category", nullable=True, categories=(*names, "not here")
    )

    made = profile(
        schema_of(column),
        Features(np.empty((33, 0)), values),
        Predictions(np.zeros(33, dtype=np.int64), np.empty((33, 2))),
    )

    found = made.features["x"]
    assert isinstance(found, CategoryProfile)
    assert found.categories == ("c29", *names[:19])
    assert found.shares == (2 / 33, *[1 / 33] * 19, 10 / 33, 0.0, 2 / 33)
    new = np.array(["c29", "c00", "c25", "not here", "never", ""], dtype=object)
    assert found.bins(new, column.categories).tolist() == [0, 1, 20, 20, 21, 22]


def test_a_profile_comes_back_from_json_in_the_order_of_the_table() -> None:
    category = CategoryColumn(name="b", header="b", type="category", nullable=False, categories=("x",))
    schema = schema_of(number("z"), category, number("a"))
    features = Features(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([["x"], ["x"]], dtype=object))

    made = profile(schema, features, Predictions(np.array([1, 1]), np.empty((2, 2))))

    assert list(made.features) == ["z", "b", "a"]
    assert made.rows == 2
    assert made.predictions == {"no": 0.0, "yes": 1.0}
    assert Profile.model_validate(json.loads(made.model_dump_json())) == made
    assert Profile.model_validate_json(made.model_dump_json()) == made
