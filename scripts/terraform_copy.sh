#!/usr/bin/env bash
# Run a command in an initialised copy of terraform/, without its backend, its state and anyone's variables:
#   scripts/terraform_copy.sh terraform test
# So nothing of it is left behind: neither .terraform nor a lock file with the checksums of a mirror.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

command -v terraform >/dev/null || {
    echo "error: terraform is missing, 1.11 or newer: https://developer.hashicorp.com/terraform/install" >&2
    exit 1
}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$root"/terraform/*.tf "$root/terraform/scripts" "$root/terraform/tests" "$copy"
rm -f "$copy/backend.tf"
cd "$copy"
terraform init -backend=false -input=false -no-color > init.log 2>&1 || {
    cat init.log >&2
    echo "error: no provider hashicorp/google; it comes from Terraform's registry, or from a mirror that TF_CLI_CONFIG_FILE names" >&2
    exit 1
}
"$@"
