"""Logistic regression: linear, so its scores are scikit-learn's within rounding."""

from typing import Literal

from pydantic import Field
from sklearn.linear_model import LogisticRegression

from src.export.families.family import ClassifierParams, Family, Form, no_thresholds
from src.export.families.outputs import add_classes, add_two_classes
from src.export.graph import Graph


class LogisticRegressionParams(ClassifierParams):
    """A weight for each column and class, the smaller the smaller C is."""

    model: Literal["logistic_regression"]
    C: float = Field(1.0, gt=0, allow_inf_nan=False)


def build(params: LogisticRegressionParams, seed: int) -> LogisticRegression:
    """Return one with steps enough to converge."""
    return LogisticRegression(
        C=params.C, class_weight=params.class_weight, max_iter=10_000, random_state=seed
    )


def classify(graph: Graph, matrix: str, model: LogisticRegression) -> None:
    """Add `scores` and `label`, of the weighted sums of the columns."""
    product = graph.add("MatMul", matrix, graph.constant(model.coef_.T))
    raw = graph.add("Add", product, graph.constant(model.intercept_))
    (add_classes if len(model.classes_) > 2 else add_two_classes)(graph, raw)


LOGISTIC_REGRESSION = Family(
    params=LogisticRegressionParams,
    forms={"classification": Form(LogisticRegression, build, classify, exact=False)},
    thresholds=no_thresholds,
    scaled=True,
    parallel=False,
)
