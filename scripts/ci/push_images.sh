#!/usr/bin/env bash
# Push the images of `make build`, of this machine's PLATFORM, to ARTIFACT_REGISTRY, and say their digests.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need ARTIFACT_REGISTRY PLATFORM
sign_in_to_registry

for image in $IMAGES; do
    name=$ARTIFACT_REGISTRY/$image
    tag=$name:$(version)-$PLATFORM
    docker tag "$image:$(version)" "$tag"
    docker push --quiet "$tag" >/dev/null
    digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$tag" | sed -n "s|^$name@||p")
    is_digest "$digest" || die "$tag: the registry gave no digest"
    output "$image-$PLATFORM" "$digest"
    output "$image" "$digest"
done
