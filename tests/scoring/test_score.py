"""Files of any kind get the server's answers, whoever is killed meanwhile, and wrong rows their reasons."""

import csv
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from src.bundle.bundle import Bundle
from src.config import Settings
from src.data import prepare
from src.errors import ConfigError, DataError, RegistryError, RejectedError
from src.evaluation import evaluate
from src.promotion.publish import publish
from src.scoring import inputs, score
from src.serving.factory import create_app
from src.store.models import in_models
from src.store.sources import source_for
from src.training import train
from tests.conftest import REPOSITORY, run
from tests.mixed import mixed_table, write_mixed

HEADERS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
LINE = "5.1,3.5,1.4,0.2"


@pytest.fixture
def served(candidate: Callable[..., Path]) -> Bundle:
    return publish(candidate("7"), Settings())


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "PART_BYTES", 2_000)
    monkeypatch.setattr(inputs, "PART_ROWS", 100)


def rows(count: int) -> pd.DataFrame:
    values = np.random.default_rng(0).uniform([4, 2, 1, 0.1], [7.9, 4.4, 6.9, 2.5], (count, 4))
    return pd.DataFrame(values, columns=HEADERS).assign(id=[f"r{place:06d}" for place in range(count)])


def scored(*arguments: str) -> None:
    run(score.main, *arguments, "--workers", "1")


def rejected(output: str) -> list[list[str]]:
    with Path(f"{output}.rejected").open(newline="") as file:
        return list(csv.reader(file))


@pytest.mark.usefixtures("served", "small_parts")
@pytest.mark.parametrize(
    "source", ["csv", "csv.gz", "parquet", "folder", "utf-16", "semicolons", "quoted", "numbered"]
)
def test_whatever_the_file_the_answers_are_the_same(source: str) -> None:
    table = rows(1_000)
    table.to_csv("plain.csv", index=False)
    scored("plain.csv", "expected.parquet", "--id", "id", "--proba")
    name = "rows"
    match source:
        case "csv":
            table.to_csv(name, index=False, lineterminator="\r\n")
        case "csv.gz":
            Path(name).write_bytes(gzip.compress(table.to_csv(index=False).encode()))
        case "parquet":
            table.to_parquet(name, row_group_size=30)
        case "folder":
            Path(name).mkdir()
            table[:400].to_csv(f"{name}/a.csv", index=False)
            table[400:].to_parquet(f"{name}/b.parquet")
        case "utf-16":
            table.to_csv(name, index=False, encoding="utf-16")
        case "semicolons":
            table.to_csv(name, index=False, sep=";", decimal=",")
        case "numbered":
            table.to_csv(name)
        case "quoted":
            table.assign(note='a "quoted"\ntext, of two lines').to_csv(
                name, index=False, quoting=csv.QUOTE_ALL
            )

    scored(name, "found.parquet", "--id", "id", "--proba")

    pd.testing.assert_frame_equal(pd.read_parquet("found.parquet"), pd.read_parquet("expected.parquet"))
    assert len(pd.read_parquet("found.parquet")) == 1_000
    assert not Path("found.parquet.rejected").exists()
    assert not Path(".found.parquet.scoring").exists()


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_kind_of_column_is_answered_as_by_the_server(kind: str) -> None:
    write_mixed(Path())
    for main in (prepare.main, train.main, evaluate.main):
        run(main)
    bundle = in_models(Settings())
    assert bundle is not None
    table = mixed_table().drop(columns=["bought?"])
    if kind == "parquet":
        table.to_parquet("rows.parquet")
    else:
        Path("rows.csv").write_bytes(Path("data/customers.csv").read_bytes())

    scored(f"rows.{kind}", "answers.parquet", "--proba")

    asked = table.drop(columns=["customer id"]).astype(object)
    asked = asked.set_axis(bundle.schema.names, axis="columns").where(asked.notna().to_numpy(), None)
    settings = Settings(rate_limit_predict_batch="1000/minute")
    with TestClient(create_app(settings, source_for(settings))) as client:
        sent = [json.loads(row) for row in asked.apply(lambda row: row.to_json(), axis=1)]
        answers = client.post("/predict/batch", json={"rows": sent}).json()["predictions"]
    found = pd.read_parquet("answers.parquet")
    assert list(found["row"]) == list(range(1, len(table) + 1))
    assert [one["prediction"] for one in answers] == list(found["prediction"])
    assert [one["confidence"] for one in answers] == list(found["confidence"])
    for name in bundle.schema.classes:
        assert [one["probabilities"][name] for one in answers] == list(found[f"probability_{name}"])


