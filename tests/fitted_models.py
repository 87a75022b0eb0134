"""Models that several tests look at; nobody changes them."""

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from tests.fitted import Fitted, fit, iris_table, mixed_table


@pytest.fixture(scope="session")
def iris_forest() -> Fitted:
    return fit(*iris_table(), RandomForestClassifier(20, max_depth=10, random_state=42))


@pytest.fixture(scope="session")
def small_forest() -> Fitted:
    return fit(*mixed_table(60, 3), RandomForestClassifier(5, max_depth=3, random_state=0))


@pytest.fixture(scope="session")
def small_logistic() -> Fitted:
    return fit(*mixed_table(60, 3), LogisticRegression(max_iter=1_000))


@pytest.fixture(scope="session")
def small_boosted() -> Fitted:
    model = HistGradientBoostingClassifier(
        max_iter=8, min_samples_leaf=5, early_stopping=False, random_state=0
    )
    return fit(*mixed_table(400, 3), model)
