"""Each `run:` of the workflows: one of `.ci/run`, or in need of what is not here, or run here."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.conftest import REPOSITORY

FILES = [
    *sorted((REPOSITORY / ".github/workflows").glob("*.yml")),
    REPOSITORY / ".github/actions/setup/action.yml",
]

# What a step needs that a machine without accounts does not have.
REGISTRY = "images of a registry"
CLUSTER = "a Kubernetes cluster, for which kind needs images of a registry"
GITHUB = "the API of GitHub; test_deployment.py runs it with one that is not real"
CLOUD = "a project of Google Cloud; test_deployment.py runs it with one that is not real"
ELSEWHERE = {
    "make test PYTEST_ARGS=tests/test_readme.py": "macOS; `make test` has the same tests for here",
    "make test-ci": "nothing: this is it",
    "make test-mutants": "a long time; make test-k8s and make test-monitoring try a tenth",
    "make test-tables": "a long time, and packages of tables that nothing else needs",
    "make test-docs": "fresh clones of its own: it types each page in one",
    "make audit": "a service that knows vulnerabilities; tests/security has one that is not real",
    "make scan-image": "a service that knows vulnerabilities, and an image",
    "make terraform-test": "the provider of Google Cloud, from the registry of Terraform",
    "make build": "a Docker engine; `make smoke` begins with it",
    "make smoke PROFILE=monitoring": f"{REGISTRY}; .ci/run tries the services whose images it has",
    "make k8s-setup-kind": CLUSTER,
    "make k8s-deploy-mlflow": CLUSTER,
    "make k8s-train": CLUSTER,
    "make k8s-test": CLUSTER,
    "make k8s-status": CLUSTER,
    "scripts/ci/comment.sh build/report/report.md": GITHUB,
    "scripts/ci/release_check.sh": GITHUB,
    "scripts/ci/announce.sh": GITHUB,
    "scripts/ci/propose_model.sh": GITHUB,
    "scripts/ci/push_images.sh": CLOUD,
    "scripts/ci/join_images.sh": CLOUD,
    "scripts/ci/verify_image.sh": CLOUD,
    "scripts/ci/deploy_image.sh": CLOUD,
    "scripts/ci/deploy_model.sh": CLOUD,
    "scripts/ci/terraform_plan.sh": CLOUD,
    "scripts/ci/terraform_apply.sh": CLOUD,
}

# What GitHub puts in the place of an expression.
ENVIRONMENT = {
    "${{ github.event.pull_request.base.sha || 'HEAD' }}": "HEAD",
    "${{ toJSON(needs) }}": json.dumps({"lint": {"result": "success"}}),
}


class Step(NamedTuple):
    where: str
    run: str
    environment: dict[str, str]


def jobs(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = (
        document["jobs"] if "jobs" in document else {"action": document["runs"]}
    )
    return found


def steps() -> list[Step]:
    """Return the steps that run a command, in their order."""
    return [
        Step(f"{file.stem}: {name}: {step['name']}", step["run"].strip(), step.get("env", {}))
        for file in FILES
        for name, job in jobs(yaml.safe_load(file.read_text())).items()
        for step in job["steps"]
        if "run" in step
    ]


def done_by_ci() -> set[str]:
    """Return the commands of `.ci/run`, as they are typed; of several targets of make, each too."""
    lines = [line.strip() for line in (REPOSITORY / ".ci/run").read_text().splitlines()]
    found = {line.removeprefix("step ") for line in lines if line.startswith("step ")}
    several = [command.split()[1:] for command in found if re.fullmatch(r"make [a-z -]+", command)]
    return found | {f"make {target}" for targets in several for target in targets}


def left() -> list[Step]:
    """Return the steps that are to be run here, each command once."""
    known = done_by_ci() | set(ELSEWHERE)
    return list({step.run: step for step in steps() if step.run not in known}.values())


def test_no_step_holds_logic() -> None:
    for step in steps():
        assert re.fullmatch(r"(make|scripts/ci/[a-z_]+\.sh)( [^;&|$`<>\n]+)?", step.run), step


def test_each_target_and_script_is_there() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    targets = set(re.findall(r"^  ([a-z0-9-]+) ", listed, re.MULTILINE))
    for step in steps():
        program, *words = shlex.split(step.run)
        if program == "make":
            assert {word for word in words if "=" not in word} <= targets, step
        else:
            assert os.access(REPOSITORY / program, os.X_OK), step


def test_what_runs_elsewhere_is_a_step() -> None:
    assert set(ELSEWHERE) <= {step.run for step in steps()}


def test_the_heavy_ones_are_those_of_the_own_check() -> None:
    assert {
        "make install",
        "make lint",
        "make lint-infra",
        "make test",
        "make smoke",
        "make sbom",
    } <= done_by_ci()


def test_each_version_is_written_the_same_everywhere() -> None:
    text = "".join(file.read_text() for file in FILES)
    for pattern in (r"uses: ([^@$ ]+)@(.*)", r"(terraform_version): (.*)"):
        found = set(re.findall(pattern, text))
        assert len(found) == len({name for name, _ in found})


def test_all_passed_needs_every_job() -> None:
    ci = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text())["jobs"]

    assert set(ci["passed"]["needs"]) == set(ci) - {"comment", "passed"}


@pytest.mark.timeout(900)
def test_the_others_run_in_a_fresh_clone(tmp_path: Path) -> None:
    clone = tmp_path / "mlops-core"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
    # What `make install` and `make lint-infra` make, both run by .ci/run, is that of this checkout.
    for name in (".venv", ".tools"):
        (clone / name).symlink_to(REPOSITORY / name)
    with (clone / ".git/info/exclude").open("a") as file:
        file.write("/.venv\n/.tools\n")
    for name in ("poetry.lock", "pyproject.toml", "scripts/setup.sh"):
        os.utime(clone / name, (0, 0))
    github = {f"GITHUB_{name}": str(tmp_path / name) for name in ("OUTPUT", "PATH", "STEP_SUMMARY")}

    for step in left():
        environment = {name: ENVIRONMENT[value] for name, value in step.environment.items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.run],
            cwd=clone,
            env={**os.environ, **github, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{step.where}: {step.run}\n{done.stdout[-5000:]}"
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True)
    assert status.stdout == "?? dvc.lock\n"  # what `make dvc-repro` leaves
