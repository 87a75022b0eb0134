"""What users would feel is made to happen, and the right people hear of it, and hear when it is over."""

import itertools
import json
import math
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml

from src.bundle import bundle as bundles
from src.bundle.bundle import Training
from src.monitoring.profile import Profile, profile
from src.runtime.session import open_model
from src.schema.columns import Schema
from src.schema.features import to_features
from tests import servers
from tests.conftest import REPOSITORY
from tests.monitoring_stack.stack import KEY, SCALE, Stack, faster_rules, running_stack
from tests.monitoring_stack.tools import MONITORING, RULES
from tests.process.conftest import train

Rows = list[dict[str, float]]
INSTANCES = ("one", "two", "three")


def trained(
    schema: Schema, training: Training, metrics: dict[str, Any]
) -> tuple[dict[str, bytes], Profile, Rows]:
    """Return a bundle of iris, its profile, and the rows."""
    table = pd.read_csv(REPOSITORY / "data/iris.csv").iloc[:, :4].set_axis(schema.names, axis="columns")
    model, example = train(schema)
    features = to_features(schema, table)
    reference = profile(schema, features, open_model(model, schema).predict(features))
    files = {
        bundles.MODEL: model,
        bundles.SCHEMA: bundles.dump_json(schema.model_dump(mode="json")),
        bundles.PROFILE: bundles.dump_json(reference.model_dump(mode="json")),
        bundles.EXAMPLE: bundles.dump_json(example.model_dump(mode="json")),
    }
    rows = [{name: float(row[name]) for name in schema.names} for row in table.to_dict("records")]
    return bundles.seal(training, metrics, files), reference, rows


def psi(counted: np.ndarray[Any, np.dtype[np.int64]], shares: tuple[float, ...]) -> float:
    actual = np.maximum(counted / counted.sum(), 1e-4)
    expected = np.maximum(np.array(shares), 1e-4)
    return float(((actual - expected) * np.log(actual / expected)).sum())


@contextmanager
def traffic(
    stack: Stack, content: Iterable[Any], every: float, path: str = "", **headers: str
) -> Iterator[None]:
    """Post `content` to two instances in turn, again and again, as long as the block lasts."""
    stop = threading.Event()

    def send() -> None:
        with httpx.Client(timeout=servers.PATIENCE, headers={"X-API-Key": KEY, **headers}) as client:
            turns = itertools.cycle(("one", "two"))
            for body, name in zip(itertools.cycle(content), turns, strict=False):
                if stop.wait(every):
                    return
                with suppress(httpx.TransportError):  # it was killed, that is what is tested
                    client.post(f"http://{stack.address(name)}/predict{path}", json=body)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def check_psi(stack: Stack, schema: Schema, reference: Profile, sent: dict[str, Rows]) -> None:
    """Send other rows to each instance, and compare with numpy what Prometheus makes of all of them."""
    for name, rows in sent.items():
        half = len(rows) // 2
        address = f"http://{stack.address(name)}/predict"
        for path, content in [("/batch", {"rows": rows[:half]}), *(("", row) for row in rows[half:])]:
            answer = servers.post(address + path, json=content, headers={"X-API-Key": KEY})
            assert answer.status_code == 200, answer.text
    everything = to_features(schema, pd.DataFrame([row for rows in sent.values() for row in rows]))
    for place, name in enumerate(schema.names):
        one = reference.features[name]
        assert one.type == "numeric"
        expected = psi(
            np.bincount(one.bins(everything.numeric[:, place]), minlength=len(one.shares)), one.shares
        )

        def agrees(name: str = name, expected: float = expected) -> bool:
            found = stack.query(f'version_feature:psi:1h{{feature="{name}"}}')
            return len(found) == 1 and math.isclose(float(found[0]["value"][1]), expected, abs_tol=1e-6)

        stack.wait_for(agrees, f"PSI of {name} over {len(sent)} instances is {expected:.6f}, as numpy says")


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
    return words - {"and", "or", "unless", "bool", "group_left", "sum", "max", "min", "count"}


