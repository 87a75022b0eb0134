"""Pictures of a model that predicts a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure

from src.evaluation.plots.canvas import BLUE, GRID, MUTED, canvas, importance_bars

if TYPE_CHECKING:
    from src.evaluation.measures.regression import Report


def figures(measured: Report, importance: str) -> dict[str, Figure]:
    """Return every picture of a model by the name of its file; `importance` says what that is."""
    with rc_context({"text.parse_math": False}):
        return {
            "predicted_actual.png": predicted_actual(measured),
            "residuals.png": residuals(measured),
            "importances.png": importance_bars(measured.importances, importance),
        }


def predicted_actual(measured: Report) -> Figure:
    """Return what rows of about the same prediction are: their mean, and where eight of ten are."""
    figure, axes = canvas(5.6, 5.4, f"Predicted and actual, held-out rows (R² {measured.r2:.3f})")
    ends = [one for part in measured.bins for one in (part.predicted, part.low, part.high)]
    low, high = min(ends), max(ends)
    axes.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfect")
    predicted = [one.predicted for one in measured.bins]
    axes.vlines(
        predicted,
        [one.low for one in measured.bins],
        [one.high for one in measured.bins],
        color=BLUE,
        linewidth=1.5,
        alpha=0.5,
        label="80 % of the rows",
    )
    axes.scatter(
        predicted,
        [one.actual for one in measured.bins],
        s=60,
        color=BLUE,
        edgecolor="white",
        zorder=3,
        label="mean",
    )
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.grid(color=GRID)
    axes.legend(frameon=False, loc="upper left")
    return figure


def residuals(measured: Report) -> Figure:
    """Return how many rows are how far from their prediction, and the interval around it."""
    figure, axes = canvas(7.0, 4.0, f"Residuals, held-out rows (RMSE {measured.rmse:.4g})")
    edges = measured.residuals.edges
    widths = [right - left for left, right in zip(edges, edges[1:], strict=False)]
    axes.bar(edges[:-1], measured.residuals.rows, widths, align="edge", color=BLUE, edgecolor="white")
    for end in (-measured.interval_width / 2, measured.interval_width / 2):
        axes.axvline(end, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_xlabel(f"actual minus predicted; {measured.coverage:.1%} are between the dashed lines")
    axes.set_ylabel("rows")
    axes.grid(axis="y", color=GRID)
    return figure
