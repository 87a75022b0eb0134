# shellcheck shell=bash
# What the scripts beside it share; sourced from the root of the checkout.

export NAMESPACE=mlops
export TIMEOUT=${K8S_TIMEOUT:-300s} # for whatever is waited for
export MLRUNS_ON_NODE=/mnt/mlruns   # where mlruns/ is seen inside minikube and kind

# kind makes what it writes to the current context, so it writes to a file of its own.
export KIND_CONTEXT=kind-mlops KIND_KUBECONFIG=$PWD/.tools/kind-mlops.kubeconfig

die() {
    echo "error: $*" >&2
    exit 1
}

need() { # need TOOL...: each of them is installed
    local tool hint
    for tool in "$@"; do
        case $tool in
            docker) hint=https://docs.docker.com/engine/install ;;
            kind) hint=https://kind.sigs.k8s.io/docs/user/quick-start ;;
            kubectl) hint=https://kubernetes.io/docs/tasks/tools ;;
            minikube) hint=https://minikube.sigs.k8s.io/docs/start ;;
            python3) hint=https://www.python.org/downloads ;;
        esac
        command -v "$tool" >/dev/null || die "$tool is needed; install it: $hint"
    done
}

context_exists() {
    kubectl --context "$1" config get-contexts "$1" --output name >/dev/null 2>&1
}

# Set K8S_CONTEXT unless it is set, and `kube`, the only way in which the scripts call kubectl.
choose_context() {
    need kubectl
    export KUBECONFIG=${KUBECONFIG:-${HOME:-}/.kube/config}:$KIND_KUBECONFIG
    if [ -z "${K8S_CONTEXT:-}" ]; then
        if context_exists minikube && context_exists "$KIND_CONTEXT"; then
            die "minikube and kind are both set up; name one: K8S_CONTEXT=minikube or K8S_CONTEXT=$KIND_CONTEXT"
        elif context_exists minikube; then
            K8S_CONTEXT=minikube
        elif context_exists "$KIND_CONTEXT"; then
            K8S_CONTEXT=$KIND_CONTEXT
        else
            die "no cluster is set up: make k8s-setup, or make k8s-setup-kind, or name yours: K8S_CONTEXT=..."
        fi
    elif ! context_exists "$K8S_CONTEXT"; then
        die "there is no context $K8S_CONTEXT; those there are: kubectl config get-contexts"
    fi
    export K8S_CONTEXT
    kube=(kubectl --context "$K8S_CONTEXT" --namespace "$NAMESPACE")
}

apply() { # apply OPTION...: the fields that the files name are as they say, whoever changed them before
    "${kube[@]}" apply --server-side --force-conflicts "$@"
}

random_key() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# The secret NAME of an example, `replace-me` replaced by a random value; what only you can know is left out.
# No value is ever an argument: arguments of a process are everybody's to read.
filled_in() { # filled_in EXAMPLE NAME
    local line
    awk -v name="$2" '
        function flush() { if (wanted) printf "%s", document; document = ""; wanted = 0 }
        /^---/ { flush(); next }
        $0 == "  name: " name { wanted = 1 }
        { document = document $0 "\n" }
        END { flush() }' "$1" | while IFS= read -r line; do
        case $line in
            *": replace-me") printf '%s%s\n' "${line%replace-me}" "$(random_key)" ;;
            *replace-me*) ;;
            *) printf '%s\n' "$line" ;;
        esac
    done
}

# Create the secrets of an example that are mounted and not there yet; those that are there stay as they are.
ensure_secrets() { # ensure_secrets EXAMPLE RENDERED
    local names name found
    names=$(sed -n 's/^  name: //p' "$1")
    for name in $names; do
        if ! grep -q " secretName: $name\$" <<<"$2"; then continue; fi
        found=$("${kube[@]}" get secret "$name" --ignore-not-found --output name)
        if [ -z "$found" ]; then
            filled_in "$1" "$name" | "${kube[@]}" create -f -
        fi
    done
}

labels() { # labels =|!=: what is monitoring, or what is not
    echo "app.kubernetes.io/part-of=mlops-core,app.kubernetes.io/component${1}monitoring"
}

workloads() { # workloads NAMES: what runs all the time, among objects by their names
    grep -E '^(deployment|statefulset)\.apps/' <<<"$1"
}

rolled_out() { # rolled_out WORKLOAD...: each runs as it was last applied
    local workload
    for workload in "$@"; do
        "${kube[@]}" rollout status "$workload" --timeout "$TIMEOUT"
    done
}

stop() { # stop PID...: what was started in the background, and may have ended
    kill "$@" 2>/dev/null || true
    wait "$@" 2>/dev/null || true
}
