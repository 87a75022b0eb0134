#!/usr/bin/env bash
# Look for secrets in every commit, its message included, and in the work tree: `make secrets`.
# What may stay is in scripts/ci/gitleaks.toml, each with its reason. 0: nothing else; 1: something; 2: nobody knows.
#
#   scripts/secrets.sh [REPOSITORY]
set -euo pipefail
cd "$(dirname "$0")/.."

version=v8.30.1
tool=$PWD/.tools/gitleaks-$version
config=$PWD/scripts/ci/gitleaks.toml
if ! [ -x "$tool/gitleaks" ]; then
    if ! command -v go >/dev/null; then
        echo "error: gitleaks is built with Go: install it, from https://go.dev/dl" >&2
        exit 2
    fi
    GOBIN=$tool go install "github.com/zricethezav/gitleaks/v8@$version" || exit 2
fi
cd "${1:-.}"
if [ "$(git rev-parse --is-shallow-repository)" != false ]; then
    echo "error: this clone has not every commit: git fetch --unshallow" >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/now/tree"
git log --all --format='%H%n%an %ae%n%B' > "$work/now/messages" || exit 2
git for-each-ref --format='%(refname)%0a%(contents)' >> "$work/now/messages"
git ls-files -z --cached --others --exclude-standard --deduplicate |
    while IFS= read -r -d '' file; do
        if [ -f "$file" ] && ! [ -L "$file" ]; then printf '%s\0' "$file"; fi
    done | tar --create --null --files-from=- | tar --extract --directory="$work/now/tree"

found=0
look() {
    local code=0
    "$tool/gitleaks" "$@" --config="$config" --gitleaks-ignore-path=/dev/null --ignore-gitleaks-allow \
        --exit-code=10 --no-banner --no-color --redact --verbose 2> "$work/log" || code=$?
    cat "$work/log" >&2
    # A history that cannot be read to its end is an error in the log and still no leak.
    if grep --quiet -E ' (ERR|FTL) ' "$work/log"; then exit 2; fi
    case $code in
        0) ;;
        10) found=1 ;;
        *) exit 2 ;;
    esac
}
# Merges are compared with each parent: what only a merge brings is in no other commit. No attribute hides a file.
look git --log-opts="--all -m --text --no-textconv --no-ext-diff" .
look dir "$work/now"
exit "$found"
