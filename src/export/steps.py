"""Preprocessing steps as nodes: each takes the name of a matrix and returns the name of a new one."""

import numpy as np
from onnx import TensorProto
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

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


def one_hot(graph: Graph, matrix: str, step: OneHotEncoder) -> str:
    """Return a column of 0 and 1 per category; all are 0 for one that training did not see."""
    flags = []
    for position, categories in enumerate(step.categories_):
        if not all(isinstance(category, str) for category in categories):
            raise ExportError("OneHotEncoder: a category is not text; allowed: text, '' when it is missing")
        codes = graph.add(
            "LabelEncoder",
            graph.select(matrix, [position], len(step.categories_)),
            domain=ML,
            keys_strings=list(categories),
            values_int64s=list(range(len(categories))),
            default_int64=-1,
        )
        flags.append(graph.add("Equal", codes, graph.constant(np.arange(len(categories)))))
    return graph.add("Cast", graph.add("Concat", *flags, axis=1), to=TensorProto.DOUBLE)
