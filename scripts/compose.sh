#!/usr/bin/env bash
# Docker Compose, as the plugin or as the program it was before.
set -euo pipefail
cd "$(dirname "$0")/.."

if docker compose version >/dev/null 2>&1; then exec docker compose "$@"; fi
if command -v docker-compose >/dev/null; then exec docker-compose "$@"; fi
echo "error: Docker Compose is needed: https://docs.docker.com/compose/install, or apt-get install docker-compose" >&2
exit 1