WRONG = {
    "5.1,3.5,1.4": ("", "3 cells, the header has 4"),
    "5.1,3.5,1.4,0.2,9": ("", "5 cells, the header has 4"),
    "x,3.5,1.4,0.2": ("sepal length (cm)", "'x' is not a number"),
    ",3.5,1.4,0.2": ("sepal length (cm)", "no value; the training data has one in every row"),
    "5.1,3.5,1.4,inf": ("petal width (cm)", "'inf' is not a number"),
    "5.1,3.5,1.4,1e999": ("petal width (cm)", "'1e999'; allowed: 0 to "),
    "5.1,3.5,1.4,-99": ("petal width (cm)", "'-99'; allowed: 0 to "),
    '5.1,"3.5,1.4,0.2': ("", "unexpected end of data"),
    '5.1",3.5,1.4,0.2': ("sepal length (cm)", """'5.1"' is not a number"""),
    '5.1,"3.5"x,1.4,0.2': ("", "',' expected after '\"'"),
    "5.1,3.5,1.4,0.2\0": ("", "holds NUL bytes"),
    "5.1,3.5,1.4,\udcff": ("", "holds bytes that are not UTF-8"),
    '"1,234",3.5,1.4,0.2': ("sepal length (cm)", "'1,234' is not a number"),
    "é,3.5,1.4,0.2": ("sepal length (cm)", "'é' is not a number"),
}


@pytest.mark.usefixtures("served", "small_parts")
def test_wrong_rows_are_named_with_their_place_and_cost_no_other_row() -> None:
    lines = [LINE] * 2_000
    for number, wrong in enumerate(WRONG):
        lines[100 * number + 50] = wrong
    text = "\n".join([",".join(HEADERS), "", *lines])
    Path("rows.csv").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(
        RejectedError, match=f"answers.csv.rejected: {len(WRONG)} rows are rejected, .*; allowed were 0$"
    ):
        scored("rows.csv", "answers.csv")

    header, *found = rejected("answers.csv")
    assert header == ["file", "row", "line", "column", "reason"]
    assert len(found) == len(WRONG)
    for number, (line, (column, reason)) in enumerate(zip(found, WRONG.values(), strict=True)):
        place = 100 * number + 51
        assert line[:4] == ["rows.csv", str(place), str(place + 2), column]
        if "end of data" not in reason:  # what a lone quote is called depends on the next one
            assert line[4].startswith(reason)
    answers = pd.read_csv("answers.csv")
    gone = {100 * number + 51 for number in range(len(WRONG))}
    assert list(answers["row"]) == [row for row in range(1, 2_001) if row not in gone]
    scored("rows.csv", "answers.csv", "--max-rejected", "1%")
    with pytest.raises(RejectedError):
        scored("rows.csv", "answers.csv", "--max-rejected", str(len(WRONG) - 1))


@pytest.mark.usefixtures("served")
def test_values_of_parquet_that_the_model_refuses_are_named() -> None:
    table = rows(10)
    table.loc[3, HEADERS[0]] = np.nan
    table.loc[5, HEADERS[1]] = np.inf
    table.loc[7, [HEADERS[2], HEADERS[3]]] = 1e300
    table.to_parquet("rows.parquet")

    with pytest.raises(RejectedError, match="3 rows are rejected"):
        scored("rows.parquet", "answers", "--id", "id")

    assert [line[1:4] for line in rejected("answers")[1:]] == [
        ["4", "", HEADERS[0]],
        ["6", "", HEADERS[1]],
        ["8", "", HEADERS[2]],
        ["8", "", HEADERS[3]],
    ]
    assert list(pd.read_parquet("answers")["id"]) == [f"r{row:06d}" for row in (0, 1, 2, 4, 6, 8, 9)]


def test_the_manifest_and_the_metadata_say_what_made_the_answers(served: Bundle) -> None:
    rows(10).to_csv("rows.csv", index=False)

    scored("rows.csv", "answers.parquet", "--keep")

    manifest = json.loads(Path("answers.parquet.manifest.json").read_text())
    assert (manifest["rows"], manifest["answered"], manifest["rejected"]) == (10, 10, 0)
    assert manifest["job"]["digest"] == served.digest
    assert manifest["job"]["inputs"][0]["digest"] == inputs.digest(Path("rows.csv"))
    metadata = pq.read_schema("answers.parquet").metadata
    assert metadata[b"bundle_digest"].decode() == served.digest
    assert metadata[b"model_version"] == b"7"
    table = pd.read_parquet("answers.parquet")
    assert list(table) == [*HEADERS, "id", "prediction", "confidence"]
    assert list(table["id"]) == list(rows(10)["id"])


