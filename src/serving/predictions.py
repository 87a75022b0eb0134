"""What the answers of every task share: what is counted of them, and how their templates are written."""

import json

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Histogram

_CONFIDENCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Confidences(Histogram):
    """A histogram that takes a batch at the price of one observation a bucket."""

    def observe_all(self, values: NDArray[np.float64]) -> None:
        """Observe each of `values`."""
        places = np.searchsorted(self._upper_bounds, values)
        for place, count in zip(*np.unique(places, return_counts=True), strict=True):
            self._buckets[place].inc(int(count))
        self._sum.inc(float(values.sum()))


class PredictionMetrics:
    """The metrics of predictions, in the registry of one app; each model uses those of its task."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "model_predictions",
            "Predictions by class; of numbers, by the bin of training's predictions.",
            ["predicted_class"],
            registry=registry,
        )
        self.confidence = Confidences(
            "model_confidence", "Probability of the predicted class.", buckets=_CONFIDENCES, registry=registry
        )


class ModelFailure(Exception):
    """The model gave something that is not a finite number."""


def in_template(value: str) -> str:
    """Return `value` as JSON that stands in a template of the operator `%`."""
    return json.dumps(value).replace("%", "%%")
