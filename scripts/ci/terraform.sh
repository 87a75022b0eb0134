# shellcheck shell=bash
# Terraform as CI runs it, by the targets of make; sourced from the root of the checkout, after lib.sh.

infrastructure() { terraform -chdir=terraform "$@"; }

# The state is in a bucket; the variables of TERRAFORM_VARIABLES, a JSON object, are those of terraform.tfvars.
start_terraform() {
    need TERRAFORM_STATE_BUCKET TERRAFORM_VARIABLES
    export TF_IN_AUTOMATION=1 TF_INPUT=0
    printf 'terraform {\n  backend "gcs" {\n    bucket = "%s"\n    prefix = "mlops-core"\n  }\n}\n' \
        "$TERRAFORM_STATE_BUCKET" > terraform/backend.tf
    jq . <<<"$TERRAFORM_VARIABLES" > terraform/ci.auto.tfvars.json
    make terraform-init
}

# The image that the VMs run; nothing before the first time.
image_in_service() { infrastructure output -json | jq --raw-output '.image.value // empty'; }

# Run IMAGE on the VMs, and wait until they all do.
apply_image() {
    local outputs
    TF_CLI_ARGS_plan="-var=image=$1" make terraform-plan terraform-apply && outputs=$(infrastructure output -json) &&
        gcloud compute instance-groups managed wait-until "$(jq --raw-output .instance_group.value <<<"$outputs")" \
            --region "$(jq --raw-output .region.value <<<"$outputs")" --version-target-reached --timeout 1200
}

# Plan, with the image that is in service, whatever the variables say.
plan() {
    local image
    image=$(image_in_service)
    if [ -n "$image" ]; then export TF_CLI_ARGS_plan="-var=image=$image"; fi
    make terraform-plan
}

# The digest of all that the plan would change; nothing when it would change nothing.
plan_digest() {
    local changes
    changes=$(infrastructure show -json terraform.tfplan | jq --compact-output --sort-keys \
        '[(.resource_changes // [] | .[] | select(.change.actions != ["no-op"])), (.output_changes // {} | to_entries[] | select(.value.actions != ["no-op"]))]')
    if [ "$changes" != "[]" ]; then sha256sum <<<"$changes" | cut -d' ' -f1; fi
}
