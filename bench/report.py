"""What `make bench` shows: medians over the rounds, the ratios they give, a table and a picture."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from bench.samples import BATCH_ROWS, CONNECTIONS, Sample, Start


@dataclass(frozen=True)
class Ratio:
    """One claim: what is divided by what."""

    name: str
    value: float
    meaning: str


def median_of(samples: Sequence[Sample], field: str, server: str, what: str, connections: int) -> float:
    """Return the median over the rounds of one figure of one load."""
    wanted = (server, what, connections)
    figures: list[float] = [
        getattr(sample, field)
        for sample in samples
        if (sample.server, sample.what, sample.connections) == wanted
    ]
    return statistics.median(figures)


def median_start(starts: Sequence[Start], field: str, server: str) -> float:
    """Return the median over the rounds of the start time or the memory of one server."""
    figures: list[float] = [getattr(start, field) for start in starts if start.server == server]
    return statistics.median(figures)


def ratios(samples: Sequence[Sample], starts: Sequence[Start]) -> list[Ratio]:
    """Return what may be concluded; a bare time or rate holds for one machine only."""

    def rate(server: str, connections: int) -> float:
        return median_of(samples, "requests_per_second", server, "predict", connections)

    def p99(server: str) -> float:
        return median_of(samples, "p99_ms", server, "predict", 64)

    def start(field: str) -> float:
        return median_start(starts, field, "ours") / median_start(starts, field, "plain")

    return [
        Ratio(
            "rate_to_empty", rate("ours", 16) / rate("empty", 16), "requests/s, 16 connections: ours / (a)"
        ),
        Ratio(
            "rate_to_plain", rate("ours", 16) / rate("plain", 16), "requests/s, 16 connections: ours / (b)"
        ),
        Ratio("p99_to_empty", p99("ours") / p99("empty"), "p99, 64 connections: ours / (a)"),
        Ratio("start_to_plain", start("start_seconds"), "start to ready: ours / (b)"),
        Ratio("memory_to_plain", start("memory_mb"), "memory after load: ours / (b)"),
        Ratio(
            "two_workers", rate("ours-2", 64) / rate("ours", 64), "requests/s, 64 connections: 2 workers / 1"
        ),
    ]


def batch_rows_per_second(samples: Sequence[Sample]) -> float:
    """Return the rows that one worker answers in a second through `/predict/batch`."""
    [connections] = {sample.connections for sample in samples if sample.what == "batch"}
    return BATCH_ROWS * median_of(samples, "requests_per_second", "ours", "batch", connections)


def print_tables(
    console: Console, titles: Mapping[str, str], samples: Sequence[Sample], starts: Sequence[Start]
) -> None:
    """Print the figures of each server, then the ratios."""
    table = Table(title="POST /predict, one row a request; medians")
    for heading in ("server", "connections", "requests/s", "p50 ms", "p99 ms", "CPU µs/request"):
        table.add_column(heading, justify="left" if heading == "server" else "right")
    for server, title in titles.items():
        for connections in CONNECTIONS:
            figures = [
                median_of(samples, field, server, "predict", connections)
                for field in ("requests_per_second", "p50_ms", "p99_ms", "cpu_us_per_request")
            ]
            rate, p50, p99, cpu = figures
            table.add_row(title, str(connections), f"{rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{cpu:,.0f}")
        table.add_section()
    console.print(table)

    table = Table(title="The process; medians")
    for heading in ("server", "start to ready s", "memory after load MB"):
        table.add_column(heading, justify="left" if heading == "server" else "right")
    for server, title in titles.items():
        seconds, memory = (median_start(starts, field, server) for field in ("start_seconds", "memory_mb"))
        table.add_row(title, f"{seconds:.2f}", f"{memory:.0f}")
    console.print(table)

    table = Table(title="Ratios")
    table.add_column("what")
    table.add_column("ratio", justify="right")
    for ratio in ratios(samples, starts):
        table.add_row(ratio.meaning, f"{ratio.value:.2f}")
    console.print(table)
    rows = batch_rows_per_second(samples)
    console.print(f"/predict/batch, {BATCH_ROWS} rows a request, one worker: {rows:,.0f} rows/s")


def draw(path: Path, titles: Mapping[str, str], samples: Sequence[Sample], starts: Sequence[Start]) -> None:
    """Write the picture: rate, latency, start and memory of each server."""
    figure = Figure(figsize=(12, 7), layout="constrained")
    figure.suptitle("One row a request, every feature on; medians")
    (rate, latency), (start, memory) = figure.subplots(2, 2)
    _bars_by_connections(rate, titles, samples, "requests_per_second", "requests/s (more is better)")
    _bars_by_connections(latency, titles, samples, "p99_ms", "p99 in ms, logarithmic (less is better)")
    latency.set_yscale("log")
    _bars(start, titles, lambda name: median_start(starts, "start_seconds", name), "start to ready in s")
    _bars(memory, titles, lambda name: median_start(starts, "memory_mb", name), "memory after load in MB")
    rate.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def _bars_by_connections(
    axes: Any, titles: Mapping[str, str], samples: Sequence[Sample], field: str, title: str
) -> None:
    width = 0.8 / len(titles)
    for position, (server, name) in enumerate(titles.items()):
        heights = [median_of(samples, field, server, "predict", number) for number in CONNECTIONS]
        places = [group + position * width - 0.4 + width / 2 for group in range(len(CONNECTIONS))]
        axes.bar_label(axes.bar(places, heights, width, label=name), fmt="{:,.3g}", fontsize=7)
    axes.set_xticks(range(len(CONNECTIONS)), [f"{number} connections" for number in CONNECTIONS])
    axes.set_title(title)


def _bars(axes: Any, titles: Mapping[str, str], value: Callable[[str], float], title: str) -> None:
    names: Iterable[str] = titles.values()
    bars = axes.barh(list(names), [value(server) for server in titles])
    axes.bar_label(bars, fmt="{:,.3g}", fontsize=8)
    axes.invert_yaxis()
    axes.set_title(f"{title} (less is better)")
