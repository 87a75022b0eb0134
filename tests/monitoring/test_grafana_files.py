"""What Grafana is given fits together: dashboards, data source, folders, and the images in both places."""

import json
import re
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "k8s/monitoring"
DASHBOARDS = {
    file.stem: json.loads(file.read_text()) for file in (FOLDER / "grafana/dashboards").glob("*.json")
}
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
PROGRAMS = ("prometheus", "alertmanager", "grafana")


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def mounts_in_compose(service: str) -> set[str]:
    return {volume["target"] for volume in COMPOSE[service]["volumes"] if isinstance(volume, dict)}


def mounts_in_kubernetes(name: str) -> set[str]:
    [container] = read(f"{name}-deployment.yaml")["spec"]["template"]["spec"]["containers"]
    return {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("name", PROGRAMS)
def test_compose_and_kubernetes_run_the_same_version(name: str) -> None:
    [container] = read(f"{name}-deployment.yaml")["spec"]["template"]["spec"]["containers"]

    assert container["image"] == COMPOSE[name]["image"]
    assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?", container["image"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_what_the_schema_says(name: str) -> None:
    content = DASHBOARDS[name]

    assert json.loads(JSONEncoder().encode(Dashboard.from_json(content))) == content


def test_dashboards_and_panels_are_told_apart() -> None:
    uids = [content["uid"] for content in DASHBOARDS.values()]

    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)
    for content in DASHBOARDS.values():
        titles = [panel["title"] for panel in content["panels"]]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in content["panels"]]
        assert len(set(titles)) == len(titles)
        assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_asks_the_data_source_there_is(name: str) -> None:
    [source] = read("grafana/datasource.yaml")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    content = DASHBOARDS[name]

    for one in [*content["panels"], *content.get("templating", {}).get("list", ())]:
        assert one["datasource"] == wanted


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_is_defined_and_used(name: str) -> None:
    content = DASHBOARDS[name]
    defined = {one["name"] for one in content.get("templating", {}).get("list", ())}

    assert set(re.findall(r"\$\{?(\w+)", json.dumps(content["panels"]))) == defined


def test_the_data_source_is_the_prometheus_of_both() -> None:
    [source] = read("grafana/datasource.yaml")["datasources"]
    service = read("prometheus-service.yaml")

    assert source["url"] == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert COMPOSE["prometheus"]["ports"][0].endswith(f":{service['spec']['ports'][0]['port']}")


def test_grafana_finds_its_files_in_both() -> None:
    [provider] = read("grafana/provider.yaml")["providers"]
    provisioning = "/etc/grafana/provisioning"

    assert mounts_in_kubernetes("grafana") >= {
        provider["options"]["path"],
        f"{provisioning}/datasources",
        f"{provisioning}/dashboards",
    }
    assert mounts_in_compose("grafana") == {
        provider["options"]["path"],
        f"{provisioning}/datasources/datasource.yaml",
        f"{provisioning}/dashboards/provider.yaml",
    }