@pytest.mark.usefixtures("served")
def test_lines_of_json_and_a_folder_of_csv_hold_the_same() -> None:
    rows(5).to_csv("rows.csv", index=False)

    scored("rows.csv", "a.jsonl", "--id", "id")
    scored("rows.csv", "b", "--id", "id", "--format", "csv")

    lines = [json.loads(line) for line in Path("a.jsonl").read_text().splitlines()]
    pd.testing.assert_frame_equal(pd.DataFrame(lines), pd.read_csv("b/part-000000.csv"))


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["none.csv", "a.csv"], DataError, "none.csv: no such file"),
        (["rows.csv", "a.xls"], ConfigError, "a.xls: allowed are .parquet, .csv, .jsonl, or a folder"),
        (["rows.csv", "a.csv", "--format", "jsonl"], ConfigError, "a.csv: its name says csv, --format jsonl"),
        (["rows.csv", "a.csv", "--max-rejected", "x"], ConfigError, "--max-rejected x: allowed are"),
        (["rows.csv", "a.csv", "--id", "who"], DataError, "rows.csv: column 'who' is not there to be kept"),
        (["other.csv", "a.csv"], DataError, "other.csv: column 'sepal length (cm)', 'sepal width (cm)'"),
        (["header.csv", "a.csv"], DataError, "header.csv: no rows below the header"),
        (["bad.parquet", "a.csv"], DataError, "bad.parquet: "),
        (
            ["rows.csv", "full"],
            DataError,
            "full: a folder with other files; name one that does not exist yet",
        ),
        (
            ["rows.csv", "a.csv", "--version", "9"],
            RegistryError,
            "model store mlruns: no version 9; there are: 7",
        ),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    arguments: list[str], error: type[Exception], message: str
) -> None:
    rows(3).to_csv("rows.csv", index=False)
    Path("other.csv").write_text("a,b\n1,2\n")
    Path("header.csv").write_text(",".join(HEADERS) + "\n")
    Path("bad.parquet").write_bytes(b"PAR1 and nothing more")
    Path("full").mkdir()
    Path("full/file").touch()

    with pytest.raises(error) as refused:
        scored(*arguments)

    assert str(refused.value).startswith(message)
    assert not list(Path().glob("a.*"))
    assert not list(Path().glob(".a.*"))
    assert [path.name for path in Path("full").iterdir()] == ["file"]


@pytest.mark.usefixtures("served", "small_parts")
def test_a_stopped_run_goes_on_with_the_same_job_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows(1_000).to_csv("rows.csv", index=False)
    scored("rows.csv", "whole.csv", "--id", "id")
    real, made = score.scored, []

    def stopped(*arguments: Any) -> Iterator[Any]:
        for number, done in enumerate(real(*arguments)):
            if number == 5:
                raise KeyboardInterrupt
            yield done

    def counting(*arguments: Any) -> Iterator[Any]:
        for done in real(*arguments):
            made.append(done.part.number)
            yield done

    monkeypatch.setattr(score, "scored", stopped)
    with pytest.raises(SystemExit, match="130"):
        scored("rows.csv", "answers.csv", "--id", "id")
    assert not Path("answers.csv").exists()

    monkeypatch.setattr(score, "scored", counting)
    with pytest.raises(DataError, match=r"answers.csv: a run was stopped with 6 parts whole; --resume"):
        scored("rows.csv", "answers.csv", "--id", "id")
    with pytest.raises(DataError, match="cannot go on, it was asked for other columns"):
        scored("rows.csv", "answers.csv", "--resume")
    with Path("rows.csv").open("a") as file:
        file.write("5.1,3.5,1.4,0.2,new\n")
    with pytest.raises(DataError, match="cannot go on, rows.csv is not as it was; --force"):
        scored("rows.csv", "answers.csv", "--id", "id", "--resume")
    rows(1_000).to_csv("rows.csv", index=False)
    scored("rows.csv", "answers.csv", "--id", "id", "--resume")

    assert made[0] == 6
    assert Path("answers.csv").read_bytes() == Path("whole.csv").read_bytes()


