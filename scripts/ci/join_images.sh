#!/usr/bin/env bash
# Make one image of those of each platform (DIGESTS: {"mlops-core-amd64": "sha256:…"}), sign it, and say its digest.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need ARTIFACT_REGISTRY DIGESTS
sign_in_to_registry

for image in $IMAGES; do
    name=$ARTIFACT_REGISTRY/$image
    parts=()
    for platform in amd64 arm64; do
        digest=$(jq --raw-output --arg key "$image-$platform" '.[$key]' <<<"$DIGESTS")
        is_digest "$digest" || die "no digest of $image for $platform"
        parts+=("$name@$digest")
    done
    docker buildx imagetools create --tag "$name:$(version)" "${parts[@]}"
    digest=$(docker buildx imagetools inspect --format '{{json .Manifest}}' "$name:$(version)" | jq --raw-output .digest)
    is_digest "$digest" || die "$name:$(version): the registry gave no digest"
    cosign sign --yes --recursive "$name@$digest"
    output "$image" "$digest"
done
