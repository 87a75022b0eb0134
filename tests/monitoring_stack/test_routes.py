"""Alertmanager's configuration, asked of amtool: who hears of what."""

import pytest
import yaml

from tests.monitoring_stack.tools import ALERTMANAGER, RULES, run


def test_amtool_finds_nothing_wrong() -> None:
    done = run("amtool", "check-config", ALERTMANAGER)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=Watchdog severity=none owner=platform", "dead-man"),
        ("alertname=ApiDown severity=critical owner=platform", "platform-page"),
        ("alertname=WrongKeyStorm severity=warning owner=platform", "platform-ticket"),
        ("alertname=ModelNotLoaded severity=critical owner=ml", "ml-page"),
        ("alertname=FeatureDrift severity=warning owner=ml", "ml-ticket"),
        ("alertname=Unheard severity=new owner=nobody", "platform-ticket"),
    ],
)
def test_an_alert_reaches_its_owner(labels: str, receiver: str) -> None:
    arguments = [f"--config.file={ALERTMANAGER}", f"--verify.receivers={receiver}", *labels.split()]

    done = run("amtool", "config", "routes", "test", *arguments)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == receiver


def test_every_severity_and_owner_of_the_rules_is_routed_above() -> None:
    rules = [
        rule
        for file in RULES.glob("*.yaml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]

    assert {(rule["labels"]["severity"], rule["labels"]["owner"]) for rule in rules} == {
        ("none", "platform"),
        ("critical", "platform"),
        ("warning", "platform"),
        ("critical", "ml"),
        ("warning", "ml"),
    }
