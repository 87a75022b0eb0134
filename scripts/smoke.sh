#!/usr/bin/env bash
# Build the images, start them, ask for a prediction and the metrics, stop them; any answer but the expected one fails.
#
#   scripts/smoke.sh           the API, on the model of `make train`
#   scripts/smoke.sh mlflow    with an MLflow server, a training, and the API on its champion
#   scripts/smoke.sh redis     with limits counted in Redis
#   scripts/smoke.sh monitoring [SERVICE...]    watched; where an image cannot be had, name the services
set -euo pipefail
cd "$(dirname "$0")/.."

# A stack of its own, beside one that may be running.
export COMPOSE_PROJECT_NAME=mlops-core-smoke API_PORT=${API_PORT:-18000} MLFLOW_PORT=${MLFLOW_PORT:-15000}
export PROMETHEUS_PORT=${PROMETHEUS_PORT:-19090} ALERTMANAGER_PORT=${ALERTMANAGER_PORT:-19093} GRAFANA_PORT=${GRAFANA_PORT:-13000}
profile=${1:-}
services=("${@:2}")
options=()
if [ -n "$profile" ]; then options=(--env-file "deploy/compose/$profile.env"); fi
compose() { scripts/compose.sh "${options[@]}" "$@"; }
api=http://127.0.0.1:$API_PORT

finish() {
    code=$?
    if [ $code -ne 0 ]; then compose logs --tail 40 || true; fi # the reason of the failure counts, not of this
    compose down --volumes --remove-orphans --timeout 40 >/dev/null 2>&1 || code=1
    if [ $code -ne 0 ]; then echo "smoke: FAILED" >&2; fi
    exit $code
}
trap finish EXIT

expect() { # expect WORDS COMMAND...: the output of the command holds the words
    local words=$1 output
    shift
    output=$("$@")
    if ! grep -qF -- "$words" <<<"$output"; then
        echo "error: $* answered: $output" >&2
        return 1
    fi
}

eventually() { # the same, within a minute
    for _ in $(seq 60); do
        if expect "$@" 2>/dev/null; then return; fi
        sleep 1
    done
    expect "$@"
}

make build
compose up --detach "${services[@]}"

# Ready within 5 minutes: with a profile, a training comes first.
for _ in $(seq 600); do
    if curl --silent --fail --output /dev/null "$api/readyz"; then break; fi
    sleep 0.5
done
expect 200 curl --silent --output /dev/null --write-out '%{http_code}' "$api/readyz"

# What is asked and what is answered is the example of the model in service here.
row=$(python3 -c 'import json; print(json.dumps(json.load(open("models/example.json"))["rows"][0]))')
label=$(python3 -c 'import json; print(json.load(open("models/example.json"))["labels"][0])')
expect "\"prediction\":\"$label\"" curl --silent --show-error --fail-with-body "$api/predict" \
    --header 'Content-Type: application/json' --data "$row"
expect 'http_requests_total{method="POST",route="/predict",status="200"} 1.0' curl --silent --show-error --fail "$api/metrics"
case $profile in
    mlflow)
        expect champion curl --silent --show-error --fail \
            "http://127.0.0.1:$MLFLOW_PORT/api/2.0/mlflow/registered-models/get?name=IrisClassifier"
        ;;
    redis) expect LIMIT compose exec -T redis redis-cli --scan ;;
    monitoring)
        eventually '"value":[' curl --silent --get --data-urlencode 'query=up{job="iris-api"} == 1' \
            "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query"
        eventually Watchdog curl --silent "http://127.0.0.1:$ALERTMANAGER_PORT/api/v2/alerts"
        ;;
esac

# Stopping ends it in good order.
container=$(compose ps -q api)
compose stop --timeout 40 api >/dev/null 2>&1
[ "$(docker inspect --format '{{.State.ExitCode}}' "$container")" = 0 ]
echo "smoke: ready, predicts, counts, stops"
