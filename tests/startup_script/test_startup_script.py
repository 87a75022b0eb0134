"""terraform/scripts/startup-script.sh.tpl, run on a machine in a folder."""

import json
import logging
import re
import shlex
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from src.config import SECRETS, Settings
from src.serving.logs import JsonFormatter
from tests.conftest import REPOSITORY
from tests.startup_script.machine import DIGEST, KEY, SUBNET, TEMPLATE, TOKEN, VALUES, Machine, render

API: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]["api"]
WITH_TLS = {"domain": "api.example.com", "letsencrypt_email": "ops@example.com"}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def options(command: str) -> dict[str, list[str]]:
    """Return the options of `docker run`, each with its values; `""` has the image."""
    program, run, *words = shlex.split(command)
    assert (program, run) == ("/usr/bin/docker", "run")
    found: dict[str, list[str]] = {}
    while words[0].startswith("--"):
        option = words.pop(0)
        has_value = option not in ("--rm", "--read-only")
        found.setdefault(option, []).append(words.pop(0) if has_value else "")
    return {**found, "": words}


def test_the_template_asks_for_what_terraform_gives() -> None:
    assert set(re.findall(r"(?<!\$)\$\{(\w+)\}", TEMPLATE.read_text())) == VALUES.keys()
    assert render("${port} $${port} $port", {"port": "1"}) == "1 ${port} $port"


def test_the_api_is_started(machine: Machine) -> None:
    result = machine.boot()

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == f"mlops-api started: {VALUES['image']}"
    assert machine.running() == {"mlops-api.service", "mlops-logs.service"}
    assert f"docker pull --quiet {VALUES['image']}" in machine.calls()
    assert machine.calls()[-2] == "systemctl start mlops-api.service"


@pytest.mark.parametrize("values", [{}, WITH_TLS], ids=["behind a load balancer", "with TLS"])
def test_running_again_ends_in_the_same_state(values: dict[str, str], machine: Machine) -> None:
    codes, trees, running, calls = [], [], [], []
    for _ in range(3):
        codes.append(machine.boot(**values).returncode)
        trees.append(machine.tree())
        running.append(machine.running())
        calls.append(sorted(machine.calls()))  # a pipe's begin in any order

    assert codes == [0, 0, 0]
    assert trees[0] == trees[1] == trees[2]
    assert running[0] == running[1] == running[2]
    assert calls[1] == calls[2]
    assert set(calls[0]) - set(calls[1]) == {
        "docker network create --opt com.docker.network.driver.mtu=1460 mlops"
    }
    units = running[0] - {"mlops-logs.service"}
    assert set(calls[1]) - set(calls[0]) == {
        line for unit in units for line in (f"systemctl stop {unit}", f"rm /run/systemd/system/{unit}")
    }


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (Machine.take_secret, ["error: secret mlops-api-key cannot be read"]),
        (lambda machine: machine.give_secret(""), ["error: secret mlops-api-key is empty"]),
        (lambda machine: machine.give_secret(" \n"), ["error: secret mlops-api-key is empty"]),
        (lambda machine: machine.give_token(""), ["error: the metadata server gave no token"]),
        (Machine.take_docker, ["error: there is no Docker; boot Container-Optimized OS"]),
        (Machine.take_registry, []),  # Docker says it
    ],
)
@pytest.mark.parametrize("before", [{}, WITH_TLS], ids=["first boot", "was running"])
def test_a_failure_leaves_nothing_running(
    break_it: Callable[[Machine], None], said: list[str], before: dict[str, str], machine: Machine
) -> None:
    if before:
        assert machine.boot(**before).returncode == 0
    break_it(machine)

    result = machine.boot()

    assert (result.returncode, result.stderr.splitlines()) == (1, said)
    assert machine.running() == {"mlops-logs.service"}  # which tells of it
    assert [path.name for path in machine.units.iterdir()] == ["mlops-logs.service"]
    assert not [call for call in machine.calls() if call.startswith("systemctl start")]


