#!/usr/bin/env bash
# Put the bundle that deploy/model.json points to in service: it becomes champion.json of MODEL_STORE, which the servers follow.
# When the API at API_URL does not serve it then, the champion before is put back, and this fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need API_URL MODEL_STORE
export PATH=$PWD/.venv/bin:$PATH

python -m scripts.ci.model_pointer verify "$MODEL_STORE"
before=$(mktemp)
trap 'rm -f "$before"' EXIT
champion=$MODEL_STORE/champion.json
if gcloud storage ls "$champion" >/dev/null 2>&1; then gcloud storage cat "$champion" > "$before"; fi

put() { gcloud storage cp --cache-control=no-store "$1" "$champion"; }
served() { python -m scripts.ci.smoke "$API_URL" --model "$(jq --raw-output .manifest_sha256 "$1")"; }

API_KEY=$(api_key)
export API_KEY
put deploy/model.json
if served deploy/model.json; then
    echo "in service: $(jq --raw-output .bundle deploy/model.json)" | summarise
    exit 0
fi
if [ ! -s "$before" ]; then die "the API does not serve the model, and there is none before it to go back to"; fi
put "$before"
served "$before"
echo "taken back: $(jq --raw-output .bundle deploy/model.json); in service: $(jq --raw-output .bundle "$before")" | summarise
die "the API did not serve the model; revert the change of deploy/model.json"
