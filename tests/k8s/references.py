"""What the objects that are deployed together say about each other, and is not there.

Only what no checker of `make lint-infra` asks. Policies of the network are held by `reachability.py`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Object = dict[str, Any]

# Which kind a key names: by its value, or by the `name` inside.
BY_VALUE = {
    "claimName": "PersistentVolumeClaim",
    "secretName": "Secret",
    "serviceAccountName": "ServiceAccount",
    "serviceName": "Service",
    "volumeName": "PersistentVolume",
    "cloud.google.com/backend-config": "BackendConfig",
    "networking.gke.io/managed-certificates": "ManagedCertificate",
    "networking.gke.io/v1beta1.FrontendConfig": "FrontendConfig",
}
BY_NAME = {
    "configMap": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "secret": "Secret",
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "service": "Service",
}
# What is there without us: from Kubernetes itself, and from whoever makes the certificate.
FOREIGN = {("ConfigMap", "kube-root-ca.crt"): {"ca.crt"}, ("Secret", "iris-api-tls"): set[str]()}
USED_BY_PODS = ("ConfigMap", "PersistentVolumeClaim", "ServiceAccount")

URL = re.compile(r"\b([a-z][a-z0-9+]*)://(?:[\w-]+@)?([a-z][\w-]*)(?::(\d+))?(?=[/\"'\s]|$)")
OF_SCHEME = {"http": 80, "postgresql": 5432, "redis": 6379}
MOUNTED = re.compile(r"/(?:run/secrets|etc)/[\w./-]*[\w-]")


@dataclass(frozen=True)
class Pods:
    """The pods that one object makes."""

    owner: Object
    template: Object

    @property
    def name(self) -> str:
        return str(self.owner["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.template["metadata"]["labels"])

    @property
    def spec(self) -> Object:
        return dict(self.template["spec"])

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        return {
            port["name"]: port["containerPort"] for each in self.containers for port in each.get("ports", [])
        }


def pods_of(objects: Iterable[Object]) -> list[Pods]:
    return [Pods(each, template) for each in objects if (template := _template(each)) is not None]


def _template(each: Object) -> Object | None:
    spec = each.get("spec", {})
    if each["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec.get("template")


def walk(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield each key in `thing`, at any depth, with what it holds; each element of a list by itself."""
    for key, value in thing.items():
        for each in value if isinstance(value, list) else [value]:
            yield key, each
            if isinstance(each, dict):
                yield from walk(each)


def dangling(objects: list[Object], secrets: dict[str, set[str]]) -> list[str]:
    """Return what is named and not there, in words; `secrets` are those made beforehand, with their keys."""
    return sorted(set(_Together(objects, secrets).problems()))


