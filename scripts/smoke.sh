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

patience=300 # seconds; a busy machine takes its time
reason="ended by a signal"

finish() {
    code=$?
    if [ $code -ne 0 ]; then compose logs --tail 40 || true; fi # the reason of the failure counts, not of this
    if ! output=$(compose down --volumes --remove-orphans --timeout 40 2>&1) && [ $code -eq 0 ]; then
        code=1
        reason="compose down said: $output"
    fi
    if [ $code -ne 0 ]; then echo "smoke: FAILED: $reason" >&2; fi # last, where people look
    exit $code
}
trap finish EXIT
trap 'reason="line $LINENO: $BASH_COMMAND: exit code $?"' ERR

fail() { # fail REASON
    reason=$1
    exit 1
}

answers() { # answers WORDS COMMAND...: whether the output of the command holds the words
    local words=$1
    shift
    output=$("$@" 2>&1) || return 1
    grep -qF -- "$words" <<<"$output"
}

expect() { # expect WORDS COMMAND...: the same, or the end
    answers "$@" || fail "${*:2} answered $output, not $1"
}

eventually() { # the same, as soon as it does, for as long as we have patience
    local deadline=$((SECONDS + patience))
    until answers "$@"; do
        if [ $SECONDS -ge $deadline ]; then fail "${*:2} answered $output, not $1, for $patience seconds"; fi
        sleep 0.5
    done
}

make build
compose up --detach "${services[@]}"

# With a profile, a training comes first.
eventually 200 curl --silent --output /dev/null --write-out '%{http_code}' "$api/readyz"

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
docker stop --time 40 "$container" >/dev/null
expect 'exit code 0.' docker inspect --format 'exit code {{.State.ExitCode}}.' "$container"
echo "smoke: ready, predicts, counts, stops"
