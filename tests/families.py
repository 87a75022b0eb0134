"""Every model family with each task that it does, and parameters to try it with."""

from typing import Any, NamedTuple

import pytest

from src.export.families.family import Family, FamilyParams, Form
from src.export.families.registry import FAMILIES
from src.tasks import TaskName


class Case(NamedTuple):
    """A family and one of its tasks."""

    family: Family[Any]
    task: TaskName

    @property
    def form(self) -> Form[Any]:
        return self.family.forms[self.task]


CASES = [Case(family, task) for family in FAMILIES for task in family.forms]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family.name}-{case.task}")


def example(family: Family[Any], **changes: object) -> FamilyParams:
    """Return the parameters that `family` shows as its example, with `changes`."""
    fields = family.params.model_fields
    shown = {key: fields[key].examples[0] for key in family.parameters if fields[key].is_required()}
    params: FamilyParams = family.params.model_validate({"model": family.name, **shown, **changes})
    return params
