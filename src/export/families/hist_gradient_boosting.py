"""Gradient boosting on histograms: missing numbers and categories go their own way in each tree."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from src.export.families.ensemble import Nodes, add_sum
from src.export.families.family import ClassifierParams, Family, Form
from src.export.families.outputs import add_classes, add_two_classes, add_value
from src.export.graph import Graph

Boosted: TypeAlias = HistGradientBoostingClassifier | HistGradientBoostingRegressor

_GREATEST = np.finfo(np.float64).max  # stands for a split at infinity: every number is below, NaN is not


class HistGradientBoostingParams(ClassifierParams):
    """Trees one after the other, each mending what those before it leave."""

    model: Literal["hist_gradient_boosting"]
    max_iter: int = Field(100, ge=1, le=10_000)
    learning_rate: float = Field(0.1, gt=0, le=10)
    max_leaf_nodes: int | None = Field(31, ge=2, le=10_000)
    max_depth: int | None = Field(None, ge=1, le=1_000)
    min_samples_leaf: int = Field(20, ge=1)
    l2_regularization: float = Field(0.0, ge=0, allow_inf_nan=False)


def _form(estimator: type[Boosted], add: Any, exact: bool) -> Form[HistGradientBoostingParams]:
    def build(params: HistGradientBoostingParams, seed: int) -> Boosted:
        # Stopping early would split the rows once more, which a class of few rows does not survive.
        options = params.model_dump(exclude={"model", *(() if params.class_weight else ("class_weight",))})
        return estimator(**options, early_stopping=False, random_state=seed)

    return Form(estimator, build, add, exact)


def classify(graph: Graph, matrix: str, model: HistGradientBoostingClassifier) -> None:
    """Add `scores` and `label`, of the raw score of each class; of two classes there is one."""
    columns = _shifted(graph, matrix, model)
    raws = [_raw(graph, columns, model, place) for place in range(model.n_trees_per_iteration_)]
    if len(raws) > 1:
        add_classes(graph, graph.add("Concat", *raws, axis=1))
    else:
        add_two_classes(graph, raws[0])


def regress(graph: Graph, matrix: str, model: HistGradientBoostingRegressor) -> None:
    """Add `value`, the sum over the trees of the number in the leaf a row falls into."""
    add_value(graph, _raw(graph, _shifted(graph, matrix, model), model, 0))


def thresholds(model: Boosted) -> dict[int, NDArray[np.float64]]:
    """Return, by position of the column, the numbers [n] that the trees compare it with, sorted."""
    nodes = np.concatenate([tree.nodes for trees in model._predictors for tree in trees])
    compared = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)]
    compared = compared[np.isfinite(compared["num_threshold"])]
    found = {
        int(column): np.unique(compared["num_threshold"][compared["feature_idx"] == column])
        for column in np.unique(compared["feature_idx"])
    }
    return {column: values.astype(np.float64) for column, values in found.items()}


def _shifted(graph: Graph, matrix: str, model: Boosted) -> str:
    """Count categories from 1: ONNX Runtime tells sets of such numbers quickest."""
    if model.is_categorical_ is None:
        return matrix
    return graph.add("Add", matrix, graph.constant(model.is_categorical_.astype(np.float64)))


def _raw(graph: Graph, matrix: str, model: Boosted, place: int) -> str:
    """Add the raw score [rows, 1] of the class at `place`: the baseline and the trees, in this order."""
    baseline = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1)[place]
    trees = [iteration[place] for iteration in model._predictors]
    held = [np.array([baseline]), *(tree.nodes["value"][tree.nodes["is_leaf"] == 1] for tree in trees)]
    known = _categories(model)
    none = np.zeros(1, dtype=np.int64)
    start = Nodes(np.array([True]), none, none, none, np.zeros(1), np.array([False]))
    nodes = [start, *(_nodes(tree, known) for tree in trees)]
    depth = max(tree.get_max_depth() for tree in trees)
    return add_sum(graph, matrix, nodes, [values.reshape(-1, 1) for values in held], depth)


def _nodes(tree: Any, known: dict[int, int]) -> Nodes:
    """Return the nodes of `tree`; a category that it did not see goes where a missing one goes."""
    nodes = tree.nodes
    members = {}
    for node in np.flatnonzero((nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 1)).tolist():
        bits = tree.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
        left = [
            code
            for code in range(known[int(nodes["feature_idx"][node])])
            if bits[code // 32] >> (code % 32) & 1
        ]
        if nodes["missing_go_to_left"][node]:
            left.append(known[int(nodes["feature_idx"][node])])
        members[node] = [code + 1 for code in left]
    split = np.where(nodes["is_categorical"] == 1, 0.0, np.minimum(nodes["num_threshold"], _GREATEST))
    return Nodes(
        nodes["is_leaf"] == 1,
        nodes["left"].astype(np.int64),
        nodes["right"].astype(np.int64),
        nodes["feature_idx"].astype(np.int64),
        split.astype(np.float64),
        nodes["missing_go_to_left"] == 1,
        members,
    )


def _categories(model: Boosted) -> dict[int, int]:
    """Return how many categories the model knows of each column that has them; they are its first."""
    if model._preprocessor is None:
        return {}
    encoder = model._preprocessor.named_transformers_["encoder"]
    return {column: len(categories) for column, categories in enumerate(encoder.categories_)}


HIST_GRADIENT_BOOSTING = Family(
    params=HistGradientBoostingParams,
    forms={
        "classification": _form(HistGradientBoostingClassifier, classify, exact=False),
        "regression": _form(HistGradientBoostingRegressor, regress, exact=True),
    },
    thresholds=thresholds,
    scaled=False,
    parallel=False,
    native=True,
)
