"""The model families there are; a new one is its own file and a line here."""

from typing import Any

from src.errors import ExportError
from src.export.families.family import Family, FamilyParams
from src.export.families.forest import EXTRA_TREES, RANDOM_FOREST
from src.export.families.logistic_regression import LOGISTIC_REGRESSION

FAMILIES: tuple[Family[Any], ...] = (
    RANDOM_FOREST,
    EXTRA_TREES,
    LOGISTIC_REGRESSION,
)


def family_of(model: Any) -> Family[Any]:
    """Return the family of an estimator, fitted or not; raises ExportError when it is of none."""
    for family in FAMILIES:
        if type(model) is family.estimator:
            return family
    names = ", ".join(family.estimator.__name__ for family in FAMILIES)
    raise ExportError(f"model: {type(model).__name__} has no exact export; allowed: {names}")


def build(params: FamilyParams, seed: int) -> Any:
    """Return the unfitted model of `params`; fitting it with any number of threads gives the same."""
    [family] = (family for family in FAMILIES if type(params) is family.params)
    return family.build(params, seed)
