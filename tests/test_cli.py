"""Every command says what it is for without doing anything, and refuses what it does not know."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from src.cli import Parser
from tests.conftest import REPOSITORY


def commands() -> list[str]:
    """Return the modules that end with `if __name__ == "__main__"`."""
    found = []
    for path in sorted((REPOSITORY / "src").rglob("*.py")):
        last = ast.parse(path.read_text()).body[-1:]
        if last and isinstance(last[0], ast.If) and "__name__" in ast.unparse(last[0].test):
            found.append(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
    return [name.removesuffix(".__main__") for name in found]


def call(module: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/nowhere", "HOME": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("module", commands())
def test_help_is_shown_and_nothing_done(module: str, tmp_path: Path) -> None:
    shown = call(module, tmp_path, "--help")

    assert shown.returncode == 0, shown.stderr
    assert f"python -m {module}" in shown.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", commands())
def test_an_unknown_argument_is_refused_in_one_line(module: str, tmp_path: Path) -> None:
    refused = call(module, tmp_path, "--unheard-of", "1", "2", "3")

    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_all_commands_are_tried() -> None:
    assert {"src.data.prepare", "src.serving", "src.promotion.history", "src.scoring.score"} <= set(
        commands()
    )


def test_an_option_is_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser("src.thing", "What it is for.")
    parser.add_argument("--reason")

    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--rea", "because"])

    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: unrecognized arguments: --rea because; see python -m src.thing --help\n"
    )
