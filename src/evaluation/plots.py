"""What was measured, as pictures."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

if TYPE_CHECKING:
    from src.evaluation.measures.classification import Bin, Measures

_INK, _MUTED, _GRID = "#1f2933", "#616e7c", "#e4e7eb"
_BLUE, _ORANGE = "#2563a8", "#e08a2c"
_BLUES = LinearSegmentedColormap.from_list("blues", ["#f5f8fc", "#a9c6e6", "#2563a8"])

MOST_BARS = 20  # columns or classes
MOST_NUMBERS = 15  # classes beyond which the cells are too small to write in


def figures(measures: Measures, importances: Mapping[str, float]) -> dict[str, Figure]:
    """Return every picture of a model by the name of its file."""
    with rc_context({"text.parse_math": False}):  # a class may be named $5-$10
        return {
            "confusion_matrix.png": confusion_matrix(measures.confusion_matrix, list(measures.per_class)),
            "precision_recall.png": precision_recall(measures),
            "importances.png": importance_bars(importances),
            "calibration.png": calibration(measures.calibration, measures.calibration_error),
        }


def to_png(figure: Figure) -> bytes:
    """Return `figure` as PNG whose bytes depend on nothing but what it shows."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A line for each letter that the font lacks helps nobody; the tables beside the pictures have all.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def confusion_matrix(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    """Return the counts [actual, predicted], coloured by their share of the actual class."""
    matrix = np.array(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(3.2 + 0.55 * len(classes), 14.0)
    figure, axes = _canvas(side + 1.0, side, "Confusion matrix, held-out rows")
    axes.imshow(shares, cmap=_BLUES, vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), _short(classes), rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), _short(classes))
    axes.set_xticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    if len(classes) <= MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.55 else _INK if count else "#9aa5b1"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=11)
    return figure


def precision_recall(measures: Measures) -> Figure:
    """Return precision and recall, a pair of bars per class; of many classes, the weakest."""
    classes, title = list(measures.per_class), "Precision and recall by class, held-out rows"
    if len(classes) > MOST_BARS:
        classes = sorted(classes, key=lambda name: (measures.per_class[name].f1_score, name))[:MOST_BARS]
        title = f"Precision and recall, the {MOST_BARS} weakest classes"
    figure, axes = _canvas(7.0, 1.7 + 0.55 * len(classes), title)
    places = np.arange(len(classes))
    for name, color, offset in (("precision", _BLUE, -0.19), ("recall", _ORANGE, 0.19)):
        values = [getattr(measures.per_class[one], name) for one in classes]
        bars = axes.barh(places + offset, values, height=0.34, color=color, label=name)
        axes.bar_label(bars, fmt="%.3f", padding=4, color=_MUTED, fontsize=8.5)
    axes.set_yticks(places, _short(classes))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.1)
    axes.set_xticks(np.linspace(0, 1, 6))
    figure.legend(ncols=2, frameon=False, loc="outside lower right")
    _bars_only(axes)
    return figure


def importance_bars(importances: Mapping[str, float]) -> Figure:
    """Return the columns the model goes by, the most important first."""
    ranked = sorted(importances.items(), key=lambda item: (-item[1], item[0]))[:MOST_BARS]
    figure, axes = _canvas(7.0, 1.6 + 0.4 * len(ranked), "Feature importances, held-out rows")
    bars = axes.barh(range(len(ranked)), [value for _, value in ranked], height=0.62, color=_BLUE)
    axes.bar_label(bars, fmt="%.3f", padding=4, color=_MUTED, fontsize=9)
    axes.set_yticks(range(len(ranked)), _short([name for name, _ in ranked]))
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.axvline(0, color=_MUTED, linewidth=0.8)
    axes.set_xlabel("probability of the right class lost when the column is shuffled")
    _bars_only(axes)
    return figure


def calibration(bins: Sequence[Bin], error: float) -> Figure:
    """Return how often answers are right against how confident they were."""
    figure, axes = _canvas(5.6, 5.4, f"Calibration, held-out rows (error {error:.3f})")
    axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfectly calibrated")
    confidence = [one.confidence for one in bins]
    accuracy = [one.accuracy for one in bins]
    most = max(one.rows for one in bins)
    axes.vlines(confidence, confidence, accuracy, color=_BLUE, linewidth=1.5, alpha=0.5)
    sizes = [30 + 220 * one.rows / most for one in bins]
    axes.scatter(confidence, accuracy, s=sizes, color=_BLUE, edgecolor="white", zorder=3, clip_on=False)
    for one in bins:
        axes.annotate(
            "1 row" if one.rows == 1 else f"{one.rows} rows",
            (one.confidence, one.accuracy),
            xytext=(-5 if one.confidence > 0.5 else 5, 16 if one.accuracy < 0.5 else -18),
            textcoords="offset points",
            ha="right" if one.confidence > 0.5 else "left",
            va="center",
            color=_MUTED,
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.04)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share of right answers")
    axes.grid(color=_GRID)
    axes.legend(frameon=False, loc="upper left")
    return figure


def _canvas(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=120, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=_INK, fontsize=12, fontweight="bold", pad=12)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=9.5)
    axes.xaxis.label.set_color(_MUTED)
    axes.yaxis.label.set_color(_MUTED)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9aa5b1")
    return figure, axes


def _bars_only(axes: Axes) -> None:
    axes.grid(axis="x", color=_GRID)
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def _short(names: Sequence[str]) -> list[str]:
    return [name if len(name) <= 24 else f"{name[:23]}…" for name in names]
