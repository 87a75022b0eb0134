"""Each alert has a page that says what to do, an owner, a severity and patience."""

import re
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

RUNBOOKS = REPOSITORY / "docs/runbooks.md"
URL = "https://github.com/mlarnes/mlops-core/blob/main/docs/runbooks.md#"
RULES = [
    rule
    for file in sorted((REPOSITORY / "k8s/monitoring/rules").glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_is_complete(rule: dict[str, Any]) -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)

    assert rule["labels"]["severity"] in {"critical", "warning", "none"}
    assert rule["labels"]["owner"] in {"ml", "platform"}
    assert {"summary", "description", "runbook_url"} == rule["annotations"].keys()
    assert rule["annotations"]["runbook_url"].removeprefix(URL) in [name.lower() for name in headings]
    assert ("for" in rule) is (rule["alert"] != "Watchdog")


def test_each_page_is_of_an_alert() -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)
    linked = {rule["annotations"]["runbook_url"].removeprefix(URL) for rule in ALERTS}

    assert {heading.lower() for heading in headings} == linked


def test_names_are_given_once() -> None:
    names = [rule.get("alert") or rule["record"] for rule in RULES]

    assert sorted(names) == sorted(set(names))
