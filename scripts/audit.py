"""Look for known vulnerabilities in the locked packages: `make audit`.

0: none has to be mended. 1: some have to. 2: nobody knows, for a file or a service did not say.
A service that knows nothing answers as if all were well, so OSV is asked about a release with a known fault
too, and PyPI whether it has what is locked.
"""

import argparse
import json
import os
import re
import signal
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.client import HTTPException
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from scripts import sarif

ROOT = Path(__file__).parent.parent
SECONDS = 10  # for one answer to begin or go on
PAUSE = 0.5  # before the one retry
MOST = 64 * 2**20  # bytes of one answer
LEVELS = ("unknown", "low", "moderate", "high", "critical")
MENDED = ("unknown", "high", "critical")  # what nobody rated may be the worst


class Unanswered(Exception):
    """Whether there is a vulnerability cannot be known."""


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    groups: tuple[str, ...]
    hashes: frozenset[str]  # SHA-256 of its files


@dataclass(frozen=True)
class Accepted:
    """A vulnerability that we live with until a day."""

    reason: str
    expires: date


@dataclass
class Finding:
    package: Package
    names: set[str]  # all that it is called: GHSA, PYSEC, CVE
    severity: str
    fixed: set[str]  # versions
    summary: str

    @property
    def must_be_mended(self) -> bool:
        malicious = any(name.startswith("MAL-") for name in self.names)
        return malicious or (bool(self.fixed) and self.severity in MENDED)

    def __str__(self) -> str:
        package = self.package
        fixed = f"fixed in {', '.join(sorted(self.fixed))}" if self.fixed else "no fix"
        names, summary = " ".join(sorted(self.names)), re.sub(r"[^ -~]", " ", self.summary)
        where = f"{package.name} {package.version} ({', '.join(package.groups)})"
        return f"{where}: {self.severity}, {fixed}: {names} {summary}".rstrip()


FAULTY = Package("jinja2", "2.4.1", (), frozenset())  # has been for years


def locked(lock: Path) -> list[Package]:
    """Return every package of `lock`, with the groups that need it."""
    packages = []
    with documented(str(lock)):
        for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
            if "source" in package:
                raise Unanswered(f"{package['name']} is not from PyPI")
            hashes = frozenset(file["hash"].removeprefix("sha256:") for file in package["files"])
            packages.append(Package(package["name"], package["version"], tuple(package["groups"]), hashes))
    if not packages:
        raise Unanswered(f"{lock} locks nothing")
    return packages


def accepted(file: Path) -> dict[str, Accepted]:
    """Return what is accepted, by its name."""
    with documented(str(file)):
        exceptions = {}
        for name, given in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if (
                set(given) != {"reason", "expires"}
                or type(given["expires"]) is not date
                or not given["reason"]
            ):
                raise Unanswered(f"{file}: {name} needs a reason and the day it expires, and nothing else")
            exceptions[name] = Accepted(given["reason"], given["expires"])
        return exceptions


@contextmanager
def documented(source: str) -> Iterator[None]:
    """Say of which source it is that something in it was not as it has to be."""
    try:
        yield
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise Unanswered(f"{source}: {type(error).__name__}: {error}") from error


class Stay(HTTPRedirectHandler):
    """Goes to no other address than the one that was asked for."""

    def redirect_request(self, *_: object) -> None:
        return None


