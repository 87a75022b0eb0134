"""What `make k8s-...` asks of kubectl, minikube, kind and docker, none of which is here."""

import base64
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from src.config import MIN_KEY_LENGTH
from src.version import VERSION
from tests.conftest import REPOSITORY
from tests.scripts.machine import FOREVER, Machine, is_alive

MINE = "kubectl --context minikube --namespace mlops"
APPLY = f"{MINE} apply --server-side --force-conflicts"
API, PIPELINE = f"mlops-core:{VERSION}", f"mlops-core-pipeline:{VERSION}"
OURS = "app.kubernetes.io/part-of=mlops-core,app.kubernetes.io/component!=monitoring"
MONITORING = "app.kubernetes.io/part-of=mlops-core,app.kubernetes.io/component=monitoring"
BEFORE = "get deployments --output name"
SERVING = (
    "get deployment iris-api --ignore-not-found --output"
    " jsonpath={.status.availableReplicas}{.spec.template.spec.volumes[*].persistentVolumeClaim.claimName}"
)

RENDERED = f"""kind: Deployment
        image: {API}
        image: redis:8
          secretName: iris-api
          secretName: other
---
kind: CronJob
          - image: {PIPELINE}
"""

SECRETS = """# Copy, fill in.
apiVersion: v1
kind: Secret
metadata:
  name: iris-api
stringData:
  API_KEY: replace-me
---
apiVersion: v1
kind: Secret
metadata:
  name: othe
stringData:
  password: replace-me
---
apiVersion: v1
kind: Secret
metadata:
  name: other
stringData:
  address: https://example.com/replace-me
  password: replace-me
"""

TARGETS = re.findall(r"^(k8s-[a-z-]+):", (REPOSITORY / "k8s/targets.mk").read_text(), re.MULTILINE)
IN_A_CLUSTER = [target for target in TARGETS if not target.startswith("k8s-setup")]


@pytest.fixture
def make_machine(tmp_path: Path) -> Iterator[Any]:
    machines: list[Machine] = []

    def make(*contexts: str) -> Machine:
        machine = Machine(tmp_path, contexts)
        for name in ("local", "mlflow"):
            (machine.checkout / "deploy/overlays" / name).mkdir(parents=True)
            (machine.checkout / "deploy/overlays" / name / "kustomization.yaml").touch()
        (machine.checkout / "k8s/monitoring").mkdir()
        (machine.checkout / "k8s/monitoring/secrets.yaml.example").write_text(SECRETS)
        (machine.checkout / "k8s/secret.yaml.example").write_text(SECRETS)
        (machine.checkout / "mlruns").mkdir()
        (machine.checkout / "mlruns/champion.json").touch()
        machine.answer(r" kustomize ", RENDERED)
        machine.answer(r" apply .* -k ", "service/mlflow\ndeployment.apps/iris-api\ndeployment.apps/mlflow\n")
        machine.answer("^minikube image ls", f"docker.io/library/{API}\ndocker.io/library/{PIPELINE}\n")
        machine.answer(r" get job \S+ --output .*True", "Complete")
        machine.answer(r" get secret \S+ --ignore-not-found --output name", "secret/one\n")
        machines.append(machine)
        return machine

    yield make
    for machine in machines:
        for entry in machine.entries:
            assert entry["argv"][0] == "--context" or not entry["line"].startswith("kubectl"), entry["line"]
            assert "use-context" not in entry["argv"] and "current-context" not in entry["argv"]


@pytest.fixture
def machine(make_machine: Any) -> Machine:
    """A machine with minikube set up, a model in mlruns/ and every secret there."""
    made: Machine = make_machine("minikube")
    return made


