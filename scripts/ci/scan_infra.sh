#!/usr/bin/env bash
# Write what checkov and zizmor find to build/sarif/infra, for GitHub's Security tab; `make lint-infra` is what fails.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=.tools/lint/bin
if ! [ -x "$tools/checkov" ]; then
    echo "error: checkov is needed; install it: make lint-infra" >&2
    exit 1
fi
rm -rf build/sarif/infra
mkdir -p build/sarif/infra
"$tools/zizmor" --offline --no-progress --persona=auditor --format sarif .github > build/sarif/infra/zizmor.sarif
