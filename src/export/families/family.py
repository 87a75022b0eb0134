"""What a model family is: all there is to know about one kind of model, in one file of this folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from src.export.graph import Graph
from src.strict_model import StrictModel
from src.tasks import TaskName


class FamilyParams(StrictModel):
    """The section `train` of `params.yaml`; a family names itself in `model` and adds its parameters."""

    model: str

    def recorded(self) -> dict[str, Any]:
        """Return what the record keeps: all but options that were left at None."""
        fields = type(self).model_fields
        return {
            name: value
            for name, value in self.model_dump().items()
            if value is not None or fields[name].is_required()
        }


class ClassifierParams(FamilyParams):
    """What every family has that tells classes apart."""

    # "balanced": each class counts as much as another, however many rows it has; None: each row does.
    class_weight: Literal["balanced"] | None = None


P = TypeVar("P", bound=FamilyParams)


@dataclass(frozen=True)
class Form(Generic[P]):
    """What a family is for one task."""

    estimator: type  # the class of scikit-learn that it is, and no subclass
    build: Callable[[P, int], Any]  # the unfitted estimator, of parameters and a seed
    add: Callable[[Graph, str, Any], None]  # its nodes, from a matrix's name to the outputs of the task
    exact: bool  # answers equal to scikit-learn's to the bit, on any machine


@dataclass(frozen=True)
class Family(Generic[P]):
    """A kind of model: its parameters, how it is built, and how it is exported."""

    params: type[P]  # each without a default has an example that makes a model to start with
    forms: Mapping[TaskName, Form[P]]  # for the tasks that it can do
    thresholds: Callable[[Any], dict[int, NDArray[np.float64]]]  # by column, what it compares with, sorted
    scaled: bool  # it wants columns of the same scale
    parallel: bool  # it takes `n_jobs`, and with several threads its sums differ from run to run
    native: bool = False  # it takes missing numbers, and categories as codes that it is told of

    @property
    def name(self) -> str:
        """What `train.model` says to ask for it."""
        [name] = get_args(self.params.model_fields["model"].annotation)
        return str(name)

    @property
    def parameters(self) -> list[str]:
        """The keys it has in `train` beside `model`."""
        return parameters_of(self.params)

    def use_one_thread(self, model: Any) -> None:
        """Make the fitted `model` answer in one thread, so that it always gives the same."""
        if self.parallel:
            model.set_params(n_jobs=None)


def parameters_of(params: type[FamilyParams]) -> list[str]:
    """Return the keys of a section `train` beside `model`, those of every classifier last."""
    keys = [key for key in params.model_fields if key != "model"]
    return sorted(keys, key=lambda key: key in ClassifierParams.model_fields)


def no_thresholds(model: Any) -> dict[int, NDArray[np.float64]]:
    """Return nothing: a linear model compares no single column."""
    return {}
