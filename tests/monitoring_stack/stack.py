"""The real thing, an hour of it in a minute: our server, Prometheus, Alertmanager and a receiver."""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests import servers
from tests.conftest import REPOSITORY
from tests.monitoring_stack.tools import ALERTMANAGER, MONITORING, RULES, program
from tests.ports import free_port
from tests.servers import PATIENCE, Server, answers

SCALE = 60  # times as fast as in production
KEY = "k" * 40
_MILLISECONDS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(?<![\w.])(\d+)([smhd])(?![\w.])")


def faster(text: str) -> str:
    """Return `text` with every duration divided by SCALE, at least a millisecond."""

    def divided(match: re.Match[str]) -> str:
        milliseconds = int(match[1]) * _MILLISECONDS[match[2]]
        return f"{max(milliseconds // SCALE, 1)}ms" if milliseconds else match[0]

    return _DURATION.sub(divided, text)


def faster_rules(text: str) -> str:
    """Return rules whose windows, patience and intervals are scaled; names and words stay."""
    windows = re.sub(r"(?<=\[)\w+(?=\])", lambda match: faster(match[0]), text)
    return re.sub(r"^ *(for|interval): \w+", lambda match: faster(match[0]), windows, flags=re.MULTILINE)


class Receiver:
    """Takes what Alertmanager sends, by the name of the receiver."""

    def __init__(self) -> None:
        # Receiver, and title such as "firing: ApiDown (critical, platform)".
        messages = self.messages = list[tuple[str, str]]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                messages.append((self.path[1:], content["attachments"][0]["title"]))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Stack:
    """What runs, and how to ask it."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder = folder
        self.models = models
        self.began = time.monotonic()
        self.receiver = Receiver()
        self.ports = {name: free_port() for name in ("one", "two", "three", "prometheus", "alertmanager")}
        self.running: dict[str, Server] = {}

    def start_api(self, name: str, models: Path) -> None:
        environment = {
            **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
            "PYTHONPATH": str(REPOSITORY),
            "MODEL_DIR": str(models),
            "MODEL_REFRESH_SECONDS": "0.2",
            "API_KEY": KEY,
            "LOG_LEVEL": "WARNING",
            "DRAIN_SECONDS": "0",
            **{
                f"RATE_LIMIT_{limit}": "1000000/minute" for limit in ("PREDICT", "PREDICT_BATCH", "WRONG_KEY")
            },
        }
        command = [sys.executable, "-m", "uvicorn", "tests.monitoring_stack.faulty:app"]
        self._start(name, [*command, "--port", str(self.ports[name])], environment)
        self.wait_for(lambda: self._alive(name), f"{name} answers")

    def start_monitoring(self) -> None:
        """Start Prometheus, then Alertmanager, with the configuration of the repository, made faster."""
        rules, secrets = self.folder / "rules", self.folder / "secrets"
        rules.mkdir()
        secrets.mkdir()
        for file in RULES.glob("*.yaml"):
            (rules / file.name).write_text(faster_rules(file.read_text()))
        for name in ("dead-man", "ml-page", "ml-ticket", "platform-page", "platform-ticket"):
            (secrets / name).write_text(f"http://127.0.0.1:{self.receiver.port}/{name}")
        (self.folder / "messages.tmpl").write_text((ALERTMANAGER.parent / "messages.tmpl").read_text())
        routes = faster(ALERTMANAGER.read_text()).replace("/run/secrets/alertmanager", str(secrets))
        (self.folder / "alertmanager.yaml").write_text(routes)
        config = yaml.safe_load(faster((MONITORING / "prometheus/compose.yaml").read_text()))
        config["rule_files"] = [f"{rules}/*.yaml"]
        targets = {
            "iris-api": [self.address(name) for name in ("one", "two", "three")],
            "prometheus": [self.address("prometheus")],
            "alertmanager": [self.address("alertmanager")],
        }
        config["scrape_configs"] = [
            {"job_name": job, "static_configs": [{"targets": listed}]} for job, listed in targets.items()
        ]
        for job in config["scrape_configs"]:
            job["scrape_timeout"] = config["global"]["scrape_interval"]
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": targets["alertmanager"]}]}]
        (self.folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self._start(
            "prometheus",
            [
                program("prometheus"),
                f"--config.file={self.folder}/prometheus.yaml",
                f"--storage.tsdb.path={self.folder}/prometheus",
                f"--web.listen-address={self.address('prometheus')}",
                f"--query.lookback-delta={faster('5m')}",
                f"--rules.alert.resend-delay={faster('1m')}",
            ],
        )
        self.wait_for(lambda: self._alive("prometheus", "/-/ready"), "Prometheus is ready")
        # It looks for targets every five seconds, five minutes here. Until then it finds the API down,
        # and would say so, were there anybody to hear it.
        found = 'count(up{job="iris-api"} == 1) == 3 unless on () ALERTS{alertname="ApiDown"}'
        self.wait_for(lambda: self.query(found) != [], "Prometheus reaches the API")
        self._start(
            "alertmanager",
            [
                program("prometheus-alertmanager"),
                f"--config.file={self.folder}/alertmanager.yaml",
                f"--storage.path={self.folder}/alertmanager",
                f"--web.listen-address={self.address('alertmanager')}",
                "--cluster.listen-address=",
            ],
        )
        self.wait_for(lambda: self._alive("alertmanager", "/-/ready"), "Alertmanager is ready")

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def kill(self, name: str) -> None:
        self.running.pop(name).end()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples that `expression` has now."""
        response = servers.post(
            f"http://{self.address('prometheus')}/api/v1/query", data={"query": expression}
        )
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["data"]["result"]
        return found

    def hear(self, receiver: str, status: str, *alerts: str) -> None:
        """Wait until `receiver` is told of each of `alerts`."""
        for alert in alerts:
            start = f"{status}: {alert} "
            self.wait_for(
                lambda start=start: any(
                    name == receiver and title.startswith(start)
                    for name, title in list(self.receiver.messages)
                ),
                f"{receiver} hears {status}: {alert}",
            )

    def wait_for(self, happened: Callable[[], bool], what: str) -> None:
        """Wait, and say how long; far longer than it takes is a failure."""
        began = time.monotonic()
        while not happened():
            waited = time.monotonic() - began
            assert waited < PATIENCE, f"waited {waited:.0f} s: {what}; heard {self.receiver.messages}"
            time.sleep(0.1)
        print(f"{time.monotonic() - self.began:6.1f} s, waited {time.monotonic() - began:4.1f} s: {what}")

    def _alive(self, name: str, path: str = "/livez") -> bool:
        server = self.running[name]
        assert server.process.poll() is None, server.log.read_text()
        return answers(f"http://{self.address(name)}{path}")

    def _start(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.running[name] = Server(command, self.folder, self.folder / f"{name}.log", environment)


@contextmanager
def running_stack(folder: Path, models: Path) -> Iterator[Stack]:
    stack = Stack(folder, models)
    try:
        yield stack
    finally:
        for name in list(stack.running):
            stack.kill(name)
        stack.receiver.server.shutdown()
