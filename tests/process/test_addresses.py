"""Where the server is reached: by either family, and below the prefix of a proxy."""

import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests import servers
from tests.conftest import REPOSITORY
from tests.process.conftest import Server

GOOD = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
Start = Callable[..., Server]


def healthy(server: Server, **environment: str) -> int:
    """Return the exit code of the health check, as an image runs it."""
    check = [sys.executable, "-m", "src.serving.healthcheck", str(server.port)]
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **environment}
    return subprocess.run(check, env=kept, timeout=60).returncode


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_address_answers_both_families_and_knows_its_callers(
    start_server: Start, model_dir: Path, workers: str
) -> None:
    server = start_server(
        HOST="::",
        MODEL_DIR=str(model_dir),
        WORKERS=workers,
        FORWARDED_ALLOW_IPS="127.0.0.1",
        RATE_LIMIT_PREDICT="1000/minute",
    )
    server.wait_for("/readyz", 200, seconds=60)

    for host in ("127.0.0.1", "[::1]"):
        assert servers.post(f"http://{host}:{server.port}/predict", json=GOOD).status_code == 200
    servers.post(server.url + "/predict", json=GOOD, headers={"X-Forwarded-For": "203.0.113.9"})
    healths = [healthy(server, HOST="::"), healthy(server)]

    assert healths == [0, 0]
    assert server.stop() == 0
    clients = re.findall('"route": "/predict".*"client": "(.*?)"', server.log())
    # Two workers write their lines in either order; IPv6 callers are named by their network.
    assert sorted(clients) == ["127.0.0.1", "203.0.113.9", "::/64"]


@pytest.mark.parametrize("host", ["::1", "0.0.0.0", "127.0.0.1", "127.0.0.2", "localhost"])
def test_the_health_check_finds_the_server(start_server: Start, model_dir: Path, host: str) -> None:
    server = start_server(HOST=host, MODEL_DIR=str(model_dir))
    server.url = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
    server.wait_for("/readyz", 200, seconds=60)

    assert healthy(server, HOST=host) == 0
    server.stop()
    assert healthy(server, HOST=host) == 1


@contextmanager
def stripping_proxy(server: Server, prefix: str) -> Iterator[str]:
    """Show `server` below `prefix`, which it is not told: `location /api/ { proxy_pass http://server/; }`."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {"Content-Type": self.headers.get("Content-Type", "")} if body else {}
            url = server.url + self.path.removeprefix(prefix)
            answer = servers.request(self.command, url, content=body, headers=headers)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = forward

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}{prefix}"
        proxy.shutdown()


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_a_page_behind_a_proxy_asks_below_its_prefix(start_server: Start, model_dir: Path, page: str) -> None:
    server = start_server(MODEL_DIR=str(model_dir))
    server.wait_for("/readyz", 200, seconds=60)

    with stripping_proxy(server, "/api") as shown_at:
        text = servers.get(shown_at + page).text
        found = re.findall(r"""(?:src|href|url|spec-url)\s*[=:]\s*["']([^"']+)""", text)
        addresses = {urljoin(shown_at + page, address) for address in found}
        statuses = {address: servers.get(address).status_code for address in addresses}
        document = f"{shown_at}/openapi.json"
        [shown] = servers.get(document).json()["servers"]
        base = urljoin(document, shown["url"]).removesuffix("/")
        predicted = servers.post(f"{base}/predict", json=GOOD).json()

    assert document in addresses
    assert {status for status in statuses.values()} == {200}, statuses
    assert [address for address in addresses if not address.startswith(f"{shown_at}/")] == []
    assert predicted["prediction"] == "setosa"
