"""The programs of the monitoring, as the system has them."""

import shutil
import subprocess
from pathlib import Path

from tests.conftest import REPOSITORY

MONITORING = REPOSITORY / "k8s/monitoring"
RULES = MONITORING / "rules"
ALERTMANAGER = MONITORING / "alertmanager/alertmanager.yaml"

_PACKAGES = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}


def program(name: str) -> str:
    """Return the path of a program; without it the tests fail, they do not pass unseen."""
    found = shutil.which(name)
    if found is None and name == "prometheus-alertmanager":
        found = shutil.which("alertmanager")  # as it is called outside Debian
    assert found, f"{name} is missing; on Debian and Ubuntu: apt-get install {_PACKAGES.get(name, name)}"
    return found


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run([program(name), *arguments], capture_output=True, text=True)
