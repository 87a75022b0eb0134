"""Preprocessing steps as nodes: each takes the name of a matrix and returns the name of a new one."""

from typing import Any

import numpy as np
from onnx import TensorProto
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from src.errors import ExportError
from src.export.graph import ML, Graph


def impute(graph: Graph, matrix: str, step: SimpleImputer) -> str:
    """Fill missing numbers; with an indicator, a column follows for each one that had any at fit."""
    fillings = np.asarray(step.statistics_, dtype=np.float64)
    if not np.isfinite(fillings).all():
        raise ExportError("SimpleImputer: a column was empty at fit; allowed: keep_empty_features=True")
    missing = graph.add("IsNaN", matrix)
    filled = graph.add("Where", missing, graph.constant(fillings), matrix)
    if not step.add_indicator or not step.indicator_.features_.size:
        return filled
    marked = graph.select(missing, step.indicator_.features_.tolist(), len(fillings))
    return graph.add("Concat", filled, graph.add("Cast", marked, to=TensorProto.DOUBLE), axis=1)


def scale(graph: Graph, matrix: str, step: StandardScaler) -> str:
    """Subtract the mean, divide by the deviation."""
    if step.with_mean:
        matrix = graph.add("Sub", matrix, graph.constant(step.mean_))
    if step.with_std:
        matrix = graph.add("Div", matrix, graph.constant(step.scale_))
    return matrix


def codes(graph: Graph, matrix: str, step: OrdinalEncoder) -> str:
    """Return a column of numbers per column of texts: the place of its category in their order.

    One that training did not see has the number after the last, or -1 where its encoder says so.
    """
    columns = [
        _encoded(graph, matrix, step, position, -1 if step.unknown_value == -1 else len(categories))
        for position, categories in enumerate(step.categories_)
    ]
    return graph.add("Cast", graph.add("Concat", *columns, axis=1), to=TensorProto.DOUBLE)


def one_hot(graph: Graph, matrix: str, step: OneHotEncoder) -> str:
    """Return a column of 0 and 1 per category; all are 0 for one that training did not see."""
    flags = [
        graph.add(
            "Equal", _encoded(graph, matrix, step, position, -1), graph.constant(np.arange(len(categories)))
        )
        for position, categories in enumerate(step.categories_)
    ]
    return graph.add("Cast", graph.add("Concat", *flags, axis=1), to=TensorProto.DOUBLE)


def _encoded(graph: Graph, matrix: str, step: Any, position: int, unseen: int) -> str:
    """Return the place [rows, 1] of the text at `position` among the encoder's categories, or `unseen`."""
    categories = step.categories_[position]
    if not all(isinstance(category, str) for category in categories):
        name = type(step).__name__
        raise ExportError(f"{name}: a category is not text; allowed: text, '' when it is missing")
    return graph.add(
        "LabelEncoder",
        graph.select(matrix, [position], len(step.categories_)),
        domain=ML,
        keys_strings=list(categories),
        values_int64s=list(range(len(categories))),
        default_int64=unseen,
    )
