"""How good classes and their probabilities are: numbers, a table to read, pictures."""

from collections.abc import Callable, Mapping, Sequence
from math import nan
from statistics import mean
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

from src.bundle.bundle import Training
from src.evaluation.curves import Curves, curves
from src.evaluation.importance import importances
from src.evaluation.plots.canvas import to_png
from src.evaluation.plots.classification import figures
from src.evaluation.spreadsheet import to_report
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema
from src.schema.features import Features, to_features
from src.strict_model import StrictModel
from src.tasks import CLASSIFICATION

IMPORTANCE = "probability of the right class lost when the values of a column are shuffled"
BINS = 10  # of confidence, in the calibration
MOST_CURVES = 10  # classes, those told apart worst


class Averages(StrictModel):
    """Shares between 0 and 1, over classes."""

    precision: float
    recall: float
    f1_score: float


class ClassMeasures(Averages):
    """The same of one class; `rows` are those that are of it."""

    rows: int


class Bin(StrictModel):
    """The answers of about the same confidence."""

    rows: int
    confidence: float  # their mean
    accuracy: float


class Measures(Averages):
    """What was measured; precision, recall and F1 are weighted by the rows of each class."""

    rows: int
    accuracy: float
    log_loss: float
    calibration_error: float  # mean distance of confidence and accuracy over the bins of `calibration`
    # The means over classes, each against the rest; bundles before them had neither.
    roc_auc: float = nan
    average_precision: float = nan
    brier_score: float = nan
    macro: Averages
    per_class: dict[str, ClassMeasures]
    confusion_matrix: Annotated[tuple[tuple[int, ...], ...], Field(strict=False)]  # [actual, predicted]
    calibration: Annotated[tuple[Bin, ...], Field(strict=False)]


class Report(Measures):
    """`metrics.json`, but for the gate."""

    baseline: Measures  # always the commonest class
    importances: dict[str, float]
    curves: dict[str, Curves] = {}

    def numbers(self) -> dict[str, float]:
        """Return what the record keeps."""
        averages = {f"macro_{name}": value for name, value in self.macro.model_dump().items()}
        own = {name: getattr(self, name) for name in CLASSIFICATION.measures}
        return {**own, **averages, "baseline_accuracy": self.baseline.accuracy}


def report(
    schema: Schema,
    predict: Callable[[Features], Predictions],
    predictions: Predictions,
    train: pd.DataFrame,
    test: pd.DataFrame,
    training: Training,
    seed: int,
) -> Report:
    """Return how good `predictions`, what `predict` gave for `test`, are; the baseline knows `train`."""
    labels = actual(schema, test)

    def quality(features: Features, of: NDArray[np.int64]) -> float:
        return float(predict(features).scores[np.arange(len(of)), of].mean())

    drawn = curves(labels, predictions.scores, schema.classes)
    return Report(
        **dict(measure(labels, predictions.labels, predictions.scores, schema.classes, drawn)),
        curves=dict(sorted(drawn.items(), key=lambda one: one[1].roc_auc)[:MOST_CURVES]),
        baseline=baseline(labels, actual(schema, train), schema.classes),
        importances=importances(schema, quality, to_features(schema, test), labels, seed),
    )


def summary(title: str, measured: Report) -> str:
    """Return what was measured as a small table."""
    lines = [title, "", f"{'':<20}{'model':>10}{'baseline':>10}"]
    for name in CLASSIFICATION.measures:
        lines.append(f"{name:<20}{getattr(measured, name):>10.4f}{getattr(measured.baseline, name):>10.4f}")
    lines += ["", f"{'class':<20}{'precision':>10}{'recall':>10}{'f1_score':>10}{'rows':>8}"]
    for name, one in measured.per_class.items():
        lines.append(
            f"{name[:19]:<20}{one.precision:>10.4f}{one.recall:>10.4f}{one.f1_score:>10.4f}{one.rows:>8}"
        )
    return "\n".join(lines)


def pictures(measured: Report) -> dict[str, bytes]:
    """Return what was measured as PNG files."""
    return {name: to_png(figure) for name, figure in figures(measured, IMPORTANCE).items()}


def plot_tables(
    measured: Report, schema: Schema, predictions: Predictions, test: pd.DataFrame
) -> dict[str, bytes]:
    """Return the tables that `dvc plots` draws itself, as CSV files."""
    answers = pd.DataFrame(
        {
            "actual": test[schema.target].to_numpy(),
            "predicted": [schema.classes[label] for label in predictions.labels],
            "confidence": predictions.scores.max(axis=1),
        }
    )
    columns = pd.DataFrame(measured.importances.items(), columns=["column", "importance"])
    return {"predictions.csv": to_report(answers), "importances.csv": to_report(columns)}


