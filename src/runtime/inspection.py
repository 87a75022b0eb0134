"""Whether an ONNX file is one that `export` could have written: nothing else reaches ONNX Runtime."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from src.runtime.operators import OPERATORS, Operator
from src.runtime.values import INPUTS, ROWS, Value
from src.runtime.wire import (
    IR_VERSION,
    OPSETS,
    read_model,
    read_tensor,
    refuse,
)

MAX_NODES = 10_000
MAX_HELD = 2**23  # numbers for one row, in all nodes together
_ATTRIBUTES = {2: "i", 4: "t", 7: "ints", 8: "strings"}  # AttributeProto.AttributeType to the field it fills


def inspect(model: bytes, outputs: Mapping[str, Value]) -> int:
    """Return how many numbers `model`, which is to give `outputs`, holds in memory for each row it answers.

    How wide inputs and outputs are is for the caller to compare.

    Raises:
        BundleError: the file is damaged, or holds what `export` does not write.
    """
    content = read_model(model)
    opsets = [(opset.get("domain", ""), opset.get("version")) for opset in content.get("opset_import", [])]
    if content.get("ir_version") != IR_VERSION or sorted(opsets, key=repr) != sorted(OPSETS.items()):
        refuse(f"is of IR {content.get('ir_version')} and operator sets {opsets}")
    graph = content.get("graph", {})
    values: dict[str, Value] = {}
    for tensor in graph.get("initializer", []):
        constant = read_tensor(tensor)
        _define(values, tensor.get("name"), Value(tensor["data_type"], constant.shape, constant))
    for declared in graph.get("input", []):
        value = _declared(declared)
        if (declared.get("name"), value.kind) not in INPUTS.items():
            refuse(f"input {_short(declared.get('name'))} is not allowed")
        _define(values, declared["name"], value)
    _walk(graph.get("node", []), values)
    given = [(declared.get("name"), _declared(declared)) for declared in graph.get("output", [])]
    if [_form(name, value) for name, value in given] != [_form(*output) for output in outputs.items()]:
        refuse(f"its outputs are not {' and '.join(outputs)}")
    for name, value in given:
        if name not in values or values[name][:2] != value[:2]:
            refuse(f"output {name} is not what the nodes compute")
    return sum(_size(value) for value in values.values() if value.constant is None)


def _walk(nodes: Sequence[Mapping[str, Any]], values: dict[str, Value]) -> None:
    """Add what each node gives to `values`; a node may take only what stands before it."""
    if len(nodes) > MAX_NODES:
        refuse(f"has {len(nodes)} nodes, at most {MAX_NODES} are allowed")
    held = 0
    for node in nodes:
        domain, name = node.get("domain", ""), node.get("op_type")
        operator = OPERATORS.get((domain, name))
        if operator is None:
            refuse(f"operator {_short(name)} of domain {_short(domain)} is not allowed")
        attributes = _read_attributes(node.get("attribute", []), operator)
        names = node.get("input", [])
        if any(one not in values for one in names):
            refuse(f"{name} takes a value that is not computed before it")
        if len(names) != operator.inputs and not (operator.inputs is None and names):
            refuse(f"{name} takes {len(names)} values")
        value = operator.result([values[one] for one in names], attributes)
        if value is None:
            refuse(f"{name} is not used as the export uses it")
        _define(values, node.get("output"), value)
        held += _size(value)
        if held > MAX_HELD:
            refuse(f"holds more than {MAX_HELD} numbers for a row")


def _define(values: dict[str, Value], name: str | None, value: Value) -> None:
    if not name or name in values:
        refuse(f"a value has no name, or {_short(name)} is there twice")
    values[name] = value


def _declared(declared: Mapping[str, Any]) -> Value:
    """Return an input or output as the graph declares it; its first dimension must be open."""
    tensor = declared.get("type", {}).get("tensor_type", {})
    first, *others = tensor.get("shape", {}).get("dim", []) or [{}]
    sizes = [dim.get("dim_value", 0) for dim in others]
    if set(first) != {"dim_param"} or not all(0 < size <= MAX_HELD for size in sizes):
        refuse(f"{_short(declared.get('name'))} has a shape that is not allowed")
    return Value(tensor.get("elem_type", 0), (ROWS, *sizes))


def _form(name: str | None, value: Value) -> tuple[str | None, int, int]:
    return name, value.kind, len(value.shape)


def _read_attributes(attributes: Sequence[Mapping[str, Any]], operator: Operator) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known = {**operator.attributes, **operator.optional}
    for attribute in attributes:
        name, field = attribute.get("name", ""), _ATTRIBUTES.get(attribute.get("type", 0), "")
        if set(attribute) != {"name", "type", field} or known.get(name) != field or name in found:
            refuse(f"attribute {_short(name)} is not allowed, or not in this form")
        found[name] = read_tensor(attribute["t"]) if field == "t" else attribute[field]
    if missing := operator.attributes.keys() - found.keys():
        refuse(f"attribute {min(missing)} is missing")
    return found


def _size(value: Value) -> int:
    return math.prod(abs(size) for size in value.shape)


def _short(name: str | None) -> str:
    return repr((name or "")[:40])
