"""What scripts/k8s and k8s/targets.mk take for granted about the objects."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.k8s.conftest import K8S, OVERLAYS, Object, one

SCRIPTS = REPOSITORY / "scripts/k8s"
TARGETS = (K8S / "targets.mk").read_text()
PART_OF, COMPONENT = "app.kubernetes.io/part-of", "app.kubernetes.io/component"
EXAMPLES = ["secret.yaml.example", "monitoring/secrets.yaml.example"]

KEPT = {"Namespace", "PersistentVolume", "PersistentVolumeClaim", "Secret"}  # by k8s-delete


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
    script = (SCRIPTS / "delete.sh").read_text()
    ours = re.search(r"^kinds=(\S+)$", script, re.MULTILINE)
    of_google = re.search(r"^for kind in (.*); do$", script, re.MULTILINE)
    assert ours is not None and of_google is not None
    expanded = subprocess.run(
        ["bash", "-c", f"echo {of_google[1]}"], capture_output=True, text=True, check=True
    ).stdout

    deleted = {*ours[1].split(","), *expanded.split()}

    wanted = {plural(each) for objects in rendered.values() for each in objects if each["kind"] not in KEPT}
    assert wanted == deleted - {"jobs"}


def plural(each: Object) -> str:
    """Return how kubectl calls the kind of an object; that of no cluster but Google's with its group."""
    kind = re.sub(r"ys$", "ies", re.sub(r"sss$", "sses", f"{each['kind'].lower()}s"))
    group = each["apiVersion"].rpartition("/")[0]
    return f"{kind}.{group}" if re.search(r"(google|gke)\w*\.", group) else kind


def test_a_job_that_is_made_from_the_cron_job_is_deleted_with_the_rest(
    rendered: dict[str, list[Object]],
) -> None:
    cron = one(rendered["mlflow"], "CronJob", "train")["spec"]
    template = cron["jobTemplate"]

    # The server counts it among the cron job's own: as the README says, two of each kind stay for a day.
    assert (cron["successfulJobsHistoryLimit"], cron["failedJobsHistoryLimit"]) == (2, 2)
    assert template["spec"]["ttlSecondsAfterFinished"] == 24 * 60 * 60
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


def test_a_secret_of_an_example_is_found_where_it_is_used(rendered: dict[str, list[Object]]) -> None:
    used = {
        name: re.findall(r" secretName: (\S+)$", yaml.safe_dump_all(rendered[name]), re.MULTILINE)
        for name in ("local", "mlflow", "mlflow-postgres", "monitoring")
    }

    assert {name: {*each} - {"iris-api-tls"} for name, each in used.items()} == {
        "local": {"iris-api"},
        "mlflow": {"iris-api"},
        "mlflow-postgres": {"iris-api", "postgres"},
        "monitoring": {"alertmanager-receivers", "grafana-admin"},
    }


def test_what_is_started_anew_runs_our_images(rendered: dict[str, list[Object]]) -> None:
    restarted = re.search(r"^for ours in (.*); do$", (SCRIPTS / "deploy.sh").read_text(), re.MULTILINE)
    assert restarted is not None

    ours = {
        f"deployment.apps/{each['metadata']['name']}"
        for each in rendered["mlflow-postgres"]
        if each["kind"] in ("Deployment", "StatefulSet")
        and each["spec"]["template"]["spec"]["containers"][0]["image"].startswith("mlops-core")
    }

    assert set(restarted[1].split()) == ours


def test_a_model_of_this_machine_is_told_from_one_of_mlflow(rendered: dict[str, list[Object]]) -> None:
    claims = {
        name: [
            volume["persistentVolumeClaim"]["claimName"]
            for volume in one(rendered[name], "Deployment", "iris-api")["spec"]["template"]["spec"]["volumes"]
            if "persistentVolumeClaim" in volume
        ]
        for name in ("local", "mlflow", "mlflow-postgres")
    }

    assert claims == {"local": ["mlruns-pvc"], "mlflow": [], "mlflow-postgres": []}


def test_overlays_change_nothing_that_the_server_holds_fast(rendered: dict[str, list[Object]]) -> None:
    """One overlay can be deployed where another was: a claim, a selector and a volume are for ever."""
    seen: dict[tuple[str, str], Any] = {}

    for name, objects in rendered.items():
        for each in objects:
            key = (each["kind"], each["metadata"]["name"])
            held = {
                "PersistentVolumeClaim": each.get("spec"),
                "PersistentVolume": each.get("spec"),
                "Deployment": each.get("spec", {}).get("selector"),
                "StatefulSet": each.get("spec", {}).get("selector"),
                "RoleBinding": each.get("roleRef"),
            }.get(each["kind"])
            assert seen.setdefault(key, held) == held, (name, key)


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