def actual(schema: Schema, table: pd.DataFrame) -> NDArray[np.int64]:
    """Return the target of each row as a position [rows] in the schema's classes."""
    places = {name: place for place, name in enumerate(schema.classes)}
    return np.array([places[name] for name in table[schema.target]], dtype=np.int64)


def measure(
    actual: NDArray[np.int64],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    classes: Sequence[str],
    drawn: Mapping[str, Curves] | None = None,
) -> Measures:
    """Return how good `labels` [rows] and `scores` [rows, classes] are for rows whose classes are `actual`.

    Labels and `actual` [rows] are positions in `classes`; scores are probabilities; `drawn` are their curves,
    where they are known.
    Precision, recall, F1, log loss (in nats) and Brier score are scikit-learn's. A class that all rows are
    of, or none, has no ROC; where that is so of every class, its mean is that of scores that say nothing.
    """
    against_rest = (curves(actual, scores, classes) if drawn is None else drawn).values()
    every = np.arange(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        actual, labels, labels=every, zero_division=0.0
    )
    calibration = _calibration(actual == labels, scores.max(axis=1))
    distance = sum(one.rows * abs(one.accuracy - one.confidence) for one in calibration) / len(actual)
    return Measures(
        rows=len(actual),
        accuracy=float(accuracy_score(actual, labels)),
        **_averages(actual, labels, "weighted"),
        log_loss=float(log_loss(actual, scores, labels=every)),
        calibration_error=float(distance),
        roc_auc=mean(one.roc_auc for one in against_rest) if against_rest else 0.5,
        average_precision=mean(one.average_precision for one in against_rest) if against_rest else 1.0,
        brier_score=brier_score(actual, scores),
        macro=Averages(**_averages(actual, labels, "macro")),
        per_class={
            name: ClassMeasures(
                precision=float(precision[place]),
                recall=float(recall[place]),
                f1_score=float(f1[place]),
                rows=int(support[place]),
            )
            for place, name in enumerate(classes)
        },
        confusion_matrix=tuple(tuple(row) for row in confusion_matrix(actual, labels, labels=every).tolist()),
        calibration=calibration,
    )


def brier_score(actual: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """Return the mean squared distance of `scores` [rows, classes] from what is right: 0 to 1, or of more
    than two classes to 2, as scikit-learn counts it."""
    right = np.eye(scores.shape[1])[actual]
    squares = ((scores - right) ** 2).sum(axis=1).mean()
    return float(squares / 2 if scores.shape[1] == 2 else squares)


def quick_measures(
    actual: NDArray[np.int64], labels: NDArray[np.int64], scores: NDArray[np.float64]
) -> dict[str, float]:
    """Return the measures of `measure` that are fast, for thousands of resamples."""
    classes = scores.shape[1]
    counts = np.bincount(actual * classes + labels, minlength=classes**2).reshape(classes, classes)
    hits, predicted, support = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(predicted + support, 1)
    weights = support / len(actual)
    right = scores[np.arange(len(actual)), actual] / scores.sum(axis=1)
    return {
        "accuracy": float(hits.sum() / len(actual)),
        "precision": float(weights @ precision),
        "recall": float(weights @ recall),
        "f1_score": float(weights @ f1),
        "brier_score": brier_score(actual, scores),
        "log_loss": float(-np.log(np.clip(right, np.finfo(np.float64).eps, 1)).mean()),
    }


def baseline(actual: NDArray[np.int64], fitted: NDArray[np.int64], classes: Sequence[str]) -> Measures:
    """Return how good it is to answer always the commonest class of the `fitted` rows, on the `actual` ones.

    Its scores are the classes' shares, the best that can be said without looking at a row.
    """
    counts = np.bincount(fitted, minlength=len(classes))
    labels = np.full(len(actual), counts.argmax(), dtype=np.int64)
    return measure(actual, labels, np.tile(counts / counts.sum(), (len(actual), 1)), classes)


def _averages(actual: NDArray[np.int64], labels: NDArray[np.int64], average: str) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(
        actual, labels, average=average, zero_division=0.0
    )
    return {"precision": float(precision), "recall": float(recall), "f1_score": float(f1)}


def _calibration(right: NDArray[np.bool_], confidence: NDArray[np.float64]) -> tuple[Bin, ...]:
    places = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return tuple(
        Bin(
            rows=int((places == place).sum()),
            confidence=float(confidence[places == place].mean()),
            accuracy=float(right[places == place].mean()),
        )
        for place in np.unique(places)
    )
