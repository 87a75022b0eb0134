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

"$tools/zizmor" --offline --no-progress --quiet --persona=auditor --strict-collection .github .pre-commit-config.yaml || exit 1

# What checkov cannot read it leaves out with exit code 0, such as the permission `attestations`, which it does not know:
# so it gets a copy without, and is asked whether it read every file.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/.github"
cp -R .github/workflows "$copy/.github/"
sed -i.bak '/^ *attestations: [a-z]/d' "$copy"/.github/workflows/*.yml
rm "$copy"/.github/workflows/*.bak
(cd "$copy" && "$tools/checkov" --directory .github --framework github_actions --skip-download --compact --output json) \
    > "$copy/report.json" || true # what failed is said below
"$tools/python" - "$copy" <<'PYTHON'
import json
import sys
from pathlib import Path

copy = Path(sys.argv[1])
report = json.loads((copy / "report.json").read_text())
results = report["results"]
for check in results["failed_checks"]:
    print(f"{check['file_path']}: {check['check_id']} {check['check_name']}", file=sys.stderr)
read = {Path(check["file_path"]).name for check in results["passed_checks"]}
unread = {file.name for file in copy.glob(".github/workflows/*.yml")} - read
if results["failed_checks"] or results["parsing_errors"] or unread:
    sys.exit(f"error: checkov: {report['summary']}, not read: {' '.join(sorted(unread)) or 'none'}")
print(f"workflows: actionlint, zizmor, pins; checkov {report['summary']['passed']} checks passed, 0 failed")
PYTHON
