import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.bundle.bundle import Bundle
from src.errors import BundleError
from src.monitoring.bins import CategoryProfile, NumericProfile, bin_names
from src.monitoring.online import Reference, RowCounter
from src.monitoring.profile import Profile, profile_of
from src.schema.columns import CategoryColumn, NumericColumn, Schema
from src.schema.features import Features

SCHEMA = Schema(
    columns=(
        NumericColumn(name="age", header="Age", type="float", nullable=True, lowest=0, highest=99),
        CategoryColumn(
            name="city", header="City", type="category", nullable=True, categories=("Faro", "Lisboa", "Porto")
        ),
    ),
    target="bought",
    target_header="Bought",
    classes=("no", "yes"),
)
PROFILE = Profile(
    rows=10,
    features={  # in another order than the schema's
        "city": CategoryProfile(categories=("Lisboa",), shares=(0.7, 0.2, 0.0, 0.1)),
        "age": NumericProfile(edges=(1.0, 2.0, 3.5), shares=(0.0, 0.5, 0.4, 0.0, 0.1)),
    },
    predictions={"yes": 0.75, "no": 0.25},
)


def counted(*rows: tuple[float, str], together: bool = False) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()

    def counter(feature: str, name: str) -> Callable[[float], None]:
        def add(number: float) -> None:
            found[feature, name] += int(number)

        return add

    online = RowCounter(PROFILE, SCHEMA, counter)
    if together:
        numeric = np.array([[age] for age, _ in rows])
        online.count_all(Features(numeric, np.array([[city] for _, city in rows], dtype=object)))
    else:
        for age, city in rows:
            online.count(Features(np.array([[age]]), np.array([[city]], dtype=object)))
        assert not found
        online.flush()
    return found


def test_slots_are_named_for_what_they_hold() -> None:
    assert bin_names(PROFILE.features["age"]) == ["below", "00 1 to 2", "01 2 to 3.5", "above", "missing"]
    assert bin_names(PROFILE.features["city"]) == ["00 Lisboa", "other", "unseen", "missing"]


@pytest.mark.parametrize(
    ("age", "name"),
    [
        (0.9, "below"),
        (1.0, "00 1 to 2"),
        (2.0, "01 2 to 3.5"),
        (3.5, "01 2 to 3.5"),
        (3.6, "above"),
        (math.nan, "missing"),
    ],
)
def test_a_number_is_counted_in_its_bin(age: float, name: str) -> None:
    assert counted((age, "Lisboa")) == {("age", name): 1, ("city", "00 Lisboa"): 1}


@pytest.mark.parametrize(
    ("city", "name"), [("Lisboa", "00 Lisboa"), ("Porto", "other"), ("Beja", "unseen"), ("", "missing")]
)
def test_a_text_is_counted_in_its_bin(city: str, name: str) -> None:
    assert counted((1.5, city)) == {("age", "00 1 to 2"): 1, ("city", name): 1}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.9, 1.0, 1.5, 2.0, 3.5, 4.0, math.nan]) | st.floats(-9, 9),
            st.sampled_from(["Lisboa", "Porto", "Beja", ""]),
        ),
        min_size=1,
    )
)
def test_rows_are_counted_alike_one_by_one_and_together(rows: list[tuple[float, str]]) -> None:
    assert counted(*rows) == counted(*rows, together=True)


def test_the_next_flush_is_asked_for_once() -> None:
    asked: list[Callable[[], None]] = []
    told: list[float] = []
    online = RowCounter(PROFILE, SCHEMA, lambda feature, name: told.append, asked.append)
    row = Features(np.array([[1.5]]), np.array([["Porto"]], dtype=object))

    for _ in range(3):
        online.count(row)
    assert len(asked) == 1
    asked.pop()()
    assert told == [3, 3]
    online.flush()
    online.count(row)

    assert told == [3, 3]
    assert len(asked) == 1


def test_the_reference_is_of_the_model_in_service_alone() -> None:
    reference = Reference()
    assert list(reference.collect()) == list(reference.describe()) == []

    reference.show("7", PROFILE, "classification")
    rows, answers = reference.collect()

    assert {tuple(sample.labels.values()): sample.value for sample in rows.samples} == {
        ("7", "age", "below"): 0.0,
        ("7", "age", "00 1 to 2"): 0.5,
        ("7", "age", "01 2 to 3.5"): 0.4,
        ("7", "age", "above"): 0.0,
        ("7", "age", "missing"): 0.1,
        ("7", "city", "00 Lisboa"): 0.7,
        ("7", "city", "other"): 0.2,
        ("7", "city", "unseen"): 0.0,
        ("7", "city", "missing"): 0.1,
    }
    assert {tuple(sample.labels.values()): sample.value for sample in answers.samples} == {
        ("7", "no"): 0.25,
        ("7", "yes"): 0.75,
    }

    reference.show("8", None, "classification")
    assert list(reference.collect()) == []


@pytest.fixture
def bundle_with(make_bundle: Callable[..., Bundle]) -> Callable[..., Bundle]:
    def make(profile: dict[str, object]) -> Bundle:
        bundle = make_bundle()
        return Bundle(**{**bundle.__dict__, "schema": SCHEMA, "profile": profile})

    return make


def test_a_bundle_says_how_it_was_trained(bundle_with: Callable[..., Bundle]) -> None:
    assert profile_of(bundle_with(PROFILE.model_dump(mode="json"))) == PROFILE
    assert profile_of(bundle_with({})) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": "many"}, "profile.json: rows: Input should be a valid integer"),
        (
            {"predictions": {"no": 1.0}},
            "profile.json: predictions: are not those of the classes of schema.json",
        ),
        ({"features": {}}, "profile.json: its columns are not those of schema.json"),
    ],
)
def test_a_profile_of_something_else_is_refused(
    bundle_with: Callable[..., Bundle], change: dict[str, object], message: str
) -> None:
    bundle = bundle_with({**PROFILE.model_dump(mode="json"), **change})

    with pytest.raises(BundleError, match=message):
        profile_of(bundle)


@pytest.mark.parametrize(("watched", "expected"), [({"age"}, {"age"}), ({"city"}, {"city"}), (set(), set())])
@pytest.mark.parametrize("together", [True, False])
def test_features_that_are_not_watched_are_not_counted(
    watched: set[str], expected: set[str], together: bool
) -> None:
    asked: list[str] = []
    found: Counter[str] = Counter()

    def counter(feature: str, name: str) -> Callable[[float], None]:
        asked.append(feature)

        def add(number: float) -> None:
            found[feature] += int(number)

        return add

    online = RowCounter(PROFILE, SCHEMA, counter, watched=watched)
    rows = Features(np.array([[1.5], [3.0]]), np.array([["Lisboa"], ["Faro"]], dtype=object))
    if together:
        online.count_all(rows)
    else:
        for place in range(2):
            online.count(Features(rows.numeric[place : place + 1], rows.categorical[place : place + 1]))
        online.flush()

    assert set(asked) == expected
    assert found == dict.fromkeys(expected, 2)
