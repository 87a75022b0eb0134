"""The audit as a command, against services that answer as OSV and PyPI do, or do not."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import REPOSITORY

HASH = "a" * 64
LOCK = f"""
[[package]]
name = "left-pad"
version = "1.0"
groups = ["serving"]
files = [{{file = "left_pad-1.0.tar.gz", hash = "sha256:{HASH}"}}]

[[package]]
name = "right-pad"
version = "2.0"
groups = ["dev", "pipeline"]
files = [{{file = "right_pad-2.0.tar.gz", hash = "sha256:{HASH}"}}]
"""
CLEAN = "2 packages of dev, pipeline, serving: 0 known vulnerabilities\n"


class Services:
    """OSV and PyPI on one port: what they know, and what they answer instead."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str | None], dict[str, Any]] = {
            ("jinja2", None): {"vulns": [{"id": "GHSA-old"}]}
        }
        self.records: dict[str, dict[str, Any]] = {}
        self.instead: dict[str, tuple[int, bytes]] = {}
        self.failures = 0  # requests still to fail
        self.asked: list[str] = []
        self.drip = False

    def vulnerable(
        self, name: str, package: str = "left-pad", *, fixed: str | None = "1.1", **more: Any
    ) -> None:
        events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
        named = {"ecosystem": "PyPI", "name": package.replace("-", "_").title()}
        affected = {"package": named, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
        self.records[name] = {"id": name, "summary": "It breaks.", "affected": [affected], **more}
        self.known.setdefault((package, None), {"vulns": []})["vulns"].append({"id": name})

    def answer(self, path: str, question: Any) -> tuple[int, bytes]:
        self.asked.append(path)
        if self.failures:
            self.failures -= 1
            return 503, b"{}"
        for start, answer in self.instead.items():
            if path.startswith(start):
                return answer
        if path == "/v1/querybatch":
            results = [
                self.known.get((query["package"]["name"], query.get("page_token")), {})
                for query in question["queries"]
            ]
            return 200, json.dumps({"results": results}).encode()
        if path.startswith("/v1/vulns/"):
            return 200, json.dumps(self.records[path.removeprefix("/v1/vulns/")]).encode()
        return 200, json.dumps({"urls": [{"digests": {"sha256": HASH}}]}).encode()


class Audited(NamedTuple):
    code: int
    out: str
    error: str


class Audit:
    """The command in a folder with a lock file and exceptions of its own."""

    def __init__(self, folder: Path, address: str) -> None:
        self.lock = folder / "poetry.lock"
        self.exceptions = folder / "exceptions.toml"
        self.lock.write_text(LOCK)
        self.exceptions.write_text("")
        self.address = address

    def __call__(self, *more: str) -> Audited:
        command = [sys.executable, "-m", "scripts.audit", "--lock", str(self.lock)]
        command += [
            "--exceptions",
            str(self.exceptions),
            "--osv",
            self.address,
            "--pypi",
            self.address + "/pypi",
        ]
        done = subprocess.run([*command, *more], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
        return Audited(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, content = services.answer(self.path, json.loads(body) if body else None)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            try:
                while services.drip:
                    self.wfile.write(b" ")
                    time.sleep(0.1)
                self.wfile.write(content)
            except OSError:  # the asker has gone
                services.drip = False

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    services.drip = False
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def audit(tmp_path: Path, address: str) -> Audit:
    return Audit(tmp_path, address)


def test_clean_packages_pass_and_each_was_asked_about(audit: Audit, services: Services) -> None:
    assert audit() == (0, CLEAN, "")
    assert sorted(services.asked) == ["/pypi/left-pad/1.0/json", "/pypi/right-pad/2.0/json", "/v1/querybatch"]


@pytest.mark.parametrize("severity", ["HIGH", "CRITICAL"])
def test_a_grave_fault_that_has_a_fix_fails(audit: Audit, services: Services, severity: str) -> None:
    services.vulnerable("GHSA-1", "right-pad", fixed="2.1", database_specific={"severity": severity})

    code, out, _ = audit()

    assert code == 1
    found = f"right-pad 2.0 (dev, pipeline): {severity.lower()}, fixed in 2.1: GHSA-1 It breaks."
    assert out.startswith(f"FAILS     {found}\n")


@pytest.mark.parametrize("fixed, severity", [(None, "CRITICAL"), ("1.1", "MODERATE"), ("1.1", "LOW")])
def test_a_fault_that_is_not_grave_or_has_no_fix_is_shown(
    audit: Audit, services: Services, fixed: str | None, severity: str
) -> None:
    services.vulnerable("GHSA-1", fixed=fixed, database_specific={"severity": severity})

    code, out, _ = audit()

    assert code == 0
    assert out.startswith("noted     left-pad 1.0 (serving): ")
    assert out.endswith(": 1 known vulnerabilities\n")


def test_a_fault_that_nobody_rated_is_grave(audit: Audit, services: Services) -> None:
    services.vulnerable("PYSEC-1")

    code, out, _ = audit()

    assert code == 1
    assert "unknown, fixed in 1.1: PYSEC-1" in out


def test_a_malicious_package_fails_without_a_fix(audit: Audit, services: Services) -> None:
    services.vulnerable("MAL-1", fixed=None)

    assert audit().code == 1


@pytest.mark.parametrize("first", ["PYSEC-1", "GHSA-1"])
def test_one_fault_under_two_names_has_the_rating_of_either(
    audit: Audit, services: Services, first: str
) -> None:
    services.vulnerable("PYSEC-1", aliases=["CVE-1", "GHSA-1"])
    services.vulnerable("GHSA-1", aliases=["CVE-1"], database_specific={"severity": "LOW"})
    services.known["left-pad", None]["vulns"].sort(key=lambda known: known["id"] != first)

    code, out, _ = audit()

    assert code == 0
    assert out.startswith(
        "noted     left-pad 1.0 (serving): low, fixed in 1.1: CVE-1 GHSA-1 PYSEC-1 It breaks.\n"
    )


def test_a_fix_is_one_of_this_package(audit: Audit, services: Services) -> None:
    services.vulnerable("GHSA-1", fixed=None, database_specific={"severity": "HIGH"})
    spans = [{"type": "ECOSYSTEM", "events": [{"fixed": "1.1"}]}]
    commits = [{"type": "GIT", "events": [{"fixed": "abcdef"}]}]
    services.records["GHSA-1"]["affected"] += [
        {"ranges": commits},
        {"package": {"ecosystem": "npm", "name": "left-pad"}, "ranges": spans},
        {"package": {"ecosystem": "PyPI", "name": "right-pad"}, "ranges": spans},
        {"package": {"ecosystem": "PyPI", "name": "left-pad"}, "ranges": commits},
        {"package": {"ecosystem": "PyPI", "name": "left-pad"}, "versions": ["1.0"]},
    ]

    code, out, _ = audit()

    assert code == 0
    assert "high, no fix: GHSA-1" in out


def test_a_record_that_was_withdrawn_is_none(audit: Audit, services: Services) -> None:
    services.vulnerable("GHSA-1", withdrawn="2026-01-01T00:00:00Z")

    assert audit() == (0, CLEAN, "")


def test_what_a_record_says_cannot_move_the_cursor(audit: Audit, services: Services) -> None:
    services.vulnerable("GHSA-1", summary="a\x1b[2J\nb")

    assert "GHSA-1 a [2J b\n" in audit().out


def test_further_pages_are_read(audit: Audit, services: Services) -> None:
    services.vulnerable("GHSA-1", database_specific={"severity": "LOW"})
    services.known["left-pad", None]["next_page_token"] = "more"
    services.vulnerable("GHSA-2", database_specific={"severity": "HIGH"})
    services.known["left-pad", "more"] = {"vulns": [services.known["left-pad", None]["vulns"].pop()]}

    code, out, _ = audit()

    assert code == 1
    assert "GHSA-1" in out and "GHSA-2" in out


def test_a_service_that_is_down_is_no_good_news(audit: Audit) -> None:
    audit.address = "http://127.0.0.1:9"  # discard: nobody listens

    code, out, error = audit()

    assert (code, out) == (2, "")
    assert error.startswith("error: http://127.0.0.1:9/v1/querybatch: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("path", ["/v1/querybatch", "/v1/vulns/", "/pypi/"])
@pytest.mark.parametrize(
    "status, content",
    [
        (200, b""),
        (200, b"{}"),
        (200, b"[]"),
        (200, b'{"results": [{"vulns": ['),
        (200, b'{"results": null, "id": null, "urls": null}'),
        (302, b""),
        (404, b"{}"),
        (500, b"{}"),
    ],
)
def test_an_answer_that_is_none_is_no_good_news(
    audit: Audit, services: Services, path: str, status: int, content: bytes
) -> None:
    services.vulnerable("GHSA-1")
    services.instead[path] = status, content

    code, out, error = audit()

    assert (code, out) == (2, "")
    assert error.startswith(f"error: {audit.address}{path}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "results",
    [
        [],
        [{}, {}],
        [{}, {}, {}],
        [{}, {}, {"vulns": [{"id": "GHSA-old"}]}, {}],
        [{}, None, {"vulns": [{"id": "GHSA-old"}]}],
        [{}, {"vulns": [{}]}, {"vulns": [{"id": "GHSA-old"}]}],
    ],
    ids=["none", "fewer", "blank", "more", "not an object", "a vulnerability without a name"],
)
def test_other_results_than_were_asked_for_are_no_good_news(
    audit: Audit, services: Services, results: list[Any]
) -> None:
    services.instead["/v1/querybatch"] = 200, json.dumps({"results": results}).encode()

    assert audit().code == 2


def test_a_release_that_pypi_does_not_have_is_no_good_news(audit: Audit, services: Services) -> None:
    services.instead["/pypi/right-pad/"] = 404, b'{"message": "Not Found"}'

    code, _, error = audit()

    assert code == 2
    assert error == f"error: {audit.address}/pypi/right-pad/2.0/json: 404 Not Found\n"
    assert services.asked.count("/pypi/right-pad/2.0/json") == 1


def test_a_release_with_other_files_is_no_good_news(audit: Audit, services: Services) -> None:
    other = {"urls": [{"digests": {"sha256": "b" * 64}}]}
    services.instead["/pypi/left-pad/"] = 200, json.dumps(other).encode()

    assert "has none of the locked files" in audit().error


def test_a_record_about_something_else_is_no_good_news(audit: Audit, services: Services) -> None:
    services.vulnerable("GHSA-1")
    services.records["GHSA-1"]["id"] = "GHSA-2"

    code, _, error = audit()

    assert code == 2
    assert error.endswith("/v1/vulns/GHSA-1: is about GHSA-2\n")


def test_what_fails_once_is_asked_again(audit: Audit, services: Services) -> None:
    services.failures = 1

    assert audit() == (0, CLEAN, "")
    assert services.asked[:2] == ["/v1/querybatch", "/v1/querybatch"]


def test_what_fails_twice_is_not_asked_a_third_time(audit: Audit, services: Services) -> None:
    services.failures = 2

    assert audit().code == 2
    assert services.asked == ["/v1/querybatch", "/v1/querybatch"]


def test_an_answer_without_end_is_not_waited_for(audit: Audit, services: Services) -> None:
    services.drip = True

    assert audit("--seconds", "1") == (2, "", "error: no whole answer within 1 seconds\n")


@pytest.mark.parametrize("address", ["http://osv.example", "file:///etc/passwd", "ftp://osv.example"])
def test_a_service_is_asked_over_https(address: str) -> None:
    command = [sys.executable, "-m", "scripts.audit", "--osv", address]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert f"{address} is not https" in done.stderr


@pytest.mark.parametrize(
    "lock",
    [
        "",
        "package = []",
        "package = 1",
        "[[package]",
        LOCK.replace('version = "1.0"', ""),
        LOCK + '[package.source]\ntype = "git"\nurl = "https://example.com/right-pad"\n',
    ],
    ids=["empty", "nothing locked", "no table", "not TOML", "no version", "not from PyPI"],
)
def test_a_lock_file_that_cannot_be_asked_about_is_no_good_news(audit: Audit, lock: str) -> None:
    audit.lock.write_text(lock)

    code, out, error = audit()

    assert (code, out) == (2, "")
    assert error.count("\n") == 1


def exception(name: str, days: int) -> str:
    return f'[{name}]\nreason = "We pad no text."\nexpires = {date.today() + timedelta(days)}\n'


@pytest.mark.parametrize("name", ["GHSA-1", "CVE-1"])
def test_what_is_accepted_does_not_fail_until_its_day_is_over(
    audit: Audit, services: Services, name: str
) -> None:
    services.vulnerable("GHSA-1", aliases=["CVE-1"])
    audit.exceptions.write_text(exception(name, 0))

    code, out, _ = audit()

    assert code == 0
    assert out.startswith("accepted  left-pad 1.0 (serving): ")
    assert f"until {date.today()}: We pad no text.\n" in out


def test_an_exception_that_expired_fails(audit: Audit, services: Services) -> None:
    services.vulnerable("GHSA-1", fixed=None)
    audit.exceptions.write_text(exception("GHSA-1", -1))

    code, out, _ = audit()

    assert code == 1
    assert out.startswith("noted     left-pad")
    assert f"FAILS     the exception GHSA-1 expired on {date.today() - timedelta(1)}\n" in out


def test_an_exception_is_for_no_other_vulnerability(audit: Audit, services: Services) -> None:
    services.vulnerable("GHSA-1")
    audit.exceptions.write_text(exception("GHSA-2", 30))

    assert audit().code == 1


@pytest.mark.parametrize(
    "exceptions",
    [
        "[GHSA-1",
        "GHSA-1 = true",
        '[GHSA-1]\nreason = "x"',
        "[GHSA-1]\nexpires = 2026-01-01",
        '[GHSA-1]\nreason = ""\nexpires = 2026-01-01',
        '[GHSA-1]\nreason = "x"\nexpires = "never"',
        '[GHSA-1]\nreason = "x"\nexpires = 2026-01-01T00:00:00Z',
        '[GHSA-1]\nreason = "x"\nexpires = 2026-01-01\nseverity = "low"',
    ],
)
def test_an_exception_needs_a_reason_and_a_day(audit: Audit, exceptions: str) -> None:
    audit.exceptions.write_text(exceptions)

    code, out, error = audit()

    assert (code, out) == (2, "")
    assert error.count("\n") == 1


def test_findings_are_written_for_github(audit: Audit, services: Services, tmp_path: Path) -> None:
    file = tmp_path / "new/osv.sarif"
    services.vulnerable("GHSA-1", "right-pad", database_specific={"severity": "CRITICAL"})
    services.vulnerable("GHSA-2", "left-pad", database_specific={"severity": "HIGH"}, aliases=["CVE-2"])
    audit.exceptions.write_text(exception("CVE-2", 1))

    code, out, _ = audit("--sarif", str(file))

    [run] = json.loads(file.read_text())["runs"]
    rules = {rule["id"]: rule["properties"]["security-severity"] for rule in run["tool"]["driver"]["rules"]}
    left, right = run["results"]
    [location] = right["locations"]
    assert code == 1
    assert rules == {"GHSA-1": "9.5", "GHSA-2": "8.0"}
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "poetry.lock"},
        "region": {"startLine": LOCK.splitlines().index('name = "right-pad"') + 1},
    }
    assert (right["ruleId"], right["level"], right["suppressions"]) == ("GHSA-1", "error", [])
    assert right["message"]["text"] in out
    assert left["suppressions"] == [{"kind": "external", "justification": "We pad no text."}]


def test_nothing_is_written_where_nobody_answered(audit: Audit, services: Services, tmp_path: Path) -> None:
    services.instead["/pypi/"] = 404, b""

    assert audit("--sarif", str(tmp_path / "osv.sarif")).code == 2
    assert not (tmp_path / "osv.sarif").exists()


def test_our_own_lock_file_is_asked_about_whole(audit: Audit, services: Services) -> None:
    audit.lock.write_text((REPOSITORY / "poetry.lock").read_text())
    audit.exceptions.write_text((REPOSITORY / "scripts/ci/audit-exceptions.toml").read_text())

    code, _, error = audit()

    assert code == 2
    assert error.endswith("has none of the locked files\n")  # only at the end, after OSV knew of nothing
