"""Models that somebody made to harm: each is refused before ONNX Runtime sees it."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from src.errors import BundleError
from src.runtime.inspection import inspect
from src.runtime.session import open_model
from src.runtime.trees import MAX_DEPTH, highest_leaf
from src.runtime.values import ROWS, Value
from src.runtime.wire import DOUBLE, INT64
from tests.fitted import Fitted

Change = Callable[[ModelProto], Any]
OUTPUTS = {"label": Value(INT64, (ROWS,)), "scores": Value(DOUBLE, (ROWS, 3))}


def test_what_the_export_writes_passes(
    iris_forest: Fitted, small_forest: Fitted, small_logistic: Fitted, small_boosted: Fitted
) -> None:
    for fitted in (iris_forest, small_forest, small_logistic, small_boosted):
        assert inspect(fitted.model, OUTPUTS) > 0


def trees(model: ModelProto) -> NodeProto:
    return next(node for node in model.graph.node if node.op_type == "TreeEnsemble")


def attribute(model: ModelProto, name: str) -> Any:
    [found] = [one for one in trees(model).attribute if one.name == name]
    return found


def set_integer(name: str, value: int, place: int = 0) -> Change:
    def change(model: ModelProto) -> None:
        attribute(model, name).ints[place] = value

    return change


def set_tensor(name: str, value: float) -> Change:
    """Put `value` first in the tensor of an attribute of the trees."""

    def change(model: ModelProto) -> None:
        tensor = attribute(model, name).t
        array = numpy_helper.to_array(tensor).copy()
        array[0] = value
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    return change


def append(op: str, inputs: list[str], domain: str = "", **attributes: Any) -> Change:
    def change(model: ModelProto) -> None:
        model.graph.node.append(helper.make_node(op, inputs, ["more"], domain=domain, **attributes))

    return change


def turn_around(model: ModelProto) -> None:
    """Let two nodes wait for each other."""
    first, last = model.graph.node[0], model.graph.node[-1]
    first.input[0] = last.output[0]


def endless_tree(model: ModelProto) -> None:
    attribute(model, "nodes_truenodeids").ints[0] = 0
    attribute(model, "nodes_trueleafs").ints[0] = 0


def shared_subtree(model: ModelProto) -> None:
    """Let both branches of the first node lead to the same node."""
    for name in ("node", "leaf"):
        true = attribute(model, "nodes_truenodeids" if name == "node" else "nodes_trueleafs")
        false = attribute(model, "nodes_falsenodeids" if name == "node" else "nodes_falseleafs")
        true.ints[0] = false.ints[0]


def external(model: ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def float_data(model: ModelProto) -> None:
    """Keep the numbers of a tensor twice: which does a reader take?"""
    model.graph.initializer[0].double_data.append(1.0)


def longer_than_its_bytes(model: ModelProto) -> None:
    model.graph.initializer[0].dims[0] = 2**40


def subgraph(model: ModelProto) -> None:
    node = helper.make_node("If", ["numeric"], ["more"])
    node.attribute.append(helper.make_attribute("then_branch", helper.make_graph([], "inner", [], [])))
    model.graph.node.append(node)


HOSTILE: dict[str, Change] = {
    "nodes in a circle": turn_around,
    "a tree in a circle": endless_tree,
    "a node in two places of a tree": shared_subtree,
    "a node beyond the last": set_integer("nodes_truenodeids", 10**9),
    "a negative node": set_integer("nodes_truenodeids", -1),
    "a leaf that is neither": set_integer("nodes_trueleafs", 2),
    "a root beyond the last": set_integer("tree_roots", 10**9),
    "a column beyond the last": set_integer("nodes_featureids", 4),
    "a column far beyond the last": set_integer("nodes_featureids", 2**31),
    "a negative column": set_integer("nodes_featureids", -1),
    "another tree's target": set_integer("leaf_targetids", 1),
    "a target beyond the last": set_integer("leaf_targetids", 10**9),
    "2^31 targets": lambda model: setattr(attribute(model, "n_targets"), "i", 2**31),
    "no targets": lambda model: setattr(attribute(model, "n_targets"), "i", 0),
    "fewer lists": lambda model: attribute(model, "nodes_featureids").ints.pop(),
    "a split of NaN": set_tensor("nodes_splits", float("nan")),
    "a split of infinity": set_tensor("nodes_splits", float("inf")),
    "a leaf beyond the table": set_tensor("leaf_weights", 10_000.0),
    "a leaf below the table": set_tensor("leaf_weights", -1.0),
    "half a leaf": set_tensor("leaf_weights", 0.5),
    "another comparison": set_tensor("nodes_modes", 3),
    "a transformation of scores": lambda model: trees(model).attribute.append(
        helper.make_attribute("post_transform", 1)
    ),
    "an attribute twice": lambda model: trees(model).attribute.append(attribute(model, "n_targets")),
    "a loop of 2^62 turns": append("Loop", ["numeric"]),
    "a tensor of 10^12 numbers": append("ConstantOfShape", ["numeric"]),
    "an operator of another domain": append("Inverse", ["numeric"], domain="com.microsoft"),
    "an operator that reads files": append("ReadFile", ["numeric"], domain="ai.onnx.contrib"),
    "an unknown operator": append("Nothing", ["numeric"]),
    "a value from nowhere": append("IsNaN", ["nowhere"]),
    "a cast to text": append("Cast", ["numeric"], to=TensorProto.STRING),
    "too many inputs": append("IsNaN", ["numeric", "numeric"]),
    "a name twice": lambda model: model.graph.node.append(model.graph.node[0]),
    "a subgraph": subgraph,
    "a function": lambda model: model.functions.add(name="f", domain="ai.onnx.ml"),
    "training information": lambda model: model.training_info.add(),
    "a sparse tensor": lambda model: model.graph.sparse_initializer.add(),
    "data in another file": external,
    "data in two places": float_data,
    "a tensor longer than its bytes": longer_than_its_bytes,
    "an empty dimension": lambda model: model.graph.initializer[0].dims.__setitem__(0, 0),
    "another IR": lambda model: setattr(model, "ir_version", 8),
    "another operator set": lambda model: setattr(model.opset_import[0], "version", 6),
    "one operator set more": lambda model: model.opset_import.add(domain="com.microsoft", version=1),
    "another input": lambda model: setattr(model.graph.input[0], "name", "rows"),
    "one input more": lambda model: model.graph.input.add(name="more"),
    "fixed rows": lambda model: setattr(
        model.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 2**40
    ),
    "another output": lambda model: setattr(model.graph.output[0], "name", "more"),
    "no outputs": lambda model: model.graph.ClearField("output"),
    "no nodes": lambda model: model.graph.ClearField("node"),
    "no graph": lambda model: model.ClearField("graph"),
    "many nodes": lambda model: model.graph.node.extend(
        [helper.make_node("IsNaN", ["numeric"], ["a"])] * 10_001
    ),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_model_is_refused_in_one_line(iris_forest: Fitted, name: str) -> None:
    model = onnx.load_from_string(iris_forest.model)
    HOSTILE[name](model)
    changed = model.SerializeToString()
    assert changed != iris_forest.model

    with pytest.raises(BundleError) as error:
        inspect(changed, OUTPUTS)

    assert str(error.value).startswith("model.onnx: ")
    assert "\n" not in str(error.value)


def set_attribute(op: str, name: str, value: Any) -> Change:
    """Put `value` in the attribute of the first node of the kind `op`; None takes it away."""

    def change(model: ModelProto) -> None:
        node = next(node for node in model.graph.node if node.op_type == op)
        kept = [one for one in node.attribute if one.name != name]
        del node.attribute[:]
        node.attribute.extend(kept if value is None else [*kept, helper.make_attribute(name, value)])

    return change


def set_constant(op: str, value: list[Any]) -> Change:
    """Let the last constant of the first node of the kind `op` hold `value`."""

    def change(model: ModelProto) -> None:
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        node = next(node for node in model.graph.node if node.op_type == op)
        tensor = [tensors[name] for name in node.input if name in tensors][-1]
        tensor.CopyFrom(numpy_helper.from_array(np.array(value), tensor.name))

    return change


def double_its_width_again_and_again(model: ModelProto) -> None:
    """Name a matrix of 2^60 columns in a few hundred bytes."""
    name = "numeric"
    for number in range(60):
        model.graph.node.append(helper.make_node("Concat", [name, name], [f"wide_{number}"], axis=1))
        name = f"wide_{number}"


def double_splits(model: ModelProto) -> None:
    tensor = attribute(model, "nodes_splits").t
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def members(change: Callable[[Any], Any]) -> Change:
    def apply(model: ModelProto) -> None:
        tensor = attribute(model, "membership_values").t
        tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), tensor.name))

    return apply


def set_modes(mode: int) -> Change:
    def apply(model: ModelProto) -> None:
        tensor = attribute(model, "nodes_modes").t
        modes = np.full_like(numpy_helper.to_array(tensor), mode)
        tensor.CopyFrom(numpy_helper.from_array(modes, tensor.name))

    return apply


def missing_tracks(start: list[int]) -> Change:
    """Return what puts `start` in the place of the first node's, which says where a missing value goes."""

    def apply(model: ModelProto) -> None:
        found = attribute(model, "nodes_missing_value_tracks_true")
        found.ints[:1] = start

    return apply


