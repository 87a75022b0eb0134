"""Keys that open nothing are planted wherever one may slip in, and `make secrets` finds each."""

import base64
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DIGITS = hashlib.sha512(b"opens nothing").hexdigest()
LETTERS = base64.b64encode(bytes.fromhex(DIGITS), b"-_").decode()
# In pieces, so that these lines hold no key.
KEYS = {
    "of AWS": "AK" + "IA" + "QYLPMN5HFIQR7XYA",
    "of GitHub": "gh" + "p_" + DIGITS[:36],
    "of Google": "AI" + "za" + "Sy" + LETTERS[:33],
    "of our API": "API_" + "KEY=" + DIGITS[:64],
    "that is private": "-----BEGIN " + "PRIVATE KEY-----\n" + DIGITS + "\n-----END " + "PRIVATE KEY-----",
}
KEY = KEYS["of GitHub"]


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def commit(self, name: str, text: str, message: str = "Change") -> None:
        self.write(name, text)
        self.git("add", "--all")
        self.git("commit", "--message", message)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.folder.mkdir()
    made.git("init", "--initial-branch=main")
    made.commit("README.md", "Nothing to see.\n")
    return made


def look(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["scripts/secrets.sh", folder], cwd=REPOSITORY, capture_output=True, text=True)


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "clone")
    subprocess.run(["git", "clone", "--quiet", "--no-local", REPOSITORY, made.folder], check=True)
    return made


def test_nothing_is_found_in_our_own_history(clone: Repository) -> None:
    done = look(clone.folder)

    assert done.returncode == 0, done.stdout + done.stderr
    commits = int(clone.git("rev-list", "--all", "--count"))
    assert f"{commits} commits scanned" in done.stderr


def test_a_key_that_a_later_commit_removed_is_found_in_our_history(clone: Repository) -> None:
    clone.commit("notes.txt", f"token = {KEY}\n")
    clone.commit("notes.txt", "\n")

    done = look(clone.folder)

    assert done.returncode == 1
    assert "notes.txt" in done.stdout
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_found(repository: Repository, kind: str) -> None:
    repository.commit("settings.env", KEYS[kind] + "\n")
    repository.commit("settings.env", "\n")

    assert look(repository.folder).returncode == 1


def in_the_work_tree(repository: Repository) -> None:
    repository.write("notes.txt", KEY)


def on_another_branch(repository: Repository) -> None:
    repository.git("switch", "--create", "other")
    repository.commit("notes.txt", KEY)
    repository.git("switch", "main")


def in_a_merge_alone(repository: Repository) -> None:
    repository.git("switch", "--create", "other")
    repository.commit("other.txt", "Nothing.\n")
    repository.git("switch", "main")
    repository.commit("main.txt", "Nothing.\n")
    repository.git("merge", "--no-commit", "other")
    repository.commit("notes.txt", KEY, "Merge")
    repository.commit("notes.txt", "\n")


def in_a_message(repository: Repository) -> None:
    repository.commit("main.txt", "Nothing.\n", f"Use {KEY}")
    repository.commit("main.txt", "Less.\n")


def in_the_message_of_a_tag(repository: Repository) -> None:
    repository.git("tag", "--annotate", "v1", "--message", f"Use {KEY}")


def marked_as_allowed(repository: Repository) -> None:
    repository.commit("notes.txt", f"{KEY} # gitleaks:allow\n")


def in_a_file_that_shows_no_difference(repository: Repository) -> None:
    repository.write(".gitattributes", "*.txt -diff\n")
    repository.commit("notes.txt", KEY)
    repository.commit("notes.txt", "\n")


def under_a_configuration_of_its_own(repository: Repository) -> None:
    repository.write(".gitleaks.toml", "[allowlist]\npaths = ['.*']\n")
    repository.commit("notes.txt", KEY)
    repository.commit("notes.txt", "\n")


@pytest.mark.parametrize(
    "plant",
    [
        in_the_work_tree,
        on_another_branch,
        in_a_merge_alone,
        in_a_message,
        in_the_message_of_a_tag,
        marked_as_allowed,
        in_a_file_that_shows_no_difference,
        under_a_configuration_of_its_own,
    ],
)
def test_a_key_is_found_wherever_it_is(repository: Repository, plant: Callable[[Repository], None]) -> None:
    assert look(repository.folder).returncode == 0

    plant(repository)

    assert look(repository.folder).returncode == 1


def test_a_clone_without_its_history_is_no_good_news(repository: Repository, tmp_path: Path) -> None:
    repository.commit("notes.txt", KEY)
    repository.commit("notes.txt", "\n")
    shallow = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{repository.folder}", shallow], check=True
    )

    assert look(shallow).returncode == 2


def test_a_history_that_cannot_be_read_is_no_good_news(repository: Repository) -> None:
    blob = repository.git("rev-parse", "HEAD:README.md").strip()
    repository.commit("README.md", "More.\n")
    os.remove(repository.folder / ".git/objects" / blob[:2] / blob[2:])

    assert look(repository.folder).returncode == 2


def test_a_folder_that_is_no_repository_is_no_good_news(tmp_path: Path) -> None:
    assert look(tmp_path).returncode == 2


def test_without_the_tool_the_way_to_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts/secrets.sh"
    script.write_text((REPOSITORY / "scripts/secrets.sh").read_text())
    dirname = shutil.which("dirname")
    assert dirname is not None
    (tmp_path / "dirname").symlink_to(dirname)

    done = subprocess.run(["/bin/bash", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: gitleaks is built with Go: install it, from https://go.dev/dl\n"
