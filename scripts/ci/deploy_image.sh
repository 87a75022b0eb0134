#!/usr/bin/env bash
# Put the image with DIGEST in service on TARGET, gke or vm, and try it; when it fails, the image before is put back, and this fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need ARTIFACT_REGISTRY DIGEST TARGET
is_digest "$DIGEST" || die "the digest is sha256: and 64 hexadecimal digits, as the release names it"
image=$ARTIFACT_REGISTRY/mlops-core@$DIGEST

# Each target: what runs now, how another runs, and whether it answers. `&&` since `if` turns `set -e` off in them.
case $TARGET in
    gke)
        # shellcheck source=scripts/k8s/lib.sh
        source scripts/k8s/lib.sh
        choose_context
        current() { "${kube[@]}" get deployment iris-api --output 'jsonpath={.spec.template.spec.containers[?(@.name=="iris-api")].image}'; }
        put() {
            "${kube[@]}" set image deployment/iris-api "iris-api=$1" &&
                "${kube[@]}" rollout status deployment/iris-api --timeout "$TIMEOUT"
        }
        answers() { scripts/k8s/test.sh; }
        ;;
    vm)
        need API_URL
        # shellcheck source=scripts/ci/terraform.sh
        source scripts/ci/terraform.sh
        API_KEY=$(api_key)
        export API_KEY
        start_terraform
        current() { image_in_service; }
        put() { apply_image "$1"; }
        answers() { python3 -m scripts.ci.smoke "$API_URL"; }
        ;;
    *) die "TARGET is gke or vm" ;;
esac

before=$(current)
echo "in service: $before"
if put "$image" && answers; then
    echo "in service: $image, before: $before" | summarise
    exit 0
fi
if [ -z "$before" ]; then die "$image does not answer, and there is none before it to go back to"; fi
put "$before"
answers
echo "taken back: $image; in service: $before" | summarise
die "$image did not answer"
