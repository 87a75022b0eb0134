#!/usr/bin/env bash
# Say on the page of the run what Terraform would change, and give the digest of that to who applies it. The plan itself
# is not kept: what it holds is nobody else's to read.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
source scripts/ci/terraform.sh
start_terraform
plan
{
    printf '### Terraform\n\n```\n'
    infrastructure show -no-color terraform.tfplan
    printf '```\n'
} | summarise
digest=$(plan_digest)
output digest "$digest"
