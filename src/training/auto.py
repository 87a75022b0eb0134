"""`train.model: auto`: of several families, the one that answers best on rows it was not fitted to."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.errors import DataError
from src.export.families.family import FamilyParams
from src.export.families.section import AutoParams
from src.export.pipeline import to_frame
from src.params import DataParams
from src.progress import step
from src.schema.columns import Schema
from src.schema.features import to_features
from src.tables.folds import folds
from src.tables.frames import Prepared
from src.tasks import side
from src.training.fit import fit_pipeline

MOST_ROWS = 20_000  # that families are compared on: more say little more of which is best

logger = logging.getLogger(__name__)


class Tried(NamedTuple):
    """A family and how it answered the rows of each fold."""

    params: FamilyParams
    values: list[float]  # of the measure, one a fold

    @property
    def mean(self) -> float:
        """The mean over the folds."""
        return float(np.mean(self.values))

    @property
    def error(self) -> float:
        """The standard error of that mean."""
        return float(np.std(self.values, ddof=1) / np.sqrt(len(self.values)))


def choose(prepared: Prepared, params: AutoParams, data: DataParams) -> list[Tried]:
    """Return the candidates of `params`, the best first, as they answer the training rows fold by fold.

    Of equally good ones the one that is named first, and so the simpler, is better.

    Raises:
        DataError: the training rows are too few for the folds.
    """
    schema = prepared.schema
    rows = prepared.train
    blocks = prepared.blocks
    if len(rows) > MOST_ROWS:
        drawn = np.random.default_rng(data.random_state).choice(len(rows), MOST_ROWS, replace=False)
        rows, blocks = rows.iloc[drawn], None if blocks is None else blocks[drawn]
        logger.info("comparing families on %d of %d training rows", MOST_ROWS, len(prepared.train))
    target = side("src.tables.targets", schema.task).to_array(rows[schema.target])
    frame = to_frame(schema, to_features(schema, rows))
    if len(rows) < 2 * params.folds:
        raise DataError(
            f"train.folds: {params.folds} folds of {len(rows)} training rows; allowed: two rows a fold"
        )
    labels = target if schema.classes else None
    losses = side("src.training.losses", schema.task)
    split = list(folds(params.folds, len(rows), blocks, data, labels))

    def measured(candidate: FamilyParams, fitted: NDArray[np.int64], rest: NDArray[np.int64]) -> float:
        pipeline = fit_pipeline(schema, candidate, data.random_state, frame.iloc[fitted], target[fitted])
        answers = side("src.export.answers", schema.task).expected(pipeline, frame.iloc[rest], schema)
        return float(losses.loss(target[rest], answers, schema))

    tried = []
    for candidate in params.candidates_for(schema.task):
        with step(f"trying {candidate.model} on {len(frame)} rows, {len(split)} folds"):
            tried.append(Tried(candidate, [measured(candidate, *fold) for fold in split]))
    return sorted(tried, key=lambda one: one.mean)


def measure_of(schema: Schema) -> str:
    """Return the name of the measure that families are compared by; less of it is better."""
    return str(side("src.training.losses", schema.task).MEASURE)


def table(tried: Sequence[Tried], schema: Schema) -> str:
    """Return what was tried as lines to read."""
    lines = [f"{measure_of(schema)} in cross-validation, less is better"]
    for one in tried:
        options = ", ".join(
            f"{name} {value}" for name, value in one.params.recorded().items() if name != "model"
        )
        lines.append(f"  {one.params.model:<24}{one.mean:>12.6g} ± {one.error:<10.2g}{options}".rstrip())
    return "\n".join(lines)
