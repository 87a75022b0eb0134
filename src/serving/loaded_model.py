"""A model in service: the bundle, its runtime, and all that an answer needs of them, built at load."""

import json
import math
from collections.abc import Callable

import numpy as np

from src.bundle.bundle import Bundle
from src.runtime.predictions import Runtime
from src.schema.columns import Features
from src.serving.decoding import RowDecoder
from src.serving.metrics import Metrics


class ModelFailure(Exception):
    """The model gave something that is not a probability."""


class LoadedModel:
    """Answers rows; nothing in it changes, so that a swap of the model is the swap of one reference."""

    def __init__(self, bundle: Bundle, runtime: Runtime, metrics: Metrics, most_rows: int) -> None:
        self.bundle = bundle
        self.version = bundle.manifest.version
        self.classes = bundle.schema.classes
        reader = RowDecoder(bundle.schema, most_rows)
        self.read: Callable[[bytes], Features] = reader.read
        self.read_all: Callable[[bytes], Features] = reader.read_all
        self._predict = runtime.predict
        self._row_templates = [_template(label, self.classes) for label in self.classes]
        version = f',"model_version":{_text(self.version)}}}'
        self._templates = [f"{template[:-1]}{version}" for template in self._row_templates]
        self._batch_template = f'{{"predictions":[%s]{version}'
        # From here on the metrics show it: nothing that could still refuse the bundle comes after this.
        self._rows = metrics.row_counter(bundle)
        self._counts = [metrics.predictions.labels(label).inc for label in self.classes]
        self._observe = metrics.confidence.observe
        self._observe_all = metrics.confidence.observe_all

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
        if self._rows is not None:
            self._rows.count(features)
        return self.classes[label], (self._templates[label] % (confidence, *values)).encode()

    def answer_all(self, features: Features) -> bytes:
        """Return the body of the response to a batch; raises as `answer` does."""
        labels, scores = self._predict(features)
        if not np.isfinite(scores).all():
            raise ModelFailure(f"version {self.version} gave a score that is not a number")
        confidences = scores[np.arange(len(labels)), labels]
        for count, number in zip(self._counts, np.bincount(labels, minlength=len(self.classes)), strict=True):
            count(int(number))
        self._observe_all(confidences)
        if self._rows is not None:
            self._rows.count_all(features)
        templates = self._row_templates
        rows = zip(labels.tolist(), confidences.tolist(), scores.tolist(), strict=True)
        answers = ",".join(templates[label] % (confidence, *values) for label, confidence, values in rows)
        return (self._batch_template % answers).encode()


def _template(label: str, classes: tuple[str, ...]) -> str:
    """Return the answer for `label` as JSON, `%r` where a number goes; `repr` of a float is JSON."""
    probabilities = ",".join(f"{_text(name)}:%r" for name in classes)
    return f'{{"prediction":{_text(label)},"confidence":%r,"probabilities":{{{probabilities}}}}}'


def _text(value: str) -> str:
    return json.dumps(value).replace("%", "%%")
