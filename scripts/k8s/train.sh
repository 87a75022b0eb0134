#!/usr/bin/env bash
# Run the training of the cluster now, show its log, and wait for what it comes to; then for the API to serve.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh
choose_context

job=train-$(date -u +%Y%m%d-%H%M%S)
"${kube[@]}" create job "$job" --from=cronjob/train

# Each attempt is a pod; the job's own deadline ends this loop.
followed=" "
while true; do
    ended=$("${kube[@]}" get job "$job" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}')
    pods=$("${kube[@]}" get pods --selector "batch.kubernetes.io/job-name=$job" \
        --field-selector status.phase!=Pending --output 'jsonpath={.items[*].metadata.name}')
    for pod in $pods; do
        case $followed in *" $pod "*) continue ;; esac
        "${kube[@]}" logs --follow --all-containers "$pod"
        followed="$followed$pod "
    done
    case " $ended " in
        *" Complete "*) break ;;
        *" Failed "*) die "the job $job failed: $("${kube[@]}" get job "$job" --output 'jsonpath={.status.conditions[?(@.type=="Failed")].message}')" ;;
    esac
    sleep "${K8S_POLL_SECONDS:-2}"
done

# Not `rollout status`: that one has given up when the API waited for its first model too long.
"${kube[@]}" wait --for=condition=Available deployment/iris-api --timeout "$TIMEOUT"
