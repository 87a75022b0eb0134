#!/usr/bin/env bash
# Look for known vulnerabilities in an image: its Python packages and those of the system.
# Fails on a high or critical one that has a fix, and when the list of vulnerabilities cannot be had or is old.
set -euo pipefail
cd "$(dirname "$0")/../.."

image=$1
grype=$(scripts/ci/go_tool.sh github.com/anchore/grype/cmd/grype@v0.121.2)
rm -rf build/sarif/image
mkdir -p build/sarif/image
"$grype" "docker:$image" --only-fixed --fail-on high --output table --output sarif=build/sarif/image/grype.sarif
