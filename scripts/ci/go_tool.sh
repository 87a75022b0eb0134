#!/usr/bin/env bash
# Print where a program of Go's module index is, in that version; it is built into .tools/go at its first use.
# Go's checksum database vouches for the source.
#
#   scripts/ci/go_tool.sh github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
set -euo pipefail
cd "$(dirname "$0")/../.."

module=$1
name=$(basename "${module%@*}")
folder=$PWD/.tools/go/$name-${module##*@}
if ! [ -x "$folder/$name" ]; then
    if ! command -v go >/dev/null; then
        echo "error: go is needed to build $module; install it: https://go.dev/doc/install" >&2
        exit 1
    fi
    echo "building $module into .tools/go" >&2
    GOBIN=$folder go install "$module" >&2
fi
echo "$folder/$name"
