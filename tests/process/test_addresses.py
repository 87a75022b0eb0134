"""Where the server is reached: by either family, and below the prefix of a proxy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests import servers
from tests.conftest import REPOSITORY
from tests.ports import free_port
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


NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{
      proxy_pass {upstream}/;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


@contextmanager
def nginx(server: Server, prefix: str, folder: Path) -> Iterator[str]:
    """Show `server` below `prefix`, which it is not told."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "nginx is missing: apt-get install nginx"
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, prefix=prefix, upstream=server.url))
    proxy = servers.Server([program, "-c", config, "-e", "stderr"], folder, folder / "nginx.log")
    try:
        url = f"http://127.0.0.1:{port}{prefix}"
        proxy.wait_until(lambda: servers.answers(f"{url}/livez"), "nginx is ready")
        yield url
    finally:
        proxy.end()


@pytest.mark.parametrize("page", ["/", "/docs", "/redoc"])
def test_a_page_behind_nginx_asks_below_its_prefix(
    start_server: Start, model_dir: Path, tmp_path: Path, page: str
) -> None:
    server = start_server(MODEL_DIR=str(model_dir), FORWARDED_ALLOW_IPS="127.0.0.1")
    server.wait_for("/readyz", 200, seconds=60)

    with nginx(server, "/api", tmp_path) as shown_at:
        text = servers.get(shown_at + page, headers={"Accept": "text/html"}).text
        found = re.findall(r"""(?:src|href|url|spec-url)\s*[=:]\s*["']([^"'#]+)""", text)
        addresses = {urljoin(shown_at + page, address) for address in found}
        statuses = {address: servers.get(address).status_code for address in addresses}
        document = f"{shown_at}/openapi.json"
        [shown] = servers.get(document).json()["servers"]
        base = urljoin(document, shown["url"]).removesuffix("/")
        predicted = servers.post(
            f"{base}/predict", json=GOOD, headers={"X-Forwarded-For": "203.0.113.9"}
        ).json()

    assert document in addresses or page == "/"
    assert len(addresses) > 2
    assert {status for status in statuses.values()} == {200}, statuses
    assert [address for address in addresses if not address.startswith(f"{shown_at}/")] == []
    assert predicted["prediction"] == "setosa"
    assert server.stop() == 0
    assert '"client": "203.0.113.9"' in server.log()


@pytest.mark.parametrize("file", ["page.js"])
def test_what_the_page_asks_for_is_relative(start_server: Start, model_dir: Path, file: str) -> None:
    server = start_server(MODEL_DIR=str(model_dir))
    server.wait_for("/readyz", 200, seconds=60)

    asked = re.findall(
        r"""(?:fetch|ask|URL)\(\s*["']([^"']+)""", servers.get(f"{server.url}/page/{file}").text
    )

    assert {"predict", "page/live", "page/model"} <= set(asked)
    assert [address for address in asked if address.startswith(("/", "http"))] == []
