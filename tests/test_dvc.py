"""The pipeline under DVC, in checkouts of its own: what is cached, compared, pushed and pulled."""

import ast
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY, copy_inputs

pytestmark = pytest.mark.xdist_group("dvc")

# Change what is said or where it is kept, not what is computed.
NEUTRAL = {
    "src.config",
    "src.errors",
    "src.logs",
    "src.params",
    "src.paths",
    "src.progress",
    "src.strict_model",
    "src.validation",
}


class Checkout:
    """A folder with the project in it, and the commands that are typed there."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        identity = {
            f"GIT_{role}_{key}": "a@b.example"
            for role in ("AUTHOR", "COMMITTER")
            for key in ("NAME", "EMAIL")
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "GIT_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        homes = {"HOME": str(home), "DVC_SITE_CACHE_DIR": str(home / "site")}
        self.environment = {**kept, **identity, **homes, "PATH": path}

    def run(self, *command: str) -> str:
        result = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "state")


def copy_project(folder: Path) -> None:
    copy_inputs(folder)
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / ".dvc").mkdir()
    for name in ("config", ".gitignore"):
        shutil.copy(REPOSITORY / ".dvc" / name, folder / ".dvc")
    shutil.copytree(REPOSITORY / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A fresh clone in which one experiment was run."""
    folder = tmp_path_factory.mktemp("dvc")
    checkout = Checkout(folder / "checkout", folder)
    copy_project(checkout.folder)
    checkout.run("git", "init", "--quiet")
    checkout.commit()
    checkout.run("dvc", "exp", "run", "--set-param", "train.n_estimators=3")
    return checkout


@pytest.fixture
def checkout(experiment: Checkout, tmp_path: Path) -> Checkout:
    """A copy of it, to work in."""
    shutil.copytree(experiment.folder, tmp_path / "checkout", symlinks=True)
    return Checkout(tmp_path / "checkout", tmp_path)


def test_an_experiment_in_a_fresh_clone_changes_parameters_only(checkout: Checkout) -> None:
    assert checkout.run("git", "status", "--porcelain").splitlines() == [" M params.yaml", "?? dvc.lock"]
    assert checkout.run("git", "diff", "--stat").splitlines()[-1].startswith(" 1 file changed, 1 insertion")
    metadata = json.loads(checkout.read("build/bundle/metadata.json"))
    assert metadata["parameters"]["n_estimators"] == 3
    assert metadata["git_commit"].endswith("-dirty")
    assert not (checkout.folder / "models").exists()


def test_a_second_repro_does_nothing(checkout: Checkout) -> None:
    before = checkout.read("build/model/training.json")

    printed = checkout.run("dvc", "repro")

    assert printed.splitlines() == [
        "Stage 'prepare' didn't change, skipping",
        "Stage 'train' didn't change, skipping",
        "Stage 'evaluate' didn't change, skipping",
        "Data and pipelines are up to date.",
    ]
    assert checkout.read("build/model/training.json") == before


def test_two_states_can_be_compared(checkout: Checkout) -> None:
    checkout.commit()
    old = json.loads(checkout.read("build/metrics.json"))
    new = {name: value / 2 for name, value in old.items()}
    (checkout.folder / "build/metrics.json").write_text(json.dumps(new))
    shutil.copy(
        checkout.folder / "build/plots/importances.png", checkout.folder / "build/plots/calibration.png"
    )

    metrics = json.loads(checkout.run("dvc", "metrics", "diff", "--all", "--json"))
    checkout.run("dvc", "plots", "diff", "HEAD", "--out", "plots")

    [shown] = metrics.values()
    assert {name: (one["old"], one["new"]) for name, one in shown.items()} == {
        name: (old[name], new[name]) for name in old
    }
    page = checkout.read("plots/index.html").decode()
    assert "Confusion matrix, held-out rows" in page
    assert "Feature importances, held-out rows" in page
    assert sorted(path.name for path in (checkout.folder / "plots/static").iterdir()) == [
        f"{state}_build_plots_{name}.png"
        for state in ("HEAD", "workspace")
        for name in ("calibration", "curves", "precision_recall")
    ]


def test_what_was_pushed_can_be_pulled_elsewhere(checkout: Checkout, tmp_path: Path) -> None:
    checkout.commit()
    checkout.run("dvc", "remote", "add", "--local", "--default", "store", str(tmp_path / "store"))
    checkout.run("dvc", "push")
    checkout.run("git", "clone", "--quiet", ".", str(tmp_path / "clone"))
    clone = Checkout(tmp_path / "clone", tmp_path)

    clone.run("dvc", "remote", "add", "--local", "--default", "store", str(tmp_path / "store"))
    clone.run("dvc", "pull")

    assert clone.run("dvc", "status") == "Data and pipelines are up to date.\n"
    for name in ("data/processed/train.csv", "build/bundle/metadata.json", "build/plots/predictions.csv"):
        assert clone.read(name) == checkout.read(name)


