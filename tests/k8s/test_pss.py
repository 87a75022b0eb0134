"""Every pod is admitted where the level restricted is enforced; and the judge of that is judged."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.k8s.pss import (
    APPARMOR_ANNOTATION,
    SYSCTLS,
    TEMPLATES,
    VOLUME_TYPES,
    Object,
    Pod,
    pod_of,
    violations,
)

GONE = object()
ANNOTATION = f"{APPARMOR_ANNOTATION}main"


def container(name: str) -> Object:
    return {
        "name": name,
        "image": "image:1",
        "ports": [{"name": "http", "containerPort": 8000}],
        "livenessProbe": {"httpGet": {"path": "/", "port": "http"}},
        "readinessProbe": {"tcpSocket": {"port": "http"}},
        "startupProbe": {"exec": {"command": ["true"]}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


GOOD = {
    "metadata": {"name": "pod", "annotations": {"note": "unconfined"}},
    "spec": {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [container("before")],
        "containers": [container("main"), container("beside")],
        "ephemeralContainers": [{**container("debug"), "targetContainerName": "main"}],
        "volumes": [{"name": "temporary", "emptyDir": {}}],
    },
}

OF_THE_POD = [
    ("HostProcess", "spec/securityContext/windowsOptions", {"hostProcess": True}),
    ("Host Namespaces", "spec/hostNetwork", True),
    ("Host Namespaces", "spec/hostPID", True),
    ("Host Namespaces", "spec/hostIPC", True),
    ("AppArmor", f"metadata/annotations/{ANNOTATION}", "unconfined"),
    ("AppArmor", f"metadata/annotations/{ANNOTATION}", "local"),
    ("AppArmor", "spec/securityContext/appArmorProfile", {"type": "Unconfined"}),
    ("AppArmor", "spec/securityContext/appArmorProfile", {}),
    ("SELinux", "spec/securityContext/seLinuxOptions", {"type": "spc_t"}),
    (
        "SELinux",
        "spec/securityContext/seLinuxOptions",
        {"type": "container_engine_t"},
    ),  # allowed from 1.31 on
    ("SELinux", "spec/securityContext/seLinuxOptions", {"user": "system_u"}),
    ("SELinux", "spec/securityContext/seLinuxOptions", {"role": "system_r"}),
    ("Sysctls", "spec/securityContext/sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    ("Sysctls", "spec/securityContext/sysctls", [{"name": "net.core.somaxconn", "value": "1"}]),
    (
        "Sysctls",
        "spec/securityContext/sysctls",
        [{"name": "net.ipv4.tcp_rmem", "value": "1"}],
    ),  # from 1.32 on
    (
        "Sysctls",
        "spec/securityContext/sysctls",
        [{"name": n, "value": "1"} for n in (*SYSCTLS, "kernel.sem")],
    ),
    *(
        ("Volume Types", "spec/volumes/0", {"name": "volume", kind: source})
        for kind, source in {
            "hostPath": {"path": "/"},
            "awsElasticBlockStore": {"volumeID": "1"},
            "azureDisk": {"diskName": "a", "diskURI": "b"},
            "azureFile": {"secretName": "a", "shareName": "b"},
            "cephfs": {"monitors": ["a"]},
            "cinder": {"volumeID": "1"},
            "fc": {"lun": 1},
            "flexVolume": {"driver": "a"},
            "flocker": {"datasetName": "a"},
            "gcePersistentDisk": {"pdName": "a"},
            "gitRepo": {"repository": "a"},
            "glusterfs": {"endpoints": "a", "path": "b"},
            "iscsi": {"targetPortal": "a", "iqn": "b", "lun": 1},
            "nfs": {"server": "a", "path": "/"},
            "photonPersistentDisk": {"pdID": "a"},
            "portworxVolume": {"volumeID": "a"},
            "quobyte": {"registry": "a", "volume": "b"},
            "rbd": {"monitors": ["a"], "image": "b"},
            "scaleIO": {"gateway": "a", "system": "b", "secretRef": {"name": "c"}},
            "storageos": {"volumeName": "a"},
            "vsphereVolume": {"volumePath": "a"},
        }.items()
    ),
    ("Volume Types", "spec/volumes/1", {"name": "second", "hostPath": {"path": "/"}}),
    ("Volume Types", "spec/volumes/0", {"name": "nothing"}),
    ("Volume Types", "spec/volumes/0", {"name": "volume", "emptyDir": None}),
    ("Running as Non-root", "spec/securityContext/runAsNonRoot", False),
    ("Running as Non-root", "spec/securityContext/runAsNonRoot", None),
    ("Running as Non-root", "spec/securityContext/runAsNonRoot", GONE),
    ("Running as Non-root user", "spec/securityContext/runAsUser", 0),
    ("Seccomp", "spec/securityContext/seccompProfile", GONE),
    ("Seccomp", "spec/securityContext/seccompProfile", None),
    ("Seccomp", "spec/securityContext/seccompProfile", {}),
    ("Seccomp", "spec/securityContext/seccompProfile/type", "Unconfined"),
]
OF_A_CONTAINER = [
    ("HostProcess", "securityContext/windowsOptions", {"hostProcess": True}),
    ("Privileged Containers", "securityContext/privileged", True),
    ("Host Ports", "ports/0/hostPort", 80),
    ("Host Ports", "ports/1", {"containerPort": 81, "hostPort": 81}),
    ("Host Probes / Lifecycle Hooks", "livenessProbe/httpGet/host", "10.0.0.1"),
    ("Host Probes / Lifecycle Hooks", "readinessProbe/tcpSocket/host", "example.com"),
    ("Host Probes / Lifecycle Hooks", "startupProbe", {"httpGet": {"port": 1, "host": "localhost"}}),
    ("Host Probes / Lifecycle Hooks", "lifecycle/postStart", {"httpGet": {"port": 1, "host": "localhost"}}),
    ("Host Probes / Lifecycle Hooks", "lifecycle/preStop", {"tcpSocket": {"port": 1, "host": "localhost"}}),
    ("AppArmor", "securityContext/appArmorProfile", {"type": "Unconfined"}),
    ("SELinux", "securityContext/seLinuxOptions", {"type": "init_t"}),
    ("SELinux", "securityContext/seLinuxOptions", {"type": "container_t", "user": "root"}),
    ("SELinux", "securityContext/seLinuxOptions", {"type": "container_t", "role": "object_r"}),
    ("/proc Mount Type", "securityContext/procMount", "Unmasked"),
    ("Privilege Escalation", "securityContext/allowPrivilegeEscalation", True),
    ("Privilege Escalation", "securityContext/allowPrivilegeEscalation", None),
    ("Privilege Escalation", "securityContext/allowPrivilegeEscalation", GONE),
    ("Running as Non-root", "securityContext/runAsNonRoot", False),
    ("Running as Non-root user", "securityContext/runAsUser", 0),
    ("Seccomp", "securityContext/seccompProfile", {"type": "Unconfined"}),
    ("Capabilities", "securityContext/capabilities", GONE),
    ("Capabilities", "securityContext/capabilities/drop", GONE),
    ("Capabilities", "securityContext/capabilities/drop", []),
    ("Capabilities", "securityContext/capabilities/drop", ["NET_RAW", "all"]),
    ("Capabilities", "securityContext/capabilities/add", ["CHOWN"]),  # baseline allows it
    ("Capabilities", "securityContext/capabilities/add", ["SYS_ADMIN"]),
    ("Capabilities", "securityContext/capabilities/add", ["NET_BIND_SERVICE", "NET_RAW"]),
]
PLACES = [
    f"spec/{place}" for place in ("initContainers/0", "containers/0", "containers/1", "ephemeralContainers/0")
]
MUTANTS = OF_THE_POD + [
    (control, f"{place}/{path}", value) for place in PLACES for control, path, value in OF_A_CONTAINER
]

ALLOWED = [
    ("spec/hostNetwork", False),
    ("spec/hostUsers", False),
    ("spec/ephemeralContainers", GONE),
    ("spec/initContainers", None),
    ("spec/volumes", GONE),
    ("spec/securityContext/windowsOptions", {"hostProcess": False}),
    ("spec/securityContext/seccompProfile", {"type": "Localhost", "localhostProfile": "a.json"}),
    ("spec/securityContext/seLinuxOptions", {"type": "container_t", "level": "s0:c1,c2"}),
    ("spec/securityContext/seLinuxOptions", {"type": ""}),
    ("spec/securityContext/sysctls", [{"name": name, "value": "1"} for name in sorted(SYSCTLS)]),
    ("spec/securityContext/appArmorProfile", {"type": "RuntimeDefault"}),
    ("spec/securityContext/runAsUser", GONE),
    ("spec/securityContext/runAsUser", 1),
    ("spec/securityContext/runAsGroup", 0),
    ("spec/securityContext/fsGroup", 0),
    (f"metadata/annotations/{ANNOTATION}", ""),
    (f"metadata/annotations/{ANNOTATION}", "runtime/default"),
    (f"metadata/annotations/{ANNOTATION}", "localhost/own"),
    ("metadata/annotations", None),
    ("metadata/annotations", GONE),
    *(("spec/volumes/0", {"name": "volume", kind: {}}) for kind in sorted(VOLUME_TYPES)),
    *(
        (f"{PLACES[1]}/{path}", value)
        for path, value in [
            ("securityContext/privileged", False),
            ("securityContext/procMount", "Default"),
            ("securityContext/capabilities/drop", ["NET_RAW", "ALL"]),
            ("securityContext/capabilities/add", ["NET_BIND_SERVICE"]),
            ("securityContext/capabilities/add", None),
            ("securityContext/runAsUser", 65534),
            ("securityContext/seccompProfile", {"type": "Localhost", "localhostProfile": "a.json"}),
            ("ports", GONE),
            ("ports/0/hostPort", 0),
            ("livenessProbe/httpGet/host", ""),
            ("livenessProbe", None),
            ("lifecycle", GONE),
        ]
    ),
]


def changed(path: str, value: object) -> Object:
    """Return the good pod with another value at `path`, or none when it is GONE."""
    pod = deepcopy(GOOD)
    *parents, last = ["metadata", "annotations", ANNOTATION] if ANNOTATION in path else path.split("/")
    place: Any = pod
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
    if value is GONE:
        del place[last]
    elif not isinstance(place, list):
        place[last] = value
    else:
        place[int(last) : int(last) + 1] = [value]
    return pod


def judged(template: Object) -> list[Any]:
    pod = pod_of({"kind": "Pod", **template})
    assert pod is not None
    return violations(pod)


def test_the_good_pod_is_admitted() -> None:
    assert judged(GOOD) == []


@pytest.mark.parametrize(("control", "path", "value"), MUTANTS)
def test_one_wrong_field_is_caught_by_its_control_and_no_other(
    control: str, path: str, value: object
) -> None:
    found = judged(changed(path, value))

    assert {violation.control for violation in found} == {control}


@pytest.mark.parametrize(("path", "value"), ALLOWED)
def test_what_is_allowed_is_admitted(path: str, value: object) -> None:
    assert judged(changed(path, value)) == []


def test_each_container_can_say_what_the_pod_does_not() -> None:
    pod = changed("spec/securityContext", None)
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for each in pod["spec"][kind]:
            each["securityContext"] |= {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

    assert judged(pod) == []

    del pod["spec"]["containers"][1]["securityContext"]["runAsNonRoot"]
    del pod["spec"]["containers"][1]["securityContext"]["seccompProfile"]

    assert judged(pod) == [
        ("Running as Non-root", "containers[1].securityContext.runAsNonRoot"),
        ("Seccomp", "containers[1].securityContext.seccompProfile.type"),
    ]


def test_a_container_that_is_right_does_not_excuse_a_pod_that_is_wrong() -> None:
    pod = changed("spec/securityContext", {"runAsNonRoot": False, "seccompProfile": {"type": "Unconfined"}})
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for each in pod["spec"][kind]:
            each["securityContext"] |= {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

    assert [violation.field for violation in judged(pod)] == [
        "securityContext.runAsNonRoot",
        "securityContext.seccompProfile.type",
    ]


def test_a_pod_without_any_context_is_refused() -> None:
    pod = {"metadata": {"name": "pod"}, "spec": {"containers": [{"name": "main", "image": "image:1"}]}}

    assert [violation.control for violation in judged(pod)] == [
        "Privilege Escalation",
        "Running as Non-root",
        "Seccomp",
        "Capabilities",
    ]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_the_pod_of_every_kind_is_found(kind: str) -> None:
    thing: Object = {"kind": kind, "metadata": {"name": "thing"}}
    place = thing
    for key in TEMPLATES[kind]:
        place = place.setdefault(key, {})
    place |= {"spec": {**GOOD["spec"], "hostPID": True}}

    pod = pod_of(thing)

    assert pod is not None
    assert pod.name == f"{kind}/thing"
    assert violations(pod) == [("Host Namespaces", "hostPID")]


# The manifests


def with_containers(thing: object) -> Iterator[Object]:
    """Everything in an object that has containers, wherever it is."""
    if isinstance(thing, dict):
        if "containers" in thing:
            yield thing
        for value in thing.values():
            yield from with_containers(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from with_containers(value)


def pods(objects: list[Object]) -> list[Pod]:
    return [pod for pod in map(pod_of, objects) if pod is not None]


def test_every_pod_is_admitted(rendered: dict[str, list[Object]]) -> None:
    found = {(name, pod.name): violations(pod) for name, objects in rendered.items() for pod in pods(objects)}

    assert {place: against for place, against in found.items() if against} == {}
    assert ("local", "Deployment/iris-api") in found


def test_no_pod_is_where_it_is_not_looked_for(rendered: dict[str, list[Object]]) -> None:
    for objects in rendered.values():
        everywhere = [spec for each in objects for spec in with_containers(each)]

        assert everywhere == [pod.spec for pod in pods(objects)]


def test_the_namespace_enforces_it(rendered: dict[str, list[Object]]) -> None:
    for name, objects in rendered.items():
        namespaces = [each for each in objects if each["kind"] == "Namespace"]

        assert [each["metadata"]["name"] for each in namespaces] == (
            [] if name == "monitoring" else ["mlops"]
        )
        for each in namespaces:
            labels = each["metadata"]["labels"]
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
            assert labels.get("pod-security.kubernetes.io/enforce-version", "latest") == "latest"