@pytest.mark.parametrize(
    "image",
    [
        "",
        "mlops-core:1.0.0",
        f"mlops-core:{DIGEST}",
        f"mlops-core@{DIGEST[:-1]}",
        f"mlops-core@{DIGEST}0",
        f"mlops-core@{DIGEST.upper()}",
        f"@{DIGEST}",
        f"--privileged mlops-core@{DIGEST}",
    ],
)
def test_an_image_by_anything_but_a_digest_is_refused(image: str, machine: Machine) -> None:
    result = machine.boot(image=image)

    assert (result.returncode, result.stderr) == (1, f"error: {image} is not an image by digest\n")
    assert machine.running() == {"mlops-logs.service"}
    assert not [call for call in machine.calls() if call.startswith(("curl", "docker"))]


def test_without_a_secret_there_is_no_key_left(machine: Machine) -> None:
    machine.boot()
    machine.take_secret()

    machine.boot()

    assert KEY.encode() not in b"".join(content for _, content in machine.tree().values())


@pytest.mark.parametrize("values", [{}, WITH_TLS], ids=["behind a load balancer", "with TLS"])
def test_the_key_is_in_one_file_that_only_root_reaches(values: dict[str, str], machine: Machine) -> None:
    results = [machine.boot(**values), machine.boot(**values)]

    said = [result.stdout + result.stderr for result in results]
    noted = "\n".join([*said, *machine.calls(), (machine.state / "environments").read_text()])
    for secret in (KEY, TOKEN, b64encode(KEY.encode()).decode()):
        assert secret not in noted
        holding = [name for name, (_, content) in machine.tree().items() if secret.encode() in content]
        assert holding == (["run/mlops-api/api_key"] if secret == KEY else [])
    assert machine.tree()["run/mlops-api/api_key"] == (0o400, KEY.encode())
    assert machine.tree()["run/mlops-api"] == (0o700, b"")
    assert "chown 10001 /run/mlops-api/api_key" in machine.calls()
    assert [name for name, (mode, _) in machine.tree().items() if mode & 0o077] == []


def test_the_image_is_fetched_as_the_vm_and_the_token_goes_again(machine: Machine) -> None:
    result = machine.boot(region="us-east1")

    login = "docker login --username oauth2accesstoken --password-stdin https://us-east1-docker.pkg.dev"
    assert result.returncode == 0
    assert machine.calls().index(login) < machine.calls().index(f"docker pull --quiet {VALUES['image']}")
    assert not (machine.private / "docker").exists()


def test_the_container_is_locked_down_as_with_compose(machine: Machine) -> None:
    machine.boot(port="9000")

    unit = machine.unit("mlops-api.service")
    given = options(unit["ExecStart"])
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    [user] = set(re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE))
    [port] = set(re.findall(r"^EXPOSE (.*)$", dockerfile, re.MULTILINE))
    assert given == {
        "--name": ["mlops-api"],
        "--rm": [""],
        "--pull": ["never"],
        "--log-driver": ["none"],
        "--network": ["mlops"],
        "--publish": [f"9000:{port}"],
        "--read-only": [""],
        "--tmpfs": API["tmpfs"],
        "--cap-drop": API["cap_drop"],
        "--security-opt": API["security_opt"],
        "--user": [user],
        "--memory": [API["mem_limit"]],
        "--memory-swap": [API["mem_limit"]],
        "--pids-limit": [str(API["pids_limit"])],
        "--env-file": ["/run/mlops-api/environment"],
        "--mount": [f"type=bind,source=/run/mlops-api/api_key,target={SECRETS}/api_key,readonly"],
        "": [VALUES["image"]],
    }
    assert API["read_only"] is True
    grace = int(API["stop_grace_period"].removesuffix("s"))
    assert unit["ExecStop"] == f"-/usr/bin/docker stop --time {grace} mlops-api"
    assert int(unit["TimeoutStopSec"]) > grace


