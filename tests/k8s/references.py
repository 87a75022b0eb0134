"""What the objects of a namespace say about each other, and whether it is there."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Object = dict[str, Any]

# What is there without us: from Kubernetes itself, and from whoever makes the certificate.
CONFIG_MAPS_OF_THE_CLUSTER = {"kube-root-ca.crt": {"ca.crt"}}
CERTIFICATES = {"iris-api-tls"}
URL = re.compile(r"\b[a-z][a-z0-9+]*://(?:[\w-]+@)?(?P<host>[a-z][\w-]*)(?::(?P<port>\d+))?(?=[/\"'\s]|$)")
OF_SCHEME = {"http": 80, "postgresql": 5432, "redis": 6379}


@dataclass(frozen=True)
class Pods:
    """The pods that one object makes."""

    owner: Object
    template: Object

    @property
    def name(self) -> str:
        return f"{self.owner['kind']} {self.owner['metadata']['name']}"

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


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Return whether a label selector (not the plain map of a Service) takes these labels."""
    for rule in selector.get("matchExpressions", []):
        value, operator = labels.get(rule["key"]), rule["operator"]
        wanted = {
            "In": value in rule.get("values", []),
            "NotIn": value not in rule.get("values", []),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[operator]
        if not wanted:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def dangling(objects: list[Object], secrets: dict[str, set[str]]) -> list[str]:
    """Return what is named and not there, in words; `secrets` are those made beforehand, with their keys."""
    return sorted(set(Namespace(objects, secrets).problems()))


class Namespace:
    """The objects that are deployed together."""

    def __init__(self, objects: list[Object], secrets: dict[str, set[str]]) -> None:
        self.objects = objects
        self.secrets = secrets
        self.pods = pods_of(objects)
        self.config_maps = CONFIG_MAPS_OF_THE_CLUSTER | {
            name: set(each.get("data", {})) for name, each in self._named("ConfigMap").items()
        }
        self.services = self._named("Service")

    def _named(self, kind: str) -> dict[str, Object]:
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    def _pods(self, selector: Object) -> list[Pods]:
        return [pods for pods in self.pods if selects(selector, pods.labels)]

    def problems(self) -> Iterator[str]:
        yield from self._identities()
        for pods in self.pods:
            for problem in self._pod(pods):
                yield f"{pods.name}: {problem}"
        for each in self.objects:
            for problem in getattr(self, f"_{each['kind'].lower()}", _nothing)(each):
                yield f"{each['kind']} {each['metadata']['name']}: {problem}"
        used = {use for pods in self.pods for use in _uses(pods)}
        for kind in ("ConfigMap", "PersistentVolumeClaim", "ServiceAccount"):
            for name in self._named(kind):
                if (kind, name) not in used:
                    yield f"{kind} {name}: no pod uses it"

    def _identities(self) -> Iterator[str]:
        seen = set()
        for each in self.objects:
            identity = (each["kind"], each["metadata"]["name"])
            if identity in seen:
                yield f"{' '.join(identity)}: twice"
            seen.add(identity)
            scope = None if each["kind"] in ("Namespace", "PersistentVolume") else "mlops"
            if each["metadata"].get("namespace") != scope:
                yield f"{' '.join(identity)}: is not in the namespace {scope}"
            if each["metadata"]["labels"].get("app.kubernetes.io/part-of") != "mlops-core":
                yield f"{' '.join(identity)}: is part of nothing"
        if ("Namespace", "mlops") not in seen:
            yield "Namespace mlops: is not there"

    # Pods

    def _pod(self, pods: Pods) -> Iterator[str]:
        accounts = self._named("ServiceAccount")
        if (account := pods.spec.get("serviceAccountName", "default")) not in {*accounts, "default"}:
            yield f"no service account {account}"
        selector = pods.owner["spec"].get("selector")
        if selector is not None and not selects(selector, pods.labels):
            yield "does not select its own pods"
        for spread in pods.spec.get("topologySpreadConstraints", []):
            if not selects(spread["labelSelector"], pods.labels):
                yield "spreads pods of somebody else"
        volumes = {volume["name"]: volume for volume in pods.spec.get("volumes", [])}
        mounted = {mount["name"] for each in pods.containers for mount in each.get("volumeMounts", [])}
        for name in mounted ^ volumes.keys():
            yield f"the volume {name} is " + ("not there" if name in mounted else "never mounted")
        for volume in volumes.values():
            yield from self._volume(volume)
        for container in pods.containers:
            yield from self._container(container, volumes)

    def _volume(self, volume: Object) -> Iterator[str]:
        for source in volume.get("projected", {}).get("sources", [volume]):
            if (config := source.get("configMap")) is not None:
                keys = [item["key"] for item in config.get("items", [])]
                yield from _key("config map", self.config_maps, config["name"], keys)
            if (secret := source.get("secret")) is not None:
                keys = [item["key"] for item in secret.get("items", [])]
                yield from _key("secret", self.secrets, secret.get("secretName", secret.get("name")), keys)
        if (claim := volume.get("persistentVolumeClaim")) is not None:
            if claim["claimName"] not in self._named("PersistentVolumeClaim"):
                yield f"no claim {claim['claimName']}"

    def _container(self, container: Object, volumes: dict[str, Object]) -> Iterator[str]:
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                yield from _key("config map", self.config_maps, source["configMapRef"]["name"], [])
            if "secretRef" in source:
                yield from _key("secret", self.secrets, source["secretRef"]["name"], [])
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {})
            if "configMapKeyRef" in source:
                key = source["configMapKeyRef"]
                yield from _key("config map", self.config_maps, key["name"], [key["key"]])
            if "secretKeyRef" in source:
                key = source["secretKeyRef"]
                yield from _key("secret", self.secrets, key["name"], [key["key"]])
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            port = container.get(probe, {}).get("httpGet", {}).get("port")
            if port is not None and port not in ports:
                yield f"{probe}: no port {port}"
        said = [*container.get("command", []), *container.get("args", [])]
        said += [variable.get("value", "") for variable in container.get("env", [])]
        for text in said:
            yield from self._hosts(text)
        for text in [*said, *self._read_by(container, volumes)]:
            for path in re.findall(r"/(?:run/secrets|etc)/[\w./-]*[\w-]", text):
                yield from self._mounted_file(path, container, volumes)
        for mount in container.get("volumeMounts", []):
            config = volumes.get(mount["name"], {}).get("configMap")
            if config is not None and "subPath" in mount:
                yield from _key("config map", self.config_maps, config["name"], [mount["subPath"]])

    def _read_by(self, container: Object, volumes: dict[str, Object]) -> Iterator[str]:
        """Yield the files of configuration that a container mounts."""
        maps = self._named("ConfigMap")
        for mount in container.get("volumeMounts", []):
            name = volumes.get(mount["name"], {}).get("configMap", {}).get("name")
            yield from maps.get(name, {}).get("data", {}).values()

    def _mounted_file(self, path: str, container: Object, volumes: dict[str, Object]) -> Iterator[str]:
        """A file that is named in a command or a variable is the key of a map or a secret."""
        for mount in container.get("volumeMounts", []):
            volume = volumes.get(mount["name"], {})
            folder = mount["mountPath"].rstrip("/")
            if path != folder and not path.startswith(f"{folder}/"):
                continue
            if path == folder and "subPath" not in mount:
                return
            key = mount.get("subPath") or path.removeprefix(f"{folder}/")
            if "configMap" in volume:
                yield from _key("config map", self.config_maps, volume["configMap"]["name"], [key])
            if "secret" in volume:
                yield from _key("secret", self.secrets, volume["secret"]["secretName"], [key])
            return
        yield f"{path} is not mounted"

    def _hosts(self, text: str) -> Iterator[str]:
        """Hosts without a dot are services here."""
        for found in URL.finditer(text):
            scheme = re.split(r"[+:]", found[0])[0]
            yield from self._address(found["host"], int(found["port"] or OF_SCHEME.get(scheme, 0)))

    def _address(self, host: str, port: int) -> Iterator[str]:
        if host == "localhost" or not port:
            return
        if host not in self.services:
            yield f"no service {host}"
        elif port not in {each["port"] for each in self.services[host]["spec"]["ports"]}:
            yield f"the service {host} has no port {port}"

    # What points at pods

    def _service(self, service: Object) -> Iterator[str]:
        chosen = self._pods({"matchLabels": service["spec"]["selector"]})
        if not chosen:
            yield "selects no pods"
        for port in service["spec"]["ports"]:
            for pods in chosen:
                if port["targetPort"] not in pods.ports:
                    yield f"{pods.name} has no port {port['targetPort']}"
        annotations = service["metadata"].get("annotations", {})
        for name in re.findall(r'": "([\w-]+)"', annotations.get("cloud.google.com/backend-config", "")):
            if name not in self._named("BackendConfig"):
                yield f"no backend config {name}"

    def _poddisruptionbudget(self, budget: Object) -> Iterator[str]:
        if not self._pods(budget["spec"]["selector"]):
            yield "selects no pods"

    def _podmonitoring(self, monitoring: Object) -> Iterator[str]:
        chosen = self._pods(monitoring["spec"]["selector"])
        if not chosen:
            yield "selects no pods"
        for endpoint in monitoring["spec"]["endpoints"]:
            for pods in chosen:
                if endpoint["port"] not in pods.ports:
                    yield f"{pods.name} has no port {endpoint['port']}"

    def _backendconfig(self, config: Object) -> Iterator[str]:
        port = config["spec"]["healthCheck"]["port"]
        if not any(port in pods.ports.values() for pods in self.pods):
            yield f"no pod has the port {port}"

    def _horizontalpodautoscaler(self, scaler: Object) -> Iterator[str]:
        target = scaler["spec"]["scaleTargetRef"]
        found = self._named(target["kind"]).get(target["name"])
        if found is None or found["apiVersion"] != target["apiVersion"]:
            yield f"no {target['kind']} {target['name']} of {target['apiVersion']}"
            return
        for metric in scaler["spec"]["metrics"]:
            if metric["type"] == "Resource":
                for container in Pods(found, found["spec"]["template"]).containers:
                    if metric["resource"]["name"] not in container["resources"]["requests"]:
                        yield f"{container['name']} requests no {metric['resource']['name']}"

    def _statefulset(self, stateful: Object) -> Iterator[str]:
        if (name := stateful["spec"]["serviceName"]) not in self.services:
            yield f"no service {name}"

    def _cronjob(self, job: Object) -> Iterator[str]:
        spec = job["spec"]["jobTemplate"]["spec"]
        names = {each["name"] for each in spec["template"]["spec"]["containers"]}
        for rule in spec.get("podFailurePolicy", {}).get("rules", []):
            name = rule.get("onExitCodes", {}).get("containerName")
            if name is not None and name not in names:
                yield f"no container {name}"

    def _networkpolicy(self, policy: Object) -> Iterator[str]:
        spec = policy["spec"]
        chosen = self._pods(spec["podSelector"])
        if not chosen:
            yield "selects no pods"
        for direction, other in (("ingress", "from"), ("egress", "to")):
            if spec.get(direction) and direction.capitalize() not in spec["policyTypes"]:
                yield f"rules of {direction} that are not in force"
            for rule in spec.get(direction, []):
                theirs = []
                for peer in rule.get(other, []):
                    if "podSelector" in peer and "namespaceSelector" not in peer:
                        found = self._pods(peer["podSelector"])
                        theirs += found
                        if not found:
                            yield f"{direction}: {peer['podSelector']} selects no pods"
                behind = chosen if direction == "ingress" else theirs
                for port in rule.get("ports", []):
                    for pods in behind:
                        if isinstance(port["port"], str) and port["port"] not in pods.ports:
                            yield f"{direction}: {pods.name} has no port {port['port']}"

    # The rest

    def _ingress(self, ingress: Object) -> Iterator[str]:
        for tls in ingress["spec"].get("tls", []):
            if tls["secretName"] not in CERTIFICATES:
                yield f"no certificate {tls['secretName']}"
            for host in tls["hosts"]:
                if host not in {rule["host"] for rule in ingress["spec"]["rules"]}:
                    yield f"a certificate for {host}, which is not served"
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = self.services.get(backend["name"])
                if service is None:
                    yield f"{path['path']}: no service {backend['name']}"
                elif backend["port"]["name"] not in {port["name"] for port in service["spec"]["ports"]}:
                    yield f"{path['path']}: {backend['name']} has no port {backend['port']['name']}"
        annotations = ingress["metadata"].get("annotations", {})
        for annotation, kind in (
            ("networking.gke.io/managed-certificates", "ManagedCertificate"),
            ("networking.gke.io/v1beta1.FrontendConfig", "FrontendConfig"),
        ):
            name = annotations.get(annotation)
            if name is not None and name not in self._named(kind):
                yield f"no {kind} {name}"

    def _managedcertificate(self, certificate: Object) -> Iterator[str]:
        hosts = {
            rule["host"] for ingress in self._named("Ingress").values() for rule in ingress["spec"]["rules"]
        }
        if set(certificate["spec"]["domains"]) != hosts:
            yield f"is for {certificate['spec']['domains']}, served are {sorted(hosts)}"

    def _persistentvolumeclaim(self, claim: Object) -> Iterator[str]:
        name = claim["spec"].get("volumeName")
        if name is None:
            return
        volume = self._named("PersistentVolume").get(name)
        if volume is None:
            yield f"no volume {name}"
        elif not self._binds(volume["spec"], claim):
            yield f"the volume {name} does not fit"

    def _binds(self, volume: Object, claim: Object) -> bool:
        wanted = claim["spec"]
        return (
            set(wanted["accessModes"]) <= set(volume["accessModes"])
            and volume["storageClassName"] == wanted["storageClassName"]
            and volume["capacity"]["storage"] == wanted["resources"]["requests"]["storage"]
            and volume["claimRef"] == {key: claim["metadata"][key] for key in ("namespace", "name")}
        )

    def _rolebinding(self, binding: Object) -> Iterator[str]:
        if binding["roleRef"]["name"] not in self._named(binding["roleRef"]["kind"]):
            yield f"no {binding['roleRef']['kind']} {binding['roleRef']['name']}"
        for subject in binding["subjects"]:
            if subject["name"] not in self._named(subject["kind"]) or subject["namespace"] != "mlops":
                yield f"no {subject['kind']} {subject['name']}"

    def _configmap(self, config: Object) -> Iterator[str]:
        for key, text in config.get("data", {}).items():
            if key == "prometheus.yaml":
                yield from self._prometheus(yaml.safe_load(text))
            elif key in ("datasource.yaml", "MLFLOW_TRACKING_URI", "RATE_LIMIT_STORAGE"):
                yield from self._hosts(text)

    def _prometheus(self, config: Object) -> Iterator[str]:
        static = [
            target
            for job in [*config["scrape_configs"], *config["alerting"]["alertmanagers"]]
            for group in job.get("static_configs", [])
            for target in group["targets"]
        ]
        for target in static:
            host, _, port = target.partition(":")
            yield from self._address(host, int(port))
        for job in config["scrape_configs"]:
            if "kubernetes_sd_configs" in job and not any(_kept(job, pods) for pods in self.pods):
                yield f"the job {job['job_name']} keeps no pods"


