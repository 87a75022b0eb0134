"""What the page shows of a model that predicts a number."""

from collections.abc import Iterator
from typing import Any

from src.bundle.bundle import Bundle
from src.serving.page import svg


def intervals(bundle: Bundle) -> dict[str, tuple[float, float]]:
    """Return what is known of how exact each measure is."""
    found: dict[str, tuple[float, float]] = bundle.metrics.get("intervals", {})
    return found


def charts(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Give a heading and a chart, as HTML, for each thing that was measured."""
    metrics: dict[str, Any] = bundle.metrics
    points = [
        svg.Point(
            one["predicted"],
            one["actual"],
            one["low"],
            one["high"],
            f"{one['rows']} rows predicted as {one['predicted']:.4g} are {one['actual']:.4g} on average",
        )
        for one in metrics["bins"]
    ]
    ends = [end for point in points for end in (point.expected, point.low, point.high)]
    yield (
        "Predicted and actual",
        svg.measured(
            points,
            "Mean of the rows with about the same prediction, with 80 % of them",
            (min(ends), max(ends)),
            "predicted",
        ),
    )
    importances = dict(sorted(metrics["importances"].items(), key=lambda item: -item[1]))
    yield "Feature importance", svg.bars(importances, "Mean absolute error added when a column is shuffled")
    edges, rows = metrics["residuals"]["edges"], metrics["residuals"]["rows"]
    yield "Residuals", svg.columns(edges, rows, "Rows by how far they are above their prediction")
