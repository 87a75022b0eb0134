"""What scikit-learn says of classes: the answers that the exported model must give."""

from typing import Any

import numpy as np

from src.errors import ExportError
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema


def check_fitted(model: Any, schema: Schema) -> None:
    """Raise ExportError unless the fitted `model` tells apart the classes of `schema`, in their order."""
    if tuple(model.classes_) != schema.classes:
        raise ExportError(f"model: classes are {list(model.classes_)}; allowed: {list(schema.classes)}")


def expected(model: Any, matrix: Any, schema: Schema) -> Predictions:
    """Return what the fitted `model`, an estimator or a pipeline, says of the rows of `matrix`."""
    labels = [schema.classes.index(str(name)) for name in model.predict(matrix)]
    scores = model.predict_proba(matrix)
    if scores.shape[1] < len(schema.classes):  # fitted to a part of the rows that lacks a class
        known, scores = scores, np.zeros((len(scores), len(schema.classes)))
        scores[:, [schema.classes.index(str(name)) for name in model.classes_]] = known
    return Predictions(np.array(labels, dtype=np.int64), np.ascontiguousarray(scores))
