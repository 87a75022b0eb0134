"""What the page shows of a model that tells classes apart."""

from collections.abc import Iterator
from math import sqrt
from typing import Any

from src.bundle.bundle import Bundle
from src.serving.page import svg

Z = 1.96  # of a normal distribution: 95 % are nearer to its mean


def interval(share: float, rows: int) -> tuple[float, float]:
    """Return the interval that a share of `rows` is in with a probability of 95 %, after Wilson (1927)."""
    if rows < 1:
        return 0.0, 1.0
    middle = (share + Z * Z / (2 * rows)) / (1 + Z * Z / rows)
    half = Z / (1 + Z * Z / rows) * sqrt(share * (1 - share) / rows + Z * Z / (4 * rows * rows))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def intervals(bundle: Bundle) -> dict[str, tuple[float, float]]:
    """Return what is known of how exact each measure is."""
    metrics = bundle.metrics
    exact = {"accuracy": interval(float(metrics["accuracy"]), int(metrics["rows"]))}
    return {**metrics.get("intervals", {}), **exact}  # bundles before them had none


def charts(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Give a heading and a chart, as HTML, for each thing that was measured."""
    metrics: dict[str, Any] = bundle.metrics
    names = list(metrics["per_class"])
    if len(names) <= svg.MOST_CLASSES:
        yield "Confusion matrix", svg.matrix(metrics["confusion_matrix"], names, "Confusion matrix")
    importances = dict(sorted(metrics["importances"].items(), key=lambda item: -item[1]))
    yield "Feature importance", svg.bars(importances, "Probability lost when a column is shuffled")
    f1_scores = {name: one["f1_score"] for name, one in metrics["per_class"].items()}
    yield "F1 score by class", svg.bars(f1_scores, "F1 score of each class", most=1.0)
    points = [
        svg.Point(
            one["confidence"],
            one["accuracy"],
            *interval(one["accuracy"], one["rows"]),
            f"{one['rows']} rows: {one['accuracy']:.3f} of them right, at {one['confidence']:.3f}",
        )
        for one in metrics["calibration"]
    ]
    yield "Calibration", svg.measured(
        points, "Share of right answers by confidence, with 95 % intervals", (0.0, 1.0), "confidence"
    )
    if drawn := metrics.get("curves"):  # bundles before them had none
        roc = {f"{name}: {one['roc_auc']:.3f}": one["roc"] for name, one in drawn.items()}
        yield (
            "ROC, and the area below it",
            svg.lines(
                roc,
                "True positive rate by false positive rate",
                ("false positive rate", "true positive rate"),
                ideal=True,
            ),
        )
        precision = {
            f"{name}: {one['average_precision']:.3f}": one["precision_recall"] for name, one in drawn.items()
        }
        yield (
            "Precision against recall, and its average",
            svg.lines(precision, "Precision by recall", ("recall", "precision")),
        )
