"""What was in service is told as it happened: when, by whom and why, in every kind of store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from src.config import Settings
from src.errors import ConfigError
from src.promotion import history, promote, rollback
from src.promotion.folder_store import FolderStore
from src.promotion.publish import publish
from src.promotion.step import Author
from tests.conftest import run

Candidate = Callable[..., Path]


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.promotion.step.getpass.getuser", lambda: "ada")
    monkeypatch.setattr("src.promotion.step.socket.gethostname", lambda: "laptop")


def test_the_history_has_every_step_the_newest_first(
    candidate: Candidate, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(candidate("1"), Settings())
    publish(candidate("2"), Settings(), "more data")
    run(promote.main, "1", "--reason", "version 2 is slow")
    run(rollback.main, "--reason", "it is not")
    capsys.readouterr()

    run(history.main)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "models holds IrisClassifier version 2"
    assert [line.split(maxsplit=5)[1:] for line in lines[3:]] == [
        ["rollback", "1", "2", "ada@laptop", "it is not"],
        ["promote", "2", "1", "ada@laptop", "version 2 is slow"],
        ["publish", "1", "2", "ada@laptop", "more data"],
        ["publish", "-", "1", "ada@laptop"],
    ]


def test_an_early_ledger_is_told_too(candidate: Candidate, capsys: pytest.CaptureFixture[str]) -> None:
    publish(candidate("1"), Settings())
    publish(candidate("2"), Settings())
    ledger = Path("mlruns/ledger.jsonl")
    early = ("time", "version", "bundle", "manifest_sha256", "previous")
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    ledger.write_text("".join(json.dumps({key: line[key] for key in early}) + "\n" for line in lines))

    run(history.main)

    lines = capsys.readouterr().out.splitlines()[3:]
    assert [line.split()[1:] for line in lines] == [["promote", "1", "2"], ["promote", "-", "1"]]


def test_before_anything_was_published_the_remedy_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    run(history.main)

    assert capsys.readouterr().out == "model store mlruns: nothing was published yet; make train does\n"


def test_a_user_id_without_a_name_is_no_error(candidate: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("src.promotion.step.getpass.getuser", nameless)

    publish(candidate("1"), Settings())

    [step] = FolderStore(Path("mlruns")).steps()
    assert step.author == Author(None, "laptop", None)


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "x" * 501])
def test_a_reason_is_one_line(candidate: Candidate, reason: str) -> None:
    with pytest.raises(ConfigError, match="^--reason: must be one line of 1 to 500 characters$"):
        publish(candidate("1"), Settings(), reason)

    assert not Path("mlruns/champion.json").exists()
