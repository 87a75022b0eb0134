#!/usr/bin/env bash
# Render every kustomization, and check what comes out against the schemas of Kubernetes and with checkov; TOOLS is the folder of the tools.
set -euo pipefail
tools=${TOOLS:?run by scripts/lint_infra.sh}
command -v kubectl >/dev/null || {
    echo "error: kubectl is missing: https://kubernetes.io/docs/tasks/tools/" >&2
    exit 1
}

"$tools/yamllint" --strict --config-file scripts/lint/kubernetes.yamllint.yaml k8s deploy/components deploy/overlays

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
kubectl kustomize k8s > "$folder/base.yaml"
kubectl kustomize k8s/monitoring > "$folder/monitoring.yaml"
for overlay in deploy/overlays/*/; do
    kubectl kustomize "$overlay" > "$folder/$(basename "$overlay").yaml"
done
# What is applied by hand.
for file in k8s/*nodeport.yaml k8s/*.example k8s/monitoring/*.example k8s/monitoring/servicemonitor-*.yaml; do
    cp "$file" "$folder/$(basename "$file" .example | sed 's/\.yaml$//')-by-hand.yaml"
done

"$tools/python" scripts/lint/kubernetes_schemas.py "$folder"

# Left out: a limit of CPU slows a pod down while its node is idle (11); an image named by its digest is never another (15),
# and one that this machine built has none, which tests/k8s allows to laptops alone (43).
scripts/checkov.sh --framework kubernetes --skip-check CKV_K8S_11,CKV_K8S_15,CKV_K8S_43 \
    --file "$folder"/{base,gke,local,mlflow,mlflow-postgres,monitoring}.yaml
