#!/usr/bin/env bash
# Bring Prometheus, Alertmanager and Grafana into the cluster and wait until they run.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
choose_context

rendered=$("${kube[@]}" kustomize k8s/monitoring)
apply -f k8s/namespace.yaml
ensure_secrets k8s/monitoring/secrets.yaml.example "$rendered"
applied=$(apply -k k8s/monitoring --output name)
echo "$applied"
# shellcheck disable=SC2046 # several words on purpose
rolled_out $(workloads "$applied")
echo "look at it: make k8s-monitoring-port-forward; Grafana's password of admin:"
echo "  ${kube[*]} get secret grafana-admin -o jsonpath='{.data.password}' | base64 -d"
echo "alerts are shown and sent to nobody until the secret alertmanager-receivers names somebody"