def ok(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def failed(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line a failed script says."""
    assert result.returncode == 1, result.stdout
    [line] = result.stderr.splitlines()
    return line


# What is set up


def test_minikube_starts_with_mlruns_and_leaves_the_current_context(make_machine: Any) -> None:
    machine = make_machine()

    ok(machine.run("make", "k8s-setup"))

    assert machine.calls == [
        "minikube start --profile minikube --keep-context --cni calico"
        f" --mount --mount-string {machine.checkout}/mlruns:/mnt/mlruns",
        "minikube ssh --profile minikube -- test -d /mnt/mlruns",
        "minikube addons enable metrics-server --profile minikube",
        "minikube addons enable ingress --profile minikube",
    ]


def test_kind_starts_with_mlruns_in_a_kubeconfig_of_its_own(make_machine: Any) -> None:
    machine = make_machine()

    ok(machine.run("make", "k8s-setup-kind"))

    kubeconfig = f"{machine.checkout}/.tools/kind-mlops.kubeconfig"
    assert machine.calls == [
        "kind get clusters",
        f"kind create cluster --name mlops --kubeconfig {kubeconfig} --wait 120s --config -",
        "docker exec mlops-control-plane test -d /mnt/mlruns",
        f"kind export kubeconfig --name mlops --kubeconfig {kubeconfig}",
    ]
    [node] = yaml.safe_load(machine.entries[1]["stdin"])["nodes"]
    assert node["extraMounts"] == [
        {"hostPath": f"{machine.checkout}/mlruns", "containerPath": "/mnt/mlruns", "readOnly": True}
    ]


def test_a_kind_cluster_that_is_there_stays(make_machine: Any) -> None:
    machine = make_machine()
    machine.answer("^kind get clusters", "another\nmlops\n")

    ok(machine.run("make", "k8s-setup-kind"))

    assert [call.split()[1] for call in machine.calls] == ["get", "exec", "export"]


def test_a_cluster_of_nearly_the_same_name_is_another(make_machine: Any) -> None:
    machine = make_machine()
    machine.answer("^kind get clusters", "mlops-2\n")

    ok(machine.run("make", "k8s-setup-kind"))

    assert [call.split()[1] for call in machine.calls] == ["get", "create", "exec", "export"]


@pytest.mark.parametrize(
    ("cluster", "remedy"),
    [("minikube", "minikube delete --profile minikube"), ("kind", "kind delete cluster --name mlops")],
)
def test_a_cluster_that_was_made_without_mlruns_is_refused(
    make_machine: Any, cluster: str, remedy: str
) -> None:
    machine = make_machine()
    machine.answer(r" test -d /mnt/mlruns$", code=1)

    result = machine.run("scripts/k8s/setup.sh", cluster)

    assert f"made without mlruns/; make it anew: {remedy}, and this again" in failed(result)
    assert machine.calls[-1].endswith(" test -d /mnt/mlruns")


def test_a_minikube_that_does_not_start_may_need_to_be_made_anew(make_machine: Any) -> None:
    machine = make_machine()
    machine.answer("^minikube start", "Sorry, docker does not allow mounts to be changed\n", code=1)

    result = machine.run("scripts/k8s/setup.sh", "minikube")

    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "Sorry, docker does not allow mounts to be changed",
        "error: minikube did not start; if it was made without this mlruns/,"
        " make it anew: minikube delete --profile minikube, and this again",
    ]
    assert len(machine.calls) == 1


# Which context


@pytest.mark.parametrize("target", IN_A_CLUSTER)
def test_every_call_names_the_context_that_was_asked_for(make_machine: Any, target: str) -> None:
    machine = make_machine("mine", "minikube", "kind-mlops")

    machine.run("make", target, K8S_CONTEXT="mine", CONFIRM="yes")

    calls = [entry["line"] for entry in machine.entries if entry["line"].startswith("kubectl")]
    assert calls[1:] != []
    assert [call for call in calls if not call.startswith("kubectl --context mine ")] == []
    assert [call for call in machine.calls if not call.startswith("kubectl")] == []  # no image, no cluster


@pytest.mark.parametrize("target", IN_A_CLUSTER)
def test_a_context_that_does_not_exist_is_refused_before_anything(make_machine: Any, target: str) -> None:
    machine = make_machine("minikube")

    result = machine.run("make", target, K8S_CONTEXT="mine", CONFIRM="yes")

    assert result.returncode == 2
    assert "error: there is no context mine; those there are: kubectl config get-contexts\n" in result.stderr
    assert machine.calls == []


def test_kind_is_found_when_it_was_set_up(make_machine: Any) -> None:
    machine = make_machine("kind-mlops")

    ok(machine.run("scripts/k8s/kubectl.sh", "get", "pods"))

    assert machine.calls == ["kubectl --context kind-mlops --namespace mlops get pods"]
    kubeconfig = f"{machine.checkout}/.tools/kind-mlops.kubeconfig"
    assert (
        machine.entries[-1]["environment"]["KUBECONFIG"]
        == f"{machine.checkout.parent}/.kube/config:{kubeconfig}"
    )


def test_of_two_clusters_one_must_be_named(make_machine: Any) -> None:
    machine = make_machine("minikube", "kind-mlops")

    result = machine.run("scripts/k8s/kubectl.sh", "get", "pods")

    assert failed(result) == (
        "error: minikube and kind are both set up; name one: K8S_CONTEXT=minikube or K8S_CONTEXT=kind-mlops"
    )
    assert machine.calls == []


def test_without_a_cluster_it_says_how_to_get_one(make_machine: Any) -> None:
    machine = make_machine("production")

    result = machine.run("scripts/k8s/kubectl.sh", "get", "pods")

    assert failed(result) == (
        "error: no cluster is set up: make k8s-setup, or make k8s-setup-kind, or name yours: K8S_CONTEXT=..."
    )
    assert machine.calls == []


# Tools that are missing


@pytest.mark.parametrize(
    ("tool", "script"),
    [
        ("minikube", "setup.sh minikube"),
        ("kubectl", "setup.sh minikube"),
        ("kind", "setup.sh kind"),
        ("docker", "setup.sh kind"),
        ("kubectl", "setup.sh kind"),
        ("minikube", "deploy.sh local"),
        ("docker", "deploy.sh local"),
        ("python3", "test.sh"),
        *(
            ("kubectl", script)
            for script in (
                "deploy.sh local",
                "kubectl.sh get pods",
                "port-forward.sh iris-api:8000",
                "test.sh",
            )
        ),
        *(
            ("kubectl", script)
            for script in ("train.sh", "monitoring.sh", "delete.sh", "clean.sh", "load.sh a:1")
        ),
    ],
)
def test_a_missing_tool_is_one_line_with_its_address(machine: Machine, tool: str, script: str) -> None:
    machine.lose(tool)

    result = machine.run("bash", *f"scripts/k8s/{script}".split())

    assert re.fullmatch(rf"error: {tool} is needed; install it: https://\S+", failed(result))
    assert [call for call in machine.calls if " kustomize " not in call] == []


# Deploying


def test_the_api_alone_is_deployed_and_waited_for(machine: Machine) -> None:
    machine.answer(r" apply .* -k ", "deployment.apps/iris-api\n")
    machine.answer(r" kustomize ", f"        image: {API}\n          secretName: iris-api\n")

    output = ok(machine.run("make", "k8s-deploy"))

    assert machine.calls == [
        f"{MINE} kustomize deploy/overlays/local",
        f"docker image inspect {API}",
        f"minikube image load --profile minikube {API}",
        "minikube image ls --profile minikube",
        f"{MINE} {BEFORE}",
        f"{MINE} {SERVING}",
        f"{APPLY} -f k8s/namespace.yaml",
        f"{MINE} get secret iris-api --ignore-not-found --output name",
        f"{APPLY} -k deploy/overlays/local --output name",
        f"{MINE} rollout status deployment.apps/iris-api --timeout 300s",
    ]
    assert output.splitlines()[-1] == "the API runs; try it: make k8s-test, use it: make k8s-port-forward"


def test_with_mlflow_the_api_is_left_to_wait_for_a_model(machine: Machine) -> None:
    output = ok(machine.run("make", "k8s-deploy-mlflow"))

    assert machine.calls[:7] == [
        f"{MINE} kustomize deploy/overlays/mlflow",
        f"docker image inspect {PIPELINE}",
        f"minikube image load --profile minikube {PIPELINE}",
        "minikube image ls --profile minikube",
        f"docker image inspect {API}",
        f"minikube image load --profile minikube {API}",
        "minikube image ls --profile minikube",
    ]
    assert machine.calls[-2:] == [
        f"{APPLY} -k deploy/overlays/mlflow --output name",
        f"{MINE} rollout status deployment.apps/mlflow --timeout 300s",
    ]
    assert (
        output.splitlines()[-1]
        == "the API serves as soon as MLflow has a model; to train one: make k8s-train"
    )


def test_deploying_again_starts_our_images_as_they_are_now(machine: Machine) -> None:
    machine.answer(BEFORE, "deployment.apps/iris-api\ndeployment.apps/mlflow\ndeployment.apps/redis\n")
    machine.answer(re.escape(SERVING), "2")

    ok(machine.run("scripts/k8s/deploy.sh", "mlflow"))

    assert machine.calls[-4:] == [
        f"{MINE} rollout restart deployment.apps/mlflow",
        f"{MINE} rollout restart deployment.apps/iris-api",
        f"{MINE} rollout status deployment.apps/mlflow --timeout 300s",
        f"{MINE} rollout status deployment.apps/iris-api --timeout 300s",
    ]


def test_what_another_overlay_left_is_let_alone(machine: Machine) -> None:
    machine.answer(BEFORE, "deployment.apps/mlflow\n")
    machine.answer(r" apply .* -k ", "deployment.apps/iris-api\n")

    ok(machine.run("scripts/k8s/deploy.sh", "local"))

    assert [call for call in machine.calls if "mlflow" in call] == []
    assert [call for call in machine.calls if " restart " in call] == []


@pytest.mark.parametrize("serving", ["2mlruns-pvc", "mlruns-pvc", ""])
def test_without_a_model_of_mlflow_the_api_is_not_waited_for(machine: Machine, serving: str) -> None:
    machine.answer(BEFORE, "deployment.apps/iris-api\n")
    machine.answer(re.escape(SERVING), serving)

    output = ok(machine.run("scripts/k8s/deploy.sh", "mlflow"))

    assert f"{MINE} rollout restart deployment.apps/iris-api" in machine.calls
    assert machine.calls[-1] == f"{MINE} rollout status deployment.apps/mlflow --timeout 300s"
    assert output.splitlines()[-1].endswith("to train one: make k8s-train")


def test_another_overlay_can_be_named(machine: Machine) -> None:
    (machine.checkout / "deploy/overlays/mine").mkdir()
    (machine.checkout / "deploy/overlays/mine/kustomization.yaml").touch()

    ok(machine.run("make", "k8s-deploy-mlflow", "OVERLAY=mine"))

    assert f"{APPLY} -k deploy/overlays/mine --output name" in machine.calls


def test_an_unknown_overlay_is_refused(machine: Machine) -> None:
    result = machine.run("scripts/k8s/deploy.sh", "mine")

    assert failed(result) == "error: there is no overlay mine in deploy/overlays"
    assert machine.calls == []


def test_without_a_model_the_api_alone_is_not_deployed(machine: Machine) -> None:
    (machine.checkout / "mlruns/champion.json").unlink()

    result = machine.run("scripts/k8s/deploy.sh", "local")

    assert failed(result) == "error: no model in mlruns/: make train"
    assert machine.calls == []


def test_an_image_that_is_missing_is_built(machine: Machine) -> None:
    machine.answer("^docker image inspect", code=1)

    ok(machine.run("scripts/k8s/load.sh", API))

    built = [call for call in machine.calls if call.startswith("docker build")]
    assert f"--tag {API} ." in built[0]
    assert machine.calls[0] == f"docker image inspect {API}"
    assert machine.calls[-2:] == [
        f"minikube image load --profile minikube {API}",
        "minikube image ls --profile minikube",
    ]


@pytest.mark.parametrize("listed", ["", f"docker.io/library/{API}0\n", f"docker.io/library/x{API}\n"])
def test_an_image_that_minikube_did_not_take_is_a_failure(machine: Machine, listed: str) -> None:
    machine.answer("^minikube image ls", listed)

    result = machine.run("scripts/k8s/load.sh", API)

    assert failed(result) == (
        f"error: minikube did not take the image {API}: minikube logs --profile minikube"
    )


def test_kind_gets_images_in_its_own_way(make_machine: Any) -> None:
    machine = make_machine("kind-other")

    ok(machine.run("scripts/k8s/load.sh", API, K8S_CONTEXT="kind-other"))

    assert machine.calls == [f"docker image inspect {API}", f"kind load docker-image {API} --name other"]


@pytest.mark.parametrize(
    "step",
    [
        f"^docker build .*{API}",
        "^minikube image load",
        "^minikube image ls",
        r" kustomize ",
        BEFORE,
        re.escape(SERVING),
        r" apply .*namespace\.yaml",
        r" get secret iris-api ",
        r" create -f -",
        r" apply .* -k ",
        r" rollout restart ",
        r" rollout status deployment.apps/mlflow ",
        r" rollout status deployment.apps/iris-api ",
    ],
)
def test_a_step_that_fails_ends_the_deployment(machine: Machine, step: str) -> None:
    machine.answer("^docker image inspect", code=1)
    machine.answer(r" get secret \S+ --ignore-not-found --output name", "")
    machine.answer(BEFORE, "deployment.apps/iris-api\n")
    machine.answer(re.escape(SERVING), "2")
    machine.answer(step, "no\n", code=3)

    result = machine.run("scripts/k8s/deploy.sh", "local")

    assert result.returncode != 0
    assert re.search(step, machine.calls[-1])
    assert result.stderr.startswith("no\n")


# Secrets


def test_missing_secrets_get_a_random_key_that_nobody_sees(machine: Machine) -> None:
    machine.answer(r" get secret \S+ --ignore-not-found --output name", "")

    result = machine.run("make", "k8s-deploy")

    ok(result)
    made = [yaml.safe_load(entry["stdin"]) for entry in machine.entries if "create" in entry["argv"]]
    assert [secret["metadata"]["name"] for secret in made] == ["iris-api", "other"]
    assert [list(secret["stringData"]) for secret in made] == [["API_KEY"], ["password"]]
    keys = [value for secret in made for value in secret["stringData"].values()]
    assert [re.fullmatch(rf"[0-9a-f]{{{2 * MIN_KEY_LENGTH}}}", key) is None for key in keys] == [False, False]
    assert keys[0] != keys[1]
    seen = result.stdout + result.stderr + "".join(entry["line"] for entry in machine.entries)
    assert re.search(r"[0-9a-f]{64}", seen) is None


def test_a_secret_that_is_there_stays(machine: Machine) -> None:
    machine.answer(r" get secret other --ignore-not-found --output name", "")

    ok(machine.run("make", "k8s-monitoring-deploy"))

    made = [yaml.safe_load(entry["stdin"]) for entry in machine.entries if "create" in entry["argv"]]
    assert [secret["metadata"]["name"] for secret in made] == ["other"]


def test_where_secrets_cannot_be_asked_for_none_is_made(machine: Machine) -> None:
    machine.answer(r" get secret ", "forbidden\n", code=1)

    result = machine.run("scripts/k8s/monitoring.sh")

    assert failed(result) == "forbidden"
    assert [call for call in machine.calls if " create " in call] == []


# Training


def test_training_runs_the_cron_job_and_follows_each_attempt(machine: Machine) -> None:
    machine.answer(r" get job \S+ --output .*True", "", "", "FailureTarget", "SuccessCriteriaMet Complete")
    machine.answer(r" get pods ", "", "train-a", "train-a train-b", "train-a train-b")
    machine.answer(r" logs .* train-a", "no server\n")
    machine.answer(r" logs .* train-b", "published 1\n")

    output = ok(machine.run("make", "k8s-train"))

    name = re.match(rf"{MINE} create job (train-\d{{8}}-\d{{6}}) --from=cronjob/train$", machine.calls[0])
    assert name is not None
    job = f'{MINE} get job {name[1]} --output jsonpath={{.status.conditions[?(@.status=="True")].type}}'
    pods = (
        f"{MINE} get pods --selector batch.kubernetes.io/job-name={name[1]}"
        " --field-selector status.phase!=Pending --output jsonpath={.items[*].metadata.name}"
    )
    assert machine.calls[1:] == [
        *(job, pods),
        *(job, pods, f"{MINE} logs --follow --all-containers train-a"),
        *(job, pods, f"{MINE} logs --follow --all-containers train-b"),
        *(job, pods),
        f"{MINE} wait --for=condition=Available deployment/iris-api --timeout 300s",
    ]
    assert output.index("no server\n") < output.index("published 1\n")


def test_a_job_that_fails_is_a_failure_with_its_reason(machine: Machine) -> None:
    machine.answer(r" get job \S+ --output .*True", "FailureTarget Failed")
    machine.answer(r" get job \S+ --output .*Failed.*message", "it took too long")
    machine.answer(r" get pods ", "train-a")
    machine.answer(r" logs ", "no server\n")

    result = machine.run("scripts/k8s/train.sh")

    assert re.fullmatch(r"error: the job train-\d+-\d+ failed: it took too long", failed(result))
    assert "no server\n" in result.stdout
    assert [call for call in machine.calls if " wait " in call] == []


@pytest.mark.parametrize("step", [r" create job ", r" get job ", r" get pods ", r" logs ", r" wait "])
def test_a_step_that_fails_ends_the_training(machine: Machine, step: str) -> None:
    machine.answer(r" get pods ", "train-a")
    machine.answer(step, "no\n", code=1)

    result = machine.run("scripts/k8s/train.sh")

    assert failed(result) == "no"
    assert re.search(step, machine.calls[-1])


# Trying it


class Api(BaseHTTPRequestHandler):
    """Answers as the API does, with a key; `health` and `counted` are for a test to change."""

    key = "k" * MIN_KEY_LENGTH
    health = 200
    counted = True

    def do_GET(self) -> None:
        example = {"application/json": {"example": {"petal_length": 1.4}}}
        self._send(
            *{
                "/health": (self.health, {"status": "healthy", "model_version": "7"}),
                "/openapi.json": (
                    200,
                    {"paths": {"/predict": {"post": {"requestBody": {"content": example}}}}},
                ),
                "/metrics": (
                    200,
                    (
                        'http_requests_total{method="POST",route="/predict",status="200"} 1'
                        if self.counted
                        else ""
                    ),
                ),
            }[self.path]
        )

    def do_POST(self) -> None:
        row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-API-Key"] != self.key:
            self._send(401, {"title": "no key"})
        else:
            self._send(
                200, {"prediction": "setosa" if row == {"petal_length": 1.4} else "?", "confidence": 0.5}
            )

    def _send(self, status: int, body: Any) -> None:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def api(machine: Machine) -> Iterator[type[Api]]:
    """The API of the cluster, behind the port that kubectl forwards."""

    class Changeable(Api):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Changeable) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        forwarded = f"Forwarding from 127.0.0.1:{port} -> 8000\nForwarding from [::1]:{port} -> 8000\n"
        machine.answer(r" port-forward ", forwarded, until=FOREVER)
        machine.answer(
            r" get secret iris-api .*API_KEY", base64.b64encode(f" {Api.key} , old".encode()).decode()
        )
        yield Changeable
        server.shutdown()


def forward_of(machine: Machine) -> int:
    [pid] = [entry["pid"] for entry in machine.entries if "port-forward" in entry["argv"]]
    assert isinstance(pid, int)
    return pid


def test_the_api_is_asked_through_a_forwarded_port_that_is_closed_again(
    machine: Machine, api: type[Api]
) -> None:
    result = machine.run("make", "--silent", "k8s-test")

    assert ok(result).splitlines() == [
        "health: healthy, model version 7",
        "predict without a key: refused",
        "predict: setosa, confidence 0.5",
        "metrics: the prediction is counted",
    ]
    assert machine.calls == [
        f"{MINE} port-forward service/iris-api :http",
        f"{MINE} get secret iris-api --ignore-not-found --output jsonpath={{.data.API_KEY}}",
    ]
    assert not is_alive(forward_of(machine))
    assert api.key not in result.stdout + result.stderr


def test_an_unhealthy_api_fails(machine: Machine, api: type[Api]) -> None:
    api.health = 503

    result = machine.run("scripts/k8s/test.sh")

    assert re.match(r"error: http://127\.0\.0\.1:\d+/health answered 503, not 200: ", failed(result))
    assert not is_alive(forward_of(machine))


def test_a_wrong_key_fails_and_is_not_shown(machine: Machine, api: type[Api]) -> None:
    machine.answer(r" get secret iris-api .*API_KEY", base64.b64encode(b"wrong-wrong").decode())

    result = machine.run("scripts/k8s/test.sh")

    assert re.match(r"error: \S+/predict answered 401, not 200: ", failed(result))
    assert "wrong-wrong" not in result.stdout + result.stderr


def test_an_api_that_needs_no_key_though_there_is_one_fails(machine: Machine, api: type[Api]) -> None:
    api.key = None  # type: ignore[assignment]

    result = machine.run("scripts/k8s/test.sh")

    assert re.match(r"error: \S+/predict answered 200, not 401: ", failed(result))


def test_metrics_that_do_not_count_fail(machine: Machine, api: type[Api]) -> None:
    api.counted = False

    result = machine.run("scripts/k8s/test.sh")

    assert "/metrics does not count the prediction" in failed(result)


def test_without_a_key_in_the_cluster_none_is_sent(machine: Machine, api: type[Api]) -> None:
    machine.answer(r" get secret iris-api .*API_KEY", "")
    api.key = None  # type: ignore[assignment]

    output = ok(machine.run("scripts/k8s/test.sh"))

    assert "predict: setosa" in output


def test_a_forward_that_ends_at_once_is_a_failure_with_its_reason(machine: Machine) -> None:
    machine.answer(r" port-forward ", "no such service\n", code=1)

    result = machine.run("scripts/k8s/test.sh")

    assert failed(result) == "error: no way to the service iris-api: no such service"


# Looking at it


def test_forwarding_ends_with_the_first_port_that_is_lost(machine: Machine) -> None:
    machine.answer(r" port-forward ", "Forwarding\n", until=FOREVER)
    machine.answer(r" port-forward service/prometheus ", "lost\n", code=1, until=4)

    result = machine.run("scripts/k8s/port-forward.sh", "grafana:3000", "prometheus:9090")

    assert failed(result) == "lost"
    forwards = [entry for entry in machine.entries if "port-forward" in entry["argv"]]
    assert sorted(entry["line"] for entry in forwards) == [
        f"{MINE} port-forward service/grafana 3000:http",
        f"{MINE} port-forward service/prometheus 9090:http",
    ]
    assert [is_alive(entry["pid"]) for entry in forwards] == [False, False]


@pytest.mark.parametrize(
    ("target", "services"),
    [
        ("k8s-port-forward", ["iris-api 8000"]),
        ("k8s-mlflow-ui", ["mlflow 5000"]),
        ("k8s-monitoring-port-forward", ["alertmanager 9093", "grafana 3000", "prometheus 9090"]),
    ],
)
def test_services_are_reached_on_their_usual_ports(
    machine: Machine, target: str, services: list[str]
) -> None:
    machine.answer(r" port-forward ", until=1 + len(services))

    machine.run("make", target)

    assert sorted(machine.calls) == [f"{MINE} port-forward service/{service}:http" for service in services]


@pytest.mark.parametrize(
    ("target", "beginning"),
    [
        ("k8s-status", "get pods,"),
        ("k8s-logs", "logs --selector app.kubernetes.io/name=iris-api "),
        ("k8s-monitoring-status", "get pods,"),
        ("k8s-monitoring-logs", "logs --selector app.kubernetes.io/name in (prometheus, alertmanager) "),
        ("k8s-monitoring-logs-grafana", "logs --selector app.kubernetes.io/name=grafana "),
    ],
)
def test_looking_is_one_call(machine: Machine, target: str, beginning: str) -> None:
    ok(machine.run("make", target))

    [call] = machine.calls
    assert call.startswith(f"{MINE} {beginning}")


@pytest.mark.parametrize(
    "target", ["k8s-status", "k8s-logs", "k8s-delete", "k8s-clean", "k8s-monitoring-delete"]
)
def test_a_call_that_fails_fails_the_target(machine: Machine, target: str) -> None:
    machine.answer(r"--namespace mlops ", "no\n", code=1)

    result = machine.run("make", target, CONFIRM="yes")

    assert result.returncode == 2
    assert len([call for call in machine.calls if " api-resources " not in call]) == 1


# Monitoring


def test_the_monitoring_is_deployed_and_waited_for(machine: Machine) -> None:
    machine.answer(
        r" apply .* -k ", "service/grafana\ndeployment.apps/grafana\nstatefulset.apps/prometheus\n"
    )

    ok(machine.run("make", "k8s-monitoring-deploy"))

    assert machine.calls == [
        f"{MINE} kustomize k8s/monitoring",
        f"{APPLY} -f k8s/namespace.yaml",
        f"{MINE} get secret iris-api --ignore-not-found --output name",
        f"{MINE} get secret other --ignore-not-found --output name",
        f"{APPLY} -k k8s/monitoring --output name",
        f"{MINE} rollout status deployment.apps/grafana --timeout 300s",
        f"{MINE} rollout status statefulset.apps/prometheus --timeout 300s",
    ]


# Removing


@pytest.mark.parametrize(
    ("target", "selector"), [("k8s-delete", OURS), ("k8s-monitoring-delete", MONITORING)]
)
def test_deleting_spares_volumes_secrets_and_the_namespace(
    machine: Machine, target: str, selector: str
) -> None:
    ok(machine.run("make", target))

    known, call = machine.calls
    assert known == f"{MINE} api-resources --output name"
    match = re.fullmatch(rf"{MINE} delete (\S+) --selector (\S+) --ignore-not-found --timeout 300s", call)
    assert match is not None
    assert match[2] == selector
    kinds = set(match[1].split(","))
    assert {"deployments", "statefulsets", "services", "cronjobs", "jobs", "configmaps"} <= kinds
    spared = {
        "persistentvolumeclaims",
        "pvc",
        "persistentvolumes",
        "pv",
        "secrets",
        "namespaces",
        "ns",
        "all",
    }
    assert kinds & spared == set()
    assert [kind for kind in kinds if "." in kind] == []  # the server knows no kinds of Google


def test_kinds_of_google_are_deleted_where_the_server_knows_them(machine: Machine) -> None:
    machine.answer(
        r" api-resources ", "pods\nbackendconfigs.cloud.google.com\nxfrontendconfigs.networking.gke.io\n"
    )

    ok(machine.run("make", "k8s-delete"))

    kinds = machine.calls[1].split(" delete ")[1].split()[0].split(",")
    assert [kind for kind in kinds if "." in kind] == ["backendconfigs.cloud.google.com"]


def test_a_server_that_does_not_know_all_its_kinds_is_deleted_from_nevertheless(machine: Machine) -> None:
    machine.answer(r" api-resources ", "stale discovery\n", code=1)

    ok(machine.run("make", "k8s-delete"))

    assert " delete cronjobs," in machine.calls[1]


def test_cleaning_deletes_the_namespace_when_confirmed(machine: Machine) -> None:
    ok(machine.run("make", "k8s-clean", "CONFIRM=yes"))

    assert machine.calls == [
        f"{MINE} delete namespace mlops --ignore-not-found --timeout 300s",
        f"{MINE} delete persistentvolumes --selector app.kubernetes.io/part-of=mlops-core"
        " --ignore-not-found --timeout 300s",
    ]


def test_cleaning_asks(machine: Machine) -> None:
    ok(machine.run("scripts/k8s/clean.sh", stdin="yes\n"))

    assert len(machine.calls) == 2


@pytest.mark.parametrize(
    ("stdin", "confirm"), [("", ""), ("y\n", ""), ("no\n", ""), ("", "no"), ("yes\n", "no")]
)
def test_cleaning_takes_nothing_but_yes(machine: Machine, stdin: str, confirm: str) -> None:
    result = machine.run("scripts/k8s/clean.sh", stdin=stdin, CONFIRM=confirm)

    assert failed(result) == "error: nothing was deleted; make k8s-clean CONFIRM=yes does not ask"
    assert machine.calls == []
