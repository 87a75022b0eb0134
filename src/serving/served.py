"""A model in service: the bundle, its runtime, and all that an answer needs of them, built at load."""

import json
import math
from collections.abc import Callable

from src.bundle import Bundle
from src.runtime.answers import Runtime
from src.schema import Features
from src.serving.metrics import Metrics
from src.serving.rows import RowReader


class ModelFailure(Exception):
    """The model gave something that is not a probability."""


class Served:
    """Answers rows; nothing in it changes, so that a swap of the model is the swap of one reference."""

    def __init__(self, bundle: Bundle, runtime: Runtime, metrics: Metrics) -> None:
        self.bundle = bundle
        self.version = bundle.manifest.version
        self.classes = bundle.schema.classes
        self.read: Callable[[bytes], Features] = RowReader(bundle.schema).read
        self._predict = runtime.predict
        self._templates = [_template(label, self.classes, self.version) for label in self.classes]
        self._counts = [metrics.predictions.labels(label).inc for label in self.classes]
        self._observe = metrics.confidence.observe

    def answer(self, features: Features) -> tuple[str, bytes]:
        """Return the class of one row, and the body of the response.

        Raises:
            ModelFailure: a score is not a number.
        """
        labels, scores = self._predict(features)
        label = int(labels[0])
        values = scores[0].tolist()  # [classes]
        confidence = values[label]
        if not math.isfinite(sum(values)):
            raise ModelFailure(f"version {self.version} gave a score that is not a number")
        self._counts[label]()
        self._observe(confidence)
        return self.classes[label], (self._templates[label] % (confidence, *values)).encode()


def _template(label: str, classes: tuple[str, ...], version: str) -> str:
    """Return the response for `label` as JSON, `%r` where a number goes; `repr` of a float is JSON."""

    def text(value: str) -> str:
        return json.dumps(value).replace("%", "%%")

    probabilities = ",".join(f"{text(name)}:%r" for name in classes)
    return (
        f'{{"prediction":{text(label)},"confidence":%r,'
        f'"probabilities":{{{probabilities}}},"model_version":{text(version)}}}'
    )
