"""Pictures of what was measured: what they share, and how they become PNG files."""

import io
import warnings
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
BLUE, ORANGE = "#2563a8", "#e08a2c"
BLUES = LinearSegmentedColormap.from_list("blues", ["#f5f8fc", "#a9c6e6", "#2563a8"])

MOST_BARS = 20  # columns or classes


def to_png(figure: Figure) -> bytes:
    """Return `figure` as PNG whose bytes depend on nothing but what it shows."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A line for each letter that the font lacks helps nobody; the tables beside the pictures have all.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def importance_bars(importances: Mapping[str, float], label: str) -> Figure:
    """Return the columns the model goes by, the most important first."""
    ranked = sorted(importances.items(), key=lambda item: (-item[1], item[0]))[:MOST_BARS]
    figure, axes = canvas(7.0, 1.6 + 0.4 * len(ranked), "Feature importances, held-out rows")
    bars = axes.barh(range(len(ranked)), [value for _, value in ranked], height=0.62, color=BLUE)
    axes.bar_label(
        bars, fmt="%.3g" if ranked and ranked[0][1] >= 10 else "%.3f", padding=4, color=MUTED, fontsize=9
    )
    axes.set_yticks(range(len(ranked)), short([name for name, _ in ranked]))
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_xlabel(label)
    bars_only(axes)
    return figure


def canvas(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return an empty figure, in inches, and its axes."""
    figure, [axes] = canvases(width, height, title)
    return figure, axes


def canvases(width: float, height: float, *titles: str) -> tuple[Figure, list[Axes]]:
    """Return an empty figure, in inches, and its axes side by side, one for each of `titles`."""
    figure = Figure(figsize=(width, height), dpi=120, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    found = [figure.add_subplot(1, len(titles), place + 1) for place in range(len(titles))]
    for axes, title in zip(found, titles, strict=True):
        axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold", pad=12)
        axes.set_axisbelow(True)
        axes.tick_params(colors=INK, labelsize=9.5)
        axes.xaxis.label.set_color(MUTED)
        axes.yaxis.label.set_color(MUTED)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color("#9aa5b1")
    return figure, found


def bars_only(axes: Axes) -> None:
    """Leave horizontal bars without a frame."""
    axes.grid(axis="x", color=GRID)
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def short(names: Sequence[str]) -> list[str]:
    """Return names that fit beside an axis."""
    return [name if len(name) <= 24 else f"{name[:23]}…" for name in names]
