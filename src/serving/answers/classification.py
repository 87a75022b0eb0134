"""How a class and its probabilities are answered and counted; all that can be written beforehand is."""

import json
import math

import numpy as np

from src.bundle.bundle import Bundle
from src.runtime.predictions import Predictions
from src.serving.metrics import Metrics


class ModelFailure(Exception):
    """The model gave something that is not a probability."""


class Answers:
    """The answers of one model."""

    def __init__(self, bundle: Bundle, metrics: Metrics) -> None:
        self._classes = bundle.schema.classes
        self._version = bundle.manifest.version
        self._row_templates = [_template(label, self._classes) for label in self._classes]
        version = f',"model_version":{_text(self._version)}}}'
        self._templates = [f"{template[:-1]}{version}" for template in self._row_templates]
        self._batch_template = f'{{"predictions":[%s]{version}'
        self._counts = [metrics.predictions.labels(label).inc for label in self._classes]
        self._observe = metrics.confidence.observe
        self._observe_all = metrics.confidence.observe_all

    def one(self, predictions: Predictions) -> tuple[str, bytes]:
        """Return the class of one row, for the log, and the body of the response.

        Raises:
            ModelFailure: a score is not a number.
        """
        labels, scores = predictions
        label = int(labels[0])
        values = scores[0].tolist()  # [classes]
        confidence = values[label]
        if not math.isfinite(sum(values)):
            raise self._failure()
        self._counts[label]()
        self._observe(confidence)
        return self._classes[label], (self._templates[label] % (confidence, *values)).encode()

    def many(self, predictions: Predictions) -> bytes:
        """Return the body of the response to a batch; raises as `one` does."""
        labels, scores = predictions
        if not np.isfinite(scores).all():
            raise self._failure()
        confidences = scores[np.arange(len(labels)), labels]
        counted = np.bincount(labels, minlength=len(self._classes))
        for count, number in zip(self._counts, counted, strict=True):
            count(int(number))
        self._observe_all(confidences)
        templates = self._row_templates
        rows = zip(labels.tolist(), confidences.tolist(), scores.tolist(), strict=True)
        answers = ",".join(templates[label] % (confidence, *values) for label, confidence, values in rows)
        return (self._batch_template % answers).encode()

    def _failure(self) -> ModelFailure:
        return ModelFailure(f"version {self._version} gave a score that is not a number")


def _template(label: str, classes: tuple[str, ...]) -> str:
    """Return the answer for `label` as JSON, `%r` where a number goes; `repr` of a float is JSON."""
    probabilities = ",".join(f"{_text(name)}:%r" for name in classes)
    return f'{{"prediction":{_text(label)},"confidence":%r,"probabilities":{{{probabilities}}}}}'


def _text(value: str) -> str:
    return json.dumps(value).replace("%", "%%")
