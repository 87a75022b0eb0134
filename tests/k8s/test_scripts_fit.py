"""What scripts/k8s and k8s/targets.mk take for granted about the objects."""

import re
import subprocess

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.k8s.conftest import K8S, OVERLAYS, Object, one

SCRIPTS = REPOSITORY / "scripts/k8s"
TARGETS = (K8S / "targets.mk").read_text()
PART_OF, COMPONENT = "app.kubernetes.io/part-of", "app.kubernetes.io/component"
EXAMPLES = ["secret.yaml.example", "monitoring/secrets.yaml.example"]

# What k8s-delete leaves: data, secrets, who may run here; and kinds that only Google's clusters know.
KEPT = {"Namespace", "PersistentVolume", "PersistentVolumeClaim", "Secret"}
OF_GOOGLE = {"BackendConfig", "FrontendConfig", "ManagedCertificate", "PodMonitoring"}


def constant(name: str) -> str:
    found = re.search(rf"\b{name}=(\S+)", (SCRIPTS / "lib.sh").read_text())
    assert found is not None
    return found[1]


def test_the_namespace_is_that_of_every_object(rendered: dict[str, list[Object]]) -> None:
    cluster_wide = {"Namespace", "PersistentVolume"}

    found = {
        each["metadata"].get("namespace")
        for objects in rendered.values()
        for each in objects
        if each["kind"] not in cluster_wide
    }

    assert found == {constant("NAMESPACE")}


def test_labels_tell_the_monitoring_from_the_rest(rendered: dict[str, list[Object]]) -> None:
    for name, objects in rendered.items():
        for each in objects:
            labels = each["metadata"]["labels"]
            assert labels[PART_OF] == "mlops-core", each["metadata"]["name"]
            assert (labels.get(COMPONENT) == "monitoring") is (name == "monitoring"), each["metadata"]["name"]


def test_deleting_removes_every_kind_that_is_not_kept(rendered: dict[str, list[Object]]) -> None:
    line = re.search(r"^kinds=(\S+)$", (SCRIPTS / "delete.sh").read_text(), re.MULTILINE)
    assert line is not None

    kinds = {each["kind"] for objects in rendered.values() for each in objects} - KEPT - OF_GOOGLE

    plurals = {re.sub(r"ys$", "ies", re.sub(r"sss$", "sses", f"{kind.lower()}s")) for kind in kinds}
    assert plurals <= set(line[1].split(","))


def test_a_job_that_is_made_from_the_cron_job_is_deleted_with_the_rest(
    rendered: dict[str, list[Object]],
) -> None:
    template = one(rendered["mlflow"], "CronJob", "train")["spec"]["jobTemplate"]

    assert template["metadata"]["labels"][PART_OF] == "mlops-core"
    assert template["spec"]["activeDeadlineSeconds"] > 0  # what ends the wait of k8s-train


def test_ports_are_forwarded_to_the_services_that_have_them(rendered: dict[str, list[Object]]) -> None:
    forwarded = re.findall(r" ([a-z-]+):(\d+)\b", "\n".join(re.findall(r"port-forward\.sh(.*)", TARGETS)))

    assert {name for name, _ in forwarded} == {"iris-api", "mlflow", "grafana", "prometheus", "alertmanager"}
    for name, number in forwarded:
        [port] = one(rendered["mlflow"] + rendered["monitoring"], "Service", name)["spec"]["ports"]
        assert (port["name"], port["port"]) == ("http", int(number))


def test_logs_are_those_of_pods_that_are_there(rendered: dict[str, list[Object]]) -> None:
    selected = re.findall(r"logs --selector '?app\.kubernetes\.io/name(?:=([a-z-]+)| in \((.+?)\))", TARGETS)

    names = {name for pair in selected for each in pair for name in each.split(", ") if name}
    deployed = rendered["local"] + rendered["monitoring"]
    assert names == {"iris-api", "prometheus", "alertmanager", "grafana"}
    for name in names:
        labels = one(deployed, "Deployment", name)["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == name


def test_mlruns_is_where_the_volume_of_the_node_is(rendered: dict[str, list[Object]]) -> None:
    [volume] = [each for each in rendered["local"] if each["kind"] == "PersistentVolume"]

    assert volume["spec"]["hostPath"]["path"] == constant("MLRUNS_ON_NODE")


def test_the_images_that_are_loaded_are_those_of_the_overlay(rendered: dict[str, list[Object]]) -> None:
    pattern = re.search(r"sed -n '(s/.*?p)'", (SCRIPTS / "deploy.sh").read_text())
    assert pattern is not None

    for name, wanted in {"local": {"mlops-core"}, "mlflow": {"mlops-core", "mlops-core-pipeline"}}.items():
        text = yaml.safe_dump_all(rendered[name], sort_keys=False)
        done = subprocess.run(
            ["sed", "-n", pattern[1]], input=text, capture_output=True, text=True, check=True
        )
        assert {line.split(":")[0] for line in done.stdout.split()} == wanted


def test_every_overlay_of_a_target_is_there() -> None:
    named = set(re.findall(r"\(OVERLAY\),([a-z-]+)\)|OVERLAY=([a-z-]+)", TARGETS))

    assert {name for pair in named for name in pair if name} <= set(OVERLAYS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_secret_is_filled_in_as_its_example_says(example: str) -> None:
    documents = list(yaml.safe_load_all((K8S / example).read_text()))

    for document in documents:
        script = f'source {SCRIPTS}/lib.sh; filled_in {K8S}/{example} {document["metadata"]["name"]}'
        done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)

        filled = yaml.safe_load(done.stdout)
        values = filled.pop("stringData") or {}
        placeholders = document.pop("stringData")
        assert filled == document
        assert set(values) == {name for name, value in placeholders.items() if value == "replace-me"}
        assert [value for value in values.values() if not re.fullmatch("[0-9a-f]{64}", value)] == []


def test_the_key_is_asked_for_where_it_is() -> None:
    script = (SCRIPTS / "test.sh").read_text()
    secret = next(yaml.safe_load_all((K8S / EXAMPLES[0]).read_text()))

    assert f'get secret {secret["metadata"]["name"]} ' in script
    assert [f"{{.data.{key}}}" in script for key in secret["stringData"]] == [True]
