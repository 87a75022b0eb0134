"""What every workflow keeps to, beyond what the linters ask."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

GITHUB = REPOSITORY / ".github"
FILES = sorted(GITHUB.glob("workflows/*"))
WORKFLOWS: dict[str, dict[Any, Any]] = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
JOBS = {(name, job): body for name, document in WORKFLOWS.items() for job, body in document["jobs"].items()}
TEXT = "".join(file.read_text() for file in FILES)
PAGE = (REPOSITORY / "docs/cicd.md").read_text()

each_job = pytest.mark.parametrize("job", JOBS.values(), ids=["-".join(key) for key in JOBS])


def uses(job: dict[str, Any], action: str) -> list[dict[str, Any]]:
    """Return what each step with `action` gives it."""
    return [step.get("with", {}) for step in job["steps"] if step.get("uses", "").startswith(action)]


def test_there_are_these() -> None:
    names = ["ci.yml", "deploy.yml", "nightly.yml", "release.yml", "retrain.yml", "terraform.yml"]

    assert [file.name for file in FILES] == names


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_rights_and_never_runs_twice_at_once(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert set(WORKFLOWS[name]["concurrency"]) == {"group", "cancel-in-progress"}


@each_job
def test_a_job_names_its_rights_its_time_and_its_runner(job: dict[str, Any]) -> None:
    assert job["permissions"]
    assert 0 < job["timeout-minutes"] <= 60
    assert re.fullmatch(r"(ubuntu-24\.04|macos-15|\$\{\{ matrix\.runner \}\})", job["runs-on"])


@each_job
def test_a_checkout_keeps_no_credentials(job: dict[str, Any]) -> None:
    assert all(given["persist-credentials"] is False for given in uses(job, "actions/checkout@"))


@each_job
def test_only_the_environment_carries_values_into_a_command(job: dict[str, Any]) -> None:
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


@pytest.mark.parametrize(
    "key", [key for key in JOBS if key[0] in ("deploy", "release", "retrain", "terraform")]
)
def test_nothing_that_goes_into_service_comes_from_a_cache(key: tuple[str, str]) -> None:
    assert uses(JOBS[key], "actions/cache@") == []
    assert all(given["cache"] == "false" for given in uses(JOBS[key], "$/.github/actions/setup"))
    assert all(not {"cache-from", "cache"} & set(given) for given in uses(JOBS[key], "docker/"))


def test_who_may_act_in_the_cloud_waits_for_an_environment() -> None:
    acting = {key for key, job in JOBS.items() if uses(job, "google-github-actions/auth@")}

    assert acting == {key for key, job in JOBS.items() if job["permissions"].get("id-token") == "write"}
    assert [key for key in acting if "environment" not in JOBS[key]] == []


def test_a_job_that_may_write_runs_nothing_of_a_pull_request() -> None:
    writing = {
        key
        for key, job in JOBS.items()
        if set(job["permissions"]) & {"pull-requests", "actions"} and key[0] == "ci"
    }

    assert writing == {("ci", "comment")}
    [checkout] = uses(JOBS["ci", "comment"], "actions/checkout@")
    assert checkout["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_there_is_no_stored_secret() -> None:
    assert "secrets." not in TEXT
    assert "secrets[" not in TEXT


def test_each_python_we_support_is_tested() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    versions = JOBS["ci", "test"]["strategy"]["matrix"]["python"]

    assert project["requires-python"] == f">={versions[0]},<3.{int(versions[-1].split('.')[1]) + 1}"
    assert versions == ["3.11", "3.12", "3.13"]


def test_what_is_to_be_set_is_documented() -> None:
    variables = set(re.findall(r"vars\.([A-Z_]+)", TEXT))
    environments = {
        job["environment"]
        for job in JOBS.values()
        if "environment" in job and "${{" not in job["environment"]
    }
    environments |= set(WORKFLOWS["deploy"][True]["workflow_dispatch"]["inputs"]["environment"]["options"])

    assert variables == set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE))
    assert [name for name in environments if f"`{name}`" not in PAGE] == []


def test_what_updates_and_reviews_name_is_there() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    folders = [folder for each in updates for folder in each.get("directories", [each.get("directory")])]
    owned = re.findall(r"^(/\S+) ", (GITHUB / "CODEOWNERS").read_text(), re.MULTILINE)

    assert [name for name in [*folders, *owned] if not (REPOSITORY / name.strip("/")).exists()] == []


def test_each_hook_is_a_target_that_ci_runs() -> None:
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    commands = {step.get("run") for job in JOBS.values() for step in job["steps"]}

    assert {hook["entry"] for hook in hooks} <= commands
