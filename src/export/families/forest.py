"""Random forests and extra trees: two families, the same nodes, answering as scikit-learn to the last bit."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from pydantic import Field
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from src.export.families.ensemble import Nodes, add_sum
from src.export.families.family import ClassifierParams, Family, Form
from src.export.families.outputs import add_value
from src.export.graph import Graph
from src.tasks import TaskName

Forest: TypeAlias = (
    RandomForestClassifier | ExtraTreesClassifier | RandomForestRegressor | ExtraTreesRegressor
)

_LEAF = -1  # scikit-learn's child of a leaf


class ForestParams(ClassifierParams):
    """How many trees, and how deep."""

    n_estimators: int = Field(ge=1, le=10_000, examples=[200])
    max_depth: int | None = Field(ge=1, le=1_000, examples=[10])


class RandomForestParams(ForestParams):
    """Trees on resampled rows, each split the best of some columns."""

    model: Literal["random_forest"]


class ExtraTreesParams(ForestParams):
    """Trees on all rows, each split the best of some random ones."""

    model: Literal["extra_trees"]


def classify(graph: Graph, matrix: str, model: Forest) -> None:
    """Add `scores`, the mean over the trees of the class shares in the leaf a row falls into, and `label`."""
    scores = graph.add("Div", *_total(graph, matrix, model), output="scores")
    graph.add("ArgMax", scores, axis=1, keepdims=0, output="label")


def regress(graph: Graph, matrix: str, model: Forest) -> None:
    """Add `value`, the mean over the trees of the number in the leaf a row falls into."""
    add_value(graph, graph.add("Div", *_total(graph, matrix, model)))


def _total(graph: Graph, matrix: str, model: Forest) -> tuple[str, str]:
    """Add the sum of what the leaves hold, [rows, answers]; return its name and that of the trees' count."""
    trees = [tree.tree_ for tree in model.estimators_]
    held = [tree.value[tree.children_left == _LEAF, 0] for tree in trees]
    floats = graph.add("Cast", matrix, to=TensorProto.FLOAT)
    depth = max(tree.max_depth for tree in trees)
    total = add_sum(graph, floats, [_nodes(tree) for tree in trees], held, depth)
    return total, graph.constant(np.array(float(len(trees))))


def thresholds(model: Forest) -> dict[int, NDArray[np.float64]]:
    """Return, by position of the column, the numbers [n] that the trees compare it with, sorted."""
    features = np.concatenate([tree.tree_.feature for tree in model.estimators_])
    splits = np.concatenate([tree.tree_.threshold for tree in model.estimators_])
    return {int(column): np.unique(splits[features == column]) for column in set(features[features >= 0])}


def _nodes(tree: Any) -> Nodes:
    # scikit-learn compares inputs as float32 with float64 thresholds: the next lower float32 splits the same.
    return Nodes(
        tree.children_left == _LEAF,
        tree.children_left,
        tree.children_right,
        tree.feature,
        _next_lower_float32(tree.threshold),
    )


def _next_lower_float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 that is not above each value."""
    nearest = values.astype(np.float32)
    return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _form(estimator: type[Forest], add: Callable[[Graph, str, Any], None]) -> Form[ForestParams]:
    def build(params: ForestParams, seed: int) -> Forest:
        options = {"class_weight": params.class_weight} if params.class_weight else {}
        return estimator(
            n_estimators=params.n_estimators,
            max_depth=params.max_depth,
            random_state=seed,
            n_jobs=-1,
            **options,
        )

    return Form(estimator, build, add, exact=True)


def _family(
    parameters: type[ForestParams], forms: Mapping[TaskName, Form[ForestParams]]
) -> Family[ForestParams]:
    return Family(params=parameters, forms=forms, thresholds=thresholds, scaled=False, parallel=True)


RANDOM_FOREST = _family(
    RandomForestParams,
    {
        "classification": _form(RandomForestClassifier, classify),
        "regression": _form(RandomForestRegressor, regress),
    },
)
EXTRA_TREES = _family(
    ExtraTreesParams,
    {
        "classification": _form(ExtraTreesClassifier, classify),
        "regression": _form(ExtraTreesRegressor, regress),
    },
)
