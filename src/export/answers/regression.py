"""What scikit-learn says of a number: the answers that the exported model must give."""

from typing import Any

import numpy as np

from src.runtime.answers.regression import Predictions
from src.schema.columns import Schema


def check_fitted(model: Any, schema: Schema) -> None:
    """Accept any fitted `model`: whatever numbers it gives, they are of the target."""


def expected(model: Any, matrix: Any, schema: Schema) -> Predictions:
    """Return what the fitted `model`, an estimator or a pipeline, says of the rows of `matrix`."""
    return Predictions(np.ascontiguousarray(model.predict(matrix), dtype=np.float64))