@pytest.mark.parametrize(
    ("values", "proxies"), [({}, ("130.211.0.0/22", "35.191.0.0/16")), (WITH_TLS, (SUBNET,))]
)
def test_the_server_takes_its_environment(
    values: dict[str, str], proxies: tuple[str, ...], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.boot(**values)
    for line in (machine.private / "environment").read_text().splitlines():
        monkeypatch.setenv(*line.split("=", 1))

    settings = Settings(_secrets_dir=machine.private)

    assert [key.get_secret_value() for key in settings.api_key] == [KEY]
    assert settings.environment == "production"
    assert settings.mlflow_tracking_uri == "gs://a-project-models/mlruns/"
    assert settings.cors_origins == ("https://example.com", "https://www.example.com")
    assert settings.forwarded_allow_ips == proxies


def test_a_domain_puts_tls_before_the_api(machine: Machine) -> None:
    machine.boot(**WITH_TLS)

    given = options(machine.unit("mlops-tls.service")["ExecStart"])
    [image] = given[""]
    assert machine.running() == {"mlops-api.service", "mlops-logs.service", "mlops-tls.service"}
    assert f"docker pull --quiet {image}" in machine.calls()
    assert re.fullmatch(r"caddy:\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", image)
    assert given["--publish"] == ["80:80", "443:443"]
    assert (given["--cap-drop"], given["--cap-add"]) == (["ALL"], ["NET_BIND_SERVICE"])
    assert given["--security-opt"] == ["no-new-privileges:true"]
    assert given["--user"] == ["10001:10001"]
    assert "--read-only" in given
    assert (machine.private / "Caddyfile").read_text() == (
        "{\n\tadmin off\n\temail ops@example.com\n}\n"
        "api.example.com {\n\trespond /metrics 404\n\treverse_proxy mlops-api:8000\n}\n"
    )


def test_a_domain_that_is_taken_back_ends_tls(machine: Machine) -> None:
    machine.boot(**WITH_TLS)

    machine.boot()

    assert machine.running() == {"mlops-api.service", "mlops-logs.service"}
    assert not (machine.private / "Caddyfile").exists()


def test_a_line_of_the_log_keeps_its_fields(machine: Machine) -> None:
    machine.boot()

    logs = machine.disk / "run/mlops-logs"
    text = (logs / "fluent-bit.conf").read_text() + "\n" + (logs / "parsers.conf").read_text()
    parts = [part.splitlines() for part in text.replace(str(machine.disk), "").split("\n\n")]
    entries = [(part[0], *(line.split(maxsplit=1) for line in part[1:])) for part in parts]
    service, source, parse, level, out, parser = [(name, dict(lines)) for name, *lines in entries]
    assert service == ("[SERVICE]", {"Parsers_File": "/run/mlops-logs/parsers.conf"})
    assert ["Systemd_Filter", "_SYSTEMD_UNIT=mlops-api.service"] in entries[1]
    assert source[1]["Tag"] == parse[1]["Match"] == level[1]["Match"] == out[1]["Match"] == "mlops-api"
    assert (parse[1]["Name"], parse[1]["Key_Name"], parse[1]["Parser"]) == ("parser", "MESSAGE", "line")
    assert (parser[1]["Name"], parser[1]["Format"], parser[1]["Time_Key"]) == ("line", "json", "time")
    assert level[1]["Copy"] == f"level {out[1]['Severity_Key']}"
    stored = machine.unit("mlops-logs.service")["StateDirectory"]
    assert source[1]["DB"] == f"/var/lib/{stored}/position"


def test_the_log_finds_what_the_server_writes(machine: Machine) -> None:
    machine.boot()
    line = json.loads(JsonFormatter().format(logging.makeLogRecord({"levelname": "ERROR", "created": 0.5})))

    text = (machine.disk / "run/mlops-logs/parsers.conf").read_text()
    [pattern] = re.findall(r"Time_Format (.*)", text)
    assert line["level"] == "ERROR"
    assert datetime.strptime(line["time"], pattern.replace("%L", "%f")) == datetime(
        1970, 1, 1, 0, 0, 0, 500_000
    )
