"""What a running Alertmanager holds back because something said already explains it, and what it does not."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from tests import servers
from tests.monitoring_stack.tools import ALERTMANAGER, RULES, program
from tests.ports import free_port
from tests.servers import PATIENCE, Server, answers

Labels = dict[str, str]

BURNS = [f"{slo}Burns{speed}" for slo in ("Availability", "Latency") for speed in ("Fast", "Medium", "Slow")]
HELD_BACK = {  # by what, and what
    *(("ApiDown", other) for other in ("ApiInstanceDown", "ModelNotLoaded", *BURNS)),
    *(
        (f"{slo}BurnsFast", f"{slo}Burns{speed}")
        for slo in ("Availability", "Latency")
        for speed in ("Medium", "Slow")
    ),
    *((f"{slo}BurnsMedium", f"{slo}BurnsSlow") for slo in ("Availability", "Latency")),
    ("FeatureDrift", "FeatureDriftSlow"),
}


def labels_of_alerts() -> dict[str, Labels]:
    """Return the labels that each alert has, as promtool was shown that it has them."""
    found: dict[str, Labels] = {}
    for file in sorted((RULES / "tests").glob("*.yaml")):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for asked in test.get("alert_rule_test", ()):
                for alert in asked.get("exp_alerts", ()):
                    found.setdefault(
                        asked["alertname"], {"alertname": asked["alertname"], **alert["exp_labels"]}
                    )
    return found


ALERTS = labels_of_alerts()


class Alertmanager:
    """Told of alerts, and asked what it makes of them."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v2"

    def tell(self, *alerts: Labels, ended: bool = False) -> None:
        now = datetime.now(UTC)
        ends = now if ended else now + timedelta(hours=1)
        message = [
            {
                "labels": labels,
                "startsAt": (now - timedelta(minutes=1)).isoformat(),
                "endsAt": ends.isoformat(),
            }
            for labels in alerts
        ]
        assert servers.post(f"{self.url}/alerts", json=message).status_code == 200

    def silent(self, case: str) -> list[tuple[str, bool]]:
        """Return the alerts of `case`, in their order, and whether another one holds each back."""
        found = servers.get(f"{self.url}/alerts", params={"filter": f'case="{case}"'}).json()
        return sorted((one["labels"]["alertname"], bool(one["status"]["inhibitedBy"])) for one in found)

    def held_back(self) -> set[tuple[str, str]]:
        """Return the cases, and which alert of it is held back."""
        found = servers.get(f"{self.url}/alerts").json()
        return {
            (one["labels"].get("case", ""), one["labels"]["alertname"])
            for one in found
            if one["status"]["inhibitedBy"]
        }


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    folder = tmp_path_factory.mktemp("alertmanager")
    port = free_port()
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={ALERTMANAGER}",
        f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    server = Server(command, folder, folder / "log")
    try:
        running = Alertmanager(port)
        server.wait_until(lambda: answers(f"{running.url}/status"), "Alertmanager answers")
        yield running
    finally:
        server.end()


def wait_until(happened: Callable[[], bool], otherwise: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)


def test_each_alert_of_the_rules_is_known_here() -> None:
    rules = [
        rule["alert"]
        for file in RULES.glob("*.yaml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]

    assert sorted(ALERTS) == sorted(rules)


def test_of_all_pairs_these_are_held_back_and_no_others(alertmanager: Alertmanager) -> None:
    pairs = [(source, target) for source in ALERTS for target in ALERTS if source != target]
    pairs.sort(key=lambda pair: pair in HELD_BACK)  # once these are known, all are

    alertmanager.tell(
        *({**ALERTS[name], "job": f"{pair}", "case": f"{pair}"} for pair in pairs for name in pair)
    )

    expected = {(f"{pair}", pair[1]) for pair in HELD_BACK}
    expected |= {(f"{(target, source)}", target) for source, target in HELD_BACK}  # the same, told otherwise
    wait_until(lambda: alertmanager.held_back() >= expected, lambda: expected - alertmanager.held_back())
    assert alertmanager.held_back() == expected


@pytest.mark.parametrize(
    ("source", "target", "label"),
    [
        ("ApiDown", "ModelNotLoaded", "job"),
        ("AvailabilityBurnsFast", "AvailabilityBurnsSlow", "job"),
        ("AvailabilityBurnsMedium", "AvailabilityBurnsSlow", "slo"),
        ("FeatureDrift", "FeatureDriftSlow", "feature"),
        ("FeatureDrift", "FeatureDriftSlow", "version"),
    ],
)
def test_the_same_of_something_else_is_said(
    alertmanager: Alertmanager, source: str, target: str, label: str
) -> None:
    case = f"{source}, {target}, {label}"
    common = {"job": case, "case": case}

    alertmanager.tell(
        {**ALERTS[source], **common},
        {**ALERTS[target], **common, label: f"another than of {case}"},
        {**ALERTS[target], **common},
    )

    expected = [(source, False), (target, False), (target, True)]
    wait_until(lambda: alertmanager.silent(case) == expected, lambda: alertmanager.silent(case))


def test_what_was_held_back_is_said_when_its_cause_is_over(alertmanager: Alertmanager) -> None:
    down, without_model = (
        {**ALERTS[name], "job": "over", "case": "over"} for name in ("ApiDown", "ModelNotLoaded")
    )
    alertmanager.tell(down, without_model)
    expected = [("ApiDown", False), ("ModelNotLoaded", True)]
    wait_until(lambda: alertmanager.silent("over") == expected, lambda: alertmanager.silent("over"))

    alertmanager.tell(down, ended=True)

    expected = [("ModelNotLoaded", False)]
    wait_until(lambda: alertmanager.silent("over") == expected, lambda: alertmanager.silent("over"))
