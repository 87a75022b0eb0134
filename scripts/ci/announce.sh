#!/usr/bin/env bash
# Write the release of the tag GITHUB_REF_NAME: what CHANGELOG.md says, the digests of DIGESTS, and the lists of build/sbom.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need ARTIFACT_REGISTRY DIGESTS GITHUB_REF_NAME GITHUB_REPOSITORY

notes=$(mktemp)
trap 'rm -f "$notes"' EXIT
{
    scripts/ci/changelog.sh "${GITHUB_REF_NAME#v}"
    printf '\nImages, by digest:\n\n'
    jq --raw-output --arg registry "$ARTIFACT_REGISTRY" 'to_entries[] | "- `\($registry)/\(.key)@\(.value)`"' <<<"$DIGESTS"
} > "$notes"
for platform in amd64 arm64; do
    cp "build/sbom/sbom-$platform/sbom.cdx.json" "build/sbom/mlops-core-$platform.cdx.json"
done
gh release create "$GITHUB_REF_NAME" --repo "$GITHUB_REPOSITORY" --verify-tag --title "$GITHUB_REF_NAME" \
    --notes-file "$notes" build/sbom/*.cdx.json