MISUSED: list[tuple[str, Change, str]] = [
    ("small_logistic", double_its_width_again_and_again, "holds more than 8388608 numbers for a row"),
    ("small_logistic", set_attribute("Concat", "axis", None), "attribute axis is missing"),
    ("small_logistic", set_attribute("Concat", "axis", 0), "Concat is not used"),
    ("small_logistic", set_attribute("Gather", "axis", 0), "Gather is not used"),
    ("small_logistic", set_constant("Gather", [99]), "Gather is not used"),
    ("small_logistic", set_constant("Gather", [-1]), "Gather is not used"),
    ("small_logistic", set_constant("Gather", [0.0]), "Gather is not used"),
    ("small_logistic", set_attribute("LabelEncoder", "values_int64s", [0]), "LabelEncoder is not used"),
    ("small_logistic", set_constant("MatMul", [[1.0, 2.0]]), "MatMul is not used"),
    ("small_logistic", set_constant("Sub", [1.0] * 50), "Sub is not used"),
    ("small_logistic", set_constant("Equal", [1.0]), "Equal is not used"),
    ("small_logistic", set_attribute("Softmax", "axis", 0), "Softmax is not used"),
    ("small_logistic", set_attribute("ArgMax", "axis", 0), "ArgMax is not used"),
    ("small_forest", set_attribute("Transpose", "perm", [0, 1]), "Transpose is not used"),
    ("small_forest", set_constant("ReduceSum", [1]), "ReduceSum is not used"),
    ("small_forest", lambda model: trees(model).input.__setitem__(0, "numeric"), "as its input has"),
    ("small_forest", double_splits, "as its input has"),
    ("small_boosted", set_attribute("TreeEnsemble", "membership_values", None), "asks for members of no set"),
    ("small_boosted", members(lambda values: values[:-1]), "sets are not one for each node"),
    (
        "small_boosted",
        members(lambda values: np.append(values, [np.nan, 3])),
        "sets are not one for each node",
    ),
    ("small_boosted", members(lambda values: np.append(values, np.nan)), "sets are not one for each node"),
    ("small_boosted", members(lambda values: values.astype(np.float32)), "sets are not a list of numbers"),
    ("small_boosted", members(lambda values: values.reshape(1, -1)), "sets are not a list of numbers"),
    ("small_boosted", members(lambda values: np.where(values == 2, 2.5, values)), "is no category"),
    ("small_boosted", members(lambda values: values * 0), "is no category"),
    ("small_boosted", members(lambda values: values + 256), "is no category"),
    ("small_boosted", members(lambda values: np.insert(values, 0, values[0])), "do not ascend"),
    ("small_boosted", members(lambda values: np.where(values > 1, np.inf, values)), "is no category"),
    ("small_boosted", set_modes(6), "sets are not one for each node"),
    ("small_boosted", set_modes(1), "compares in a way that is not allowed"),
    ("small_boosted", missing_tracks([2]), "where a missing value goes"),
    ("small_boosted", missing_tracks([]), "where a missing value goes"),
    (
        "small_boosted",
        set_attribute("TreeEnsemble", "nodes_hitrates", [1]),
        "attribute 'nodes_hitrates' is not",
    ),
]


