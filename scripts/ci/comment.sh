#!/usr/bin/env bash
# Write a file as a comment on the pull request PULL_REQUEST; the comment of an earlier run is replaced.
set -euo pipefail

file=$1
most_bytes=60000 # GitHub takes 65536 characters
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
    head -c "$most_bytes" "$file"
    printf '\nThe plots are in the artifact model-report of [this run](%s).\n' \
        "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
} > "$body"
gh pr comment "${PULL_REQUEST:?}" --repo "${GITHUB_REPOSITORY:?}" --body-file "$body" --edit-last --create-if-none
