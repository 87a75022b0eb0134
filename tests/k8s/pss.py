"""Pod Security Standards, level restricted: is a pod admitted by every version of Kubernetes from 1.28 on?

Where versions differ the strictest counts, and pods of Windows get no exemption.
A control of baseline that restricted tightens (host paths, capabilities, seccomp) is judged once, tightened.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Object = dict[str, Any]

# Where the pod template of each kind is.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController"), ("spec", "template")
    ),
    "StatefulSet": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
VOLUME_TYPES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
} | {
    "projected",
    "secret",
}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_syncookies",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t"}
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


class Pod(NamedTuple):
    """What of a pod, or of a template of pods, is judged."""

    name: str
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Object


class Violation(NamedTuple):
    """A control of the standard, and the field that is against it."""

    control: str
    field: str


Control = Callable[[Pod], Iterator[str]]


def pod_of(thing: Object) -> Pod | None:
    """Return the pod or template in an object; None for a kind that makes no pods."""
    if thing["kind"] not in TEMPLATES:
        return None
    template = thing
    for key in TEMPLATES[thing["kind"]]:
        template = template[key]
    metadata = _get(template, "metadata")
    name = f"{thing['kind']}/{thing['metadata']['name']}"
    return Pod(name, _get(metadata, "labels"), _get(metadata, "annotations"), template["spec"])


def violations(pod: Pod) -> list[Violation]:
    """Return all that restricted forbids in a pod; empty when it is admitted."""
    return [Violation(name, field) for name, control in CONTROLS.items() for field in control(pod)]


def _get(thing: Object | None, *keys: str) -> Any:
    """Return a nested mapping; a missing or null one is empty, as for the API server."""
    for key in keys:
        thing = (thing or {}).get(key)
    return thing or {}


def _containers(pod: Pod) -> Iterator[tuple[str, Object]]:
    """All containers, each with its path."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(pod.spec.get(kind) or []):
            yield f"{kind}[{index}]", container


def _container_contexts(pod: Pod) -> Iterator[tuple[str, Object]]:
    for path, container in _containers(pod):
        yield f"{path}.securityContext", _get(container, "securityContext")


def _contexts(pod: Pod) -> Iterator[tuple[str, Object]]:
    """The security contexts of the pod and of all its containers."""
    yield "securityContext", _get(pod.spec, "securityContext")
    yield from _container_contexts(pod)


def _host_process(pod: Pod) -> Iterator[str]:
    for path, context in _contexts(pod):
        if _get(context, "windowsOptions").get("hostProcess"):
            yield f"{path}.windowsOptions.hostProcess"


def _host_namespaces(pod: Pod) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field):
            yield field


def _privileged(pod: Pod) -> Iterator[str]:
    for path, context in _container_contexts(pod):
        if context.get("privileged"):
            yield f"{path}.privileged"


def _capabilities(pod: Pod) -> Iterator[str]:
    for path, context in _container_contexts(pod):
        capabilities = _get(context, "capabilities")
        if "ALL" not in (capabilities.get("drop") or []):
            yield f"{path}.capabilities.drop"
        if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
            yield f"{path}.capabilities.add"


def _volume_types(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.get("volumes") or []:
        types = {key for key, value in volume.items() if key != "name" and value is not None}
        if not types or types - VOLUME_TYPES:
            yield f"volumes[{volume['name']}]"


def _host_ports(pod: Pod) -> Iterator[str]:
    for path, container in _containers(pod):
        for index, port in enumerate(container.get("ports") or []):
            if port.get("hostPort"):
                yield f"{path}.ports[{index}].hostPort"


def _host_probes(pod: Pod) -> Iterator[str]:
    for path, container in _containers(pod):
        lifecycle = _get(container, "lifecycle")
        handlers = {
            **{name: _get(container, name) for name in ("livenessProbe", "readinessProbe", "startupProbe")},
            **{f"lifecycle.{name}": _get(lifecycle, name) for name in ("postStart", "preStop")},
        }
        for name, handler in handlers.items():
            for action in ("httpGet", "tcpSocket"):
                if _get(handler, action).get("host"):
                    yield f"{path}.{name}.{action}.host"


def _apparmor(pod: Pod) -> Iterator[str]:
    for key, value in pod.annotations.items():
        allowed = value in ("", "runtime/default") or value.startswith("localhost/")
        if key.startswith(APPARMOR_ANNOTATION) and not allowed:
            yield f"annotations[{key}]"
    for path, context in _contexts(pod):
        profile = context.get("appArmorProfile")
        if profile is not None and profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{path}.appArmorProfile.type"


def _selinux(pod: Pod) -> Iterator[str]:
    for path, context in _contexts(pod):
        options = _get(context, "seLinuxOptions")
        if (options.get("type") or "") not in SELINUX_TYPES:
            yield f"{path}.seLinuxOptions.type"
        for field in ("user", "role"):
            if options.get(field):
                yield f"{path}.seLinuxOptions.{field}"


def _proc_mount(pod: Pod) -> Iterator[str]:
    for path, context in _container_contexts(pod):
        if context.get("procMount") not in (None, "Default"):
            yield f"{path}.procMount"


def _seccomp(pod: Pod) -> Iterator[str]:
    inherited = _get(pod.spec, "securityContext").get("seccompProfile")
    for path, context in _contexts(pod):
        profile = context.get("seccompProfile")
        if profile is None and (path == "securityContext" or inherited is not None):
            continue
        if (profile or {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{path}.seccompProfile.type"


def _sysctls(pod: Pod) -> Iterator[str]:
    for sysctl in _get(pod.spec, "securityContext").get("sysctls") or []:
        if sysctl["name"] not in SYSCTLS:
            yield f"securityContext.sysctls[{sysctl['name']}]"


def _privilege_escalation(pod: Pod) -> Iterator[str]:
    for path, context in _container_contexts(pod):
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{path}.allowPrivilegeEscalation"


def _non_root(pod: Pod) -> Iterator[str]:
    inherited = _get(pod.spec, "securityContext").get("runAsNonRoot")
    for path, context in _contexts(pod):
        value = context.get("runAsNonRoot")
        if value is None and (path == "securityContext" or inherited is not None):
            continue
        if value is not True:
            yield f"{path}.runAsNonRoot"


def _non_root_user(pod: Pod) -> Iterator[str]:
    for path, context in _contexts(pod):
        if context.get("runAsUser") == 0:
            yield f"{path}.runAsUser"


CONTROLS: dict[str, Control] = {
    # baseline
    "HostProcess": _host_process,
    "Host Namespaces": _host_namespaces,
    "Privileged Containers": _privileged,
    "Host Ports": _host_ports,
    "Host Probes / Lifecycle Hooks": _host_probes,
    "AppArmor": _apparmor,
    "SELinux": _selinux,
    "/proc Mount Type": _proc_mount,
    "Sysctls": _sysctls,
    # restricted, and what it tightens
    "Volume Types": _volume_types,
    "Privilege Escalation": _privilege_escalation,
    "Running as Non-root": _non_root,
    "Running as Non-root user": _non_root_user,
    "Seccomp": _seccomp,
    "Capabilities": _capabilities,
}
