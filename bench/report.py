"""What `make bench` shows: medians over the rounds, the ratios they give, a table and a picture."""

import statistics
from collections.abc import Callable, Mapping, Sequence
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
    meaning: str
    value: float
    wanted: str


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

    to_empty = rate("ours", 16) / rate("empty", 16)
    to_plain = rate("ours", 16) / rate("plain", 16)
    two_workers = rate("ours-2", 64) / rate("ours", 64)
    return [
        Ratio("rate_to_empty", "requests/s at 16 connections / (a)", to_empty, ">= 0.8"),
        Ratio("rate_to_plain", "requests/s at 16 connections / (b)", to_plain, ">= 25"),
        Ratio("p99_to_empty", "p99 at 64 connections / (a)", p99("ours") / p99("empty"), "<= 3"),
        Ratio("start_to_plain", "start to ready / (b)", start("start_seconds"), "<= 0.35"),
        Ratio("memory_to_plain", "memory after load / (b)", start("memory_mb"), "<= 0.5"),
        Ratio("two_workers", "requests/s at 64 connections, 2 workers / 1", two_workers, ">= 1.7"),
    ]


def batch_rows_per_second(samples: Sequence[Sample]) -> float:
    """Return the rows that one worker answers in a second through `/predict/batch`."""
    [connections] = {sample.connections for sample in samples if sample.what == "batch"}
    return BATCH_ROWS * median_of(samples, "requests_per_second", "ours", "batch", connections)


def explained(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what one explained prediction costs: requests a second, and its CPU beside one without."""
    rate, cpu = (
        median_of(samples, field, "ours", "explain", 4)
        for field in ("requests_per_second", "cpu_us_per_request")
    )
    plain = median_of(samples, "cpu_us_per_request", "ours", "predict", 16)
    return {"requests_per_second": rate, "cpu_us": cpu, "cpu_to_plain": cpu / plain}


def print_tables(
    console: Console, titles: Mapping[str, str], samples: Sequence[Sample], starts: Sequence[Start]
) -> None:
    """Print the figures of each server, then the ratios."""
    rounds = len({sample.round for sample in samples})
    table = Table(title=f"POST /predict, one row a request; medians of {rounds}")
    for heading in ("server", "conn.", "requests/s", "p50 ms", "p99 ms", "CPU µs/req."):
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

    table = Table(title="The process")
    for heading in ("server", "start to ready s", "memory after load MB"):
        table.add_column(heading, justify="left" if heading == "server" else "right")
    for server, title in titles.items():
        seconds, memory = (median_start(starts, field, server) for field in ("start_seconds", "memory_mb"))
        table.add_row(title, f"{seconds:.2f}", f"{memory:.0f}")
    console.print(table)

    table = Table(title="Ratios")
    table.add_column("mlops-core")
    table.add_column("ratio", justify="right")
    table.add_column("wanted", justify="right")
    for ratio in ratios(samples, starts):
        table.add_row(ratio.meaning, f"{ratio.value:.2f}", ratio.wanted)
    console.print(table)
    rows = batch_rows_per_second(samples)
    console.print(
        f"POST /predict/batch, {BATCH_ROWS:,} rows a request: {rows:,.0f} rows/s, wanted >= 100,000"
    )
    cost = explained(samples)
    console.print(
        f"POST /predict?explain=true: {cost['requests_per_second']:,.0f} requests/s, "
        f"{cost['cpu_us'] / 1000:.2f} ms of CPU each, {cost['cpu_to_plain']:.1f} times one without"
    )


def draw(path: Path, titles: Mapping[str, str], samples: Sequence[Sample], starts: Sequence[Start]) -> None:
    """Write the picture: rate, latency, start and memory of each server."""
    figure = Figure(figsize=(12, 7), layout="constrained")
    (rate, latency), (start, memory) = figure.subplots(2, 2)
    _bars_by_connections(rate, titles, samples, "requests_per_second", _thousands)
    rate.set_title("requests/s (more is better)")
    _bars_by_connections(latency, titles, samples, "p99_ms", "{:,.3g}".format)
    latency.set_title("p99 in ms, logarithmic (less is better)")
    latency.set_yscale("log")
    _bars(start, titles, [median_start(starts, "start_seconds", name) for name in titles], "{:.2f}")
    start.set_title("start to ready in s (less is better)")
    _bars(memory, titles, [median_start(starts, "memory_mb", name) for name in titles], "{:.0f}")
    memory.set_title("memory after load in MB (less is better)")
    figure.legend(*rate.get_legend_handles_labels(), loc="outside upper center", ncols=len(titles))
    figure.savefig(path, dpi=120)


def _thousands(value: float) -> str:
    return f"{value / 1000:.1f}k" if value >= 1000 else f"{value:.0f}"


def _bars_by_connections(
    axes: Any,
    titles: Mapping[str, str],
    samples: Sequence[Sample],
    field: str,
    text: Callable[[float], str],
) -> None:
    width = 0.8 / len(titles)
    for position, (server, title) in enumerate(titles.items()):
        heights = [median_of(samples, field, server, "predict", number) for number in CONNECTIONS]
        places = [group + (position + 0.5) * width - 0.4 for group in range(len(CONNECTIONS))]
        axes.bar_label(axes.bar(places, heights, width, label=title), fmt=text, fontsize=8, padding=1)
    names = [f"{number} connection{'s' * (number > 1)}" for number in CONNECTIONS]
    axes.set_xticks(range(len(CONNECTIONS)), names)
    axes.margins(y=0.12)


def _bars(axes: Any, titles: Mapping[str, str], values: Sequence[float], text: str) -> None:
    colours = [f"C{place}" for place in range(len(titles))]  # those of the other pictures
    bars = axes.barh(list(titles.values()), values, color=colours)
    axes.bar_label(bars, fmt=text, fontsize=8, padding=3)
    axes.margins(x=0.1)
    axes.invert_yaxis()
