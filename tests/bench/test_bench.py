"""The arithmetic of `make bench`, on made-up samples, and what it says before it starts."""

import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench import bench, load, report
from bench.samples import CONNECTIONS, Sample, Start
from src.errors import UsageError

TITLES = {"ours": "mlops-core", "empty": "(a)", "plain": "(b)", "ours-2": "2 workers"}
RATES = {"ours": 8000.0, "empty": 6400.0, "plain": 40.0, "ours-2": 12000.0}
P99 = {"ours": 10.0, "empty": 8.0, "plain": 500.0, "ours-2": 6.0}
SECONDS = {"ours": 0.5, "empty": 0.25, "plain": 2.0, "ours-2": 0.75}
MEMORY = {"ours": 100.0, "empty": 50.0, "plain": 250.0, "ours-2": 200.0}
FACTORS = (1.0, 0.5, 4.0)  # of the three rounds: their median is 1, their mean is not


@pytest.fixture
def samples() -> list[Sample]:
    loads = [(server, "predict", number, RATES[server]) for server in TITLES for number in CONNECTIONS]
    loads += [("ours", "batch", 4, 150.0), ("ours", "explain", 4, 500.0)]
    cpu = {"predict": 100.0, "batch": 100.0, "explain": 1700.0}
    return [
        Sample(round, server, what, connections, rate * factor, 1.0, P99[server] * factor, cpu[what] * factor)
        for round, factor in enumerate(FACTORS)
        for server, what, connections, rate in loads
    ]


@pytest.fixture
def starts() -> list[Start]:
    return [
        Start(round, server, SECONDS[server] * factor, MEMORY[server] * factor)
        for round, factor in enumerate(FACTORS)
        for server in TITLES
    ]


def test_a_median_is_of_one_load_alone(samples: list[Sample]) -> None:
    samples.append(Sample(3, "ours", "batch", 16, 1e9, 1.0, 1.0, 1.0))

    assert report.median_of(samples, "requests_per_second", "ours", "predict", 16) == 8000
    assert report.median_of(samples, "requests_per_second", "ours", "batch", 16) == 1e9


def test_ratios_are_of_medians(samples: list[Sample], starts: list[Start]) -> None:
    ratios = report.ratios(samples, starts)

    assert {ratio.name: (ratio.value, ratio.wanted) for ratio in ratios} == {
        "rate_to_empty": (1.25, ">= 0.8"),
        "rate_to_plain": (200.0, ">= 25"),
        "p99_to_empty": (1.25, "<= 3"),
        "start_to_plain": (0.25, "<= 0.35"),
        "memory_to_plain": (0.4, "<= 0.5"),
        "two_workers": (1.5, ">= 1.7"),
    }
    assert report.batch_rows_per_second(samples) == 150_000


def test_the_tables_fit_a_narrow_terminal(
    samples: list[Sample], starts: list[Start], capsys: pytest.CaptureFixture[str]
) -> None:
    titles = {server.name: server.title for server in bench.servers(Path("forest.joblib"))}

    report.print_tables(Console(width=80), titles, samples, starts)

    said = capsys.readouterr().out
    assert "…" not in said
    explained = "POST /predict?explain=true: 500 requests/s, 1.70 ms of CPU each, 17.0 times one without"
    assert " ".join(said.split()).endswith(explained)
    [row] = [line for line in said.splitlines() if "/ (b)" in line and "requests" in line]
    assert row.split("│")[1:-1] == [
        " requests/s at 16 connections / (b)          ",
        " 200.00 ",
        "   >= 25 ",
    ]


def test_all_results_are_written(tmp_path: Path, samples: list[Sample], starts: list[Start]) -> None:
    bench.write(tmp_path / "new", TITLES, samples, starts)

    results = json.loads((tmp_path / "new/results.json").read_text())
    assert results["ratios"]["memory_to_plain"] == 0.4
    assert results["batch_rows_per_second"] == 150_000
    assert results["explained"] == {"requests_per_second": 500.0, "cpu_us": 1700.0, "cpu_to_plain": 17.0}
    assert len(results["samples"]) == 42
    assert len(results["starts"]) == 12
    assert (tmp_path / "new/results.png").read_bytes().startswith(b"\x89PNG")


def test_a_smoke_run_is_one_short_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--smoke"])

    options = bench.parse_options()

    assert (options.rounds, options.seconds) == (1, 1)


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--seconds", "0.5"]])
def test_too_little_load_is_refused(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])

    with pytest.raises(UsageError, match="must be at least 1"):
        bench.parse_options()


def test_a_machine_without_wrk_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UsageError, match="apt-get install wrk"):
        load.require_wrk()