class _Together:
    def __init__(self, objects: list[Object], secrets: dict[str, set[str]]) -> None:
        self.objects = objects
        self.pods = pods_of(objects)
        self.known = {(each["kind"], each["metadata"]["name"]): each for each in objects}
        self.keys = FOREIGN | {("Secret", name): keys for name, keys in secrets.items()}
        self.keys |= {place: set(each.get("data", {})) for place, each in self.known.items()}

    def problems(self) -> Iterator[str]:
        for each in self.objects:
            said = f"{each['kind']} {each['metadata']['name']}"
            for check in (self._names, self._selectors, self._texts):
                yield from (f"{said}: {problem}" for problem in check(each))
        for pods in self.pods:
            yield from (f"pods of {pods.name}: {problem}" for problem in self._of_pods(pods))
        used = {place for pods in self.pods for place, _ in self._references(pods.template)}
        for kind, name in self.known.keys() - used:
            if kind in USED_BY_PODS:
                yield f"{kind} {name}: no pod uses it"

    def _references(self, thing: Object) -> Iterator[tuple[tuple[str, str], set[str]]]:
        """Yield the objects that `thing` names, each with the keys it asks for."""
        for key, value in walk(thing):
            if key in BY_VALUE and isinstance(value, str):
                for name in re.findall(r'": "([\w-]+)"', value) or [value]:  # some name it in JSON
                    yield (BY_VALUE[key], name), set()
            if (
                key in BY_NAME
                and isinstance(value, dict)
                and (name := value.get("name", value.get("secretName")))
            ):
                asked = {item["key"] for item in value.get("items", [])} | {value.get("key")} - {None}
                yield (BY_NAME[key], name), asked
            if key in ("roleRef", "scaleTargetRef", "subjects"):
                yield (value["kind"], value["name"]), set()

    def _names(self, each: Object) -> Iterator[str]:
        for (kind, name), asked in self._references(each):
            if (kind, name) not in self.keys:
                yield f"no {kind} {name}"
            yield from (
                f"{kind} {name} has no key {key}" for key in asked - self.keys.get((kind, name), asked)
            )
        for key, value in walk(each):
            if key == "scaleTargetRef" and (target := self.known.get((value["kind"], value["name"]))):
                if target["apiVersion"] != value["apiVersion"]:
                    yield f"{value['name']} is not of {value['apiVersion']}"
            if key == "service" and (service := self.known.get(("Service", value["name"]))):
                if value["port"]["name"] not in {port["name"] for port in service["spec"]["ports"]}:
                    yield f"the service {value['name']} has no port {value['port']['name']}"
            if key == "healthCheck" and not any(value["port"] in pods.ports.values() for pods in self.pods):
                yield f"no pod has the port {value['port']}"

    def _selectors(self, each: Object) -> Iterator[str]:
        """A selector finds pods, and they have the ports that are named beside it."""
        for key, value in walk(each):
            if key in ("selector", "labelSelector"):
                wanted = value.get("matchLabels", value).items()
                chosen = [pods for pods in self.pods if wanted <= pods.labels.items()]
                if not chosen or (
                    _template(each) is not None and each not in [pods.owner for pods in chosen]
                ):
                    yield f"{dict(wanted)} selects no pods"
                beside = [*each["spec"].get("ports", []), *each["spec"].get("endpoints", [])]
                for port in [port.get("targetPort", port["port"]) for port in beside]:
                    yield from (
                        f"{pods.name} has no port {port}" for pods in chosen if port not in pods.ports
                    )

    def _of_pods(self, pods: Pods) -> Iterator[str]:
        volumes = {volume["name"]: volume for volume in pods.spec.get("volumes", [])}
        mounted = {mount["name"] for each in pods.containers for mount in each.get("volumeMounts", [])}
        for name in mounted ^ volumes.keys():
            yield f"the volume {name} is " + ("not there" if name in mounted else "never mounted")
        for each in pods.containers:
            own = {port["name"] for port in each.get("ports", [])}
            for key, value in walk(each):
                if key == "httpGet" and value["port"] not in own:
                    yield f"no port {value['port']} to probe"
            mounts = [(mount, volumes.get(mount["name"], {})) for mount in each.get("volumeMounts", [])]
            texts = [*each.get("command", []), *each.get("args", [])]
            texts += [variable.get("value", "") for variable in each.get("env", [])]
            for _, volume in mounts:
                config = self.known.get(("ConfigMap", volume.get("configMap", {}).get("name")), {})
                texts += config.get("data", {}).values()
            for path in {path for text in texts for path in MOUNTED.findall(text)}:
                yield from self._file(path, mounts)

    def _file(self, path: str, mounts: list[tuple[Object, Object]]) -> Iterator[str]:
        """A file that a command, a variable or a configuration names is the key of a map or a secret."""
        for mount, volume in mounts:
            folder = mount["mountPath"].rstrip("/")
            if path == folder and "subPath" not in mount:
                return
            if path == folder or path.startswith(f"{folder}/"):
                key = mount.get("subPath") or path.removeprefix(f"{folder}/")
                for (kind, name), _ in self._references(volume):
                    if kind in ("ConfigMap", "Secret") and key not in self.keys.get((kind, name), {key}):
                        yield f"{kind} {name} has no key {key}"
                return
        yield f"{path} is not mounted"

    def _texts(self, each: Object) -> Iterator[str]:
        """Hosts without a dot are services here."""
        for key, value in walk(each):
            if key == "prometheus.yaml":
                yield from self._prometheus(yaml.safe_load(value))
            elif isinstance(value, str) and "\n" not in value or key == "datasource.yaml":
                for scheme, host, port in URL.findall(value):
                    yield from self._address(host, int(port or OF_SCHEME.get(scheme.split("+")[0], 0)))

    def _address(self, host: str, port: int) -> Iterator[str]:
        if host == "localhost" or not port:
            return
        service = self.known.get(("Service", host))
        if service is None:
            yield f"no service {host}"
        elif port not in {each["port"] for each in service["spec"]["ports"]}:
            yield f"the service {host} has no port {port}"

    def _prometheus(self, config: Object) -> Iterator[str]:
        for key, value in walk(config):
            if key == "targets":
                host, _, port = value.partition(":")
                yield from self._address(host, int(port))
        for job in config["scrape_configs"]:
            if "kubernetes_sd_configs" in job and not any(_kept(job, pods) for pods in self.pods):
                yield f"the job {job['job_name']} keeps no pods"


def _kept(job: Object, pods: Pods) -> bool:
    """Return whether the `keep` rules of a scrape job leave a port of these pods."""
    rules = [rule for rule in job["relabel_configs"] if rule.get("action") == "keep"]
    for port in pods.ports:
        meta = {f"__meta_kubernetes_pod_label_{re.sub('[^a-z]', '_', k)}": v for k, v in pods.labels.items()}
        meta["__meta_kubernetes_pod_container_port_name"] = port
        values = [";".join(meta.get(label, "") for label in rule["source_labels"]) for rule in rules]
        if rules and all(re.fullmatch(r["regex"], v) for r, v in zip(rules, values, strict=True)):
            return True
    return False
