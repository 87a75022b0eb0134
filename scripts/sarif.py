"""Vulnerabilities as SARIF, which GitHub shows beside the line of the lock file that brings them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scripts.audit import Accepted, Finding

# What GitHub calls low, medium, high and critical begins at 0.1, 4, 7 and 9.
SCORES = {"low": "2.0", "moderate": "5.0", "high": "8.0", "critical": "9.5", "unknown": "8.0"}


def document(
    findings: Sequence[Finding], exceptions: Mapping[str, Accepted], file: str, lock: str
) -> dict[str, Any]:
    """Return a SARIF document about `findings` in the lock file `file`, whose text is `lock`."""
    rules = {_rule(one): one for one in findings}
    driver = {
        "name": "mlops-core audit",
        "rules": [
            {
                "id": name,
                "helpUri": f"https://osv.dev/vulnerability/{name}",
                "shortDescription": {"text": one.summary or name},
                "properties": {"security-severity": SCORES[one.severity], "tags": ["security"]},
            }
            for name, one in rules.items()
        ],
    }
    results = [_result(one, exceptions, file, lock) for one in findings]
    return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(finding: Finding) -> str:
    return max(finding.names)  # PYSEC, MAL, GHSA rather than CVE, which OSV may not have


def _result(finding: Finding, exceptions: Mapping[str, Accepted], file: str, lock: str) -> dict[str, Any]:
    package = finding.package
    before, _, _ = lock.partition(f'name = "{package.name}"\nversion = "{package.version}"\n')
    region = {"startLine": before.count("\n") + 1}
    where = {"artifactLocation": {"uri": file}, "region": region}
    accepted = [exceptions[name].reason for name in sorted(finding.names & exceptions.keys())]
    return {
        "ruleId": _rule(finding),
        "level": "error" if finding.must_be_mended else "warning",
        "message": {"text": str(finding)},
        "locations": [{"physicalLocation": where}],
        "suppressions": [{"kind": "external", "justification": reason} for reason in accepted],
    }
