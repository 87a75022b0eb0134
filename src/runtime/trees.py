"""Whether the attributes of a TreeEnsemble are trees that end, with one target each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.runtime.wire import refuse

MAX_DEPTH = 1_000  # ONNX Runtime loads a tree by recursion
MAX_LEAF = 2**24 - 1  # a float counts no further
LESS_OR_EQUAL, MEMBER = 0, 6  # how a node compares, as TreeEnsemble numbers it
MAX_MEMBERS = 2**20  # of all sets; ONNX Runtime makes a node of each
MAX_CATEGORY = 256  # the greatest member
_NODE_INTEGERS = (
    "nodes_featureids",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_trueleafs",
    "nodes_falseleafs",
)


def highest_leaf(trees: Mapping[str, Any], columns: int, number: str) -> int:
    """Return the highest number that a leaf of `trees` holds; each compares one of `columns` numbers.

    `number` is how numpy writes their type.

    Raises:
        BundleError: an index is out of range, a node is not in exactly one tree, or a tree is too deep.
    """
    splits, weights, roots = trees["nodes_splits"], trees["leaf_weights"], trees["tree_roots"]
    count = len(roots)
    if splits.dtype != number or weights.dtype != number or splits.ndim != 1 or weights.ndim != 1:
        refuse("TreeEnsemble: splits and leaves must be lists of numbers as its input has")
    lengths = {len(trees[name]) for name in _NODE_INTEGERS} | {trees["nodes_modes"].size}
    if (
        lengths != {len(splits)}
        or len(trees["leaf_targetids"]) != len(weights)
        or trees["n_targets"] != count
    ):
        refuse("TreeEnsemble: its lists are not equally long")
    if trees["nodes_modes"].dtype != np.uint8 or not np.isfinite(splits).all():
        refuse("TreeEnsemble: a node compares in a way that is not allowed")
    _check_members(trees, number)
    missing = trees.get("nodes_missing_value_tracks_true")
    if missing is not None and (len(missing) != len(splits) or missing.max(initial=0) > 1):
        refuse("TreeEnsemble: where a missing value goes is not said of each node")
    if trees["nodes_featureids"].max() >= columns:
        refuse(f"TreeEnsemble: a node compares column {trees['nodes_featureids'].max()} of {columns}")
    if not ((weights >= 0) & (weights <= MAX_LEAF) & (weights == np.floor(weights))).all():
        refuse("TreeEnsemble: a leaf is not numbered")
    if not np.array_equal(_trees_of_leaves(trees, len(splits), len(weights)), trees["leaf_targetids"]):
        refuse("TreeEnsemble: a leaf does not belong to the target of its tree")
    return int(weights.max())


def _check_members(trees: Mapping[str, Any], number: str) -> None:
    """Refuse sets that are not one for each node that asks for a member, of categories in their order."""
    modes = trees["nodes_modes"].reshape(-1)
    asking = int((modes == MEMBER).sum())
    if not np.isin(modes, (LESS_OR_EQUAL, MEMBER)).all():
        refuse("TreeEnsemble: a node compares in a way that is not allowed")
    values = trees.get("membership_values")
    if values is None:
        if asking:
            refuse("TreeEnsemble: a node asks for members of no set")
        return
    if values.dtype != number or values.ndim != 1 or not 0 < len(values) <= MAX_MEMBERS:
        refuse("TreeEnsemble: its sets are not a list of numbers")
    ends = np.append(np.flatnonzero(np.isnan(values)), len(values))
    starts = np.append(0, ends[:-1] + 1)
    members = values[~np.isnan(values)]
    if len(ends) != asking or (ends <= starts).any():
        refuse("TreeEnsemble: its sets are not one for each node that asks for a member")
    if not ((members >= 1) & (members <= MAX_CATEGORY) & (members == np.floor(members))).all():
        refuse("TreeEnsemble: a member of a set is no category")
    inside = np.diff(np.where(np.isnan(values), -np.inf, values))
    borders = np.isnan(values[:-1]) | np.isnan(values[1:])
    if not (borders | (inside > 0)).all():
        refuse("TreeEnsemble: the members of a set do not ascend")


def _trees_of_leaves(trees: Mapping[str, Any], nodes: int, leaves: int) -> NDArray[np.int64]:
    """Return the tree that each leaf is in, having walked down all trees level by level."""
    children = np.stack([trees["nodes_truenodeids"], trees["nodes_falsenodeids"]])
    is_leaf = np.stack([trees["nodes_trueleafs"], trees["nodes_falseleafs"]])
    if is_leaf.max() > 1 or (children >= np.where(is_leaf, leaves, nodes)).any():
        refuse("TreeEnsemble: a branch leads nowhere")
    alone = is_leaf.all(axis=0) & (children[0] == children[1])  # a tree of one leaf: both branches lead to it
    leaf_uses = np.concatenate([children[0][is_leaf[0] == 1], children[1][(is_leaf[1] == 1) & ~alone]])
    node_uses = np.concatenate([trees["tree_roots"], children[is_leaf == 0]])
    if node_uses.max() >= nodes:
        refuse("TreeEnsemble: a tree begins nowhere")
    if (np.bincount(node_uses, minlength=nodes) != 1).any() or (
        np.bincount(leaf_uses, minlength=leaves) != 1
    ).any():
        refuse("TreeEnsemble: a node or leaf is not in exactly one place")
    owner = np.full(leaves, -1)
    level, tree = trees["tree_roots"], np.arange(len(trees["tree_roots"]))
    for _ in range(MAX_DEPTH):
        below, ends, tree = children[:, level].ravel(), is_leaf[:, level].ravel() == 1, np.tile(tree, 2)
        owner[below[ends]] = tree[ends]
        level, tree = below[~ends], tree[~ends]
        if not level.size:
            # Nodes in a circle are in one place each too, but no root leads to them or their leaves.
            return owner
    refuse(f"TreeEnsemble: a tree is deeper than {MAX_DEPTH}")
