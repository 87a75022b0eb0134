#!/usr/bin/env bash
# Write what zizmor and checkov find to build/sarif/infra, for GitHub's Security tab. What fails is `make lint-infra`.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=.tools/lint/bin
if ! [ -x "$tools/checkov" ]; then
    echo "error: checkov is needed; install it: make lint-infra" >&2
    exit 1
fi
out=build/sarif/infra
rm -rf "$out"
mkdir -p "$out"
"$tools/zizmor" --offline --no-progress --persona=auditor --format sarif .github > "$out/zizmor.sarif"
# Of Kubernetes what is rendered is checked, by `make lint-infra` alone: it has no lines in a file here to point at.
"$tools/checkov" --framework dockerfile terraform --directory . --skip-path '^(\.venv|\.tools|\.poetry)' \
    --skip-download --soft-fail --quiet --output sarif --output-file-path "$out" >/dev/null
ls "$out"
