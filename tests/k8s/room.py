"""Whether the quota has room for every pod, at the most there can be."""

from collections import Counter
from typing import Any

from tests.k8s.references import Pods, pods_of

Object = dict[str, Any]

UNITS = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text: str | int) -> float:
    """Return a quantity of Kubernetes as a number: cores, bytes or pieces."""
    for unit, factor in UNITS.items():
        if str(text).endswith(unit):
            return float(str(text).removesuffix(unit)) * factor
    return float(text)


def at_most(pods: Pods, objects: list[Object]) -> int:
    """Return how many of these pods there can be at once: in a rollout all twice, as who drains counts."""
    name = pods.owner["metadata"]["name"]
    if pods.owner["kind"] == "CronJob":
        return int(pods.owner["spec"]["jobTemplate"]["spec"].get("parallelism", 1))
    scaled = [
        each["spec"]["maxReplicas"]
        for each in objects
        if each["kind"] == "HorizontalPodAutoscaler" and each["spec"]["scaleTargetRef"]["name"] == name
    ]
    replicas = scaled[0] if scaled else pods.owner["spec"].get("replicas", 1)
    recreated = pods.owner["spec"].get("strategy", {}).get("type") == "Recreate"
    return int(replicas) * (2 if pods.owner["kind"] == "Deployment" and not recreated else 1)


def needed(objects: list[Object]) -> Counter[str]:
    """Return what all objects together take of each thing a quota counts."""
    total: Counter[str] = Counter()
    for pods in pods_of(objects):
        count = at_most(pods, objects)
        total["pods"] += count
        for container in pods.spec["containers"]:
            for kind in ("requests", "limits"):
                for resource, amount in container["resources"][kind].items():
                    total[f"{kind}.{resource}"] += count * quantity(amount)  # type: ignore[assignment]
    for each in objects:
        if each["kind"] == "PersistentVolumeClaim":
            total["persistentvolumeclaims"] += 1
            storage = each["spec"]["resources"]["requests"]["storage"]
            total["requests.storage"] += quantity(storage)  # type: ignore[assignment]
        if each["kind"] == "Service":
            total["services.nodeports"] += each["spec"].get("type") == "NodePort"
            total["services.loadbalancers"] += each["spec"].get("type") == "LoadBalancer"
    return total


def too_small(objects: list[Object]) -> list[str]:
    """Return what the quota has too little of, in words."""
    [quota] = [each["spec"]["hard"] for each in objects if each["kind"] == "ResourceQuota"]
    total = needed(objects)
    return [
        f"{name}: {total[name]:g} of {hard}" for name, hard in quota.items() if total[name] > quantity(hard)
    ]
