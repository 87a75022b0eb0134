"""Logistic regression: linear, so its scores are scikit-learn's within rounding."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from sklearn.linear_model import LogisticRegression

from src.export.families.family import Family, FamilyParams, Form
from src.export.graph import Graph


class LogisticRegressionParams(FamilyParams):
    """A weight for each column and class, with nothing to choose."""

    model: Literal["logistic_regression"]


def build(params: LogisticRegressionParams, seed: int) -> LogisticRegression:
    """Return one with steps enough to converge."""
    return LogisticRegression(max_iter=10_000, random_state=seed)


def classify(graph: Graph, matrix: str, model: LogisticRegression) -> None:
    """Add `scores`, the probabilities, and `label`, which as in scikit-learn comes from the raw scores."""
    product = graph.add("MatMul", matrix, graph.constant(model.coef_.T))
    raw = graph.add("Add", product, graph.constant(model.intercept_))
    if len(model.classes_) > 2:
        graph.add("Softmax", raw, axis=1, output="scores")
        graph.add("ArgMax", raw, axis=1, keepdims=0, output="label")
        return
    second = graph.add("Sigmoid", raw)
    first = graph.add("Sub", graph.constant(np.array(1.0)), second)
    graph.add("Concat", first, second, axis=1, output="scores")
    positive = graph.add("Greater", raw, graph.constant(np.array(0.0)))
    column = graph.add("Cast", positive, to=TensorProto.INT64)
    graph.add("Squeeze", column, graph.constant(np.array([1])), output="label")


def thresholds(model: LogisticRegression) -> dict[int, NDArray[np.float64]]:
    """Return nothing: a linear model compares no single column."""
    return {}


LOGISTIC_REGRESSION = Family(
    params=LogisticRegressionParams,
    forms={"classification": Form(LogisticRegression, build, classify, exact=False)},
    thresholds=thresholds,
    scaled=True,
    parallel=False,
)
