import platform
import subprocess
from pathlib import Path

import pytest

from src.training.origin import git_commit, libraries


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout


def test_the_commit_is_dirty_when_tracked_files_differ(workspace: Path) -> None:
    git("init", "--quiet")
    git("add", "params.yaml")
    git("commit", "--quiet", "--message", "first")
    commit = git("rev-parse", "HEAD").strip()

    Path("untracked.txt").write_text("new")
    clean = git_commit()
    Path("params.yaml").write_text("changed")

    assert clean == commit
    assert git_commit() == f"{commit}-dirty"


def test_there_is_no_commit_outside_git(workspace: Path) -> None:
    assert git_commit() is None


def test_there_is_no_commit_where_git_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert git_commit() is None


def test_the_libraries_that_decide_the_answers_are_named() -> None:
    found = libraries()

    assert set(found) == {"python", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn"}
    assert found["python"] == platform.python_version()
