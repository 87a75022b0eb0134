# shellcheck shell=bash
# What the scripts beside it share; sourced from the root of the checkout.

export IMAGES="mlops-core mlops-core-pipeline" # of `make build`

die() {
    echo "error: $*" >&2
    exit 1
}

need() { # need VARIABLE...: each of them is set; docs/cicd.md says where
    local name
    for name in "$@"; do
        if [ -z "${!name:-}" ]; then die "$name is not set; docs/cicd.md says where it comes from"; fi
    done
}

version() {
    sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml
}

output() { # output NAME VALUE: for the steps and jobs that follow
    echo "$1=$2" | tee -a "${GITHUB_OUTPUT:-/dev/null}"
}

summarise() { # standard input, on the page of the run too
    tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
}

is_digest() {
    [[ $1 =~ ^sha256:[0-9a-f]{64}$ ]]
}

# Docker keeps the token of ACCESS_TOKEN; it is worth nothing after its lifetime.
sign_in_to_registry() {
    need ACCESS_TOKEN ARTIFACT_REGISTRY
    docker login --username oauth2accesstoken --password-stdin "https://${ARTIFACT_REGISTRY%%/*}" <<<"$ACCESS_TOKEN"
}

# The key that may ask the API, from Secret Manager; nothing when the API asks for none.
api_key() {
    if [ -n "${API_KEY_SECRET:-}" ]; then
        gcloud secrets versions access latest --secret "$API_KEY_SECRET"
    fi
}
