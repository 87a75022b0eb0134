"""Who talks to whom is what the tables here say, in every overlay."""

from itertools import count

import pytest
import yaml

from tests.k8s.conftest import FOLDERS, K8S, Object
from tests.k8s.reachability import End, Port, matrix
from tests.k8s.references import pods_of

NAMESPACE = "mlops"

# Addresses outside: of the world, of Google's load balancer, of nodes, and some of clouds.
OUTSIDE = {
    "internet": "8.8.8.8",
    "front-end": "35.191.0.1",
    "front-end-2": "130.211.0.1",
    "node-10": "10.128.0.2",
    "node-100": "100.64.0.2",
    "node-172": "172.18.0.2",
    "node-192": "192.168.49.2",
    "dns-of-node": "169.254.20.10",
    "metadata": "169.254.169.254",
    "metadata-v2": "169.254.169.252",
    "link-local": "169.254.1.1",
}
# Pods of other namespaces: who is meant, who is beside it, and who has its labels elsewhere.
ELSEWHERE = {
    "ingress": ("ingress-nginx", {"app.kubernetes.io/component": "controller"}),
    "beside-ingress": ("ingress-nginx", {}),
    "false-ingress": ("default", {"app.kubernetes.io/component": "controller"}),
    "dns": ("kube-system", {"k8s-app": "kube-dns"}),
    "beside-dns": ("kube-system", {}),
    "false-dns": ("default", {"k8s-app": "kube-dns"}),
    "collector": ("gke-gmp-system", {"app.kubernetes.io/name": "collector"}),
    "beside-collector": ("gke-gmp-system", {}),
    "false-collector": ("default", {"app.kubernetes.io/name": "collector"}),
    **{
        f"false-{name}": ("default", {"app.kubernetes.io/name": name})
        for name in (
            "iris-api",
            "mlflow",
            "prometheus",
            "redis",
            "train",
            "grafana",
            "alertmanager",
            "postgres",
        )
    },
}

# Who connects to whom on which ports. Nothing else does.
MONITORING = """
prometheus    alertmanager  9093
prometheus    grafana       3000
prometheus    others        443 6443 8443   # the API server, wherever and on whichever of its ports it is
grafana       prometheus    9090
alertmanager  public        443             # the receivers of messages
alertmanager  dns           53 53/UDP
grafana       dns           53 53/UDP
prometheus    dns           53 53/UDP
"""
API = """
prometheus    iris-api      8000
iris-api      redis         6379
iris-api      dns           53 53/UDP
unknown       dns           53 53/UDP
"""
INGRESS = """
ingress       iris-api      8000
"""
MLFLOW = """
iris-api      mlflow        5000
train         mlflow        5000
mlflow        dns           53 53/UDP
train         dns           53 53/UDP
"""
POSTGRES = """
mlflow        postgres      5432
"""
NODEPORT = """
private       iris-api      8000            # nodes, and others whose addresses are like theirs
"""
GOOGLE = """
front-ends    iris-api      8000
collector     iris-api      8000
iris-api      public        443             # the bucket
iris-api      metadata      80
iris-api      metadata-v2   988
callers       dns-of-node   53 53/UDP
callers       metadata      53 53/UDP
"""
PLACES = {
    "monitoring": MONITORING,
    "mlflow-postgres": MONITORING + API + INGRESS + MLFLOW + POSTGRES,
    "mlflow": MONITORING + API + INGRESS + MLFLOW,
    "base": MONITORING + API + INGRESS + MLFLOW,
    "local": MONITORING + API + INGRESS,
    "local+nodeport": MONITORING + API + INGRESS + NODEPORT,
    "gke": MONITORING + API + GOOGLE,
}

# What one side would allow and the other never does.
ONLY_SENT = """
prometheus    ours          443 6443 8443
"""
ONLY_RECEIVED = {"local+nodeport": """
ours          iris-api      8000
"""}

