#!/usr/bin/env bash
# Run checkov, quiet unless a check failed; TOOLS is the folder of the tools.
#
#   scripts/checkov.sh --framework FRAMEWORK OPTION...
set -euo pipefail
tools=${TOOLS:?run by scripts/lint_infra.sh}

report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$tools/checkov" "$@" --skip-download --compact --quiet --output json > "$report" || {
    cat "$report" >&2
    exit 1
}
# What checkov cannot read it leaves out with exit code 0, so the number of checks that passed is asked too.
"$tools/python" - "$report" "$2" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)
summary = report.get("summary", report)  # without one where nothing was read
if summary["passed"] < 10 or summary["failed"] or summary["parsing_errors"]:
    sys.exit(f"error: checkov: {summary}")
print("checkov {}: {passed} passed, {failed} failed, {skipped} skipped".format(sys.argv[2], **summary))
PYTHON
