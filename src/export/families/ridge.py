"""Ridge regression: linear, so its numbers are scikit-learn's within rounding."""

from typing import Literal

import numpy as np
from pydantic import Field
from sklearn.linear_model import Ridge

from src.export.families.family import Family, FamilyParams, Form, no_thresholds
from src.export.families.outputs import add_value
from src.export.graph import Graph


class RidgeParams(FamilyParams):
    """A weight for each column, the smaller the greater alpha is."""

    model: Literal["ridge"]
    alpha: float = Field(1.0, gt=0, allow_inf_nan=False)


def build(params: RidgeParams, seed: int) -> Ridge:
    """Return one that is solved directly."""
    return Ridge(alpha=params.alpha, random_state=seed)


def regress(graph: Graph, matrix: str, model: Ridge) -> None:
    """Add `value`, the weighted sum of the columns."""
    weights = graph.constant(np.asarray(model.coef_, dtype=np.float64).reshape(-1, 1))
    sums = graph.add("Add", graph.add("MatMul", matrix, weights), graph.constant(np.array(model.intercept_)))
    add_value(graph, sums)


RIDGE = Family(
    params=RidgeParams,
    forms={"regression": Form(Ridge, build, regress, exact=False)},
    thresholds=no_thresholds,
    scaled=True,
    parallel=False,
)