GROUPS = {
    "callers": {"iris-api", "prometheus", "alertmanager", "grafana", "unknown"},
    "front-ends": {"front-end", "front-end-2"},
    "public": {"internet", "front-end", "front-end-2"},
}


def place(rendered: dict[str, list[Object]], name: str) -> list[Object]:
    """The objects of an overlay with the monitoring beside it, and what is applied by hand."""
    overlay, _, by_hand = name.partition("+")
    extra = [yaml.safe_load((K8S / f"networkpolicy-{by_hand}.yaml").read_text())] if by_hand else []
    return rendered["monitoring"] + (rendered[overlay] if overlay != "monitoring" else []) + extra


# Names that ports of ours have, on pods that are not ours.
THEIR_PORTS = {"http": Port(80), "postgres": Port(5432), "redis": Port(6379)}


def policies_of(objects: list[Object]) -> list[Object]:
    return [each for each in objects if each["kind"] == "NetworkPolicy"]


def ends_of(objects: list[Object]) -> list[End]:
    """The pods of the objects, the rest of the world, and, where all is denied by default, an unknown pod."""
    addresses = (f"10.244.0.{number}" for number in count(1))
    ends = []
    if any(each["metadata"]["name"] == "default-deny" for each in policies_of(objects)):
        ends.append(End("unknown", next(addresses), NAMESPACE, {}, THEIR_PORTS))
    for pods in pods_of(objects):
        assert pods.owner["metadata"]["namespace"] == NAMESPACE
        ports = {
            port["name"]: Port(port["containerPort"], port.get("protocol", "TCP"))
            for container in pods.spec["containers"]
            for port in container.get("ports", [])
        }
        ends.append(End(pods.name, next(addresses), NAMESPACE, pods.labels, ports))
    for name, (namespace, labels) in ELSEWHERE.items():
        ends.append(End(name, next(addresses), namespace, labels, THEIR_PORTS))
    return ends + [End(name, address) for name, address in OUTSIDE.items()]


def ports_of(policies: list[Object], ends: list[End]) -> frozenset[Port]:
    """Every port that anybody has or names, the one beside it, and each with every protocol."""
    numbers = {port.number for end in ends for port in end.named_ports.values()}
    for policy in policies:
        for rule in [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]:
            numbers |= {each["port"] for each in rule.get("ports", []) if isinstance(each["port"], int)}
    numbers |= {number + 1 for number in numbers}
    return frozenset(Port(number, protocol) for number in numbers for protocol in ("TCP", "UDP", "SCTP"))


def read(table: str, ends: list[End]) -> dict[tuple[str, str], frozenset[Port]]:
    """Return a table as a matrix has it."""
    strangers = [end for end in ends if end.namespace != NAMESPACE]
    groups = {
        **GROUPS,
        "ours": {end.name for end in ends} - {end.name for end in strangers},
        "others": {end.name for end in strangers},
        "private": {end.name for end in strangers if end.address.startswith(("10.", "172.18.", "192.168."))},
    }
    found: dict[tuple[str, str], frozenset[Port]] = {}
    for line in filter(None, table.splitlines()):
        sources, targets, *numbers = line.split("#")[0].split()
        ports = frozenset(
            Port(int(number), *protocol) for number, *protocol in (n.split("/") for n in numbers)
        )
        for source in groups.get(sources, {sources}):
            for target in groups.get(targets, {targets}):
                found[source, target] = found.get((source, target), frozenset()) | ports
    return found


def shown(view: dict[tuple[str, str], frozenset[Port]]) -> list[str]:
    """Return a view as lines, since a difference of lines can be read."""
    return sorted(
        f"{' -> '.join(pair)}: {', '.join(sorted(map(str, ports)))}" for pair, ports in view.items()
    )


def test_every_overlay_has_its_table() -> None:
    assert set(PLACES) == {*FOLDERS, "local+nodeport"}


