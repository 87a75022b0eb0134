"""The objects of the monitoring, as they are written: locked down, and pointing at what there is."""

from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "k8s/monitoring"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS = [yaml.safe_load((FOLDER / name).read_text()) for name in KUSTOMIZATION["resources"]]
DEPLOYMENTS = [one for one in OBJECTS if one["kind"] == "Deployment"]


def named(kind: str) -> set[str]:
    return {one["metadata"]["name"] for one in OBJECTS if one["kind"] == kind}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["metadata"]["name"])
def test_a_pod_is_restricted(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    assert pod["automountServiceAccountToken"] is False


def test_prometheus_alone_asks_the_api_server_and_has_a_token_for_it() -> None:
    volumes = {
        deployment["metadata"]["name"]: [
            source
            for volume in deployment["spec"]["template"]["spec"]["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
        ]
        for deployment in DEPLOYMENTS
    }

    assert [name for name, sources in volumes.items() if sources] == ["prometheus"]
    assert volumes["prometheus"][0] == {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["metadata"]["name"])
def test_what_a_pod_mounts_is_there(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]
    secrets = yaml.safe_load_all((FOLDER / "secrets.yaml.example").read_text())
    known = {
        "configMap": {one["name"] for one in KUSTOMIZATION["configMapGenerator"]},
        "secret": {one["metadata"]["name"] for one in secrets},
        "persistentVolumeClaim": named("PersistentVolumeClaim"),
        "emptyDir": {None},
    }

    assert {one["name"] for one in pod["containers"][0]["volumeMounts"]} == {
        one["name"] for one in pod["volumes"]
    }
    for volume in pod["volumes"]:
        if "projected" in volume:
            continue
        [(kind, source)] = [(key, value) for key, value in volume.items() if key != "name"]
        assert next(iter(source.values()), None) in known[kind]


def test_every_file_that_is_shared_is_in_a_map() -> None:
    mapped = {file for one in KUSTOMIZATION["configMapGenerator"] for file in one["files"]}
    there = {
        str(file.relative_to(FOLDER))
        for pattern in ("rules/*.yaml", "alertmanager/*", "grafana/*.yaml", "grafana/dashboards/*.json")
        for file in FOLDER.glob(pattern)
    }

    assert mapped == there | {"prometheus/prometheus.yaml"}


def test_receivers_read_the_addresses_that_the_secret_holds() -> None:
    config = yaml.safe_load((FOLDER / "alertmanager/alertmanager.yaml").read_text())
    secret = next(yaml.safe_load_all((FOLDER / "secrets.yaml.example").read_text()))

    for receiver in config["receivers"]:
        assert receiver["slack_configs"][0]["api_url_file"] == f"/run/secrets/alertmanager/{receiver['name']}"
    assert {receiver["name"] for receiver in config["receivers"]} == secret["stringData"].keys()


def test_compose_scrapes_and_alerts_as_kubernetes_does() -> None:
    kubernetes, compose = (
        yaml.safe_load((FOLDER / f"prometheus/{name}.yaml").read_text()) for name in ("prometheus", "compose")
    )
    api, *others = kubernetes.pop("scrape_configs")
    compose_api, *compose_others = compose.pop("scrape_configs")

    assert kubernetes == compose
    assert others == compose_others
    assert api["job_name"] == compose_api["job_name"] == "iris-api"
