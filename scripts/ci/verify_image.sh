#!/usr/bin/env bash
# Fail unless the image with DIGEST in ARTIFACT_REGISTRY was built, attested and signed by the release workflow of this repository.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need ARTIFACT_REGISTRY DIGEST GITHUB_REPOSITORY
is_digest "$DIGEST" || die "the digest is sha256: and 64 hexadecimal digits, as the release names it"
sign_in_to_registry

image=$ARTIFACT_REGISTRY/mlops-core@$DIGEST
workflow=$GITHUB_REPOSITORY/.github/workflows/release.yml
gh attestation verify "oci://$image" --repo "$GITHUB_REPOSITORY" --signer-workflow "$workflow" --deny-self-hosted-runners
# A dot in a name means a dot.
cosign verify "$image" --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity-regexp "^https://github\.com/${workflow//./\\.}@refs/tags/v[0-9]+\.[0-9]+\.[0-9]+$" >/dev/null
echo "$image: built, attested and signed by $workflow"
