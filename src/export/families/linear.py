"""Ridge and elastic net: two families, linear, so their numbers are scikit-learn's within rounding."""

from typing import Any, Literal

import numpy as np
from pydantic import Field
from sklearn.linear_model import ElasticNet, Ridge

from src.export.families.family import Family, FamilyParams, Form, no_thresholds
from src.export.families.outputs import add_value
from src.export.graph import Graph

STEPS = 10_000  # enough to converge


class RidgeParams(FamilyParams):
    """A weight for each column, the smaller the greater alpha is."""

    model: Literal["ridge"]
    alpha: float = Field(1.0, gt=0, allow_inf_nan=False)


class ElasticNetParams(FamilyParams):
    """As ridge; the greater l1_ratio is, the more columns have no weight at all."""

    model: Literal["elastic_net"]
    alpha: float = Field(1.0, gt=0, allow_inf_nan=False)
    l1_ratio: float = Field(0.5, ge=0, le=1)


def build_ridge(params: RidgeParams, seed: int) -> Ridge:
    """Return one that is solved directly."""
    return Ridge(alpha=params.alpha, random_state=seed)


def build_elastic_net(params: ElasticNetParams, seed: int) -> ElasticNet:
    """Return one that visits the columns in turn."""
    return ElasticNet(alpha=params.alpha, l1_ratio=params.l1_ratio, max_iter=STEPS, random_state=seed)


def regress(graph: Graph, matrix: str, model: Ridge | ElasticNet) -> None:
    """Add `value`, the weighted sum of the columns."""
    weights = graph.constant(np.asarray(model.coef_, dtype=np.float64).reshape(-1, 1))
    sums = graph.add("Add", graph.add("MatMul", matrix, weights), graph.constant(np.array(model.intercept_)))
    add_value(graph, sums)


def _family(params: type[Any], estimator: type, build: Any) -> Family[Any]:
    return Family(
        params=params,
        forms={"regression": Form(estimator, build, regress, exact=False)},
        thresholds=no_thresholds,
        scaled=True,
        parallel=False,
    )


RIDGE = _family(RidgeParams, Ridge, build_ridge)
ELASTIC_NET = _family(ElasticNetParams, ElasticNet, build_elastic_net)
