"""Who talks to whom is what the tables here say, in every overlay; and the judge of that is judged."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import yaml

from tests.k8s.conftest import FOLDERS, K8S
from tests.k8s.pss import Object, pod_of
from tests.k8s.reachability import End, Matrix, Port, matches, matrix

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
    for thing in objects:
        if (pod := pod_of(thing)) is not None:
            assert thing["metadata"]["namespace"] == NAMESPACE
            ports = {
                port["name"]: Port(port["containerPort"], port.get("protocol", "TCP"))
                for container in pod.spec["containers"]
                for port in container.get("ports", [])
            }
            ends.append(End(thing["metadata"]["name"], next(addresses), NAMESPACE, pod.labels, ports))
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


# Every mistake in a policy is a change of the tables


def without(thing: Object, key: str) -> Object:
    return {each: value for each, value in thing.items() if each != key}


def others(things: list[Any], index: int) -> list[Any]:
    return things[:index] + things[index + 1 :]


def peers_like(peer: Object) -> Iterator[tuple[str, Object]]:
    yield "every pod here", {"podSelector": {}}
    yield "every pod", {"namespaceSelector": {}}
    yield "every address", {"ipBlock": {"cidr": "0.0.0.0/0"}}
    for key in set(peer) - {"ipBlock"}:
        yield f"any {key}", {**peer, key: {}}
        if len(peer) > 1:
            yield f"no {key}", without(peer, key)
    excepted = peer.get("ipBlock", {}).get("except", [])
    for index, addresses in enumerate(excepted):
        yield f"{addresses} too", {"ipBlock": {**peer["ipBlock"], "except": others(excepted, index)}}


def rules_like(rule: Object, side: str) -> Iterator[tuple[str, Object]]:
    """Return a rule with a mistake: about its ports, or about those it names on the other side."""
    yield "every port", without(rule, "ports")
    for index, port in enumerate(rule["ports"]):
        rest = others(rule["ports"], index)
        yield f"a range for {port}", {**rule, "ports": [*rest, {"port": 1, "endPort": 65535}]}
        yield f"SCTP for {port}", {**rule, "ports": [*rest, {**port, "protocol": "SCTP"}]}
        if rest:
            yield f"no {port}", {**rule, "ports": rest}
    for index, peer in enumerate(rule.get(side, [])):
        rest = others(rule[side], index)
        yield "everybody", without(rule, side)
        if rest:
            yield f"no {peer}", {**rule, side: rest}
        for mistake, mutant in peers_like(peer):
            yield f"{mistake} for {peer}", {**rule, side: [*rest, mutant]}


def policies_like(policy: Object) -> Iterator[tuple[str, list[Object]]]:
    """Return what could stand for a policy by mistake: nothing, or another."""
    spec = policy["spec"]
    yield "forgotten", []
    specs = [("for nobody", {**spec, "podSelector": {"matchLabels": {"app.kubernetes.io/name": "nobody"}}})]
    if spec["podSelector"]:
        specs.append(("for every pod", {**spec, "podSelector": {}}))
    for index, direction in enumerate(spec["policyTypes"]):
        if rest := others(spec["policyTypes"], index):
            specs.append((f"no word on {direction}", {**spec, "policyTypes": rest}))
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction, [])):
            rest = others(spec[direction], index)
            specs.append((f"no {direction}[{index}]", {**spec, direction: rest}))
            for mistake, mutant in rules_like(rule, side):
                specs.append((f"{direction}[{index}] {mistake}", {**spec, direction: [*rest, mutant]}))
    for mistake, other in specs:
        yield mistake, [{**policy, "spec": other}]


def test_every_mistake_in_a_policy_changes_a_table(rendered: dict[str, list[Object]]) -> None:
    worlds = []
    for name in PLACES:
        objects = place(rendered, name)
        policies, ends = policies_of(objects), ends_of(objects)
        ports = ports_of(policies, ends)
        worlds.append((policies, ends, ports, matrix(policies, ends, ports, NAMESPACE)))

    unseen, tried = [], []
    for policy in (policy for policies, *_ in worlds for policy in policies):
        if policy in tried:
            continue
        tried.append(policy)
        for mistake, instead in policies_like(policy):
            for policies, ends, ports, right in worlds:
                rest = [each for each in policies if each != policy]
                if policy in policies and matrix(rest + instead, ends, ports, NAMESPACE) != right:
                    break
            else:
                unseen.append(f"{policy['metadata']['name']}: {mistake}")

    assert unseen == []
    assert len(tried) >= len(list(K8S.rglob("*networkpolicy*.yaml")))


def test_without_policies_everybody_reaches_everybody(rendered: dict[str, list[Object]]) -> None:
    ends = ends_of(rendered["mlflow"])
    ports = frozenset({Port(1), Port(2, "UDP")})

    found = matrix([], ends, ports, NAMESPACE)

    ours = {end.name for end in ends if end.namespace == NAMESPACE}
    assert found.connects == {(a.name, b.name): ports for a in ends for b in ends if {a.name, b.name} & ours}


# The judge, by the rules of NetworkPolicy one by one


def pod(name: str, namespace: str = "here", address: str = "10.0.0.1", **labels: str) -> End:
    return End(name, address, namespace, labels, {"http": Port(80)})


SOURCE = pod("source", role="source")
TARGET = pod("target", role="target")
FAR = pod("far", namespace="there", address="10.0.0.2", role="source")
WORLD = End("world", "8.8.8.8")
PORTS = frozenset({Port(80), Port(81), Port(80, "UDP")})


def connects(spec: Object, source: End = SOURCE, target: End = TARGET, namespace: str = "here") -> list[str]:
    """Return the ports on which the source reaches the target when there is one policy."""
    policy = {"metadata": {"name": "policy", "namespace": namespace}, "spec": spec}
    found = matrix([policy], [source, target], PORTS, "here").connects
    return sorted(map(str, found.get((source.name, target.name), frozenset())))


ALL = ["80/TCP", "80/UDP", "81/TCP"]
SELECTED = {"podSelector": {"matchLabels": {"role": "target"}}}


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        ({"podSelector": {}}, []),
        ({"podSelector": {}, "policyTypes": ["Ingress"]}, []),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, []),
        ({"podSelector": {}, "ingress": None}, []),
        ({"podSelector": {}, "ingress": [{}]}, ALL),
        ({"podSelector": {}, "ingress": [{"from": []}]}, ALL),
        ({"podSelector": {}, "ingress": [{"from": None, "ports": None}]}, ALL),
        (SELECTED, []),
        ({**SELECTED, "policyTypes": ["Egress"]}, ALL),  # isolates the target's other direction
        ({"podSelector": {"matchLabels": {"role": "source"}}}, ALL),
        ({"podSelector": {"matchLabels": {"role": "source"}}, "policyTypes": ["Egress"]}, []),
        ({"podSelector": {"matchLabels": {"role": "source"}}, "egress": [{}]}, ALL),
        ({**SELECTED, "ingress": [{"from": [{"podSelector": {}}]}]}, ALL),
        ({**SELECTED, "ingress": [{"from": [{"podSelector": {"matchLabels": {"role": "source"}}}]}]}, ALL),
        ({**SELECTED, "ingress": [{"from": [{"podSelector": {"matchLabels": {"role": "target"}}}]}]}, []),
        ({**SELECTED, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/24"}}]}]}, ALL),
        (
            {
                **SELECTED,
                "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.1/32"]}}]}],
            },
            [],
        ),
        ({**SELECTED, "ingress": [{"ports": [{"port": "http"}]}]}, ["80/TCP"]),
        ({**SELECTED, "ingress": [{"ports": [{"port": "https"}]}]}, []),
        ({**SELECTED, "ingress": [{"ports": [{"port": 80}]}]}, ["80/TCP"]),
        ({**SELECTED, "ingress": [{"ports": [{"port": 80, "protocol": "UDP"}]}]}, ["80/UDP"]),
        ({**SELECTED, "ingress": [{"ports": [{"protocol": "UDP"}]}]}, ["80/UDP"]),
        ({**SELECTED, "ingress": [{"ports": [{"port": 80, "endPort": 90}]}]}, ["80/TCP", "81/TCP"]),
        (
            {**SELECTED, "ingress": [{"ports": [{"port": 80}]}, {"ports": [{"port": 81}]}]},
            ["80/TCP", "81/TCP"],
        ),
        ({**SELECTED, "ingress": [{"ports": [{"port": 80}, {"port": 81}]}]}, ["80/TCP", "81/TCP"]),
        (
            {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "http"}]}]},
            ["80/TCP"],
        ),
    ],
)
def test_a_policy_means_what_kubernetes_says(spec: Object, ports: list[str]) -> None:
    assert connects(spec) == ports


def test_a_policy_is_of_its_own_namespace() -> None:
    assert connects(SELECTED, namespace="there") == ALL


@pytest.mark.parametrize(
    ("peer", "ports"),
    [
        ({"podSelector": {}}, []),
        ({"namespaceSelector": {}}, ALL),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "there"}}}, ALL),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "here"}}}, []),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "source"}}}, ALL),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "target"}}}, []),
    ],
)
def test_a_pod_of_another_namespace_needs_a_selector_of_it(peer: Object, ports: list[str]) -> None:
    assert connects({**SELECTED, "ingress": [{"from": [peer]}]}, source=FAR) == ports


@pytest.mark.parametrize(
    ("peer", "ports"),
    [
        ({"podSelector": {}}, []),
        ({"namespaceSelector": {}}, []),
        ({"ipBlock": {"cidr": "8.0.0.0/8"}}, ALL),
        ({"ipBlock": {"cidr": "9.0.0.0/8"}}, []),
    ],
)
def test_what_is_no_pod_is_reached_by_its_address(peer: Object, ports: list[str]) -> None:
    assert connects({"podSelector": {}, "egress": [{"to": [peer]}]}, target=WORLD) == ports


def test_a_named_port_is_none_of_an_address() -> None:
    assert connects({"podSelector": {}, "egress": [{"ports": [{"port": "http"}]}]}, target=WORLD) == []


def test_policies_add_up() -> None:
    policies = [
        {"metadata": {"name": "deny", "namespace": "here"}, "spec": {"podSelector": {}}},
        {
            "metadata": {"name": "allow", "namespace": "here"},
            "spec": {**SELECTED, "ingress": [{"ports": [{"port": 81}]}]},
        },
    ]

    found: Matrix = matrix(policies, [SOURCE, TARGET], PORTS, "here")

    assert found.connects == {
        ("source", "target"): frozenset({Port(81)}),
        ("target", "target"): frozenset({Port(81)}),
    }


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ({"key": "role", "operator": "In", "values": ["a", "b"]}, True),
        ({"key": "role", "operator": "In", "values": ["b"]}, False),
        ({"key": "role", "operator": "NotIn", "values": ["b"]}, True),
        ({"key": "role", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["a"]}, True),
        ({"key": "role", "operator": "Exists"}, True),
        ({"key": "tier", "operator": "Exists"}, False),
        ({"key": "role", "operator": "DoesNotExist"}, False),
        ({"key": "tier", "operator": "DoesNotExist"}, True),
    ],
)
def test_an_expression_selects(expression: Object, found: bool) -> None:
    assert matches({"matchExpressions": [expression]}, {"role": "a"}) is found
    assert matches({"matchExpressions": [expression], "matchLabels": {"role": "z"}}, {"role": "a"}) is False


def test_an_unknown_operator_is_no_answer() -> None:
    with pytest.raises(ValueError, match="unknown operator Gt"):
        matches({"matchExpressions": [{"key": "role", "operator": "Gt", "values": ["1"]}]}, {"role": "a"})
