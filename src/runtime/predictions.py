"""What a model answers, whatever library runs it."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from src.schema.features import Features


class Predictions(NamedTuple):
    """One row per row that was asked."""

    labels: NDArray[np.int64]  # [rows], positions in the schema's classes
    scores: NDArray[np.float64]  # [rows, classes], probabilities


class Runtime(Protocol):
    """A loaded model."""

    def predict(self, features: Features) -> Predictions:
        """Return the answers to `features`, [rows] and [rows, classes]."""
        ...
