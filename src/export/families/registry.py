"""The model families there are; a new one is its own file and a line here."""

from typing import Any

from src import paths
from src.errors import ConfigError, ExportError
from src.export.families.family import ClassifierParams, Family, FamilyParams, Form
from src.export.families.forest import EXTRA_TREES, RANDOM_FOREST
from src.export.families.hist_gradient_boosting import HIST_GRADIENT_BOOSTING
from src.export.families.linear import ELASTIC_NET, RIDGE
from src.export.families.logistic_regression import LOGISTIC_REGRESSION
from src.tasks import TaskName

FAMILIES: tuple[Family[Any], ...] = (
    RANDOM_FOREST,
    EXTRA_TREES,
    LOGISTIC_REGRESSION,
    RIDGE,
    ELASTIC_NET,
    HIST_GRADIENT_BOOSTING,
)


def family_of(model: Any) -> Family[Any]:
    """Return the family of an estimator, fitted or not; raises ExportError when it is of none."""
    return _family_and_form(model)[0]


def form_of(model: Any) -> Form[Any]:
    """Return what that family is for the task of the estimator; raises as `family_of` does."""
    return _family_and_form(model)[1]


def build(params: FamilyParams, task: TaskName, seed: int) -> Any:
    """Return the unfitted model of `params`; fitting it with any number of threads gives the same.

    Raises:
        ConfigError: their family cannot do the task.
    """
    return require_task(params, task).build(params, seed)


def require_task(params: FamilyParams, task: TaskName) -> Form[Any]:
    """Return what the family of `params` is for `task`.

    Raises:
        ConfigError: it cannot do that, or the parameters are about classes where there are none.
    """
    [family] = (family for family in FAMILIES if type(params) is family.params)
    if task not in family.forms:
        able = ", ".join(one.name for one in FAMILIES if task in one.forms)
        raise ConfigError(f"{paths.PARAMS}: train.model: {family.name} does no {task}; allowed: {able}")
    if task == "regression" and isinstance(params, ClassifierParams) and params.class_weight is not None:
        raise ConfigError(f"{paths.PARAMS}: train.class_weight: regression has no classes; leave it out")
    return family.forms[task]


def _family_and_form(model: Any) -> tuple[Family[Any], Form[Any]]:
    known = [(family, form) for family in FAMILIES for form in family.forms.values()]
    for family, form in known:
        if type(model) is form.estimator:
            return family, form
    names = ", ".join(form.estimator.__name__ for _, form in known)
    raise ExportError(f"model: {type(model).__name__} has no exact export; allowed: {names}")