@pytest.mark.parametrize(("which", "change", "message"), MISUSED)
def test_an_operator_in_another_form_than_ours_is_refused(
    which: str, change: Change, message: str, request: pytest.FixtureRequest
) -> None:
    model = onnx.load_from_string(request.getfixturevalue(which).model)
    change(model)

    with pytest.raises(BundleError, match=message):
        inspect(model.SerializeToString(), OUTPUTS)


def test_a_tensor_shorter_than_its_bytes_is_refused(iris_forest: Fitted) -> None:
    model = onnx.load_from_string(iris_forest.model)
    model.graph.initializer[0].dims[0] -= 1

    with pytest.raises(BundleError, match="a tensor of .* holds [0-9]+ bytes"):
        inspect(model.SerializeToString(), OUTPUTS)


@pytest.mark.parametrize(("depth", "allowed"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_a_tree_may_be_only_so_deep(depth: int, allowed: bool) -> None:
    nodes = list(range(depth))
    last = [0] * (depth - 1) + [1]
    chain = {
        "tree_roots": np.array([0]),
        "n_targets": 1,
        "nodes_modes": np.zeros(depth, np.uint8),
        "nodes_splits": np.zeros(depth, np.float32),
        "nodes_featureids": np.zeros(depth, np.int64),
        "nodes_truenodeids": np.array(nodes),
        "nodes_trueleafs": np.ones(depth, np.int64),
        "nodes_falsenodeids": np.array([*nodes[1:], depth]),
        "nodes_falseleafs": np.array(last),
        "leaf_weights": np.arange(depth + 1, dtype=np.float32),
        "leaf_targetids": np.zeros(depth + 1, np.int64),
    }

    if allowed:
        assert highest_leaf(chain, columns=1, number="<f4") == depth
    else:
        with pytest.raises(BundleError, match="a tree is deeper than 1000"):
            highest_leaf(chain, columns=1, number="<f4")


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\xff" * 100, b"\x80" * 100, b"PK\x03\x04", b"\x0a" * 10_000, b"{}"]
)
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError):
        inspect(content, OUTPUTS)