@pytest.mark.parametrize("name", PLACES)
def test_who_connects_to_whom_is_what_the_table_says(rendered: dict[str, list[Object]], name: str) -> None:
    objects = place(rendered, name)
    policies, ends = policies_of(objects), ends_of(objects)
    wanted = read(PLACES[name], ends)

    found = matrix(policies, ends, ports_of(policies, ends), NAMESPACE)

    assert shown(found.connects) == shown(wanted)


@pytest.mark.parametrize("name", PLACES)
def test_each_side_alone_holds_to_the_table(rendered: dict[str, list[Object]], name: str) -> None:
    objects = place(rendered, name)
    policies, ends = policies_of(objects), ends_of(objects)
    ours = {end.name for end in ends if end.namespace == NAMESPACE}
    sent = read(PLACES[name] + ONLY_SENT, ends)
    received = read(PLACES[name] + ONLY_RECEIVED.get(name, ""), ends)

    found = matrix(policies, ends, ports_of(policies, ends), NAMESPACE)

    assert shown(found.sends) == shown({pair: ports for pair, ports in sent.items() if pair[0] in ours})
    assert shown(found.receives) == shown(
        {pair: ports for pair, ports in received.items() if pair[1] in ours}
    )


def test_without_policies_everybody_reaches_everybody(rendered: dict[str, list[Object]]) -> None:
    ends = ends_of(rendered["mlflow"])
    ports = frozenset({Port(1), Port(2, "UDP")})

    found = matrix([], ends, ports, NAMESPACE)

    ours = {end.name for end in ends if end.namespace == NAMESPACE}
    assert found.connects == {(a.name, b.name): ports for a in ends for b in ends if {a.name, b.name} & ours}


# How a policy is read, by the rules of NetworkPolicy

SOURCE = End("source", "10.0.0.1", "here", {"role": "source"})
TARGET = End("target", "10.0.0.2", "here", {"role": "target"}, {"http": Port(80)})
FAR = End("far", "10.0.0.3", "there", {"role": "source"})
WORLD = End("world", "8.8.8.8")
SELECTED = {"podSelector": {"matchLabels": {"role": "target"}}}


@pytest.mark.parametrize(
    ("spec", "reached_from"),
    [
        ({"podSelector": {}}, set()),
        (SELECTED, set()),
        ({**SELECTED, "policyTypes": ["Egress"]}, {"source", "far", "world"}),
        ({**SELECTED, "ingress": [{}]}, {"source", "far", "world"}),
        ({**SELECTED, "ingress": [{"ports": [{"port": "http"}]}]}, {"source", "far", "world"}),
        ({**SELECTED, "ingress": [{"ports": [{"port": 81}, {"port": 80, "protocol": "UDP"}]}]}, set()),
        ({**SELECTED, "ingress": [{"from": [{"podSelector": {}}]}]}, {"source"}),
        ({**SELECTED, "ingress": [{"from": [{"namespaceSelector": {}}]}]}, {"source", "far"}),
        (
            {
                **SELECTED,
                "ingress": [
                    {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "x"}}}]}
                ],
            },
            set(),
        ),
        ({**SELECTED, "ingress": [{"from": [{"ipBlock": {"cidr": "8.0.0.0/8"}}]}]}, {"world"}),
        (
            {
                **SELECTED,
                "ingress": [{"from": [{"ipBlock": {"cidr": "8.0.0.0/8", "except": ["8.8.8.8/32"]}}]}],
            },
            set(),
        ),
    ],
)
def test_a_policy_means_what_kubernetes_says(spec: Object, reached_from: set[str]) -> None:
    policy = {"metadata": {"name": "policy", "namespace": "here"}, "spec": spec}

    found = matrix([policy], [SOURCE, TARGET, FAR, WORLD], frozenset({Port(80)}), "here").connects

    assert {source for source, target in found if target == "target"} - {"target"} == reached_from