def ask(url: str, question: object = None) -> Any:
    """Return the JSON that `url` answers, asked twice at most."""
    body = None if question is None else json.dumps(question).encode()
    request = Request(url, body, {"Content-Type": "application/json", "User-Agent": "mlops-core audit"})
    for last in (False, True):
        try:
            with build_opener(Stay).open(request, timeout=SECONDS) as response:
                content = response.read(MOST)
            return json.loads(content)
        except HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise Unanswered(f"{url}: {error.code} {error.reason}") from error
            reason = f"{error.code} {error.reason}"
        except (HTTPException, OSError, RecursionError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        if not last:
            time.sleep(PAUSE)
    raise Unanswered(f"{url}: {reason}")


def vulnerabilities(osv: str, packages: Sequence[Package]) -> list[tuple[Package, str]]:
    """Return the package and the name of each vulnerability that OSV knows."""
    url = f"{osv}/v1/querybatch"
    queries = [
        {"package": {"ecosystem": "PyPI", "name": package.name}, "version": package.version}
        for package in (*packages, FAULTY)
    ]
    waiting = list(zip((*packages, FAULTY), queries, strict=True))
    found: list[tuple[Package, str]] = []
    while waiting:
        asked, waiting = waiting, []
        results = ask(url, {"queries": [query for _, query in asked]})
        with documented(url):
            for (package, query), result in zip(asked, results["results"], strict=True):
                found += [(package, str(vulnerability["id"])) for vulnerability in result.get("vulns", [])]
                if token := result.get("next_page_token"):
                    waiting.append((package, {**query, "page_token": token}))
    if not any(package is FAULTY for package, _ in found):
        raise Unanswered(f"{url}: knows of no fault in {FAULTY.name} {FAULTY.version}")
    return [(package, name) for package, name in found if package is not FAULTY]


def record(osv: str, name: str) -> dict[str, Any]:
    """Return all that OSV has about the vulnerability `name`."""
    url = f"{osv}/v1/vulns/{quote(name, safe='')}"
    answer: dict[str, Any] = ask(url)
    with documented(url):
        if answer["id"] != name:
            raise Unanswered(f"{url}: is about {answer['id']}")
    return answer


def finding(package: Package, content: dict[str, Any]) -> Finding:
    """Return what the record `content` says about `package`."""
    with documented(f"OSV's record of {content['id']}"):
        fixed = {
            event["fixed"]
            for affected in content["affected"]
            if _is(package, affected.get("package", {}))
            for span in affected.get("ranges", [])
            if span["type"] == "ECOSYSTEM"
            for event in span["events"]
            if "fixed" in event
        }
        severity = content.get("database_specific", {}).get("severity", "").lower()
        names = {content["id"], *content.get("aliases", [])}
        level = severity if severity in LEVELS else "unknown"
        return Finding(package, names, level, fixed, content.get("summary", ""))


def _is(package: Package, named: dict[str, str]) -> bool:
    name = re.sub(r"[-_.]+", "-", named.get("name", "")).lower()
    return named.get("ecosystem") == "PyPI" and name == package.name


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return `findings` with those that are one under several names as one."""
    apart: list[Finding] = []
    for new in findings:
        for old in [old for old in apart if old.package == new.package and old.names & new.names]:
            apart.remove(old)
            new = Finding(
                new.package,
                new.names | old.names,
                max(new.severity, old.severity, key=LEVELS.index),
                new.fixed | old.fixed,
                new.summary or old.summary,
            )
        apart.append(new)
    return apart


def require_known(pypi: str, package: Package) -> None:
    """Raise Unanswered unless PyPI has a file of `package` that is locked."""
    url = f"{pypi}/{quote(package.name, safe='')}/{quote(package.version, safe='')}/json"
    answer = ask(url)
    with documented(url):
        if package.hashes.isdisjoint(file["digests"]["sha256"] for file in answer["urls"]):
            raise Unanswered(f"{url}: has none of the locked files")


def audit(packages: Sequence[Package], osv: str, pypi: str) -> list[Finding]:
    """Return the vulnerabilities of `packages`."""
    found = vulnerabilities(osv, packages)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda package: require_known(pypi, package), packages))
        records = list(threads.map(lambda pair: record(osv, pair[1]), found))
    pairs = zip((package for package, _ in found), records, strict=True)
    findings = merged(finding(package, content) for package, content in pairs if "withdrawn" not in content)
    return sorted(findings, key=str)


def report(findings: Sequence[Finding], exceptions: dict[str, Accepted]) -> bool:
    """Print `findings` and return whether any has to be mended."""
    fails = False
    for one in findings:
        names = sorted(one.names & exceptions.keys())
        if names:
            exception = exceptions[names[0]]
            print(f"accepted  {one}\n          until {exception.expires}: {exception.reason}")
        else:
            print(f"{'FAILS' if one.must_be_mended else 'noted':8}  {one}")
            fails |= one.must_be_mended
    return fails


def service(address: str) -> str:
    """Return `address` of a service whose answers nobody on the way can have written."""
    parts = urlsplit(address)
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != ("http", "127.0.0.1"):
        raise argparse.ArgumentTypeError(f"{address} is not https")
    return address.rstrip("/")


def pypi_of_pip() -> str:
    """Return the address that pip has for PyPI."""
    from pip._internal.models.index import PyPI

    return f"{PyPI.url}pypi"


def give_up(seconds: int) -> None:
    """End the process after `seconds`, whatever a service still sends."""

    def end(*_: object) -> NoReturn:
        print(f"error: no whole answer within {seconds} seconds", file=sys.stderr, flush=True)
        os._exit(2)

    signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--lock", type=Path, default=ROOT / "poetry.lock")
    parser.add_argument("--exceptions", type=Path, default=ROOT / "scripts/ci/audit-exceptions.toml")
    parser.add_argument("--osv", type=service, default="https://api.osv.dev")
    parser.add_argument("--pypi", type=service, default=pypi_of_pip())
    parser.add_argument("--sarif", type=Path, help="file to write the findings to")
    parser.add_argument("--seconds", type=int, default=180, help="for everything")
    options = parser.parse_args()
    give_up(options.seconds)
    try:
        packages, exceptions = locked(options.lock), accepted(options.exceptions)
        findings = audit(packages, options.osv, options.pypi)
    except Unanswered as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    valid = {name: one for name, one in exceptions.items() if one.expires >= date.today()}
    if options.sarif:
        document = sarif.document(
            findings, valid, options.lock.name, options.lock.read_text(encoding="utf-8")
        )
        options.sarif.parent.mkdir(parents=True, exist_ok=True)
        options.sarif.write_text(json.dumps(document), encoding="utf-8")
    fails = report(findings, valid)
    for name in sorted(exceptions.keys() - valid.keys()):
        print(f"FAILS     the exception {name} expired on {exceptions[name].expires}")
        fails = True
    groups = ", ".join(sorted({group for package in packages for group in package.groups}))
    print(f"{len(packages)} packages of {groups}: {len(findings)} known vulnerabilities")
    sys.exit(fails)


if __name__ == "__main__":
    main()
