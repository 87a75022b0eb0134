#!/usr/bin/env bash
# What a workplace without registries brings instead: a Docker engine with local images, and Google's provider.
# Where it brings none, a machine's own are used.
#
#   .ci/workplace.sh start       the engine, with the images that are not built here
#   .ci/workplace.sh provider    prints what lets Terraform find the provider, to be evaluated
#   .ci/workplace.sh stop        the engine
set -euo pipefail
cd "$(dirname "$0")/.."
tools=../shared/tools

case ${1:-} in
    start)
        [ -x $tools/docker-engine ] || exit 0
        $tools/docker-engine start
        # Of two clients on the way, the one that builds with BuildKit.
        mkdir -p .tools/bin
        ln -sf /usr/bin/docker .tools/bin/docker
        { sed -n 's/^FROM \(python:[^ ]*\) .*/\1/p' Dockerfile; sed -n 's/^    image: \(prom\|postgres\|redis\)/\1/p' docker-compose.yml; } |
            xargs $tools/docker-engine image
        ;;
    provider) if [ -x $tools/terraform-google ]; then $tools/terraform-google; fi ;;
    stop) if [ -x $tools/docker-engine ]; then $tools/docker-engine stop; fi ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
