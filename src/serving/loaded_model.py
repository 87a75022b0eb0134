"""A model in service: the bundle, its runtime, and all that an answer needs of them, built at load."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from src.bundle.bundle import Bundle
from src.monitoring.background import explainer
from src.runtime.explain import Explanation
from src.runtime.predictions import Outputs, Runtime
from src.schema.features import Features
from src.serving.decoding import RowDecoder
from src.serving.logs import Predicted
from src.serving.metrics import Metrics
from src.serving.problems import Problem
from src.tasks import TaskName, side


class LoadedModel:
    """Answers rows; nothing in it changes, so that a swap of the model is the swap of one reference."""

    def __init__(self, bundle: Bundle, runtime: Runtime, metrics: Metrics, most_rows: int) -> None:
        self.bundle = bundle
        self.version = bundle.manifest.version
        self.most_rows = most_rows  # of a batch
        decoder = RowDecoder(bundle.schema, most_rows)
        self.row_model, self.batch_model = decoder.row_model, decoder.batch_model
        self.read: Callable[[bytes], Features] = decoder.read
        self.read_all: Callable[[bytes], Features] = decoder.read_all
        self._predict = runtime.predict
        self._categories = [(one.name, frozenset(one.categories)) for one in bundle.schema.categorical]
        self.has_categories = bool(self._categories)
        self._explain: Callable[[Features], Explanation] | None = None  # made when one is asked for
        # From here on the metrics show it: nothing that could still refuse the bundle comes after this.
        self._rows = metrics.row_counter(bundle)
        task = bundle.manifest.task
        answers = side("src.serving.answers", task).Answers(bundle, metrics.predictions)
        self._one, self._many, self._counted = answers.one, answers.many, answers.counted

    def answer(self, features: Features) -> tuple[Predicted, bytes]:
        """Return what is predicted of one row, for the log, and the body of the response.

        Raises an exception when the model gave no prediction, such as a score that is not a number.
        """
        predicted, body = self._one(self._predict(features))
        if self._rows is not None:
            self._rows.count(features)
        return predicted, body

    def unseen(self, features: Features) -> list[tuple[int, str]]:
        """Return the row and the column of each text that training did not see."""
        return [
            (row, name)
            for row, texts in enumerate(features.categorical.tolist())
            for text, (name, known) in zip(texts, self._categories, strict=True)
            if text and text not in known
        ]

    def explain(self, features: Features) -> dict[str, Any]:
        """Return why the row `features`, a matrix of one row, is answered as it is; nothing is counted."""
        if self._explain is None:
            self._explain = explainer(self.bundle, self._predict)
        if self._explain is None:
            detail = "This model came without its training distribution, so its answers are not explained."
            raise Problem(HTTPStatus.CONFLICT, "explanation_unavailable", detail)
        explained = self._explain(features)
        method = "exact Shapley values" if explained.is_exact else "sampled Shapley values"
        answered = side("src.serving.answers", self.bundle.manifest.task)
        return {"method": method, **answered.explanation(self.bundle.schema, explained)}

    def predict_all(self, features: Features) -> Outputs:
        """Return what is predicted of many rows, counted as a batch's is; raises as `answer` does."""
        outputs: Outputs = self._counted(self._predict(features))
        if self._rows is not None:
            self._rows.count_all(features)
        return outputs

    def answer_all(self, features: Features) -> bytes:
        """Return the body of the response to a batch; raises as `answer` does."""
        body: bytes = self._many(self._predict(features))
        if self._rows is not None:
            self._rows.count_all(features)
        return body


def task_of(loaded: LoadedModel | None) -> TaskName:
    """Return the task of the model in service; without a model, the one that is documented."""
    return "classification" if loaded is None else loaded.bundle.manifest.task
