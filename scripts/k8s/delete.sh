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
# Kinds that only Google's clusters know: kubectl deletes nothing when it hears of a kind its server does not have.
known=$("${kube[@]}" api-resources --output name) || true # one group that does not answer hides no other
for kind in backendconfigs.cloud.google.com {frontendconfigs,managedcertificates}.networking.gke.io podmonitorings.monitoring.googleapis.com; do
    if grep -qx "$kind" <<<"$known"; then kinds+=,$kind; fi
done
if [ "${1:-}" = monitoring ]; then part='='; else part='!='; fi
"${kube[@]}" delete "$kinds" --selector "$(labels "$part")" --ignore-not-found --timeout "$TIMEOUT"
