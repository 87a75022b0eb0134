"""A moment without `models/` is none: what a killed command left there is put back."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from src.config import Settings
from src.promotion import recover as command
from src.promotion.publish import publish
from src.store.sources import source_for
from tests.conftest import REPOSITORY

Candidate = Callable[..., Path]
NAMES = [".models.old", ".models.new", ".models.0123456789abcdef.old", ".models.0123456789abcdef.new"]


def version() -> str:
    return source_for(Settings()).load().manifest.version


@pytest.mark.parametrize("name", NAMES)
def test_a_server_that_starts_puts_models_back(name: str, candidate: Candidate) -> None:
    candidate("7").rename(name)

    found = source_for(Settings()).current()

    assert found is not None
    assert version() == "7"
    assert not Path(name).exists()


def test_what_was_in_service_is_preferred_to_what_should_have_been(candidate: Candidate) -> None:
    candidate("7").rename(".models.old")
    candidate("8").rename(".models.new")

    source_for(Settings()).current()

    assert version() == "7"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_damaged_is_not_put_back(name: str, candidate: Candidate) -> None:
    candidate("7").rename(name)
    Path(name, "model.onnx").write_bytes(b"half")

    assert source_for(Settings()).current() is None
    assert not Path("models").exists()


def test_a_command_puts_models_back_before_it_begins(candidate: Candidate) -> None:
    publish(candidate("7"), Settings())
    Path("models").rename(".models.old")
    folder = candidate("8")
    (folder / "model.onnx").unlink()

    publish(candidate("8"), Settings())

    assert version() == "8"
    assert not list(Path().glob(".models*"))


def test_models_may_be_a_link(candidate: Candidate, folder: Path) -> None:
    Path("disk").mkdir()
    Path("models").symlink_to("disk/models")
    publish(candidate("7"), Settings())
    Path("disk/models").rename("disk/.models.old")

    assert source_for(Settings()).current() is not None

    assert version() == "7"
    publish(candidate("8"), Settings())
    assert (version(), Path("models").is_symlink(), os.listdir("disk")) == ("8", True, ["models"])


def test_a_place_where_nothing_can_be_renamed_has_no_model(
    candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate("7").rename(".models.old")

    def refuse(self: Path, target: Path) -> None:
        raise OSError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "rename", refuse)

    assert source_for(Settings()).current() is None


@pytest.mark.parametrize(("left", "code"), [("models", 0), (".models.old", 0), (".models.bad", 1), (None, 1)])
def test_the_command_says_whether_there_is_a_model(
    left: str | None, code: int, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    if left is not None:
        candidate("7").rename(left)
    monkeypatch.setattr("sys.argv", ["recover"])

    with pytest.raises(SystemExit) as ended:
        command.main()

    assert ended.value.code == code
    assert Path("models/metadata.json").exists() == (code == 0)


@pytest.mark.parametrize(("left", "trains"), [(".models.old", False), (None, True)])
def test_make_run_trains_only_where_nothing_is_left(
    left: str | None, trains: bool, candidate: Candidate, folder: Path
) -> None:
    """With a Python that trains and serves nothing, but finds what was left."""
    if left is not None:
        candidate("7").rename(left)
    programs = folder / "venv/bin"
    programs.mkdir(parents=True)
    python = programs / "python"
    python.write_text(
        f'#!/bin/sh\necho "$2" >> calls\n'
        f'case $2 in src.promotion.recover) PYTHONPATH={REPOSITORY} exec {sys.executable} "$@";; esac\n'
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    for name in ("Makefile", "k8s", "terraform", "docs", "ci", "pyproject.toml", "poetry.lock", "scripts"):
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / "venv/.installed").touch()
    make = [str(shutil.which("make")), "run", "VENV=venv"]

    done = subprocess.run(make, cwd=folder, capture_output=True, text=True)

    calls = Path("calls").read_text().split()
    stages = ["src.data.prepare", "src.training.train", "src.evaluation.evaluate"] if trains else []
    assert (done.returncode, calls) == (0, ["src.promotion.recover", *stages, "src.serving"]), done.stderr
