"""Nodes and constants put together into one ONNX model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from src.runtime.values import Value
from src.runtime.wire import IR_VERSION, OPSETS

ML = "ai.onnx.ml"


class Graph:
    """A graph under construction; every value in it is known by a name."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: NDArray[Any]) -> str:
        """Return the name of `value`, a numeric array of any shape."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(
            numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name)
        )
        return name

    def add(
        self, operator: str, *inputs: str, domain: str = "", output: str | None = None, **attributes: Any
    ) -> str:
        """Return the name of what `operator` makes of `inputs`; an array attribute becomes a tensor."""
        name = output or f"{operator.lower()}_{len(self._nodes)}"
        values = {
            key: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
            for key, value in attributes.items()
        }
        self._nodes.append(helper.make_node(operator, inputs, [name], domain=domain, **values))
        return name

    def select(self, matrix: str, positions: Sequence[int], width: int) -> str:
        """Return the name of the columns `positions` of `matrix`, which is `width` wide."""
        if list(positions) == list(range(width)):
            return matrix
        return self.add("Gather", matrix, self.constant(np.array(positions, dtype=np.int64)), axis=1)

    def to_bytes(self, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> bytes:
        """Return the model that takes `inputs` and gives `outputs`; the same bytes every time."""
        taken, given = (
            [
                helper.make_tensor_value_info(name, value.kind, ["rows", *value.shape[1:]])
                for name, value in values.items()
            ]
            for values in (inputs, outputs)
        )
        model = helper.make_model(
            helper.make_graph(self._nodes, "model", taken, given, self._constants),
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()],
        )
        content: bytes = model.SerializeToString(deterministic=True)
        return content
