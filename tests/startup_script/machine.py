"""A VM in a folder: the startup script as Terraform renders it, and programs that note their calls."""

import json
import re
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

from tests.conftest import REPOSITORY

TEMPLATE = REPOSITORY / "terraform/scripts/startup-script.sh.tpl"
DIGEST = "sha256:" + "0123456789abcdef" * 4
KEY = "key-" + "k" * 40
TOKEN = "ya29.token-of-the-vm"
SUBNET = "172.18.0.0/16"
VALUES = {
    "project_id": "a-project",
    "region": "europe-west1",
    "image": f"europe-west1-docker.pkg.dev/a-project/mlops/mlops-core@{DIGEST}",
    "api_key_secret": "mlops-api-key",
    "secret_version": "latest",
    "model_uri": "gs://a-project-models/mlruns/",
    "port": "8000",
    "cors_origins": "https://example.com,https://www.example.com",
    "domain": "",
    "letsencrypt_email": "",
    "forwarded_allow_ips": "130.211.0.0/22,35.191.0.0/16",
}
# All that the machine has. What is not replaced below does what it always does.
PROGRAMS = (
    *("base64", "cat", "chmod", "grep", "mkdir", "rm", "sed"),
    *("chown", "curl", "docker", "systemctl"),
)
# Notes its arguments, environment and, for the two that take a secret, its input; then does its part.
PROGRAM = r"""#!/bin/bash
name=${0##*/}
printf '%s\n' "$name $*" >> "$MACHINE/calls"
/usr/bin/env >> "$MACHINE/environments"
case "$name $*" in
    chown\ *) ;;
    curl*metadata.google.internal*) /bin/cat "$MACHINE/token.json" ;;
    curl*secretmanager*)
        [ "$(/bin/cat)" = "Authorization: Bearer $(/bin/cat "$MACHINE/token")" ] || exit 22
        /bin/cat "$MACHINE/secret.json" 2>/dev/null || exit 22
        ;;
    docker\ login*)
        /bin/mkdir "$DOCKER_CONFIG"
        /bin/cat > "$DOCKER_CONFIG/config.json"
        ;;
    docker\ pull*) [ ! -f "$MACHINE/no-registry" ] ;;
    docker\ network\ create*) : > "$MACHINE/network" ;;
    docker\ network\ inspect*) [ -f "$MACHINE/network" ] && echo "$SUBNET" ;;
    systemctl\ start*|systemctl\ restart*) : > "$MACHINE/running/$2" ;;
    systemctl\ stop*) /bin/rm "$MACHINE/running/$2" ;;
    systemctl\ daemon-reload) ;;
    *) exec "/bin/$name" "$@" ;;
esac
"""


def render(template: str, values: dict[str, str]) -> str:
    """Return what Terraform's `templatefile` would; no other part of its language may be used."""
    assert "%{" not in template
    text = re.sub(r"(?<!\$)\$\{(\w+)\}", lambda found: values[found.group(1)], template)
    return text.replace("$${", "${")


class Machine:
    """A VM whose `/run` and `/var/lib` are folders of `root`."""

    def __init__(self, root: Path) -> None:
        self.disk = root / "disk"
        self.state = root / "state"
        self.programs = root / "bin"
        self.private = self.disk / "run/mlops-api"
        self.units = self.disk / "run/systemd/system"
        for folder in (self.disk, self.state / "running", self.programs):
            folder.mkdir(parents=True)
        for name in PROGRAMS:
            (self.programs / name).write_text(PROGRAM)
            (self.programs / name).chmod(0o755)
        self.give_token(TOKEN)
        self.give_secret(KEY)

    def give_token(self, token: str) -> None:
        (self.state / "token").write_text(token)
        answer = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        (self.state / "token.json").write_text(json.dumps(answer, separators=(",", ":")))

    def give_secret(self, key: str) -> None:
        data = b64encode(key.encode()).decode()
        name = "projects/1/secrets/mlops-api-key/versions/3"
        answer = {"name": name, "payload": {"data": data, "dataCrc32c": "12"}}
        (self.state / "secret.json").write_text(json.dumps(answer, indent=2) + "\n")

    def take_secret(self) -> None:
        (self.state / "secret.json").unlink()

    def take_docker(self) -> None:
        (self.programs / "docker").unlink()

    def take_registry(self) -> None:
        (self.state / "no-registry").touch()

    def boot(self, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the script; `changes` are values of the template."""
        script = render(TEMPLATE.read_text(), {**VALUES, **changes})
        for folder in ("/run/", "/var/lib/"):
            script = re.sub(rf"(?<![\w/]){folder}(?!secrets)", f"{self.disk}{folder}", script)
        bash = shutil.which("bash")
        assert bash is not None
        environment = {"PATH": str(self.programs), "MACHINE": str(self.state), "SUBNET": SUBNET}
        (self.state / "calls").write_text("")
        return subprocess.run(
            [bash, "-s"], input=script, env=environment, cwd=self.disk, capture_output=True, text=True
        )

    def calls(self) -> list[str]:
        """Return the commands of the last run."""
        return (self.state / "calls").read_text().replace(str(self.disk), "").splitlines()

    def running(self) -> set[str]:
        return {path.name for path in (self.state / "running").iterdir()}

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Return every file and folder of the disk, with its mode and content."""
        return {
            str(path.relative_to(self.disk)): (
                path.stat().st_mode & 0o777,
                path.read_bytes() if path.is_file() else b"",
            )
            for path in sorted(self.disk.rglob("*"))
        }

    def unit(self, name: str) -> dict[str, str]:
        """Return the lines of a unit, each joined."""
        text = (self.units / name).read_text().replace(str(self.disk), "").replace("\\\n", " ")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
