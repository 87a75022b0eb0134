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


def committed() -> str:
    git("init", "--quiet")
    git("add", "params.yaml")
    git("commit", "--quiet", "--message", "first")
    return git("rev-parse", "HEAD").strip()


def test_there_is_no_commit_outside_git(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert git_commit() is None
    assert caplog.messages == []


def test_the_commit_of_another_users_checkout_is_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    commit = committed()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(subprocess.CalledProcessError):
        git("status")

    assert git_commit() == commit
    assert caplog.messages == []


def test_a_checkout_without_git_installed_is_a_warning(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    committed()
    (workspace / "inside").mkdir()
    monkeypatch.chdir(workspace / "inside")
    monkeypatch.setenv("PATH", "")

    assert git_commit() is None
    assert caplog.messages == ["the model's origin has no commit: git: No such file or directory"]


def test_a_checkout_without_a_commit_is_a_warning(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    git("init", "--quiet")

    assert git_commit() is None
    assert caplog.messages == ["the model's origin has no commit: fatal: Needed a single revision"]


def test_a_damaged_checkout_is_a_warning(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    committed()
    (workspace / ".git/HEAD").write_text("damaged")

    assert git_commit() is None
    [message] = caplog.messages
    assert message.startswith("the model's origin has no commit: fatal: ")


def test_a_checkout_whose_state_cannot_be_read_is_not_called_clean(
    workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    commit = committed()
    (workspace / ".git/index").write_text("damaged")

    assert git_commit() == f"{commit}-dirty"
    [message] = caplog.messages
    assert message.startswith("whether files differ from the commit is not known: fatal: ")


def test_the_libraries_that_decide_the_answers_are_named() -> None:
    found = libraries()

    assert set(found) == {"python", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn"}
    assert found["python"] == platform.python_version()