def _uses(pods: Pods) -> Iterator[tuple[str, str]]:
    yield "ServiceAccount", pods.spec.get("serviceAccountName", "default")
    for volume in pods.spec.get("volumes", []):
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
    for container in pods.containers:
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                yield "ConfigMap", source["configMapRef"]["name"]


def _kept(job: Object, pods: Pods) -> bool:
    """Return whether the `keep` rules of a scrape job leave a port of these pods."""
    for port in pods.ports:
        meta = {f"__meta_kubernetes_pod_label_{re.sub('[^a-z]', '_', k)}": v for k, v in pods.labels.items()}
        meta["__meta_kubernetes_pod_container_port_name"] = port
        rules = [rule for rule in job["relabel_configs"] if rule.get("action") == "keep"]
        values = [";".join(meta.get(label, "") for label in rule["source_labels"]) for rule in rules]
        if rules and all(re.fullmatch(r["regex"], v) for r, v in zip(rules, values, strict=True)):
            return True
    return False


def _key(what: str, known: dict[str, set[str]], name: str, keys: list[str]) -> Iterator[str]:
    if name not in known:
        yield f"no {what} {name}"
        return
    for key in keys:
        if key not in known[name]:
            yield f"the {what} {name} has no key {key}"


def _nothing(each: Object) -> Iterator[str]:
    return iter(())
