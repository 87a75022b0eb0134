# shellcheck shell=bash
# Terraform as CI runs it; sourced from the root of the checkout, after lib.sh.

infrastructure() { terraform -chdir=terraform "$@"; }

# The state is in a bucket; the variables of TERRAFORM_VARIABLES, a JSON object, are those of terraform.tfvars.
start_terraform() {
    need TERRAFORM_STATE_BUCKET TERRAFORM_VARIABLES
    export TF_IN_AUTOMATION=1 TF_INPUT=0
    printf 'terraform {\n  backend "gcs" {}\n}\n' > terraform/backend.tf
    jq . <<<"$TERRAFORM_VARIABLES" > terraform/ci.auto.tfvars.json
    infrastructure init -backend-config="bucket=$TERRAFORM_STATE_BUCKET" -backend-config=prefix=mlops-core >/dev/null
}

# The image that the VMs run; nothing before the first time.
image_in_service() { infrastructure output -json | jq --raw-output '.image.value // empty'; }

# What is planned or applied leaves the image as it was deployed, whatever the variables say.
keep_image() {
    local image
    image=$(image_in_service)
    if [ -n "$image" ]; then export TF_CLI_ARGS_plan="-var=image=$image"; fi
}

# Write terraform/ci.plan, and say what it would change; the digest is of all that it changes, and empty for nothing.
plan() {
    local code=0
    infrastructure plan -detailed-exitcode -out=ci.plan || code=$?
    case $code in
        0) export plan_digest= ;;
        2)
            plan_digest=$(infrastructure show -json ci.plan | jq --sort-keys "[.resource_changes, .output_changes]" | sha256sum)
            export plan_digest=${plan_digest%% *}
            ;;
        *) die "no plan" ;;
    esac
}

# Run another image on the VMs, and wait until they all do.
apply_image() {
    local outputs
    infrastructure apply -auto-approve -var="image=$1" && outputs=$(infrastructure output -json) &&
        gcloud compute instance-groups managed wait-until "$(jq --raw-output .instance_group.value <<<"$outputs")" \
            --region "$(jq --raw-output .region.value <<<"$outputs")" --version-target-reached --timeout 1200
}