def check_expressions(stack: Stack) -> None:
    """Run what rules and panels ask; compare the names they use with those there are, both ways."""
    expressions = [*rule_expressions(), *panel_expressions()]
    for expression in expressions:
        assert stack.query(expression), expression
    used = set().union(*map(names_in, expressions))
    answer = servers.get(f"http://{stack.address('prometheus')}/api/v1/label/__name__/values").json()
    assert used - set(answer["data"]) == set()
    exported = re.findall(
        r"^# TYPE (\S+) (\w+)$", servers.get(f"http://{stack.address('one')}/metrics").text, re.M
    )
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    unused = [name for name, kind in exported if not {name + part for part in parts.get(kind, ("",))} & used]
    assert [name for name in unused if not name.startswith("process_")] == []


def heard(stack: Stack) -> set[tuple[str, str]]:
    return {message for message in stack.receiver.messages if message[0] != "dead-man"}


@pytest.mark.timeout(400)
def test_the_right_people_hear_of_what_users_feel(
    tmp_path: Path, schema: Schema, training: Training, metrics: dict[str, Any]
) -> None:
    files, reference, rows = trained(schema, training, metrics)
    rng = np.random.default_rng(0)
    mixed = [rows[place] for place in rng.permutation(len(rows))]
    shifted = [{**row, "petal_length": 6.0, "petal_width": 2.4} for row in mixed]
    models, later = tmp_path / "models", tmp_path / "later"
    bundles.write_folder(models, files)

    with running_stack(tmp_path, models) as stack:
        for name in INSTANCES:
            stack.start_api(name, models)
        stack.start_monitoring()
        stack.hear("dead-man", "firing", "Watchdog")
        series = sum(len(one.shares) for one in reference.features.values()) * len(INSTANCES)
        stack.wait_for(lambda: len(stack.query("model_feature_rows_total")) == series, "all are scraped")
        sent = {
            "one": rows[:50],
            "two": rows[50:100],
            "three": [*rows[105:140], {**rows[0], "petal_width": 3.9}],
        }
        check_psi(stack, schema, reference, sent)

        with ExitStack() as normal:
            normal.enter_context(traffic(stack, mixed, 0.05))
            normal.enter_context(traffic(stack, [{"rows": mixed}], 1, "/batch"))
            time.sleep(5 + 600 / SCALE)  # to get going, and ten minutes
            assert heard(stack) == set()

            with ExitStack() as trouble:
                trouble.enter_context(traffic(stack, mixed, 0.05, **{"X-API-Key": "wrong"}))
                trouble.enter_context(traffic(stack, mixed, 0.05, **{"X-Fault": "error"}))
                for _ in range(6):
                    trouble.enter_context(traffic(stack, mixed, 0, **{"X-Fault": "slow"}))
                trouble.enter_context(traffic(stack, [{"rows": shifted[:30]}], 0.1, "/batch"))
                stack.hear("platform-page", "firing", "AvailabilityBurnsFast", "LatencyBurnsFast")
                stack.hear("platform-ticket", "firing", "WrongKeyStorm")
                stack.hear("ml-ticket", "firing", "FeatureDrift")

            check_expressions(stack)
            with traffic(stack, [{"rows": mixed}], 0.05, "/batch"):
                stack.hear("platform-page", "resolved", "AvailabilityBurnsFast", "LatencyBurnsFast")
                stack.hear("platform-ticket", "resolved", "WrongKeyStorm")
                stack.hear("ml-ticket", "resolved", "FeatureDrift")

            stack.kill("three")
            stack.start_api("three", later)
            stack.hear("ml-page", "firing", "ModelNotLoaded")
            bundles.write_folder(later, files)
            stack.hear("ml-page", "resolved", "ModelNotLoaded")

            for name in INSTANCES:
                stack.kill(name)
            stack.hear("platform-page", "firing", "ApiDown")
            for name in INSTANCES:
                stack.start_api(name, models)

            stack.hear("platform-page", "resolved", "ApiDown")
