"""NetworkPolicies: who can reach whom, on which ports, in a cluster that holds to them.

What no policy selects is open, in each direction by itself.
A connection needs the source's leave to send and the target's to receive it.
A range of addresses counts for pods too, as it does with some network plugins.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Literal, NamedTuple

Object = dict[str, Any]
Direction = Literal["Ingress", "Egress"]


class Port(NamedTuple):
    number: int
    protocol: str = "TCP"

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


class End(NamedTuple):
    """One end of a connection: a pod, or with no namespace an address outside the cluster or of a node."""

    name: str
    address: str
    namespace: str | None = None
    labels: Mapping[str, str] = {}
    named_ports: Mapping[str, Port] = {}

    @property
    def namespace_labels(self) -> Mapping[str, str]:
        """The label that every namespace has."""
        return {"kubernetes.io/metadata.name": self.namespace or ""}


class Matrix(NamedTuple):
    """Ports by source and target: what the one may send to, the other receives on, and both agree on."""

    sends: dict[tuple[str, str], frozenset[Port]]
    receives: dict[tuple[str, str], frozenset[Port]]
    connects: dict[tuple[str, str], frozenset[Port]]


def matrix(policies: Iterable[Object], ends: Iterable[End], ports: frozenset[Port], namespace: str) -> Matrix:
    """Return who of `ends` can reach whom on which of `ports`, as far as one of both is in `namespace`.

    What is elsewhere is open, whatever policies it may have.
    Two pods of one name are two replicas, so a name can reach itself or not.
    """
    policies, ends = list(policies), list(ends)
    found = Matrix({}, {}, {})
    for source in ends:
        for target in ends:
            sends = receives = ports
            if source.namespace == namespace:
                sends = found.sends[source.name, target.name] = _allowed(
                    policies, "Egress", source, target, ports
                )
            if target.namespace == namespace:
                receives = _allowed(policies, "Ingress", target, source, ports)
                found.receives[source.name, target.name] = receives
            if namespace in (source.namespace, target.namespace):
                found.connects[source.name, target.name] = sends & receives
    return Matrix(*({pair: ports for pair, ports in view.items() if ports} for view in found))


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether labels meet everything a selector asks for; an empty one asks for nothing."""
    wanted = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in wanted) and all(
        _meets(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _meets(expression: Object, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":  # what has no such label is not in either
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case operator:
            raise ValueError(f"unknown operator {operator}")


def _allowed(
    policies: list[Object], direction: Direction, own: End, other: End, ports: frozenset[Port]
) -> frozenset[Port]:
    """Return the ports on which the policies of `own`, taken alone, let it talk with `other`."""
    isolating = [policy for policy in policies if _isolates(policy, direction, own)]
    if not isolating:
        return ports
    peers, target = ("from", own) if direction == "Ingress" else ("to", other)
    rules = [(policy, rule) for policy in isolating for rule in policy["spec"].get(direction.lower()) or []]
    return frozenset(
        port
        for policy, rule in rules
        if not rule.get(peers) or any(_is(peer, policy, other) for peer in rule[peers])
        for port in ports
        if not rule.get("ports") or any(_includes(each, target, port) for each in rule["ports"])
    )


def _isolates(policy: Object, direction: Direction, pod: End) -> bool:
    spec = policy["spec"]
    default = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return (
        direction in (spec.get("policyTypes") or default)
        and policy["metadata"]["namespace"] == pod.namespace
        and matches(spec.get("podSelector") or {}, pod.labels)
    )


def _is(peer: Object, policy: Object, end: End) -> bool:
    """Whether `end` is among those a rule names; a selector that is absent is not one that is empty."""
    block, pods, namespaces = (peer.get(key) for key in ("ipBlock", "podSelector", "namespaceSelector"))
    if block is not None:
        address = ip_address(end.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(each) for each in block.get("except") or []
        )
    if end.namespace is None:
        return False
    if namespaces is None:
        in_namespace = end.namespace == policy["metadata"]["namespace"]
    else:
        in_namespace = matches(namespaces, end.namespace_labels)
    return in_namespace and (pods is None or matches(pods, end.labels))


def _includes(wanted: Object, target: End, port: Port) -> bool:
    """Whether a rule's port is `port`; a name is that of a port of the target, on either side."""
    if port.protocol != (wanted.get("protocol") or "TCP"):
        return False
    number = wanted.get("port")
    if number is None:
        return True
    if isinstance(number, str):
        return target.named_ports.get(number) == port
    return bool(number <= port.number <= (wanted.get("endPort") or number))
