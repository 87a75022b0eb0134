#!/usr/bin/env bash
# Remove what was deployed; volumes, secrets and the namespace stay. Nothing there is fine.
#
#   scripts/k8s/delete.sh               all but the monitoring
#   scripts/k8s/delete.sh monitoring    the monitoring alone
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
choose_context

kinds=cronjobs,jobs,deployments,statefulsets,services,ingresses,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,configmaps,rolebindings,roles,serviceaccounts,resourcequotas,limitranges
if [ "${1:-}" = monitoring ]; then part='='; else part='!='; fi
"${kube[@]}" delete "$kinds" --selector "$(labels "$part")" --ignore-not-found --timeout "$TIMEOUT"
