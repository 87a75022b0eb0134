"""The manifests as kubectl renders them."""

import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

K8S = REPOSITORY / "k8s"
DEPLOY = REPOSITORY / "deploy/overlays"
OVERLAYS = sorted(path.parent.name for path in DEPLOY.glob("*/kustomization.yaml"))
FOLDERS = {
    "base": K8S,
    **{name: DEPLOY / name for name in OVERLAYS},
    "monitoring": K8S / "monitoring",
}

Object = dict[str, Any]


def render(folder: Path) -> list[Object]:
    """Return the objects of a kustomization; without kubectl the tests fail, they do not pass unseen."""
    kubectl = shutil.which("kubectl")
    assert kubectl, "kubectl is missing: https://kubernetes.io/docs/tasks/tools/"
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


@lru_cache
def render_all() -> dict[str, list[Object]]:
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(FOLDERS, pool.map(render, FOLDERS.values()), strict=True))


def one(objects: Iterable[Object], kind: str, name: str) -> Object:
    """Return the object of that kind and name; there is exactly one."""
    [found] = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


@pytest.fixture(scope="session")
def rendered() -> dict[str, list[Object]]:
    """The objects of `base`, of each overlay by its name, and of `monitoring`, beside any of them."""
    return render_all()
