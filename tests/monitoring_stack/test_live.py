"""What users would feel is made to happen, and the right people hear of it, and hear when it is over."""

import itertools
import json
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml

from src import bundle as bundles
from src.bundle import Training
from src.monitoring.profile import Profile, profile
from src.runtime.session import open_model
from src.schema import Schema, to_features
from tests.conftest import REPOSITORY
from tests.monitoring_stack.stack import KEY, Stack, faster, faster_rules, running_stack
from tests.monitoring_stack.tools import MONITORING, RULES
from tests.process.conftest import train

Rows = list[dict[str, float]]


def trained(
    schema: Schema, training: Training, metrics: dict[str, Any]
) -> tuple[dict[str, bytes], Profile, Rows]:
    """Return a bundle of iris, its profile, and the rows."""
    table = pd.read_csv(REPOSITORY / "data/iris.csv").iloc[:, :4].set_axis(schema.names, axis="columns")
    model, example = train(schema)
    features = to_features(schema, table)
    reference = profile(schema, features, open_model(model, schema).predict(features).labels)
    files = {
        bundles.MODEL: model,
        bundles.SCHEMA: bundles.dump_json(schema.model_dump(mode="json")),
        bundles.PROFILE: bundles.dump_json(reference.model_dump(mode="json")),
        bundles.EXAMPLE: bundles.dump_json(example.model_dump(mode="json")),
    }
    rows = [{name: float(row[name]) for name in schema.names} for row in table.to_dict("records")]
    return bundles.seal(training, metrics, files), reference, rows


def psi(counted: np.ndarray[Any, np.dtype[np.float64]], shares: tuple[float, ...]) -> float:
    actual = np.maximum(counted / counted.sum(), 1e-4)
    expected = np.maximum(np.array(shares), 1e-4)
    return float(((actual - expected) * np.log(actual / expected)).sum())


@contextmanager
def traffic(stack: Stack, rows: Rows, every: float = 0.02, **headers: str) -> Iterator[None]:
    """Send `rows` to both instances, again and again, as long as the block lasts."""
    stop = threading.Event()

    def send() -> None:
        with httpx.Client(headers={"X-API-Key": KEY, **headers}) as client:
            for row, name in zip(itertools.cycle(rows), itertools.cycle(("one", "two")), strict=False):
                if stop.wait(every):
                    return
                try:
                    client.post(f"http://{stack.address(name)}/predict", json=row)
                except httpx.TransportError:
                    continue  # it was killed, that is what is tested

    thread = threading.Thread(target=send)
    thread.start()
    yield
    stop.set()
    thread.join()


def check_psi(stack: Stack, schema: Schema, reference: Profile, rows: Rows) -> None:
    """Send `rows` once, and compare with numpy what Prometheus makes of them.

    To one instance: `increase` extrapolates each by its own times of scraping, so that over several it is
    only about right. Over several, scraped at one time, promtool's tests compare it.
    """
    for row in rows:
        answer = httpx.post(f"http://{stack.address('one')}/predict", json=row, headers={"X-API-Key": KEY})
        assert answer.status_code == 200
    features = to_features(schema, pd.DataFrame(rows))
    for place, (name, one) in enumerate((name, reference.features[name]) for name in schema.names):
        assert one.type == "numeric"
        counted = np.bincount(one.slots(features.numeric[:, place]), minlength=len(one.shares)).astype(float)

        def agrees(name: str = name, expected: float = psi(counted, one.shares)) -> bool:
            found = stack.query(f'version_feature:psi:1h{{feature="{name}"}}')
            return len(found) == 1 and math.isclose(float(found[0]["value"][1]), expected, abs_tol=1e-6)

        stack.wait_for(agrees, f"PSI of {name} by PromQL equals that by numpy", 10)


def rule_expressions() -> Iterator[str]:
    """Return the expressions of the rules; comparisons of alerts as numbers, so that all have an answer."""
    for file in RULES.glob("*.yaml"):
        for group in yaml.safe_load(faster_rules(file.read_text()))["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") == "ApiDown":
                    yield rule["expr"].removeprefix("absent(").removesuffix(")")
                elif "alert" in rule:
                    yield re.sub(r"\s(==|<=|>=|<|>)\s", r" \1 bool ", rule["expr"])
                else:
                    yield rule["expr"]


def panel_expressions() -> Iterator[str]:
    for file in (MONITORING / "grafana/dashboards").glob("*.json"):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield faster_rules(target["expr"]).replace("$feature", "petal_length")


