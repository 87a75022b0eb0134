#!/usr/bin/env bash
# kubectl in the namespace and the context of the other scripts, whatever the current context is.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
choose_context

exec "${kube[@]}" "$@"
