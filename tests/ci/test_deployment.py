"""What release and deployment ask of Docker, Google Cloud and GitHub, none of which is here; needs jq."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.machine import FAKE, Machine

REGISTRY = "europe-west1-docker.pkg.dev/project/images"
OLD, NEW, ARM = (f"sha256:{character * 64}" for character in "abc")
IMAGE = f"{REGISTRY}/mlops-core@{NEW}"
BEFORE = f"{REGISTRY}/mlops-core@{OLD}"
KUBECTL = "kubectl --context deploy --namespace mlops"
POINTER = {"bundle": "bundles/2-bbbbbbbbbbbb", "manifest_sha256": "b" * 64}
CHAMPION = {"bundle": "bundles/1-aaaaaaaaaaaa", "manifest_sha256": "a" * 64}


class Runner(Machine):
    """A machine of GitHub whose tools only write down how they were called."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ("deploy",))
        self.folder = folder
        self.summary, self.output = folder / "summary", folder / "output"
        for name in ("cosign", "gcloud", "gh", "terraform"):
            self.fake(self.programs / name)
        for name in ("cp", "cut", "jq", "sha256sum", "tee"):
            found = shutil.which(name)
            assert found, f"{name} is missing: apt-get install {name}"
            (self.programs / name).symlink_to(found)
        (self.programs / "python").symlink_to(sys.executable)
        # As Terraform does: what the environment adds to a plan.
        added = 'case "$*" in *" plan "*) set -- "$@" ${TF_CLI_ARGS_plan:-} ;; esac'
        self.wrap(self.programs / "terraform", f'{added}\nexec "$real" "$@"\n')

    def fake(self, program: Path) -> None:
        program.write_text(FAKE.format(python=sys.executable, folder=str(self.folder)))
        program.chmod(0o755)

    def wrap(self, program: Path, lines: str) -> None:
        """Put `lines` of shell before a fake, which is `$real` in them."""
        real = self.folder / "real" / program.name
        real.parent.mkdir(exist_ok=True)
        shutil.move(program, real)
        program.write_text(f'#!/bin/sh\nreal="{real}"\n{lines}')
        program.chmod(0o755)

    def fail_once(self, program: Path, words: str) -> None:
        """Let a fake fail the first time it is called with `words`."""
        failing = f'case "$*" in *"{words}"*) mkdir "$real.failed" 2>/dev/null && exit 1 ;; esac'
        self.wrap(program, f'"$real" "$@" || exit\n{failing}\nexit 0\n')

    def step(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script of scripts/ci as a step of a workflow."""
        self.output.write_text("")
        return self.run(
            f"scripts/ci/{script}",
            ARTIFACT_REGISTRY=REGISTRY,
            ACCESS_TOKEN="short-lived",
            GITHUB_OUTPUT=str(self.output),
            GITHUB_REPOSITORY="mlarnes/mlops-core",
            GITHUB_STEP_SUMMARY=str(self.summary),
            **environment,
        )

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            cwd=self.checkout,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture
def cluster(runner: Runner) -> Runner:
    """One that runs the image before."""
    runner.fake(runner.checkout / "scripts/k8s/test.sh")
    runner.answer("get deployment iris-api", BEFORE)
    return runner


def test_an_image_goes_into_service_on_gke_by_its_digest(cluster: Runner) -> None:
    result = cluster.step("deploy_image.sh", TARGET="gke", K8S_CONTEXT="deploy", DIGEST=NEW)

    assert result.returncode == 0, result.stderr
    assert cluster.calls == [
        f"{KUBECTL} get deployment iris-api"
        ' --output jsonpath={.spec.template.spec.containers[?(@.name=="iris-api")].image}',
        f"{KUBECTL} set image deployment/iris-api iris-api={IMAGE}",
        f"{KUBECTL} rollout status deployment/iris-api --timeout 300s",
        "test.sh",
    ]
    assert cluster.summary.read_text() == f"in service: {IMAGE}, before: {BEFORE}\n"


@pytest.mark.parametrize(
    ("program", "words", "tried"),
    [("kubectl", "set image", 1), ("kubectl", "rollout status", 2), ("test.sh", "", 3)],
)
def test_an_image_that_fails_is_taken_back(cluster: Runner, program: str, words: str, tried: int) -> None:
    folder = cluster.programs if program == "kubectl" else cluster.checkout / "scripts/k8s"
    cluster.fail_once(folder / program, words)

    result = cluster.step("deploy_image.sh", TARGET="gke", K8S_CONTEXT="deploy", DIGEST=NEW)

    assert result.returncode == 1
    assert result.stderr.endswith(f"error: {IMAGE} did not answer\n")
    assert cluster.summary.read_text() == f"taken back: {IMAGE}; in service: {BEFORE}\n"
    assert [call.removeprefix(f"{KUBECTL} ") for call in cluster.calls[1 + tried :]] == [
        f"set image deployment/iris-api iris-api={BEFORE}",
        "rollout status deployment/iris-api --timeout 300s",
        "test.sh",
    ]


@pytest.mark.parametrize("digest", ["", "latest", NEW[:-1], f"{NEW}0", "sha256:$(id)", f"{NEW}\n{OLD}"])
@pytest.mark.parametrize("script", ["deploy_image.sh", "verify_image.sh"])
def test_what_is_no_digest_touches_nothing(cluster: Runner, script: str, digest: str) -> None:
    result = cluster.step(script, TARGET="gke", K8S_CONTEXT="deploy", DIGEST=digest)

    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert cluster.calls == []


@pytest.fixture
def machines(runner: Runner) -> Runner:
    """A group of VMs that runs the image before, as Terraform knows."""
    (runner.checkout / "terraform").mkdir(exist_ok=True)
    (runner.checkout / "scripts/ci/smoke.py").write_text("raise SystemExit(0)\n")
    outputs = {"image": BEFORE, "instance_group": "mlops-core", "region": "europe-west1"}
    runner.answer(" output -json", json.dumps({name: {"value": value} for name, value in outputs.items()}))
    return runner


VM = {
    "TARGET": "vm",
    "API_URL": "https://iris.example.com",
    "TERRAFORM_STATE_BUCKET": "state",
    "TERRAFORM_VARIABLES": '{"project_id": "project"}',
}
TERRAFORM = "terraform -chdir=terraform"
WAIT = (
    "gcloud compute instance-groups managed wait-until mlops-core --region europe-west1"
    " --version-target-reached --timeout 1200"
)


def test_an_image_goes_into_service_on_vms(machines: Runner) -> None:
    result = machines.step("deploy_image.sh", DIGEST=NEW, **VM)

    assert result.returncode == 0, result.stderr
    assert machines.calls == [
        f"{TERRAFORM} init",
        f"{TERRAFORM} output -json",
        f"{TERRAFORM} plan -out=terraform.tfplan -var=image={IMAGE}",
        f"{TERRAFORM} apply terraform.tfplan",
        f"{TERRAFORM} output -json",
        WAIT,
    ]
    assert 'bucket = "state"' in (machines.checkout / "terraform/backend.tf").read_text()


def test_vms_get_their_image_back(machines: Runner) -> None:
    (machines.checkout / "scripts/ci/smoke.py").write_text(
        "import os, sys\nif not os.path.exists('asked'):\n    os.mkdir('asked')\n    sys.exit('no answer')\n"
    )

    result = machines.step("deploy_image.sh", DIGEST=NEW, **VM)

    assert result.returncode == 1
    planned = [call.rpartition("=")[2] for call in machines.calls if " plan " in call]
    assert planned == [IMAGE, BEFORE]
    assert machines.summary.read_text() == f"taken back: {IMAGE}; in service: {BEFORE}\n"


def test_an_image_must_come_from_the_release_workflow(runner: Runner) -> None:
    result = runner.step("verify_image.sh", DIGEST=NEW)

    assert result.returncode == 0, result.stderr
    workflow = "mlarnes/mlops-core/.github/workflows/release.yml"
    assert runner.calls == [
        "docker login --username oauth2accesstoken --password-stdin https://europe-west1-docker.pkg.dev",
        f"gh attestation verify oci://{IMAGE} --repo mlarnes/mlops-core --signer-workflow {workflow}"
        " --deny-self-hosted-runners",
        f"cosign verify {IMAGE} --certificate-oidc-issuer https://token.actions.githubusercontent.com"
        r" --certificate-identity-regexp ^https://github\.com/mlarnes/mlops-core/\.github/workflows/"
        r"release\.yml@refs/tags/v[0-9]+\.[0-9]+\.[0-9]+$",
    ]


@pytest.mark.parametrize("tool", ["gh attestation", "cosign verify"])
def test_an_image_without_origin_or_signature_is_refused(runner: Runner, tool: str) -> None:
    runner.answer(tool, "no matching signatures\n", code=1)

    result = runner.step("verify_image.sh", DIGEST=NEW)

    assert result.returncode == 1
    assert result.stderr == "no matching signatures\n"


def test_the_images_of_a_platform_are_pushed_and_named_by_digest(runner: Runner) -> None:
    for image, digest in (("mlops-core", OLD), ("mlops-core-pipeline", NEW)):
        digests = f"elsewhere/{image}@{ARM}\n{REGISTRY}/{image}@{digest}\n"
        runner.answer(f"image inspect .*{REGISTRY}/{image}:", digests)

    result = runner.step("push_images.sh", PLATFORM="arm64")

    assert result.returncode == 0, result.stderr
    assert runner.output.read_text() == (
        f"mlops-core-arm64={OLD}\nmlops-core={OLD}\n"
        f"mlops-core-pipeline-arm64={NEW}\nmlops-core-pipeline={NEW}\n"
    )
    assert "short-lived" not in "".join(runner.calls)


def test_an_image_without_a_digest_is_not_released(runner: Runner) -> None:
    result = runner.step("push_images.sh", PLATFORM="amd64")

    assert result.returncode == 1
    assert result.stderr.endswith("-amd64: the registry gave no digest\n")


def test_platforms_become_one_image_that_is_signed(runner: Runner) -> None:
    digests = {
        f"{image}-{platform}": digest
        for image in ("mlops-core", "mlops-core-pipeline")
        for platform, digest in (("amd64", OLD), ("arm64", ARM))
    }
    runner.answer("imagetools inspect", json.dumps({"digest": NEW}))

    result = runner.step("join_images.sh", DIGESTS=json.dumps(digests))

    assert result.returncode == 0, result.stderr
    version = runner.calls[1].split(":")[1].split()[0]
    assert runner.calls[1:4] == [
        f"docker buildx imagetools create --tag {REGISTRY}/mlops-core:{version}"
        f" {BEFORE} {REGISTRY}/mlops-core@{ARM}",
        f"docker buildx imagetools inspect --format {{{{json .Manifest}}}} {REGISTRY}/mlops-core:{version}",
        f"cosign sign --yes --recursive {IMAGE}",
    ]
    assert runner.output.read_text() == f"mlops-core={NEW}\nmlops-core-pipeline={NEW}\n"


def test_a_platform_that_is_missing_stops_the_release(runner: Runner) -> None:
    result = runner.step("join_images.sh", DIGESTS=json.dumps({"mlops-core-amd64": OLD}))

    assert result.returncode == 1
    assert result.stderr == "error: no digest of mlops-core for arm64\n"
    assert len(runner.calls) == 1


def test_the_release_names_images_by_digest_and_brings_their_lists(runner: Runner) -> None:
    for platform in ("amd64", "arm64"):
        (runner.checkout / f"build/sbom/sbom-{platform}").mkdir(parents=True)
        (runner.checkout / f"build/sbom/sbom-{platform}/sbom.cdx.json").write_text(platform)
    (runner.checkout / "CHANGELOG.md").write_text(
        "## [1.2.3] - 2026-01-02\n\n- One.\n\n## [1.2.2]\n\n- Zero.\n"
    )
    runner.wrap(runner.programs / "gh", f'cp "${{10}}" "{runner.folder}/notes"\nexec "$real" "$@"\n')

    result = runner.step("announce.sh", GITHUB_REF_NAME="v1.2.3", DIGESTS=json.dumps({"mlops-core": NEW}))

    assert result.returncode == 0, result.stderr
    assert runner.calls[0].split()[:8] == (
        "gh release create v1.2.3 --repo mlarnes/mlops-core --verify-tag --title".split()
    )
    assert runner.calls[0].endswith(
        "build/sbom/mlops-core-amd64.cdx.json build/sbom/mlops-core-arm64.cdx.json"
    )
    assert (runner.folder / "notes").read_text() == f"\n- One.\n\nImages, by digest:\n\n- `{IMAGE}`\n"


@pytest.fixture
def tagged(runner: Runner) -> Runner:
    """A checkout whose HEAD is on main, with a changelog, and passed ci."""
    (runner.checkout / "pyproject.toml").write_text('version = "1.2.3"\n')
    (runner.checkout / "CHANGELOG.md").write_text(
        "# Changes\n\n## [1.2.3] - 2026-01-02\n\n- One.\n\n## [1.2.2]\n"
    )
    runner.git("init", "--quiet", "--initial-branch", "main")
    runner.git("add", ".")
    runner.git("commit", "--quiet", "--message", "one")
    runner.git("update-ref", "refs/remotes/origin/main", "HEAD")
    runner.answer("gh api .*All passed", "success")
    return runner


def release(runner: Runner, tag: str = "v1.2.3") -> subprocess.CompletedProcess[str]:
    return runner.step("release_check.sh", GITHUB_REF_NAME=tag, GITHUB_SHA=runner.git("rev-parse", "HEAD"))


def test_a_tag_of_main_that_passed_is_released(tagged: Runner) -> None:
    result = tagged.step(
        "release_check.sh", GITHUB_REF_NAME="v1.2.3", GITHUB_SHA=tagged.git("rev-parse", "HEAD")
    )

    assert result.returncode == 0, result.stderr


def test_a_tag_of_another_version_is_refused(tagged: Runner) -> None:
    result = tagged.step(
        "release_check.sh", GITHUB_REF_NAME="v1.2.4", GITHUB_SHA=tagged.git("rev-parse", "HEAD")
    )

    assert result.returncode == 1
    assert result.stderr == "error: the tag is v1.2.4, pyproject.toml says 1.2.3\n"


def test_a_version_without_a_word_on_it_is_refused(tagged: Runner) -> None:
    (tagged.checkout / "CHANGELOG.md").write_text("## [1.2.3]\n\n## [1.2.2]\n\n- Two.\n")

    result = tagged.step(
        "release_check.sh", GITHUB_REF_NAME="v1.2.3", GITHUB_SHA=tagged.git("rev-parse", "HEAD")
    )

    assert result.returncode == 1
    assert (
        result.stderr == "error: CHANGELOG.md says nothing of 1.2.3: it needs a section ## [1.2.3] - DATE\n"
    )


def test_a_commit_beside_main_is_refused(tagged: Runner) -> None:
    tagged.git("commit", "--quiet", "--allow-empty", "--message", "two")
    commit = tagged.git("rev-parse", "HEAD")

    result = release(tagged)

    assert result.returncode == 1
    assert result.stderr == f"error: {commit} is not on main\n"


@pytest.mark.parametrize(
    ("answer", "said"), [("failure", "failure"), ("", "has not run"), ("failure success", "failure success")]
)
def test_a_commit_that_did_not_pass_is_refused(tagged: Runner, answer: str, said: str) -> None:
    tagged.answer("gh api .*All passed", answer)
    commit = tagged.git("rev-parse", "HEAD")

    result = release(tagged)

    assert result.returncode == 1
    assert result.stderr == f"error: ci on {commit}: {said}\n"


def test_a_report_becomes_one_comment_with_the_way_to_the_plots(runner: Runner) -> None:
    runner.wrap(runner.programs / "gh", f'cp "$7" "{runner.folder}/body"\nexec "$real" "$@"\n')
    (runner.checkout / "report.md").write_text("### The model\n" + "x" * 70_000)
    run = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "9"}

    result = runner.run(
        "scripts/ci/comment.sh", "report.md", GITHUB_REPOSITORY="o/r", PULL_REQUEST="7", TMPDIR="/tmp", **run
    )

    assert result.returncode == 0, result.stderr
    assert re.sub("/tmp/[^ ]+", "BODY", runner.calls[0]) == (
        "gh pr comment 7 --repo o/r --body-file BODY --edit-last --create-if-none"
    )
    body = (runner.folder / "body").read_text()
    assert body.startswith("### The model\n")
    assert body.endswith("[this run](https://github.com/o/r/actions/runs/9).\n")
    assert len(body) < 65_536


@pytest.mark.parametrize(
    ("results", "code"),
    [
        (["success", "success"], 0),
        (["success", "failure"], 1),
        (["success", "skipped"], 1),
        (["cancelled", "success"], 1),
        ([], 1),
    ],
)
def test_all_passed_means_all(runner: Runner, results: list[str], code: int) -> None:
    needs = {f"job-{number}": {"result": result} for number, result in enumerate(results)}

    result = runner.step("all_passed.sh", NEEDS=json.dumps(needs))

    assert result.returncode == code


INFRASTRUCTURE = {name: VM[name] for name in ("TERRAFORM_STATE_BUCKET", "TERRAFORM_VARIABLES")}


def planned(*changed: str) -> str:
    """Return a plan that changes these and leaves a network as it is."""
    changes = [{"address": name, "change": {"actions": ["update"]}} for name in changed]
    kept = {"address": "network", "change": {"actions": ["no-op"]}}
    return json.dumps(
        {"resource_changes": [kept, *changes], "output_changes": {"url": {"actions": ["no-op"]}}}
    )


def test_only_the_plan_that_was_approved_is_applied(machines: Runner) -> None:
    machines.answer(" show -json", planned("bucket"))
    machines.step("terraform_plan.sh", **INFRASTRUCTURE)
    digest = machines.output.read_text().strip().removeprefix("digest=")

    applied = machines.step("terraform_apply.sh", APPROVED=digest, **INFRASTRUCTURE)
    calls = machines.calls
    machines.answer(" show -json", planned("bucket", "firewall"))
    refused = machines.step("terraform_apply.sh", APPROVED=digest, **INFRASTRUCTURE)

    assert len(digest) == 64
    assert applied.returncode == 0, applied.stderr
    assert calls[-1] == f"{TERRAFORM} apply terraform.tfplan"
    assert refused.returncode == 1
    assert "no longer what was approved" in refused.stderr
    assert not [call for call in machines.calls if " apply" in call]


def test_the_image_in_service_stays_when_the_infrastructure_changes(machines: Runner) -> None:
    machines.answer(" show -json", planned("bucket"))

    machines.step("terraform_plan.sh", **INFRASTRUCTURE)

    assert f"{TERRAFORM} plan -out=terraform.tfplan -var=image={BEFORE}" in machines.calls


def test_a_plan_that_changes_nothing_has_no_digest(machines: Runner) -> None:
    machines.answer(" show -json", planned())

    result = machines.step("terraform_plan.sh", **INFRASTRUCTURE)

    assert result.returncode == 0, result.stderr
    assert machines.output.read_text() == "digest=\n"


def test_a_plan_that_fails_gives_nothing_to_approve(machines: Runner) -> None:
    machines.answer(" plan ", "Error: quota\n", code=1)

    result = machines.step("terraform_plan.sh", **INFRASTRUCTURE)

    assert result.returncode == 2
    assert "Error: quota" in result.stderr
    assert machines.output.read_text() == ""


@pytest.fixture
def store(runner: Runner) -> Runner:
    """A runner whose store has the champion before, and whose checkout points to the next."""
    (runner.checkout / "deploy").mkdir(exist_ok=True)
    (runner.checkout / "deploy/model.json").write_text(json.dumps(POINTER))
    (runner.checkout / "scripts/ci/model_pointer.py").write_text("")
    (runner.checkout / "scripts/ci/smoke.py").write_text(
        "import os, sys\n"
        "open('asked', 'a').write(' '.join(sys.argv[1:]) + ' ' + os.environ['API_KEY'] + chr(10))\n"
        "sys.exit(any(name in ' '.join(sys.argv) for name in os.environ.get('FAILING', 'nothing').split()))\n"
    )
    runner.answer("storage cat", json.dumps(CHAMPION))
    runner.answer("secrets versions access", "the key")
    return runner


MODEL = {"API_URL": "https://iris", "API_KEY_SECRET": "key", "MODEL_STORE": "gs://models/mlruns"}
PUT = "gcloud storage cp --cache-control=no-store {} gs://models/mlruns/champion.json"
PUT_NEW = PUT.format("deploy/model.json")


def test_a_model_goes_into_service_by_its_pointer(store: Runner) -> None:
    result = store.step("deploy_model.sh", **MODEL)

    assert result.returncode == 0, result.stderr
    assert store.calls[-1] == PUT_NEW
    assert (store.checkout / "asked").read_text() == f"https://iris --model {'b' * 64} the key\n"
    assert "the key" not in result.stdout + result.stderr + "".join(store.calls)


def test_a_model_that_is_not_served_is_taken_back(store: Runner) -> None:
    result = store.step("deploy_model.sh", FAILING="b" * 64, **MODEL)

    assert result.returncode == 1
    assert store.calls[-2] == PUT_NEW
    assert store.calls[-1].startswith("gcloud storage cp --cache-control=no-store /")
    assert (store.checkout / "asked").read_text().splitlines()[
        -1
    ] == f"https://iris --model {'a' * 64} the key"
    assert (
        store.summary.read_text()
        == "taken back: bundles/2-bbbbbbbbbbbb; in service: bundles/1-aaaaaaaaaaaa\n"
    )


def test_the_first_model_that_is_not_served_has_none_before_it(store: Runner) -> None:
    store.answer("storage ls", "no such object\n", code=1)

    result = store.step("deploy_model.sh", FAILING="b" * 64, **MODEL)

    assert result.returncode == 1
    assert result.stderr.endswith("there is none before it to go back to\n")


def test_a_bundle_that_is_not_whole_changes_nothing(store: Runner) -> None:
    (store.checkout / "scripts/ci/model_pointer.py").write_text("raise SystemExit('error: damaged')")

    result = store.step("deploy_model.sh", **MODEL)

    assert result.returncode == 1
    assert store.calls == []


@pytest.fixture
def trained(runner: Runner) -> Runner:
    """A runner with a bundle, whose pointer is written by a stand-in."""
    (runner.checkout / "build/bundle").mkdir(parents=True)
    (runner.checkout / "build/bundle/metrics.json").write_text('{"accuracy": 0.9, "per_class": {}}')
    (runner.checkout / "deploy").mkdir(exist_ok=True)
    (runner.checkout / ".gitignore").write_text("build/\n")
    (runner.checkout / "scripts/ci/model_pointer.py").write_text(
        "import os, sys\n"
        f"if 'write' in sys.argv: open('deploy/model.json', 'w').write({json.dumps(POINTER)!r})\n"
    )
    runner.git("init", "--quiet", "--initial-branch", "main")
    runner.git("add", ".")
    runner.git("commit", "--quiet", "--message", "one")
    # What is pushed goes to a repository beside.
    subprocess.run(["git", "init", "--quiet", "--bare", runner.folder / "origin"], check=True)
    (runner.folder / ".gitconfig").write_text(
        f'[url "{runner.folder}/origin"]\n    insteadOf = https://github.com/mlarnes/mlops-core.git\n'
    )
    return runner


def test_a_new_model_is_a_pull_request_that_changes_the_pointer(trained: Runner) -> None:
    result = trained.step("propose_model.sh", MODEL_STORE="gs://models/mlruns")

    assert result.returncode == 0, result.stderr
    branch = "model/2-bbbbbbbbbbbb"
    copied, *github = trained.calls
    assert copied == (
        "gcloud storage cp --no-clobber build/bundle/metrics.json gs://models/mlruns/bundles/2-bbbbbbbbbbbb/"
    )
    assert [" ".join(call.split()[:3]) for call in github] == [
        "gh auth setup-git",
        "gh pr create",
        "gh workflow run",
    ]
    assert github[2] == f"gh workflow run ci.yml --repo mlarnes/mlops-core --ref {branch}"
    changed = trained.git(
        "--git-dir", str(trained.folder / "origin"), "show", "--name-only", "--format=%s", branch
    )
    assert changed.split("\n\n") == ["Put the model 2-bbbbbbbbbbbb in service", "deploy/model.json"]


def test_the_model_in_service_is_not_proposed_again(trained: Runner) -> None:
    (trained.checkout / "scripts/ci/model_pointer.py").write_text("")
    trained.git("add", ".")
    trained.git("commit", "--quiet", "--message", "two")

    result = trained.step("propose_model.sh", MODEL_STORE="gs://models/mlruns")

    assert result.returncode == 0, result.stderr
    assert trained.calls == []
