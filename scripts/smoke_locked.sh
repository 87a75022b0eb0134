#!/usr/bin/env bash
# Run the image of the API with nothing it could do without: no network, no right, no disk to write on.
#
#   scripts/smoke_locked.sh IMAGE
set -euo pipefail
cd "$(dirname "$0")/.."

image=$1
most_mb=250 # above the base image
containers=()
trap 'docker rm --force "${containers[@]}" >/dev/null' EXIT

start() { # start [OPTION...]: prints the container
    docker run --detach --read-only --cap-drop ALL --security-opt no-new-privileges --user 10001 --network none \
        --health-interval 1s --health-retries 3 "$@" "$image"
}

wait_for() { # wait_for CONTAINER STATE: of its health
    for _ in $(seq 600); do
        if [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = "$2" ]; then return; fi
        sleep 0.5
    done
    echo "error: it did not become $2 within 5 minutes:" >&2
    docker logs "$1" >&2
    return 1
}

serving=$(start --volume "$PWD/models:/app/models:ro")
containers+=("$serving")
empty=$(start)
containers+=("$empty")

wait_for "$serving" healthy
docker exec --interactive "$serving" python - <<'PYTHON'
import json
from urllib.request import Request, urlopen

with open("models/example.json", encoding="utf-8") as file:
    example = json.load(file)
body = json.dumps(example["rows"][0]).encode()
request = Request("http://127.0.0.1:8000/predict", body, {"Content-Type": "application/json"})
answer = json.load(urlopen(request, timeout=5))
assert answer["prediction"] == example["labels"][0], answer
PYTHON
written=$(docker diff "$serving")
if [ -n "$written" ]; then
    echo "error: it wrote $written" >&2
    exit 1
fi
docker stop --time 40 "$serving" >/dev/null
[ "$(docker inspect --format '{{.State.ExitCode}}' "$serving")" = 0 ]

wait_for "$empty" unhealthy

base=$(sed -n 's/^FROM \([^ ]*\) AS base$/\1/p' Dockerfile)
docker image inspect "$base" >/dev/null 2>&1 || docker pull --quiet "$base" >/dev/null # a build need not keep it
size() { docker image inspect --format '{{.Size}}' "$1"; }
above_mb=$((($(size "$image") - $(size "$base")) / 1000000))
if [ $above_mb -gt $most_mb ]; then
    echo "error: $image is $above_mb MB above $base, more than $most_mb" >&2
    exit 1
fi
echo "smoke: locked down, it predicts and writes nothing; without a model it is unhealthy; $above_mb MB above its base"
