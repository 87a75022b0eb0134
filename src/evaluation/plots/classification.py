"""Pictures of a model that tells classes apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from src.evaluation.plots.canvas import (
    BLUE,
    BLUES,
    GRID,
    INK,
    MOST_BARS,
    MUTED,
    ORANGE,
    bars_only,
    canvas,
    canvases,
    importance_bars,
    short,
)

if TYPE_CHECKING:
    from src.evaluation.measures.classification import Bin, Measures, Report

MOST_NUMBERS = 15  # classes beyond which the cells are too small to write in


def figures(measured: Report, importance: str) -> dict[str, Figure]:
    """Return every picture of a model by the name of its file; `importance` says what that is."""
    with rc_context({"text.parse_math": False}):  # a class may be named $5-$10
        drawn = {"curves.png": curves(measured)} if measured.curves else {}  # bundles before them had none
        return {
            "confusion_matrix.png": confusion_matrix(measured.confusion_matrix, list(measured.per_class)),
            "precision_recall.png": precision_recall(measured),
            "importances.png": importance_bars(measured.importances, importance),
            "calibration.png": calibration(measured.calibration, measured.calibration_error),
            **drawn,
        }


def confusion_matrix(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    """Return the counts [actual, predicted], coloured by their share of the actual class."""
    matrix = np.array(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(3.2 + 0.55 * len(classes), 14.0)
    figure, axes = canvas(side + 1.0, side, "Confusion matrix, held-out rows")
    axes.imshow(shares, cmap=BLUES, vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), short(classes), rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), short(classes))
    axes.set_xticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    if len(classes) <= MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.55 else INK if count else "#9aa5b1"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=11)
    return figure


def precision_recall(measures: Measures) -> Figure:
    """Return precision and recall, a pair of bars per class; of many classes, the weakest."""
    classes, title = list(measures.per_class), "Precision and recall by class, held-out rows"
    if len(classes) > MOST_BARS:
        classes = sorted(classes, key=lambda name: (measures.per_class[name].f1_score, name))[:MOST_BARS]
        title = f"Precision and recall, the {MOST_BARS} weakest classes"
    figure, axes = canvas(7.0, 1.7 + 0.55 * len(classes), title)
    places = np.arange(len(classes))
    for name, color, offset in (("precision", BLUE, -0.19), ("recall", ORANGE, 0.19)):
        values = [getattr(measures.per_class[one], name) for one in classes]
        bars = axes.barh(places + offset, values, height=0.34, color=color, label=name)
        axes.bar_label(bars, fmt="%.3f", padding=4, color=MUTED, fontsize=8.5)
    axes.set_yticks(places, short(classes))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.1)
    axes.set_xticks(np.linspace(0, 1, 6))
    figure.legend(ncols=2, frameon=False, loc="outside lower right")
    bars_only(axes)
    return figure


def curves(measured: Report) -> Figure:
    """Return ROC, and precision against recall, of each class against the rest; of many, the weakest."""
    titles = "ROC, held-out rows", "Precision against recall, held-out rows"
    figure, [roc, precision_recall] = canvases(10.4, 5.2, *titles)
    roc.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for name, label in zip(measured.curves, short([*measured.curves]), strict=True):
        one = measured.curves[name]
        roc.plot(*zip(*one.roc, strict=True), linewidth=1.6, label=f"{label} (AUC {one.roc_auc:.3f})")
        precision_recall.plot(
            *zip(*one.precision_recall, strict=True),
            linewidth=1.6,
            label=f"{label} ({one.average_precision:.3f} on average)",
        )
    for side, x, y in (
        (roc, "false positive rate", "true positive rate"),
        (precision_recall, "recall", "precision"),
    ):
        side.set_xlim(0, 1.02)
        side.set_ylim(0, 1.04)
        side.set_xlabel(x)
        side.set_ylabel(y)
        side.grid(color=GRID)
    roc.legend(frameon=False, loc="lower right", fontsize=8.5)
    precision_recall.legend(frameon=False, loc="lower left", fontsize=8.5)
    return figure


def calibration(bins: Sequence[Bin], error: float) -> Figure:
    """Return how often answers are right against how confident they were."""
    figure, axes = canvas(5.6, 5.4, f"Calibration, held-out rows (error {error:.3f})")
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfectly calibrated")
    confidence = [one.confidence for one in bins]
    accuracy = [one.accuracy for one in bins]
    most = max(one.rows for one in bins)
    axes.vlines(confidence, confidence, accuracy, color=BLUE, linewidth=1.5, alpha=0.5)
    sizes = [30 + 220 * one.rows / most for one in bins]
    axes.scatter(confidence, accuracy, s=sizes, color=BLUE, edgecolor="white", zorder=3, clip_on=False)
    for one in bins:
        axes.annotate(
            "1 row" if one.rows == 1 else f"{one.rows} rows",
            (one.confidence, one.accuracy),
            xytext=(-5 if one.confidence > 0.5 else 5, 16 if one.accuracy < 0.5 else -18),
            textcoords="offset points",
            ha="right" if one.confidence > 0.5 else "left",
            va="center",
            color=MUTED,
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.04)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share of right answers")
    axes.grid(color=GRID)
    axes.legend(frameon=False, loc="upper left")
    return figure
