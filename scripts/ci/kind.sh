#!/usr/bin/env bash
# Build kind, and put it on the PATH of the steps that follow.
set -euo pipefail
cd "$(dirname "$0")/../.."

kind=$(scripts/ci/go_tool.sh sigs.k8s.io/kind@v0.33.0)
"$kind" version
if [ -n "${GITHUB_PATH:-}" ]; then dirname "$kind" >> "$GITHUB_PATH"; fi
