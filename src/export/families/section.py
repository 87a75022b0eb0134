"""The section `train` of `params.yaml`: the parameters of a family, or several to choose from."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import Field, TypeAdapter

from src.export.families.family import FamilyParams
from src.export.families.registry import FAMILIES
from src.tasks import TaskName

# The parameters of one family, told apart by `model`; mypy knows of them what all have.
if TYPE_CHECKING:
    OneFamily = FamilyParams
else:
    OneFamily = Annotated[Union[tuple(family.params for family in FAMILIES)], Field(discriminator="model")]


class AutoParams(FamilyParams):
    """Several families, of which the best is taken."""

    model: Literal["auto"]
    folds: int = Field(5, ge=2, le=20)  # of the cross-validation
    candidates: tuple[OneFamily, ...] | None = Field(None, strict=False, min_length=1)

    def candidates_for(self, task: TaskName) -> tuple[FamilyParams, ...]:
        """Return the families to try, the simplest first; unless they are named, a short list."""
        return self.candidates or tuple(_OneFamily.validate_python(one) for one in _SHORT_LIST[task])


_OneFamily: TypeAdapter[FamilyParams] = TypeAdapter(OneFamily)
_FOREST = {"model": "random_forest", "n_estimators": 200, "max_depth": 16}
_BOOSTED = {"model": "hist_gradient_boosting"}
_SHORT_LIST: dict[TaskName, tuple[dict[str, Any], ...]] = {
    "classification": ({"model": "logistic_regression"}, _FOREST, _BOOSTED),
    "regression": ({"model": "ridge"}, _FOREST, _BOOSTED),
}
KINDS: dict[str, type[FamilyParams]] = {family.name: family.params for family in FAMILIES}
KINDS["auto"] = AutoParams

if TYPE_CHECKING:
    TrainParams = FamilyParams
else:
    TrainParams = Annotated[Union[tuple(KINDS.values())], Field(discriminator="model")]
