"""Trees as nodes of ONNX: one TreeEnsemble finds the leaves a row falls into, what those hold is added."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from src.errors import ExportError
from src.export.graph import ML, Graph
from src.runtime.trees import LESS_OR_EQUAL, MAX_DEPTH, MAX_LEAF, MEMBER


class Nodes(NamedTuple):
    """The nodes of one tree, in its library's order; of a leaf, only that it is one counts."""

    is_leaf: NDArray[np.bool_]
    left: NDArray[np.int64]  # where a row goes whose value is at most the split, or one of the members
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    split: NDArray[np.floating[Any]]
    missing_left: NDArray[np.bool_] | None = None  # where NaN goes; None: there is none
    members: Mapping[int, Sequence[int]] = {}  # by node: it asks for one of these instead of comparing


def add_sum(
    graph: Graph, matrix: str, trees: Sequence[Nodes], held: Sequence[NDArray[np.float64]], depth: int
) -> str:
    """Add the sum over the `trees` of what the leaf holds that a row of `matrix` falls into, [rows, answers].

    The trees only find the leaves; what those of each tree hold, [leaves, answers], is then looked up and
    added as scikit-learn adds it, one tree after the other. Reducing over the first axis keeps that order,
    over a middle one it does not.

    Raises:
        ExportError: the trees are too deep, or their leaves too many to be counted.
    """
    table, leaves = np.unique(np.concatenate(held), axis=0, return_inverse=True)
    found = graph.add("TreeEnsemble", matrix, domain=ML, **_attributes(trees, leaves.reshape(-1), depth))
    by_tree = graph.add("Transpose", graph.add("Cast", found, to=TensorProto.INT64), perm=[1, 0])
    looked_up = graph.add("Gather", graph.constant(table), by_tree, axis=0)  # [trees, rows, answers]
    return graph.add("ReduceSum", looked_up, graph.constant(np.array([0])), keepdims=0)


def _attributes(trees: Sequence[Nodes], leaves: NDArray[np.int64], depth: int) -> dict[str, Any]:
    """Return the attributes of a TreeEnsemble with one target per tree, which is the number of the leaf.

    `leaves` are those numbers, of all leaves tree by tree; the type of the splits is that of the input.
    """
    different = int(leaves.max()) + 1
    if depth > MAX_DEPTH or different > MAX_LEAF:
        raise ExportError(
            f"model: its trees are {depth} deep with {different} different leaves; "
            f"allowed: max_depth={MAX_DEPTH}, {MAX_LEAF} leaves"
        )
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
    roots, nodes, numbered = [], 0, 0
    members: list[float] = []
    for number, tree in enumerate(trees):
        roots.append(nodes)
        # Leaves and the other nodes are numbered apart, each in the library's order.
        position = np.where(
            tree.is_leaf, numbered + np.cumsum(tree.is_leaf) - 1, nodes + np.cumsum(~tree.is_leaf) - 1
        )
        inner = np.flatnonzero(~tree.is_leaf)
        for node in sorted(tree.members):
            members += [*map(float, tree.members[node]), np.nan]
        modes = np.array([MEMBER if node in tree.members else LESS_OR_EQUAL for node in inner])
        true, false = tree.left[inner], tree.right[inner]
        feature, split = tree.feature[inner], tree.split[inner]
        missing = np.zeros(len(inner)) if tree.missing_left is None else tree.missing_left[inner]
        if not inner.size:  # a tree of one leaf needs a node whose branches both lead to it
            true = false = feature = missing = np.array([0])
            modes, split = np.array([LESS_OR_EQUAL]), np.zeros(1, dtype=tree.split.dtype)
        parts: tuple[NDArray[Any], ...] = (
            split,
            modes.astype(np.uint8),
            feature,
            position[true],
            position[false],
            tree.is_leaf[true].astype(np.int64),
            tree.is_leaf[false].astype(np.int64),
            np.full(tree.is_leaf.sum(), number),
            missing.astype(np.int64),
        )
        for name, part in zip(_COLUMNS, parts, strict=True):
            columns[name].append(part)
        nodes += len(split)
        numbered += int(tree.is_leaf.sum())
    splits, kinds, *integers = (np.concatenate(columns[name]) for name in _COLUMNS)
    made: dict[str, Any] = {
        "n_targets": len(trees),
        "tree_roots": roots,
        "nodes_modes": kinds,
        "nodes_splits": splits,
        "leaf_weights": leaves.astype(splits.dtype),
        **{name: values.tolist() for name, values in zip(_COLUMNS[2:], integers, strict=True)},
    }
    if all(tree.missing_left is None for tree in trees):
        del made[_MISSING]
    if members:
        made["membership_values"] = np.array(members[:-1], dtype=splits.dtype)
    return made


_MISSING = "nodes_missing_value_tracks_true"
_COLUMNS = (
    "nodes_splits",
    "nodes_modes",
    "nodes_featureids",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_trueleafs",
    "nodes_falseleafs",
    "leaf_targetids",
    _MISSING,
)
