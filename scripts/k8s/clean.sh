#!/usr/bin/env bash
# Delete the namespace with everything in it, volumes and secrets too. CONFIRM=yes answers the question beforehand.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
choose_context

answer=${CONFIRM:-}
if [ -z "$answer" ]; then
    read -r -p "delete namespace $NAMESPACE of context $K8S_CONTEXT with all models and volumes in it? Type yes: " answer || true # no input is no
fi
if [ "$answer" != yes ]; then die "nothing was deleted; make k8s-clean CONFIRM=yes does not ask"; fi
"${kube[@]}" delete namespace "$NAMESPACE" --ignore-not-found --timeout "$TIMEOUT"
# A volume of the node outlives the claim and would take no other.
"${kube[@]}" delete persistentvolumes --selector app.kubernetes.io/part-of=mlops-core --ignore-not-found --timeout "$TIMEOUT"
