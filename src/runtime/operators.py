"""The operators that a model may hold, each in the form that `export` uses, and what it gives."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from src.runtime.trees import highest_leaf
from src.runtime.values import ROWS, Value
from src.runtime.wire import BOOL, DOUBLE, FLOAT, INT64, STRING

Inputs = Sequence[Value]
Attributes = Mapping[str, Any]


class Operator(NamedTuple):
    """An operator that is allowed, in the form that `export` uses; `optional` attributes may be left out."""

    inputs: int | None  # None: one or more
    attributes: Mapping[str, str]  # the field each is in
    result: Callable[[Inputs, Attributes], Value | None]  # None: these inputs or attributes are not allowed
    optional: Mapping[str, str] = {}


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    rank = max(len(shape) for shape in shapes)
    result = []
    for sizes in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        wide = set(sizes) - {1}
        if len(wide) > 1:
            return None
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def _elementwise(kinds: tuple[int, ...], result: int) -> Callable[[Inputs, Attributes], Value | None]:
    """Return the rule of an operator that takes `kinds`, each spread to the shape of the others."""

    def rule(inputs: Inputs, attributes: Attributes) -> Value | None:
        shape = _broadcast(*(value.shape for value in inputs))
        if shape is None or tuple(value.kind for value in inputs) != kinds:
            return None
        return Value(result, shape)

    return rule


_CASTS = (
    (DOUBLE, FLOAT),
    (FLOAT, INT64),
    (DOUBLE, INT64),
    (INT64, DOUBLE),
    (BOOL, DOUBLE),
    (BOOL, INT64),
)


def _cast(inputs: Inputs, attributes: Attributes) -> Value | None:
    [value], kind = inputs, attributes["to"]
    if (value.kind, kind) not in _CASTS:
        return None
    return Value(kind, value.shape, highest=value.highest)


def _gather(inputs: Inputs, attributes: Attributes) -> Value | None:
    table, positions = inputs
    axis, chosen = attributes["axis"], positions.constant
    if positions.kind != INT64 or len(table.shape) != 2:
        return None
    if axis == 0 and table.constant is not None and positions.highest is not None:
        inside = positions.highest < table.shape[0]
        return Value(table.kind, positions.shape + table.shape[1:]) if inside else None
    if axis == 1 and chosen is not None and chosen.ndim == 1:
        inside = 0 <= chosen.min() and chosen.max() < table.shape[1]
        return Value(table.kind, (table.shape[0], len(chosen))) if inside else None
    return None


def _concat(inputs: Inputs, attributes: Attributes) -> Value | None:
    first = inputs[0]
    same = all(len(one.shape) == 2 and (one.kind, one.shape[0]) == (first.kind, ROWS) for one in inputs)
    if attributes["axis"] != 1 or not same:
        return None
    return Value(first.kind, (ROWS, sum(one.shape[1] for one in inputs)))


def _label_encoder(inputs: Inputs, attributes: Attributes) -> Value | None:
    [value], keys = inputs, attributes["keys_strings"]
    if value.kind != STRING or len(keys) != len(attributes["values_int64s"]) or len(set(keys)) != len(keys):
        return None
    return Value(INT64, value.shape)


def _mat_mul(inputs: Inputs, attributes: Attributes) -> Value | None:
    rows, weights = inputs
    if weights.constant is None or len(weights.shape) != 2 or rows.shape != (ROWS, weights.shape[0]):
        return None
    return Value(DOUBLE, (ROWS, weights.shape[1])) if rows.kind == weights.kind == DOUBLE else None


def _softmax(inputs: Inputs, attributes: Attributes) -> Value | None:
    [value] = inputs
    return value if value.kind == DOUBLE and len(value.shape) == 2 and attributes["axis"] == 1 else None


def _arg_max(inputs: Inputs, attributes: Attributes) -> Value | None:
    [value] = inputs
    allowed = value.kind == DOUBLE and len(value.shape) == 2 and attributes == {"axis": 1, "keepdims": 0}
    return Value(INT64, value.shape[:1]) if allowed else None


def _reduce_sum(inputs: Inputs, attributes: Attributes) -> Value | None:
    value, axes = inputs
    allowed = value.kind == DOUBLE and len(value.shape) == 3 and _is_integers(axes, 0)
    return Value(DOUBLE, value.shape[1:]) if allowed and attributes["keepdims"] == 0 else None


def _squeeze(inputs: Inputs, attributes: Attributes) -> Value | None:
    value, axes = inputs
    return Value(value.kind, value.shape[:1]) if value.shape == (ROWS, 1) and _is_integers(axes, 1) else None


def _transpose(inputs: Inputs, attributes: Attributes) -> Value | None:
    [value] = inputs
    if len(value.shape) != 2 or attributes["perm"].tolist() != [1, 0]:
        return None
    return Value(value.kind, value.shape[::-1], highest=value.highest)


_NUMBERS = {FLOAT: "<f4", DOUBLE: "<f8"}


def _tree_ensemble(inputs: Inputs, attributes: Attributes) -> Value | None:
    [value] = inputs
    if value.kind not in _NUMBERS or len(value.shape) != 2 or value.shape[0] != ROWS:
        return None
    highest = highest_leaf(attributes, value.shape[1], _NUMBERS[value.kind])
    return Value(value.kind, (ROWS, attributes["n_targets"]), highest=highest)


def _is_integers(value: Value, *numbers: int) -> bool:
    return value.kind == INT64 and value.constant is not None and np.array_equal(value.constant, numbers)


_TREE_ATTRIBUTES = {
    "n_targets": "i",
    "nodes_modes": "t",
    "nodes_splits": "t",
    "leaf_weights": "t",
    "tree_roots": "ints",
    "nodes_featureids": "ints",
    "nodes_truenodeids": "ints",
    "nodes_falsenodeids": "ints",
    "nodes_trueleafs": "ints",
    "nodes_falseleafs": "ints",
    "leaf_targetids": "ints",
}
_TREE_OPTIONS = {"membership_values": "t", "nodes_missing_value_tracks_true": "ints"}
_ENCODER_ATTRIBUTES = {"keys_strings": "strings", "values_int64s": "ints", "default_int64": "i"}

OPERATORS: dict[tuple[str, str | None], Operator] = {
    ("", "Add"): Operator(2, {}, _elementwise((DOUBLE, DOUBLE), DOUBLE)),
    ("", "ArgMax"): Operator(1, {"axis": "i", "keepdims": "i"}, _arg_max),
    ("", "Cast"): Operator(1, {"to": "i"}, _cast),
    ("", "Concat"): Operator(None, {"axis": "i"}, _concat),
    ("", "Div"): Operator(2, {}, _elementwise((DOUBLE, DOUBLE), DOUBLE)),
    ("", "Equal"): Operator(2, {}, _elementwise((INT64, INT64), BOOL)),
    ("", "Gather"): Operator(2, {"axis": "i"}, _gather),
    ("", "Greater"): Operator(2, {}, _elementwise((DOUBLE, DOUBLE), BOOL)),
    ("", "IsNaN"): Operator(1, {}, _elementwise((DOUBLE,), BOOL)),
    ("", "MatMul"): Operator(2, {}, _mat_mul),
    ("", "ReduceSum"): Operator(2, {"keepdims": "i"}, _reduce_sum),
    ("", "Sigmoid"): Operator(1, {}, _elementwise((DOUBLE,), DOUBLE)),
    ("", "Softmax"): Operator(1, {"axis": "i"}, _softmax),
    ("", "Squeeze"): Operator(2, {}, _squeeze),
    ("", "Sub"): Operator(2, {}, _elementwise((DOUBLE, DOUBLE), DOUBLE)),
    ("", "Transpose"): Operator(1, {"perm": "ints"}, _transpose),
    ("", "Where"): Operator(3, {}, _elementwise((BOOL, DOUBLE, DOUBLE), DOUBLE)),
    ("ai.onnx.ml", "LabelEncoder"): Operator(1, _ENCODER_ATTRIBUTES, _label_encoder),
    ("ai.onnx.ml", "TreeEnsemble"): Operator(1, _TREE_ATTRIBUTES, _tree_ensemble, _TREE_OPTIONS),
}
