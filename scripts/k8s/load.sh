#!/usr/bin/env bash
# Bring images of this machine into the cluster, building them when they are missing; a cluster elsewhere pulls its own.
#
#   scripts/k8s/load.sh IMAGE...
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
choose_context

load() {
    case $K8S_CONTEXT in
        minikube)
            minikube image load --profile minikube "$1"
            # It calls a load that failed a success.
            loaded=$(minikube image ls --profile minikube)
            grep -qE "(^|/)$1\$" <<<"$loaded" || die "minikube did not take the image $1: minikube logs --profile minikube"
            ;;
        kind-*) kind load docker-image "$1" --name "${K8S_CONTEXT#kind-}" ;;
    esac
}

case $K8S_CONTEXT in
    minikube) need minikube docker ;;
    kind-*) need kind docker ;;
    *)
        echo "context $K8S_CONTEXT: images come from their registry"
        exit
        ;;
esac
for image in "$@"; do
    if ! docker image inspect "$image" >/dev/null 2>&1; then make build; fi
    load "$image"
done
