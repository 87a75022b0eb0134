"""Small charts as inline SVG: no script, no style but the classes of the page's own sheet."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

MOST_BARS = 15
MOST_CLASSES = 12  # of a matrix that can still be read
MOST_LINES = 6  # that can still be told apart
LABEL, BAR, ROW = 150, 220, 24  # pixels: width of a label and of a full bar, height of a row


class Point(NamedTuple):
    """What was measured where something else was expected, with an interval and words for both."""

    expected: float
    measured: float
    low: float
    high: float
    said: str


def bars(values: Mapping[str, float], title: str, most: float | None = None) -> str:
    """Return a bar a value, the longest `most`; the first ones when there are many."""
    shown = list(values.items())[:MOST_BARS]
    longest = most or max((abs(value) for _, value in shown), default=0.0) or 1.0
    parts = []
    for place, (name, value) in enumerate(shown):
        top = place * ROW
        width = max(min(abs(value) / longest, 1.0) * BAR, 1.0)
        kind = "bar minus" if value < 0 else "bar"
        parts.append(
            f'<text x="{LABEL - 10}" y="{top + 16}" class="end">{_short(name)}</text>'
            f'<rect x="{LABEL}" y="{top + 4}" width="{width:.1f}" height="15" rx="2" class="{kind}"/>'
            f'<text x="{LABEL + width + 8:.1f}" y="{top + 16}" class="value">{value:.3f}</text>'
        )
    return _drawing(LABEL + BAR + 60, len(shown) * ROW, title, "".join(parts))


def matrix(counts: Sequence[Sequence[int]], names: Sequence[str], title: str) -> str:
    """Return the counts [actual, predicted], each as dark as its share of the actual class."""
    side = 66
    parts = []
    for row, line in enumerate(counts):
        total = max(sum(line), 1)
        middle = 40 + row * side + side / 2 + 4
        parts.append(f'<text x="{LABEL - 10}" y="{middle}" class="end">{_short(names[row])}</text>')
        for column, count in enumerate(line):
            left, top, share = LABEL + column * side, 40 + row * side, count / total
            kind = "value dark" if share > 0.5 else "value"
            parts.append(
                f'<rect x="{left}" y="{top}" width="{side - 2}" height="{side - 2}" rx="3" class="cell"/>'
                f'<rect x="{left}" y="{top}" width="{side - 2}" height="{side - 2}" rx="3" class="bar" '
                f'fill-opacity="{share:.3f}"/>'
                f'<text x="{left + side / 2 - 1}" y="{middle}" class="middle {kind}">{count}</text>'
            )
    for column, name in enumerate(names):
        parts.append(
            f'<text x="{LABEL + column * side + side / 2}" y="30" class="middle">{_short(name, 9)}</text>'
        )
    parts.append(f'<text x="{LABEL}" y="12" class="value">predicted</text>')
    return _drawing(LABEL + len(names) * side + 10, 44 + len(counts) * side, title, "".join(parts))


def measured(points: Sequence[Point], title: str, ends: tuple[float, float], axis: str) -> str:
    """Return measured against expected, each with its interval; both axes go over all of `ends`."""
    size, edge = 220, 64
    low, high = ends
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return edge + (value - low) / span * size

    def y(value: float) -> float:
        return 10 + (high - value) / span * size

    parts = [
        f'<rect x="{edge}" y="10" width="{size}" height="{size}" class="frame"/>',
        f'<line x1="{x(low):.1f}" y1="{y(low):.1f}" x2="{x(high):.1f}" y2="{y(high):.1f}" class="ideal"/>',
    ]
    for point in points:
        at = x(point.expected)
        parts.append(
            f'<line x1="{at:.1f}" y1="{y(point.low):.1f}" x2="{at:.1f}" y2="{y(point.high):.1f}" '
            'class="error"/>'
            f'<circle cx="{at:.1f}" cy="{y(point.measured):.1f}" r="5" class="bar">'
            f"<title>{escape(point.said)}</title></circle>"
        )
    for value in (low, (low + high) / 2, high):
        parts.append(f'<text x="{edge - 6}" y="{y(value) + 4:.1f}" class="end value">{value:.4g}</text>')
        parts.append(f'<text x="{x(value):.1f}" y="{size + 26}" class="middle value">{value:.4g}</text>')
    parts.append(f'<text x="{edge + size / 2}" y="{size + 44}" class="middle">{escape(axis)}</text>')
    return _drawing(size + edge + 30, size + 50, title, "".join(parts))


def lines(
    values: Mapping[str, Sequence[Sequence[float]]], title: str, axes: tuple[str, str], ideal: bool = False
) -> str:
    """Return a line through the points of each of `values`, x and y from 0 to 1; the first when many."""
    size, edge = 220, 64
    shown = list(values.items())[:MOST_LINES]
    parts = [f'<rect x="{edge}" y="10" width="{size}" height="{size}" class="frame"/>']
    if ideal:
        parts.append(f'<line x1="{edge}" y1="{10 + size}" x2="{edge + size}" y2="10" class="ideal"/>')
    for place, (name, points) in enumerate(shown):
        path = " ".join(f"{edge + x * size:.0f},{10 + (1 - y) * size:.0f}" for x, y in points)
        under = size + 66 + place * ROW
        parts.append(
            f'<polyline points="{path}" class="line l{place}"><title>{escape(name)}</title></polyline>'
            f'<line x1="{edge}" y1="{under - 4}" x2="{edge + 30}" y2="{under - 4}" class="line l{place}"/>'
            f'<text x="{edge + 40}" y="{under}">{_short(name, 30)}</text>'
        )
    for value in (0.0, 0.5, 1.0):
        parts.append(
            f'<text x="{edge - 6}" y="{14 + (1 - value) * size:.0f}" class="end value">{value:g}</text>'
        )
        parts.append(
            f'<text x="{edge + value * size:.0f}" y="{size + 26}" class="middle value">{value:g}</text>'
        )
    x, y = axes
    parts.append(f'<text x="{edge + size / 2}" y="{size + 44}" class="middle">{escape(x)}</text>')
    parts.append(
        f'<text x="16" y="{10 + size / 2}" class="middle" transform="rotate(-90 16 {10 + size / 2})">'
        f"{escape(y)}</text>"
    )
    return _drawing(size + edge + 60, size + 56 + len(shown) * ROW, title, "".join(parts))


def columns(edges: Sequence[float], counts: Sequence[int], title: str) -> str:
    """Return a histogram: `counts` between each of `edges` and the next."""
    width, height = 380, 200
    wide, most = width / max(len(counts), 1), max(*counts, 1)
    parts = []
    for place, count in enumerate(counts):
        tall = count / most * height
        parts.append(
            f'<rect x="{place * wide + 10:.1f}" y="{10 + height - tall:.1f}" width="{wide - 1:.1f}" '
            f'height="{tall:.1f}" class="bar"><title>{count} rows from {edges[place]:.4g} to '
            f"{edges[place + 1]:.4g}</title></rect>"
        )
    for place, anchor in ((0, ""), (len(edges) // 2, "middle "), (len(edges) - 1, "end ")):
        parts.append(
            f'<text x="{place * wide + 10:.1f}" y="{height + 28}" class="{anchor}value">'
            f"{edges[place]:.4g}</text>"
        )
    return _drawing(width + 20, height + 34, title, "".join(parts))


def _drawing(width: float, height: float, title: str, inside: str) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )


def _short(name: str, most: int = 20) -> str:
    return escape(name if len(name) <= most else f"{name[: most - 1]}…")
