"""Parameters to try each model family with."""

from typing import Any

from src.export.families.family import Family, FamilyParams


def example(family: Family[Any], **changes: object) -> FamilyParams:
    """Return the parameters that `family` shows as its example, with `changes`."""
    fields = family.params.model_fields
    shown = {key: fields[key].examples[0] for key in family.parameters if fields[key].is_required()}
    params: FamilyParams = family.params.model_validate({"model": family.name, **shown, **changes})
    return params
