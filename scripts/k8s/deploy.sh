#!/usr/bin/env bash
# Bring an overlay into the cluster and wait until it runs. Again is fine: our images then start anew, as they are now.
#
#   scripts/k8s/deploy.sh local     the API, on the model store in mlruns/
#   scripts/k8s/deploy.sh mlflow    the API, an MLflow server and the training
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh

overlay=${1:?an overlay of deploy/overlays}
[ -f "deploy/overlays/$overlay/kustomization.yaml" ] || die "there is no overlay $overlay in deploy/overlays"
if [ "$overlay" = local ] && [ ! -f mlruns/champion.json ]; then die "no model in mlruns/: make train"; fi
choose_context

# Which of our images it runs is asked of the overlay itself.
rendered=$("${kube[@]}" kustomize "deploy/overlays/$overlay")
images=$(sed -n 's/^ *-* *image: \(mlops-core[a-z-]*:[^ ]*\)$/\1/p' <<<"$rendered" | sort -u)
# shellcheck disable=SC2086 # several words on purpose
if [ -n "$images" ]; then scripts/k8s/load.sh $images; fi

before=$("${kube[@]}" get deployments --output name)
# How many serve, and on which claim: a bare number serves a model of MLflow.
serving=$("${kube[@]}" get deployment iris-api --ignore-not-found \
    --output 'jsonpath={.status.availableReplicas}{.spec.template.spec.volumes[*].persistentVolumeClaim.claimName}')
apply -f k8s/namespace.yaml
ensure_secrets k8s/secret.yaml.example "$rendered"
applied=$(apply -k "deploy/overlays/$overlay" --output name)
echo "$applied"

for ours in deployment.apps/mlflow deployment.apps/iris-api; do
    if grep -qx "$ours" <<<"$before" && grep -qx "$ours" <<<"$applied"; then "${kube[@]}" rollout restart "$ours"; fi
done
for workload in $(workloads "$applied"); do
    if [ "$workload" != deployment.apps/iris-api ]; then rolled_out "$workload"; fi
done
# The API is ready when it has a model: at once, or where training is deployed with it, after the first one.
if [[ $serving =~ ^[0-9]+$ ]] || ! grep -q '^kind: CronJob$' <<<"$rendered"; then
    rolled_out deployment.apps/iris-api
    echo "the API runs; try it: make k8s-test, use it: make k8s-port-forward"
else
    echo "the API serves as soon as MLflow has a model; to train one: make k8s-train"
fi
