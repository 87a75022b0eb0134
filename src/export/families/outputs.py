"""The nodes that end a graph: the outputs of a task, of what a family computes."""

import numpy as np
from onnx import TensorProto

from src.export.graph import Graph


def add_classes(graph: Graph, raw: str) -> None:
    """Add `scores`, the probabilities, and `label`, of the raw scores [rows, classes] of more than two.

    As in scikit-learn the label comes from the raw scores.
    """
    graph.add("Softmax", raw, axis=1, output="scores")
    graph.add("ArgMax", raw, axis=1, keepdims=0, output="label")


def add_two_classes(graph: Graph, raw: str) -> None:
    """Add the same of the raw score [rows, 1] of the second of two classes."""
    second = graph.add("Sigmoid", raw)
    first = graph.add("Sub", graph.constant(np.array(1.0)), second)
    graph.add("Concat", first, second, axis=1, output="scores")
    positive = graph.add("Greater", raw, graph.constant(np.array(0.0)))
    column = graph.add("Cast", positive, to=TensorProto.INT64)
    graph.add("Squeeze", column, graph.constant(np.array([1])), output="label")


def add_value(graph: Graph, column: str) -> None:
    """Add `value`, the number of each row, of a `column` [rows, 1]."""
    graph.add("Squeeze", column, graph.constant(np.array([1])), output="value")
