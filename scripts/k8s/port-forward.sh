#!/usr/bin/env bash
# Make services of the cluster reachable on this machine until Ctrl-C, or until one of them is lost.
#
#   scripts/k8s/port-forward.sh SERVICE:PORT...    the port is that of this machine, theirs is called http
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
choose_context

forwards=()
trap 'stop "${forwards[@]}"' EXIT
for each in "$@"; do
    "${kube[@]}" port-forward "service/${each%:*}" "${each#*:}:http" &
    forwards+=($!)
    echo "${each%:*}: http://localhost:${each#*:}"
done
while true; do
    for forward in "${forwards[@]}"; do
        if ! kill -0 "$forward" 2>/dev/null; then
            wait "$forward"
            exit
        fi
    done
    sleep "${K8S_POLL_SECONDS:-1}"
done
