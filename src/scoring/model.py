"""The model in use, and its answers to rows as columns."""

from typing import Any

import numpy as np
import pyarrow as pa

from src.bundle.bundle import Bundle
from src.errors import BundleError
from src.monitoring.background import explainer
from src.runtime.predictions import Outputs
from src.runtime.session import load
from src.schema.features import Features
from src.tasks import side


class Scorer:
    """A loaded model that answers as the server does; it is loaded once, and answers many times."""

    def __init__(self, bundle: Bundle, scores: bool = False, explained: bool = False) -> None:
        """`scores` adds the probability of each class, `explained` what each column adds to the score.

        Raises:
            BundleError: the model cannot be loaded, or cannot be explained as it was asked to be.
        """
        self.schema = bundle.schema
        self._answers = side("src.scoring.answers", bundle.manifest.task)
        self._interval = bundle.manifest.interval
        self._runtime = load(bundle)
        self._scores = scores
        self._explain = explainer(bundle, self._runtime.predict) if explained else None
        if explained and self._explain is None:
            raise BundleError("the model came without its training distribution, so it cannot be explained")

    def names(self) -> list[str]:
        """Return the names of the columns that `answer` gives."""
        empty = Features(
            np.empty((0, len(self.schema.numeric))),
            np.empty((0, len(self.schema.categorical)), dtype=object),
        )
        return list(self.answer(empty))

    def answer(self, features: Features) -> dict[str, pa.Array]:
        """Return the answers to `features`, a value a row."""
        predictions = self._runtime.predict(features)
        found: dict[str, pa.Array] = self._answers.columns(
            self.schema, predictions, self._interval, self._scores
        )
        return found if self._explain is None else {**found, **self._contributions(features, predictions)}

    def _contributions(self, features: Features, predictions: Outputs) -> dict[str, Any]:
        """Return what the base and each column add to one of the scores of each row, which add up to it."""
        assert self._explain is not None
        parts = np.empty((len(features.numeric), len(self.schema.columns) + 1))
        for row in range(len(parts)):
            score = self._answers.explained_score(predictions, row)
            one = self._explain(
                Features(features.numeric[row : row + 1], features.categorical[row : row + 1])
            )
            parts[row] = one.base[score], *one.contributions[:, score]
        names = ["contribution_base", *(f"contribution_{name}" for name in self.schema.names)]
        return {name: pa.array(parts[:, place]) for place, name in enumerate(names)}
