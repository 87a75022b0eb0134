#!/usr/bin/env bash
# Fail unless each job that NEEDS describes succeeded: one that was skipped or cancelled did not.
set -euo pipefail

python3 - <<'PYTHON'
import json
import os
import sys

results = {name: job["result"] for name, job in json.loads(os.environ["NEEDS"]).items()}
for name, result in results.items():
    print(f"{name}: {result}")
if not results or set(results.values()) != {"success"}:
    sys.exit("error: not every job succeeded")
PYTHON
