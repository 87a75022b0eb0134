"""The gate of the workflows, tried on workflows that are broken: `make test-ci`, after `make lint-infra`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

TOOLS = REPOSITORY / ".tools/lint/bin"
WORKFLOWS = ".github/workflows"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / ".github", tmp_path / ".github")
    shutil.copy(REPOSITORY / ".pre-commit-config.yaml", tmp_path)
    return tmp_path


def gate(checkout: Path) -> subprocess.CompletedProcess[str]:
    assert (TOOLS / "zizmor").exists(), "the tools are missing: make lint-infra installs them"
    return subprocess.run(
        [REPOSITORY / "scripts/lint/workflows.sh", checkout],
        env=os.environ | {"TOOLS": str(TOOLS)},
        capture_output=True,
        text=True,
    )


def test_the_workflows_pass(checkout: Path) -> None:
    result = gate(checkout)

    assert result.returncode == 0, result.stdout + result.stderr
    assert " checks passed, 0 failed" in result.stdout


# Who finds it, where it is planted, what is replaced, by what, and the words that name it.
PLANTED = {
    "a key that is none": (
        "actionlint",
        "ci.yml",
        "    runs-on: ubuntu-24.04\n",
        "    run-on: ubuntu-24.04\n",
        "run-on",
    ),
    "no YAML": ("actionlint", "ci.yml", "jobs:\n", "jobs: [\n", "could not parse as YAML"),
    "a step that is none": ("actionlint", "release.yml", "steps.push.outputs", "steps.pull.outputs", "pull"),
    "a job that is none": ("actionlint", "ci.yml", "    needs: model\n", "    needs: modle\n", "modle"),
    "a runner that is none": ("actionlint", "ci.yml", "macos-15", "macos-5", "macos-5"),
    "broken shell": ("shellcheck", "ci.yml", "run: make lint\n", "run: make lint; if true\n", "SC10"),
    "a word that splits": ("shellcheck", "ci.yml", "run: make lint\n", "run: make $TARGET\n", "SC2086"),
    "an action that is none": (
        "paths",
        "ci.yml",
        "actions/setup\n",
        "actions/set-up\n",
        "there is no .github/actions/set-up",
    ),
    "an action by its tag": (
        "pins",
        "ci.yml",
        "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
        "@v7",
        "pin these",
    ),
    "a commit without its version": ("pins", "ci.yml", " # v7.0.1", "", "pin these"),
    "an action by a short commit": (
        "pins",
        "ci.yml",
        "@3d3c42e5aac5ba805825da76410c181273ba90b1",
        "@3d3c42e",
        "pin these",
    ),
    "credentials that stay": (
        "zizmor",
        "ci.yml",
        "persist-credentials: false",
        "fetch-tags: true",
        "artipacked",
    ),
    "a title that is run": (
        "zizmor",
        "ci.yml",
        "run: make lint\n",
        'run: echo "${{ github.event.pull_request.base.ref }}"\n',
        "template-injection",
    ),
    "rights for everything": (
        "zizmor",
        "ci.yml",
        "permissions: {}\n",
        "permissions: write-all\n",
        "excessive-permissions",
    ),
    "no word on rights": ("zizmor", "ci.yml", "permissions: {}\n\n", "", "excessive-permissions"),
    "a right without its reason": ("zizmor", "ci.yml", " # the comment\n", "\n", "undocumented-permissions"),
    "any code with all rights": (
        "zizmor",
        "ci.yml",
        "  pull_request:\n",
        "  pull_request_target:\n",
        "dangerous-triggers",
    ),
    "secrets for everyone": (
        "zizmor",
        "ci.yml",
        "PULL_REQUEST: ${{ github",
        "X: ${{ toJSON(secrets) }} #",
        "overprovisioned-secrets",
    ),
    "runs side by side": (
        "zizmor",
        "retrain.yml",
        "concurrency:\n  group: retrain\n  cancel-in-progress: false\n\n",
        "",
        "concurrency-limits",
    ),
    "a cache where it is released": (
        "zizmor",
        "release.yml",
        "      - name: Build\n",
        "      - uses: actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5\n"
        "        with: {path: .venv, key: environment}\n      - name: Build\n",
        "cache-poisoning",
    ),
    "an update on its first day": (
        "zizmor",
        "../dependabot.yml",
        "    cooldown: {default-days: 7}\n",
        "",
        "dependabot-cooldown",
    ),
    "a door for others": ("checkov", "ci.yml", "run: make lint\n", "run: nc 10.0.0.1 4242\n", "CKV_GHA_4"),
    "a build that is told": (
        "checkov",
        "retrain.yml",
        "  workflow_dispatch:\n",
        "  workflow_dispatch:\n    inputs: {rows: {type: string, description: how many}}\n",
        "CKV_GHA_7",
    ),
    "what checkov cannot read": (
        "checkov",
        "ci.yml",
        "      contents: read # checkout\n",
        "      models: read # x\n",
        "not read: ci.yml",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_defect_is_found(name: str, checkout: Path) -> None:
    _, file, before, after, words = PLANTED[name]
    workflow = checkout / WORKFLOWS / file
    content = workflow.read_text()
    assert before in content
    workflow.write_text(content.replace(before, after, 1))

    result = gate(checkout)

    assert result.returncode == 1
    assert words in result.stdout + result.stderr


def test_the_title_of_a_pull_request_that_is_run_is_found_twice(checkout: Path) -> None:
    workflow = checkout / WORKFLOWS / "ci.yml"
    planted = 'run: echo "${{ github.event.pull_request.title }}"\n'
    workflow.write_text(workflow.read_text().replace("run: make lint\n", planted, 1))

    result = gate(checkout)
    zizmor = subprocess.run(
        [TOOLS / "zizmor", "--offline", "--no-progress", checkout / ".github"], capture_output=True, text=True
    )

    assert result.returncode == 1
    assert "potentially untrusted" in result.stdout
    assert "template-injection" in zizmor.stdout


def test_a_missing_tool_fails_and_says_how_to_get_it(checkout: Path, tmp_path: Path) -> None:
    script = tmp_path / "scripts/ci/go_tool.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / "scripts/ci/go_tool.sh", script)

    result = subprocess.run(
        [script, "example.org/tool@v1.0.0"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )

    assert result.returncode == 1
    assert result.stderr == (
        "error: go is needed to build example.org/tool@v1.0.0; install it: https://go.dev/doc/install\n"
    )
