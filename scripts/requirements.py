"""Print the locked packages of some dependency groups as pip requirements with hashes.

python scripts/requirements.py serving > requirements.txt
pip install --no-deps --require-hashes -r requirements.txt
"""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def requirements(lock: dict[str, Any], groups: Sequence[str]) -> Iterator[str]:
    """Yield one requirement for each package of `lock` that one of `groups` needs."""
    for package in lock["package"]:
        wanted = [group for group in groups if group in package["groups"]]
        if not wanted:
            continue
        marker = _marker(package.get("markers", ""), wanted)
        hashes = " ".join(f"--hash={file['hash']}" for file in package["files"])
        yield f"{package['name']}=={package['version']}{marker and f' ; {marker}'} {hashes}"


def _marker(markers: str | dict[str, str], groups: Sequence[str]) -> str:
    """Return when the package is needed: always ("") as soon as one group needs it always."""
    if isinstance(markers, str):
        return markers
    alternatives = [markers.get(group, "") for group in groups]
    return " or ".join(f"({marker})" for marker in alternatives) if all(alternatives) else ""


def main() -> None:
    lock = tomllib.loads(Path("poetry.lock").read_text(encoding="utf-8"))
    print("\n".join(requirements(lock, sys.argv[1:])))


if __name__ == "__main__":
    main()
