"""Generated mistakes in the manifests, each of which is noticed: a sample, and all in `make test-mutants`."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.k8s.conftest import OVERLAYS, Object
from tests.k8s.reachability import matrix
from tests.k8s.references import BY_VALUE, dangling
from tests.k8s.test_reachability import NAMESPACE, PLACES, ends_of, place, policies_of, ports_of
from tests.k8s.test_references import secrets
from tests.mutants import sample

# Policies


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
    different: list[Object] = []
    for policies, *_ in worlds:
        different += [policy for policy in policies if policy not in different]
    made = [(policy, *mutant) for policy in different for mutant in policies_like(policy)]

    unseen = [
        f"{policy['metadata']['name']}: {mistake}"
        for policy, mistake, instead in sample(made)
        if all(
            matrix([each for each in policies if each != policy] + instead, ends, ports, NAMESPACE) == right
            for policies, ends, ports, right in worlds
            if policy in policies
        )
    ]

    assert unseen == []
    assert len(made) > 300


# References

REMOVED = {*BY_VALUE.values(), "ConfigMap", "Deployment", "Role", "StatefulSet"} - {"Secret"}
RENAMED = {"name", "port", "targetPort", "claimName", "secretName", "serviceAccountName", "serviceName"}
POLICIES = "NetworkPolicy"  # held by the tables
# What nothing else names, or what a test of its own holds.
FREE = re.compile(r"(^ports|containers|env)\.\d+\.name$|(claimRef|resource)\.name$")


def places_of_names(thing: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything in an object that names something, or is named."""
    for key, value in thing.items() if isinstance(thing, dict) else enumerate(thing):
        if isinstance(value, dict | list):
            yield from places_of_names(value, (*way, key))
        elif isinstance(value, str) and (key in RENAMED or "matchLabels" in way or way[-1:] == ("selector",)):
            yield *way, key


def mistakes(objects: list[Object]) -> Iterator[tuple[str, list[Object]]]:
    """Yield the objects without one of them, and with another name in each place, one at a time."""
    for index, each in enumerate(objects):
        said = f"{each['kind']} {each['metadata']['name']}"
        if each["kind"] in REMOVED:
            yield f"{said} is not there", objects[:index] + objects[index + 1 :]
        if each["kind"] == POLICIES:
            continue
        for *parents, last in places_of_names(each.get("spec", {})):
            where = ".".join(map(str, [*parents, last]))
            if FREE.search(where):
                continue
            mutant = copy.deepcopy(each)
            inner = mutant["spec"]
            for key in parents:
                inner = inner[key]
            inner[last] = "mistaken"
            yield f"{said}: {where}", [*objects[:index], mutant, *objects[index + 1 :]]


@pytest.mark.parametrize("run", OVERLAYS)
def test_every_mistake_in_a_name_is_noticed(rendered: dict[str, list[Object]], run: str) -> None:
    made = list(mistakes(rendered[run] + rendered["monitoring"]))

    unseen = [said for said, objects in sample(made) if dangling(objects, secrets()) == []]

    assert unseen == []
    assert len(made) > 100