def names_in(expression: str) -> set[str]:
    """Return the names of metrics in `expression`: what is no function, keyword, label, number or text."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(by|on) \([^)]*\)', " ", expression)
    words = set(re.findall(r"(?<![\w:])[a-zA-Z_][\w:]*(?!\s*\()(?![\w:])", bare))
    return words - {"and", "or", "bool", "group_left", "sum", "max", "min", "count"}


def check_expressions(stack: Stack) -> None:
    """Run what rules and panels ask; compare the names they use with those there are, both ways."""
    expressions = [*rule_expressions(), *panel_expressions()]
    for expression in expressions:
        assert stack.query(expression), expression
    used = set().union(*map(names_in, expressions))
    answer = httpx.get(f"http://{stack.address('prometheus')}/api/v1/label/__name__/values").json()
    assert used - set(answer["data"]) == set()
    exported = re.findall(
        r"^# TYPE (\S+) (\w+)$", httpx.get(f"http://{stack.address('one')}/metrics").text, re.M
    )
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    unused = [name for name, kind in exported if not {name + part for part in parts.get(kind, ("",))} & used]
    assert [name for name in unused if not name.startswith("process_")] == []


def not_only_the_watchdog(stack: Stack) -> list[tuple[str, str]]:
    return [message for message in stack.receiver.messages if message[0] != "dead-man"]


@pytest.mark.timeout(420)
def test_the_right_people_hear_of_what_users_feel(
    tmp_path: Path, schema: Schema, training: Training, metrics: dict[str, Any]
) -> None:
    files, reference, rows = trained(schema, training, metrics)
    rng = np.random.default_rng(0)
    sent = [rows[place] for place in rng.permutation(len(rows))]
    models, later = tmp_path / "models", tmp_path / "later"
    bundles.write_folder(models, files)

    with running_stack(tmp_path, models) as stack:
        for name in ("one", "two", "three"):
            stack.start_api(name, models)
        stack.start_monitoring()
        stack.wait_for(lambda: stack.heard("dead-man", "firing", "Watchdog"), "the watchdog", 20)
        stack.wait_for(
            lambda: len(stack.query("version_feature_bin:model_feature_reference_share:max")) > 40,
            "shares",
            20,
        )
        check_psi(stack, schema, reference, [*sent[:37], *sent[:11], {**sent[0], "petal_width": 3.9}])

        with traffic(stack, sent):
            time.sleep(
                float(faster("10m").removesuffix("ms")) / 1000 + 5
            )  # what it takes to get going, and ten minutes
            assert not_only_the_watchdog(stack) == []

            def follows(cause: Any, receiver: str, alert: str, seconds: float = 30) -> None:
                with cause:
                    stack.wait_for(lambda: stack.heard(receiver, "firing", alert), f"{alert} fires", seconds)

            follows(traffic(stack, sent, 0.01, **{"X-API-Key": "wrong"}), "platform-ticket", "WrongKeyStorm")
            follows(
                traffic(stack, sent, 0.01, **{"X-Fault": "error"}), "platform-page", "AvailabilityBurnsFast"
            )
            slow = traffic(stack, sent, 0.0, **{"X-Fault": "slow"})
            with traffic(stack, sent, 0.0, **{"X-Fault": "slow"}):
                follows(slow, "platform-page", "LatencyBurnsFast", 60)

            check_expressions(stack)
            stack.kill("three")
            stack.start_api("three", later)
            stack.wait_for(lambda: stack.heard("ml-page", "firing", "ModelNotLoaded"), "ModelNotLoaded", 30)
            bundles.write_folder(later, files)

            shifted = [{**row, "petal_length": 6.0, "petal_width": 2.4} for row in sent]
            follows(traffic(stack, shifted, 0.005), "ml-ticket", "FeatureDrift", 90)

            for name in ("one", "two", "three"):
                stack.kill(name)
            stack.wait_for(lambda: stack.heard("platform-page", "firing", "ApiDown"), "ApiDown", 30)
            for name in ("one", "two", "three"):
                stack.start_api(name, models)

            for receiver, alert in (
                ("platform-page", "ApiDown"),
                ("ml-page", "ModelNotLoaded"),
                ("platform-page", "AvailabilityBurnsFast"),
                ("platform-page", "LatencyBurnsFast"),
                ("platform-ticket", "WrongKeyStorm"),
                ("ml-ticket", "FeatureDrift"),
            ):
                stack.wait_for(
                    lambda receiver=receiver, alert=alert: stack.heard(receiver, "resolved", alert),
                    f"{alert} is resolved",
                    100,
                )
