#!/usr/bin/env bash
# Check the Dockerfile and every profile of the Compose file; TOOLS is the folder of the tools.
set -euo pipefail
tools=${TOOLS:?run by scripts/lint_infra.sh}

"$tools/hadolint" Dockerfile
"$tools/yamllint" --strict --config-data '{extends: default, rules: {line-length: disable, document-start: disable, braces: {min-spaces-inside: 0, max-spaces-inside: 1}, comments: {min-spaces-from-content: 1}}}' docker-compose.yml

scripts/checkov.sh --framework dockerfile --file Dockerfile

# Every profile alone, and all together.
profiles=$(sed -n 's/^ *profiles: \[\(.*\)\]$/\1/p' docker-compose.yml | sort -u)
scripts/compose.sh --file docker-compose.yml config --quiet
for profile in $profiles; do
    scripts/compose.sh --file docker-compose.yml --profile "$profile" config --quiet
    if [ -f "deploy/compose/$profile.env" ]; then
        scripts/compose.sh --env-file "deploy/compose/$profile.env" --file docker-compose.yml config --quiet
    fi
done
COMPOSE_PROFILES=$(echo "$profiles" | paste -sd,) scripts/compose.sh --file docker-compose.yml config --quiet
echo "compose: default, $(echo "$profiles" | paste -sd' ')"