def test_a_copy_without_git_keeps_the_measures_of_a_model_that_misses_the_gate(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / ".git")
    checkout.run("dvc", "config", "--local", "core.no_scm", "true")
    params = checkout.read("params.yaml").decode().replace("min_accuracy: 0.85", "min_accuracy: 1.0")
    (checkout.folder / "params.yaml").write_text(params)

    printed = checkout.run("dvc", "repro").splitlines()

    assert printed[:2] == [
        "Stage 'prepare' didn't change, skipping",
        "Stage 'train' didn't change, skipping",
    ]
    assert "Running stage 'evaluate':" in printed
    gate = json.loads(checkout.read("build/bundle/metrics.json"))["gate"]
    assert (gate["min_accuracy"], gate["passed"]) == (1.0, False)
    assert "build/metrics.json" in checkout.run("dvc", "metrics", "show", "--json")


def imports(path: Path) -> Iterator[Path]:
    """Yield the modules of ours that the module at `path` imports, those of every task included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("src"):
            for name in [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]:
                module = REPOSITORY / (name.replace(".", "/") + ".py")
                if module.is_file():
                    yield module
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "side":
            yield from (REPOSITORY / str(ast.literal_eval(node.args[0])).replace(".", "/")).glob("*.py")


def code_of(stage: str) -> set[str]:
    """Return the modules a stage runs, but for those that do not change what it makes."""
    [command] = [word for word in stage.split() if word.startswith("src.")]
    waiting = [REPOSITORY / (command.replace(".", "/") + ".py")]
    found: set[Path] = set()
    while waiting:
        module = waiting.pop()
        if module not in found and not is_neutral(module):
            found.add(module)
            waiting += imports(module)
    return {str(module.relative_to(REPOSITORY)) for module in found}


def is_neutral(module: Path) -> bool:
    name = str(module.relative_to(REPOSITORY).with_suffix("")).replace("/", ".")
    return name in NEUTRAL or name.startswith(("src.disk.", "src.store.", "src.tracking.", "src.promotion."))


@pytest.mark.parametrize("name", ["prepare", "train", "evaluate"])
def test_a_stage_depends_on_the_code_it_runs(name: str) -> None:
    stage = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"][name]
    code = code_of(stage["cmd"])

    declared = [path for path in stage["deps"] if path.startswith("src/")]

    uncovered = {module for module in code if not any(module.startswith(path) for path in declared)}
    unused = {path for path in declared if not any(module.startswith(path) for module in code)}
    assert (uncovered, unused) == (set(), set())


def wait_for_queue(checkout: Checkout) -> None:
    """Wait until the queue's worker has done its work and ended."""
    while "0 active, 0 idle" not in (status := checkout.run("dvc", "queue", "status")):
        assert "Failed" not in status
        time.sleep(0.5)
    assert "Success" in status


@pytest.mark.timeout(900)  # ten commands of DVC, two of them with a training
def test_queued_experiments_are_recorded_where_the_project_is(checkout: Checkout) -> None:
    checkout.commit()
    publish = (sys.executable, "-m", "src.promotion.publish")
    checkout.run(*publish)

    checkout.run("dvc", "exp", "run", "--queue", "--name", "deep", "--set-param", "train.max_depth=2")
    try:
        checkout.run("dvc", "queue", "start")
        wait_for_queue(checkout)
    finally:
        checkout.run("dvc", "queue", "stop", "--kill")
    checkout.run("dvc", "exp", "apply", "deep")
    checkout.run(*publish)
    checkout.run("dvc", "exp", "run", "--temp", "--name", "deeper", "--set-param", "train.max_depth=3")
    checkout.run("dvc", "exp", "apply", "deeper")
    checkout.run(*publish)

    kept = sorted((checkout.folder / "mlruns/bundles").iterdir())
    manifests = [json.loads((bundle / "metadata.json").read_bytes()) for bundle in kept]
    record = sqlite3.connect(checkout.folder / "mlruns/mlflow.db")
    try:
        recorded = record.execute("select version, run_id from model_versions order by version").fetchall()
        alias = record.execute("select alias, version from registered_model_aliases").fetchall()
    finally:
        record.close()
    assert [bundle["version"] for bundle in manifests] == ["1", "2", "3"]
    assert [bundle["parameters"]["max_depth"] for bundle in manifests] == [10, 2, 3]
    assert recorded == [(int(bundle["version"]), bundle["mlflow_run_id"]) for bundle in manifests]
    assert alias == [("champion", 3)]
    for bundle in manifests:
        assert (checkout.folder / f"mlruns/artifacts/{bundle['mlflow_run_id']}/artifacts/plots").is_dir()