def test_a_field_that_is_there_twice_is_refused(small_logistic: Fitted) -> None:
    ir_version = b"\x08\x0a"
    assert small_logistic.model.startswith(ir_version)

    with pytest.raises(BundleError, match="^model.onnx: holds ir_version twice$"):
        inspect(small_logistic.model + ir_version, OUTPUTS)


def test_a_model_that_is_cut_off_anywhere_is_refused(small_logistic: Fitted) -> None:
    for end in range(0, len(small_logistic.model), 7):
        with pytest.raises(BundleError):
            inspect(small_logistic.model[:end], OUTPUTS)


@pytest.mark.parametrize("which", ["small_forest", "small_logistic", "small_boosted"])
def test_changed_bytes_are_refused_or_answered(which: str, request: pytest.FixtureRequest) -> None:
    fitted: Fitted = request.getfixturevalue(which)
    chance = random.Random(0)
    refused = 0
    for _ in range(500):
        changed = bytearray(fitted.model)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            answers = open_model(bytes(changed), fitted.schema).predict(fitted.rows)
        except BundleError:
            refused += 1
        else:  # another model, whose digest is wrong, but one that ends and stays within its memory
            assert answers.scores.shape == (len(fitted.rows.numeric), 3)
            assert ((answers.labels >= 0) & (answers.labels < 3)).all()

    assert refused > 100
