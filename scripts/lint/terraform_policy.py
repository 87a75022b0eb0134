"""Hold a plan of Terraform, as JSON, to what must be true of every resource, those of tomorrow too."""

import json
import sys
from collections.abc import Iterator
from typing import Any

ANYWHERE = "0.0.0.0/0"
# What cannot be granted on anything smaller than the project, and reads nothing that is stored.
PROJECT_ROLES = {
    "roles/container.defaultNodeServiceAccount",
    "roles/logging.logWriter",
    "roles/monitoring.metricWriter",
}
PRIMITIVE_ROLES = {"roles/editor", "roles/owner", "roles/viewer"}
PUBLIC = {"allAuthenticatedUsers", "allUsers"}
# Each of them puts a secret into the state, or takes rights away from others.
FORBIDDEN = {
    "google_project_iam_binding",
    "google_project_iam_policy",
    "google_secret_manager_secret_version",
    "google_secret_manager_secret_version_access",
    "google_service_account_key",
    "google_storage_hmac_key",
}
SECRETS = {"password", "private_key", "secret_data", "secret_data_wo"}


def problems(plan: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with `plan`, one line each."""
    resources = list(_resources(plan["planned_values"]["root_module"]))
    for resource in resources:
        for problem in _problems_of(resource["type"], resource["values"]):
            yield f"{resource['address']}: {problem}"
    for resource in plan["configuration"]["root_module"]["resources"]:
        if resource["type"] in FORBIDDEN:
            yield f"{resource['address']}: {resource['type']} is not allowed"
    denied = {
        rule["values"]["direction"]
        for rule in resources
        if rule["type"] == "google_compute_firewall"
        and any(deny["protocol"] == "all" for deny in rule["values"].get("deny", ()))
        and ANYWHERE in (rule["values"]["source_ranges"] or []) + (rule["values"]["destination_ranges"] or [])
    }
    yield from (f"no rule denies all {way}" for way in sorted({"EGRESS", "INGRESS"} - denied))


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _problems_of(kind: str, values: dict[str, Any]) -> Iterator[str]:
    for key, value in _walk(values):
        if key == "access_config" and value:
            yield "has a public address"
        if key in SECRETS and value:
            yield f"holds a secret, {key}"
        if key == "role" and value in PRIMITIVE_ROLES:
            yield f"grants {value}"
        if key in ("member", "members") and PUBLIC & set([value] if isinstance(value, str) else value):
            yield "is open to the public"
    if kind.startswith("google_project_iam_member") and values["role"] not in PROJECT_ROLES:
        yield f"grants {values['role']} on the whole project"
    if kind == "google_compute_firewall" and values["direction"] == "INGRESS" and values["allow"]:
        ports = [port for allow in values["allow"] for port in allow["ports"] or ["all"]]
        # Only the check of a domain by Let's Encrypt comes from everywhere.
        if any(source.endswith("/0") for source in values["source_ranges"] or [ANYWHERE]) and ports != ["80"]:
            yield f"lets everyone in to {', '.join(ports)}"
    if kind == "google_storage_bucket":
        if values["public_access_prevention"] != "enforced" or not values["uniform_bucket_level_access"]:
            yield "can be opened to the public"
        for rule in values["lifecycle_rule"]:
            if rule["action"][0]["type"] == "Delete" and rule["condition"][0]["with_state"] != "ARCHIVED":
                yield "deletes live objects"


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each key in `value`, at any depth, with what it holds."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    found = list(problems(plan))
    if found:
        sys.exit("\n".join(f"error: {sys.argv[1]}: {problem}" for problem in found))
    count = sum(1 for _ in _resources(plan["planned_values"]["root_module"]))
    print(f"policy {sys.argv[1]} {count} resources, nothing against it")


if __name__ == "__main__":
    main()
