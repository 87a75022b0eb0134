#!/usr/bin/env bash
# Ask the API in the cluster for its health, a prediction and its metrics; any answer but the expected one fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
need python3
choose_context

log=$(mktemp)
"${kube[@]}" port-forward service/iris-api :http >"$log" 2>&1 &
forward=$!
trap 'stop "$forward"; rm "$log"' EXIT

# kubectl takes a free port and says which.
for _ in $(seq 100); do
    port=$(sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$log")
    if [ -n "$port" ] || ! kill -0 "$forward" 2>/dev/null; then break; fi
    sleep 0.2
done
if [ -z "$port" ]; then die "no way to the service iris-api: $(tail -1 "$log")"; fi

"${kube[@]}" get secret iris-api --ignore-not-found --output 'jsonpath={.data.API_KEY}' |
    python3 scripts/k8s/ask.py "http://127.0.0.1:$port"
