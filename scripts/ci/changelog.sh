#!/usr/bin/env bash
# Print what CHANGELOG.md says of a version.
#
#   scripts/ci/changelog.sh 1.0.0
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh

entry=$(awk -v wanted="## [$1]" '
    /^## / { inside = index($0, wanted) == 1; next }
    inside' CHANGELOG.md)
if [ -z "${entry//[[:space:]]/}" ]; then die "CHANGELOG.md says nothing of $1: it needs a section ## [$1] - DATE"; fi
echo "$entry"
