#!/usr/bin/env bash
# Plan again, and apply that when it is what was APPROVED: the digest of the plan that was looked at.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
source scripts/ci/terraform.sh
need APPROVED
start_terraform
plan
digest=$(plan_digest)
if [ "$digest" != "$APPROVED" ]; then die "what there is to change is no longer what was approved; run the workflow again"; fi
make terraform-apply
