"""How well scores tell one class from the rest, at every threshold: ROC, and precision against recall."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from src.strict_model import StrictModel

MOST_POINTS = 50  # of a curve that is kept

Points = tuple[tuple[float, float], ...]


class Curves(StrictModel):
    """One class against the rest."""

    roc_auc: float
    average_precision: float
    share: float  # of the rows that are of it: the average precision of scores that say nothing
    roc: Points = Field(strict=False)  # (false positive rate, true positive rate), from (0, 0) to (1, 1)
    precision_recall: Points = Field(strict=False)  # (recall, precision), from recall 1 to recall 0


def curves(
    actual: NDArray[np.int64], scores: NDArray[np.float64], classes: Sequence[str]
) -> dict[str, Curves]:
    """Return the curves of each class that some of the rows are of, and some are not.

    `actual` [rows] are positions in `classes`, `scores` [rows, classes] probabilities. The areas are
    scikit-learn's, of every threshold; the points are those that bend the curve most evenly.
    """
    found = {}
    for place, name in enumerate(classes):
        of_it = actual == place
        if not of_it.any() or of_it.all():
            continue
        score = scores[:, place]
        false_positives, true_positives, _ = roc_curve(of_it, score)
        precision, recall, _ = precision_recall_curve(of_it, score, drop_intermediate=True)
        found[name] = Curves(
            roc_auc=min(float(auc(false_positives, true_positives)), 1.0),  # a sum may be a last bit more
            average_precision=min(float(average_precision_score(of_it, score)), 1.0),
            share=float(of_it.mean()),
            roc=_thinned(false_positives, true_positives),
            precision_recall=_thinned(recall, precision),
        )
    return found


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> Points:
    """Return at most MOST_POINTS points of a curve, about as far from each other, its ends among them."""
    if len(x) > MOST_POINTS:
        along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        wanted = np.linspace(0.0, along[-1], MOST_POINTS)
        kept = np.unique(np.searchsorted(along, wanted).clip(0, len(x) - 1))
        x, y = x[kept], y[kept]
    return tuple((round(one, 5), round(other, 5)) for one, other in zip(x.tolist(), y.tolist(), strict=True))
