"""The rules, asked of promtool: they do what their tests say, and the tests would notice if not."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring_stack.mutants import Mutant, changed_by, mutants, name_of, needed_by, seconds
from tests.monitoring_stack.tools import RULES, run
from tests.mutants import sample

FILES = sorted(RULES.glob("*.yaml"))
TESTS = sorted((RULES / "tests").glob("*.yaml"))
SELDOM_FIRST = sorted(  # what evaluates seldom is done soon
    TESTS, key=lambda file: -seconds(yaml.safe_load(file.read_text())["evaluation_interval"])
)


def alerts() -> list[str]:
    groups = [group for file in FILES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


def test_promtool_finds_nothing_wrong() -> None:
    done = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *FILES)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.stem)
def test_rules_do_what_their_tests_say(test: Path) -> None:
    done = run("promtool", "test", "rules", test)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_is_seen_quiet_firing_and_resolved(alert: str) -> None:
    states = []
    for file in TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            asked = [one for one in test.get("alert_rule_test", ()) if one["alertname"] == alert]
            states.append([bool(one.get("exp_alerts")) for one in asked])

    if alert == "Watchdog":  # never quiet
        assert [True, True] in states
    else:
        assert any(found[0] is False and True in found and found[-1] is False for found in states if found)


def concerns(test: dict[str, Any], names: set[str]) -> bool:
    asked = [one["alertname"] for one in test.get("alert_rule_test", ())]
    asked += [word for one in test.get("promql_expr_test", ()) for word in re.findall(r"[\w:]+", one["expr"])]
    return bool(names & set(asked))


def survives(mutant: Mutant, file: Path, folder: Path) -> bool:
    """Return whether all tests of the mutant's file pass that its rule has a say in."""
    folder.mkdir()
    groups = yaml.safe_load(file.read_text())["groups"]
    [group] = [group for group in groups if mutant.rule in group["rules"]]
    names = changed_by(group["rules"], mutant.rule)
    kept = needed_by(group["rules"], names)
    group["rules"] = [mutant.changed if rule == mutant.rule else rule for rule in kept]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [group]}))
    for test in SELDOM_FIRST:
        content = yaml.safe_load(test.read_text())
        content["tests"] = [one for one in content["tests"] if concerns(one, names)]
        if f"../{file.name}" not in content["rule_files"] or not content["tests"]:
            continue
        content["rule_files"] = ["rules.yaml"]
        for one in content["tests"]:  # the alerts that are left out would be missed
            one["alert_rule_test"] = [
                asked for asked in one.get("alert_rule_test", ()) if asked["alertname"] in names
            ]
            one["promql_expr_test"] = [
                asked
                for asked in one.get("promql_expr_test", ())
                if names & set(re.findall(r"[\w:]+", asked["expr"]))
            ]
        (folder / test.name).write_text(yaml.safe_dump(content))
        if run("promtool", "test", "rules", folder / test.name).returncode != 0:
            return False
    return True


@pytest.mark.timeout(2400)  # all of them, on a machine that others keep busy
def test_a_wrong_threshold_window_or_patience_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [
        (mutant, file)
        for file in FILES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        for mutant in mutants(rule)
    ]
    made = sample(every)
    folders = [tmp_path / str(number) for number in range(len(made))]

    monkeypatch.setenv("GOMAXPROCS", "1")  # as many run at once as there are processors
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        lives = list(threads.map(lambda one, folder: survives(*one, folder), made, folders))

    survived = [mutant.changed for (mutant, _), alive in zip(made, lives, strict=True) if alive]
    print(f"{len(made) - len(survived)} of {len(made)} mutants noticed, all but these:")
    print(*(f"{name_of(rule)}: {rule.get('for', '')} {rule['expr']}" for rule in survived), sep="\n")
    assert len(every) > 400
    assert len(survived) <= 0.1 * len(made)
