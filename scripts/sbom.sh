#!/usr/bin/env bash
# Write build/sbom.cdx.json, what the Python environment of an image holds, and compare it with the lock file.
#
#   scripts/sbom.sh IMAGE GROUP...
set -euo pipefail
cd "$(dirname "$0")/.."

image=$1
shift
tool=.tools/sbom/bin
if ! [ "$("$tool/cyclonedx-py" --version 2>/dev/null)" = "7.5.0" ]; then
    rm -rf .tools/sbom
    python3 -m venv .tools/sbom
    "$tool/pip" install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
fi

# The image has no installer and no shell script to ask: its packages are looked at from outside.
work=$(mktemp -d)
container=$(docker create "$image")
trap 'docker rm "$container" >/dev/null; rm -rf "$work"' EXIT
docker cp "$container:/app/.venv/lib" "$work/" >/dev/null
python3 -m venv --without-pip "$work/environment"
site=$("$work/environment/bin/python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")
cp -R "$work"/lib/python3*/site-packages/. "$site/"
mkdir -p build
"$tool/cyclonedx-py" environment "$work/environment" --output-reproducible \
    --output-file build/sbom.cdx.json

# What the lock file asks for on the platform of the image.
python3 scripts/requirements.py "$@" > "$work/requirements.txt"
docker run --rm --network none "$image" python -c '
import json, os, platform, sys
version = platform.python_version()
print(json.dumps({
    "implementation_name": sys.implementation.name, "os_name": os.name,
    "platform_machine": platform.machine(), "platform_system": platform.system(),
    "platform_python_implementation": platform.python_implementation(),
    "python_full_version": version, "python_version": version.rpartition(".")[0], "sys_platform": sys.platform}))
' > "$work/platform.json"
"$tool/python" - "$work" <<'PYTHON'
import json
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

work = Path(sys.argv[1])
platform = json.loads((work / "platform.json").read_text())
lines = (work / "requirements.txt").read_text().splitlines()
requirements = [Requirement(line.split(" --hash=")[0]) for line in lines]
wanted = [r for r in requirements if r.marker is None or r.marker.evaluate(platform)]
locked = {f"{canonicalize_name(r.name)}{r.specifier}" for r in wanted}
components = json.loads(Path("build/sbom.cdx.json").read_text())["components"]
found = sorted(f"{canonicalize_name(c['name'])}=={c['version']}" for c in components)
if found != sorted(locked):
    sys.exit(f"error: the image and the lock file differ: {' '.join(sorted(locked ^ set(found)))}")
print(f"build/sbom.cdx.json: {len(found)} components, as in the lock file")
PYTHON
