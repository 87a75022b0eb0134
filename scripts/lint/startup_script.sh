#!/usr/bin/env bash
# Check the startup script of the VM as Terraform renders it: ${name} is a value, $${ is ${.
set -euo pipefail
tools=${TOOLS:?run by scripts/lint_infra.sh}

sed -E 's/(^|[^$])\$\{([a-z_]+)\}/\1\2/g; s/\$\$\{/${/g' terraform/scripts/startup-script.sh.tpl | "$tools/shellcheck" -
echo "startup script: shellcheck clean"
