"""docker-compose.yml read as data."""

import re
from typing import Any

import pytest
import yaml

from src.config import Settings
from src.version import VERSION
from tests.conftest import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {name for name, service in SERVICES.items() if service["restart"] == "no"}
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())


def test_by_default_there_is_the_api_alone() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["api"]


@each_service
def test_a_service_is_locked_down(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@each_service
def test_a_service_has_limits(service: dict[str, Any]) -> None:
    assert service["pids_limit"] <= 128
    assert service["cpus"] <= 2
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])


def test_one_service_alone_has_capabilities() -> None:
    assert [name for name, service in SERVICES.items() if "cap_add" in service] == ["postgres"]


@each_service
def test_an_image_is_one_release(service: dict[str, Any]) -> None:
    name, _, tag = service["image"].partition(":")

    assert re.match(r"v?\d+\.\d+", tag)
    if name.startswith("mlops-core"):
        assert tag == VERSION


@each_service
def test_nothing_is_published_outside_this_machine(service: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert service.get("network_mode") != "host"


def test_the_database_and_the_limits_reach_no_other_network() -> None:
    assert [name for name, network in COMPOSE["networks"].items() if network] == ["database", "limits"]
    assert COMPOSE["networks"]["database"] == COMPOSE["networks"]["limits"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert SERVICES["redis"]["networks"] == ["limits"]


@each_service
def test_no_secret_is_in_an_environment(service: dict[str, Any]) -> None:
    names = service.get("environment", {}).keys()

    assert [name for name in names if re.search("KEY|PASSWORD|SECRET|TOKEN", name)] in (
        [],
        ["POSTGRES_PASSWORD_FILE"],
    )


def test_every_service_that_stays_has_a_health_check() -> None:
    checked = {name for name, service in SERVICES.items() if "healthcheck" in service}

    assert ONE_SHOT == {"password", "train"}
    assert checked == SERVICES.keys() - ONE_SHOT - {"api"}  # the API's is in its image


def test_the_api_may_take_as_long_to_stop_as_its_settings_say() -> None:
    fields = Settings.model_fields
    longest = fields["drain_seconds"].default + fields["shutdown_seconds"].default

    assert float(SERVICES["api"]["stop_grace_period"].removesuffix("s")) > longest


def test_the_environment_of_the_api_is_its_settings() -> None:
    assert {name.lower() for name in SERVICES["api"]["environment"]} <= Settings.model_fields.keys()


def test_the_api_reads_its_models_and_never_writes_them() -> None:
    mounts = {volume["target"]: volume["read_only"] for volume in SERVICES["api"]["volumes"]}

    assert mounts == {"/app/models": True, "/app/mlruns": True}


LINKS = {"GRAFANA_URL": "grafana", "MLFLOW_URL": "mlflow", "PROMETHEUS_URL": "prometheus"}


@pytest.mark.parametrize("profile", ["mlflow", "monitoring"])
def test_the_page_links_to_what_a_profile_starts(profile: str) -> None:
    lines = (REPOSITORY / f"deploy/compose/{profile}.env").read_text().splitlines()
    links = {
        name: url
        for line in lines
        if (name := line.partition("=")[0]) in LINKS and (url := line.partition("=")[2])
    }

    expected = {
        name: service for name, service in LINKS.items() if SERVICES[service]["profiles"] == [profile]
    }
    assert links.keys() == expected.keys()
    for name, service in expected.items():
        assert SERVICES["api"]["environment"][name] == f"${{{name}:-}}"
        port = links[name].rpartition(":")[2]
        assert f":-{port}}}:" in SERVICES[service]["ports"][0]


@pytest.mark.parametrize("profile", ["mlflow", "redis"])
def test_a_profile_that_changes_the_api_has_its_variables_in_a_file(profile: str) -> None:
    lines = (REPOSITORY / f"deploy/compose/{profile}.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    assert values.pop("COMPOSE_PROFILES") == profile
    for name in values:
        assert f"${{{name}" in SERVICES["api"]["environment"][name]
    [value] = [one for name, one in values.items() if name not in LINKS]
    host = re.search(r"//(\w+):", value).group(1)
    assert SERVICES[host]["profiles"] == [profile]
    assert set(SERVICES[host]["networks"]).intersection(SERVICES["api"]["networks"])


def test_what_is_mounted_exists() -> None:
    mounts = [
        volume["source"]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if isinstance(volume, dict)
    ]
    made_by_training = {"./models", "./mlruns"}

    for source in set(mounts) - made_by_training:
        assert (REPOSITORY / re.sub(r"\$\{\w+:-(.*)\}", r"\1", source)).exists(), source


def test_the_monitoring_is_the_one_of_kubernetes() -> None:
    folder = REPOSITORY / "k8s/monitoring"
    for name in ("prometheus", "alertmanager", "grafana"):
        [container] = yaml.safe_load((folder / f"{name}-deployment.yaml").read_text())["spec"]["template"][
            "spec"
        ]["containers"]

        assert SERVICES[name]["image"] == container["image"]
