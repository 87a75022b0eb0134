"""`kubernetes_schemas.py FOLDER`: does every Kubernetes from FIRST on take the objects in FOLDER?"""

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from kubernetes_validate import SchemaNotFoundError, ValidationError, utils

FIRST = "1.28"
# A cluster gets these from somebody else. The tool has no schema of theirs, and passes what it does not know.
FOREIGN = {
    ("cloud.google.com/v1", "BackendConfig"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ("monitoring.googleapis.com/v1", "PodMonitoring"),
    ("networking.gke.io/v1", "ManagedCertificate"),
    ("networking.gke.io/v1beta1", "FrontendConfig"),
}

Object = dict[str, Any]


def objects_in(folder: Path) -> dict[str, tuple[str, Object]]:
    """Return where each object was found first, and it: the same in several overlays is one."""
    found: dict[str, tuple[str, Object]] = {}
    for file in sorted(folder.glob("*.yaml")):
        content = [each for each in yaml.load_all(file.read_bytes(), yaml.CSafeLoader) if each]
        if not content:
            sys.exit(f"error: {file.name}: no objects")
        for each in content:
            found.setdefault(json.dumps(each, sort_keys=True), (file.stem, each))
    return found


def problems(objects: list[tuple[str, Object]], version: str) -> Iterator[str]:
    unknown = set()
    for where, each in objects:
        name = f"{version}: {where}: {each['kind']} {each['metadata']['name']}"
        try:
            utils.validate(each, version, strict=True)
        except ValidationError as error:
            yield f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
        except SchemaNotFoundError:
            unknown.add((each["apiVersion"], each["kind"]))
    for kind in sorted(unknown ^ FOREIGN):
        yield f"{version}: {' '.join(kind)}: " + ("no schema" if kind in unknown else "is not there any more")


def main() -> None:
    objects = list(objects_in(Path(sys.argv[1])).values())
    utils.schema_contents = lru_cache(utils.schema_contents)  # it reads megabytes for each object
    versions = list(dict.fromkeys(utils.major_minor(version) for version in utils.all_versions()))
    versions = versions[versions.index(FIRST) :]
    found = [problem for version in versions for problem in problems(objects, version)]
    if found:
        sys.exit("\n".join(["error: kubernetes-validate", *found]))
    kinds = ", ".join(sorted(kind for _, kind in FOREIGN))
    print(f"schemas: {len(objects)} objects, {versions[0]} to {versions[-1]}, 0 errors; left out: {kinds}")


if __name__ == "__main__":
    main()
