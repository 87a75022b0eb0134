#!/usr/bin/env bash
# Start a cluster on this machine, with mlruns/ on its node; the current context of kubectl stays what it was.
#
#   scripts/k8s/setup.sh minikube
#   scripts/k8s/setup.sh kind
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/k8s/lib.sh

mkdir -p mlruns
case ${1:-} in
    minikube)
        need minikube kubectl
        # Calico, since not every network plugin holds to network policies.
        # One in a container takes no mount afterwards and says so; one in a machine of its own starts without.
        anew="make it anew: minikube delete --profile minikube, and this again"
        minikube start --profile minikube --keep-context --cni calico --mount --mount-string "$PWD/mlruns:$MLRUNS_ON_NODE" ||
            die "minikube did not start; if it was made without this mlruns/, $anew"
        minikube ssh --profile minikube -- test -d "$MLRUNS_ON_NODE" || die "this minikube was made without mlruns/; $anew"
        minikube addons enable metrics-server --profile minikube # for the autoscaler
        minikube addons enable ingress --profile minikube
        ;;
    kind)
        need kind docker kubectl
        mkdir -p .tools
        clusters=$(kind get clusters)
        if ! grep -qx "${KIND_CONTEXT#kind-}" <<<"$clusters"; then
            kind create cluster --name "${KIND_CONTEXT#kind-}" --kubeconfig "$KIND_KUBECONFIG" --wait 120s --config - <<END
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
    extraMounts:
      - {hostPath: "$PWD/mlruns", containerPath: $MLRUNS_ON_NODE, readOnly: true}
END
        fi
        docker exec "${KIND_CONTEXT#kind-}-control-plane" test -d "$MLRUNS_ON_NODE" ||
            die "this kind cluster was made without mlruns/; make it anew: kind delete cluster --name ${KIND_CONTEXT#kind-}, and this again"
        kind export kubeconfig --name "${KIND_CONTEXT#kind-}" --kubeconfig "$KIND_KUBECONFIG"
        echo "for kubectl itself: export KUBECONFIG=\${KUBECONFIG:-\$HOME/.kube/config}:$KIND_KUBECONFIG"
        ;;
    *) die "usage: scripts/k8s/setup.sh minikube|kind" ;;
esac
echo "ready; next: make k8s-deploy (the model of mlruns/), or make k8s-deploy-mlflow"