@pytest.mark.usefixtures("served", "small_parts")
def test_another_model_does_not_go_on(
    candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(100).to_csv("rows.csv", index=False)

    def stopped(*arguments: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(score, "scored", stopped)
    with pytest.raises(SystemExit, match="130"):
        scored("rows.csv", "answers.csv")
    publish(candidate("8"), Settings())

    with pytest.raises(DataError, match="cannot go on, the model is version 8, it was version 7"):
        scored("rows.csv", "answers.csv", "--resume")


def started(*arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "src.scoring.score", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def until(condition: Callable[[], object], process: "subprocess.Popen[bytes]") -> None:
    """Wait until `condition` holds or the process has ended."""
    end = time.monotonic() + 120
    while process.poll() is None and not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def workers_of(process: int) -> list[psutil.Process]:
    """Return the processes below `process` that Dask runs tasks in."""
    found = []
    for one in psutil.Process(process).children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "spawn_main" in " ".join(one.cmdline()):
                found.append(one)
    return found


@pytest.fixture
def expected() -> pd.DataFrame:
    """The rows that are in the folder `rows`, whose answers are in the folder `expected`."""
    table = rows(300_000)
    Path("rows").mkdir()
    for place in range(12):
        table[place * 25_000 : (place + 1) * 25_000].to_parquet(f"rows/{place:02}.parquet")
    scored("rows", "expected", "--id", "id")
    return table


def assert_nothing_lost(table: pd.DataFrame) -> None:
    names = sorted(path.name for path in Path("expected").iterdir())
    assert len(names) == 12
    assert sorted(path.name for path in Path("answers").iterdir()) == names
    for name in names:
        assert (Path("answers") / name).read_bytes() == (Path("expected") / name).read_bytes()
    assert sorted(pq.read_table("answers")["id"].to_pylist()) == list(table["id"])


@pytest.mark.usefixtures("served")
def test_killed_drivers_and_workers_lose_and_repeat_no_row(expected: pd.DataFrame) -> None:
    work = Path(".answers.scoring")
    driver = started("rows", "answers", "--id", "id", "--workers", "2")
    until(lambda: list(work.glob("part-*.json")), driver)
    driver.kill()
    driver.wait()
    assert not Path("answers").exists()
    whole = len(list(work.glob("part-*.json")))

    again = started("rows", "answers", "--id", "id", "--workers", "2", "--resume")
    until(lambda: len(list(work.glob("part-*.json"))) > whole, again)
    workers_of(again.pid)[0].kill()
    output = again.communicate(timeout=240)[0].decode()

    assert again.returncode == 0, output
    assert_nothing_lost(expected)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The address of a scheduler, and the process that starts two workers of it again when they die."""
    where = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    command += ["--no-dashboard", "--scheduler-file", str(where)]
    with subprocess.Popen(command, env=environment) as scheduler:
        try:
            until(where.exists, scheduler)
            address = json.loads(where.read_text())["address"]
            command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nworkers", "2"]
            command += ["--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
            with subprocess.Popen(command, env=environment) as workers:
                try:
                    with distributed.Client(address) as client:
                        client.wait_for_workers(2, timeout=120)
                        yield address, workers.pid
                finally:
                    workers.terminate()
        finally:
            scheduler.terminate()


@pytest.mark.usefixtures("served")
def test_a_cluster_whose_workers_are_killed_three_times_scores_every_row_once(
    expected: pd.DataFrame, cluster: tuple[str, int]
) -> None:
    address, keeper = cluster
    work = Path(".answers.scoring")

    driver = started("rows", "answers", "--id", "id", "--scheduler", address)
    for kill in range(3):
        until(lambda: len(list(work.glob("part-*.json"))) > 2 * kill, driver)
        assert driver.poll() is None
        min(workers_of(keeper), key=psutil.Process.create_time).kill()  # one that has started
    output = driver.communicate(timeout=240)[0].decode()

    assert driver.returncode == 0, output
    assert_nothing_lost(expected)


@pytest.mark.usefixtures("served")
def test_a_scheduler_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.scoring.workers._PATIENCE", 1)
    rows(10).to_csv("rows.csv", index=False)

    with pytest.raises(ConfigError, match="^tcp://127.0.0.1:9: no Dask scheduler answers there"):
        run(score.main, "rows.csv", "answers.csv", "--scheduler", "tcp://127.0.0.1:9")
