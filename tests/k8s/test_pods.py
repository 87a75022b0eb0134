"""What a pod may do: all of ours say the same, which the level restricted admits, and say nothing else.

The namespace enforces that level, and checkov asks for most of it. It passes volumes of the node, a pod that
may be root, seccomp of a container, SELinux, AppArmor, sysctls and hosts of probes.
"""

from typing import Any

import pytest

from tests.k8s.conftest import FOLDERS, Object, one
from tests.k8s.references import Pods, pods_of, walk

CONTAINER = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
WHOSE_FILES = {"fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsUser"}
FIELDS = {
    "automountServiceAccountToken",
    "containers",
    "enableServiceLinks",
    "initContainers",
    "restartPolicy",
    "securityContext",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
    "volumes",
}
VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}


def unusual(pods: Pods) -> dict[str, Any]:
    """Return what these pods ask for and others do not."""
    context = pods.spec.get("securityContext", {})
    found = {
        "annotations": pods.template["metadata"].get("annotations", {}),
        "fields": pods.spec.keys() - FIELDS,
        "context": {key: value for key, value in context.items() if key not in WHOSE_FILES},
        "root": context.get("runAsUser", 0) == 0,
        "contexts": [each.get("securityContext") for each in pods.containers],
        "hosts": {key for each in pods.containers for key, _ in walk(each) if key in ("host", "hostPort")},
        "volumes": {key for each in pods.spec["volumes"] for key in each} - VOLUMES - {"name"},
    }
    usual = {"context": POD, "contexts": [CONTAINER] * len(pods.containers)}
    return {key: value for key, value in found.items() if value and value != usual.get(key)}


@pytest.mark.parametrize("name", FOLDERS)
def test_no_pod_may_more_than_another(rendered: dict[str, list[Object]], name: str) -> None:
    found = {pods.name: unusual(pods) for pods in pods_of(rendered[name])}

    assert {name: asked for name, asked in found.items() if asked} == {}


@pytest.mark.parametrize("name", FOLDERS)
def test_no_pod_is_where_it_is_not_looked_for(rendered: dict[str, list[Object]], name: str) -> None:
    everywhere = [
        value
        for each in rendered[name]
        for _, value in walk(each)
        if isinstance(value, dict) and "containers" in value
    ]

    assert everywhere == [pods.spec for pods in pods_of(rendered[name])]


@pytest.mark.parametrize("name", sorted(set(FOLDERS) - {"monitoring"}))
def test_the_namespace_takes_restricted_pods_alone(rendered: dict[str, list[Object]], name: str) -> None:
    labels = one(rendered[name], "Namespace", "mlops")["metadata"]["labels"]

    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert labels.get(f"pod-security.kubernetes.io/{mode}-version", "latest") == "latest"
