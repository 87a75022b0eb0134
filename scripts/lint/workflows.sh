#!/usr/bin/env bash
# Check the workflows of GitHub Actions; TOOLS is the folder of the tools. Needs Go, which builds actionlint.
#
#   scripts/lint/workflows.sh [FOLDER]    of a checkout, default: this one
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=${TOOLS:?run by scripts/lint_infra.sh}
actionlint=$(scripts/ci/go_tool.sh github.com/rhysd/actionlint/cmd/actionlint@v1.7.12)
cd "${1:-.}"

# Syntax, expressions, and every `run:` by shellcheck. Without shellcheck actionlint is silent, so it is asked for first.
"$tools/shellcheck" --version >/dev/null
# It does not know `$/` yet, the action of this repository at this commit: that those exist is asked here.
"$actionlint" -shellcheck "$tools/shellcheck" -pyflakes= -ignore '^specifying action "\$/' .github/workflows/*.yml
sed -nE 's/^ *(- )?uses: \$\/([^ ]+).*/\2/p' .github/workflows/*.yml | while read -r action; do
    [ -f "$action/action.yml" ] || { echo "error: there is no $action/action.yml" >&2 && exit 1; }
done

# Every action is a commit, which no one can move, and says which version that is.
if grep -rnE '^ *(- )?uses:' .github/workflows .github/actions |
    grep -vE 'uses: (\$/[^@ ]+|[^@ ]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+)$'; then
    echo "error: pin these actions to a commit of 40 digits, and say the version: # v1.2.3" >&2
    exit 1
fi

"$tools/zizmor" --offline --no-progress --quiet --persona=auditor --strict-collection .github

# What checkov cannot read it leaves out with exit code 0, so the number of checks that passed is asked too.
report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$tools/checkov" --directory .github --framework github_actions --skip-download --compact --quiet --output json > "$report" || {
    cat "$report"
    exit 1
}
"$tools/python" - "$report" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    summary = json.load(file)["summary"]
if summary["passed"] == 0 or summary["failed"] or summary["parsing_errors"]:
    sys.exit(f"error: checkov: {summary}")
print(f"workflows: actionlint, zizmor, pins; checkov {summary['passed']} checks passed, 0 failed")
PYTHON
