#!/usr/bin/env bash
# Fail unless the tag GITHUB_REF_NAME is the version of pyproject.toml, has an entry in CHANGELOG.md,
# and names a commit of main on which ci passed.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need GITHUB_REF_NAME GITHUB_SHA GITHUB_REPOSITORY

version=$(version)
if [ "$GITHUB_REF_NAME" != "v$version" ]; then die "the tag is $GITHUB_REF_NAME, pyproject.toml says $version"; fi
scripts/ci/changelog.sh "$version" >/dev/null
git merge-base --is-ancestor "$GITHUB_SHA" origin/main || die "$GITHUB_SHA is not on main"

# The newest run counts, and it must have been one of GitHub Actions itself.
conclusion=$(gh api --method GET "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/check-runs" \
    --field "check_name=All passed" --field filter=latest \
    --jq '[.check_runs[] | select(.app.slug == "github-actions") | .conclusion] | unique | join(" ")')
if [ "$conclusion" != success ]; then die "ci on $GITHUB_SHA: ${conclusion:-has not run}"; fi
echo "$GITHUB_REF_NAME: version, changelog, main and ci"
