"""The commands of the pipeline as a person types them: a mistake is one line and its exit code."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, copy_inputs
from tests.mixed import write_mixed

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    copy_inputs(tmp_path / "checkout")
    (tmp_path / "checkout/src").symlink_to(REPOSITORY / "src")

    def call(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=tmp_path / "checkout",
            capture_output=True,
            text=True,
        )

    return call


def test_a_broken_table_stops_prepare(command: Command, tmp_path: Path) -> None:
    (tmp_path / "checkout/data/iris.csv").write_text("a,species\n1,x\n2,y,z\n")

    result = command("src.data.prepare")

    assert result.returncode == 2
    assert result.stderr == "error: data/iris.csv: line 3 has 3 cells, the header has 2\n"
    assert result.stdout == ""


def test_a_file_in_the_way_stops_prepare(command: Command, tmp_path: Path) -> None:
    (tmp_path / "checkout/data/processed").touch()

    result = command("src.data.prepare")

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "error: data/processed: File exists"
    assert "Traceback" not in result.stderr


def test_an_unknown_parameter_stops_prepare(command: Command, tmp_path: Path) -> None:
    with (tmp_path / "checkout/params.yaml").open("a") as file:
        file.write("  max_acuracy: 1\n")

    result = command("src.data.prepare")

    assert result.returncode == 2
    assert result.stderr == "error: params.yaml: evaluate.max_acuracy: unknown key\n"


def test_a_depth_of_nought_stops_training(command: Command) -> None:
    result = command("src.training.train", "--max-depth", "0")

    assert result.returncode == 2
    assert result.stderr == (
        "error: command line: train.max_depth: 0; allowed: a whole number, 1 to 1000 or null\n"
    )


@pytest.mark.parametrize("stage", ["src.data.prepare", "src.training.train", "src.evaluation.evaluate"])
def test_parameters_of_another_family_stop_every_stage(command: Command, tmp_path: Path, stage: str) -> None:
    params = tmp_path / "checkout/params.yaml"
    params.write_text(params.read_text().replace("model: random_forest", "model: logistic_regression"))
    before = sorted((tmp_path / "checkout").iterdir())

    result = command(stage)

    assert result.returncode == 2
    assert result.stderr == (
        "error: params.yaml: train.n_estimators: logistic_regression has no such parameter; it has: C,"
        " class_weight; leave out n_estimators, max_depth\n"
    )
    assert sorted((tmp_path / "checkout").iterdir()) == before


def test_an_option_that_the_family_does_not_have_stops_training(command: Command, tmp_path: Path) -> None:
    write_mixed(tmp_path / "checkout", model="logistic_regression")

    result = command("src.training.train", "--max-depth", "3")

    assert result.returncode == 2
    assert result.stderr == (
        "error: command line: train.max_depth: logistic_regression has no such parameter; it has: C,"
        " class_weight; leave out max_depth\n"
    )


def test_an_unknown_option_stops_evaluate(command: Command) -> None:
    result = command("src.evaluation.evaluate", "--publish")

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        "error: unrecognized arguments: --publish; see python -m src.evaluation.evaluate --help"
    )
