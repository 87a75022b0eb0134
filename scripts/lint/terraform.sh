#!/usr/bin/env bash
# Check terraform/: its format, that it fits the provider, and what it would make with each set of terraform/tests/*.tfvars.
# Needs terraform; TOOLS is the folder of the other tools.
set -euo pipefail
export TOOLS=${TOOLS:?run by scripts/lint_infra.sh}
command -v terraform >/dev/null || {
    echo "error: terraform is missing, 1.11 or newer: https://developer.hashicorp.com/terraform/install" >&2
    exit 1
}
export POLICY=$PWD/scripts/lint/terraform_policy.py CHECKOV=$PWD/scripts/checkov.sh

terraform fmt -check -diff -recursive terraform

# Runs in the copy, which no skip of checkov leaves: those are comments beside what they are about.
check() {
    terraform validate -no-color
    # Nothing is asked of Google: there is no state to refresh, and who we are is known when something is made.
    export GOOGLE_OAUTH_ACCESS_TOKEN=none
    for variables in tests/*.tfvars; do
        name=$(basename "$variables" .tfvars)
        terraform plan -refresh=false -input=false -no-color -var-file="$variables" -out="$name.tfplan" > plan.log 2>&1 || {
            cat plan.log >&2
            exit 1
        }
        terraform show -json "$name.tfplan" > "$name.json"
        "$TOOLS/python" "$POLICY" "$name.json"
    done
    "$CHECKOV" --framework terraform --directory .
    # Not CKV_GCP_24: it fails on a plan that leaves the version to Google, and is about Kubernetes before 1.25.
    "$CHECKOV" --framework terraform_plan --file everything.json letsencrypt.json \
        --repo-root-for-plan-enrichment . --skip-check CKV_GCP_24
}

export -f check
scripts/terraform_copy.sh bash -euo pipefail -c check
