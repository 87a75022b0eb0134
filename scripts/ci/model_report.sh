#!/usr/bin/env bash
# Train the model of BASE and that of this checkout, and write to build/report what differs:
# report.md (parameters and measures) and index.html (plots). With GITHUB_STEP_SUMMARY the page of the run shows it too.
#
#   scripts/ci/model_report.sh [BASE]    default: HEAD
set -euo pipefail
cd "$(dirname "$0")/../.."

base=$(git rev-parse --verify --quiet "${1:-HEAD}^{commit}") || {
    echo "error: there is no commit ${1:-HEAD} here" >&2
    exit 1
}
rm -rf build/report
mkdir -p build/report
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DVC_NO_ANALYTICS=1 GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@localhost GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@localhost
unset MLFLOW_TRACKING_URI MODEL_DIR

# DVC compares what is in Git with what is on disk, so both run in one clone; the checkout stays as it is.
git clone --quiet --no-checkout . "$work/clone"
cd "$work/clone"
git checkout --quiet --detach "$base"
dvc repro --quiet
git add --force dvc.lock
git commit --quiet --no-verify --message "The model of $base"
before=$(git rev-parse HEAD)

# The files of the checkout take the place of those of BASE, changes that are not committed included.
git ls-files -z | xargs -0 rm -f
cd "$here"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
    tar -c --null -T - -f - | tar -x -C "$work/clone" -f -
cd "$work/clone"
dvc repro --quiet

{
    echo "### The model, beside that of ${base:0:12}"
    printf '\nParameters:\n\n'
    dvc params diff --md "$before"
    printf '\nMeasures, on the held-out rows:\n\n'
    dvc metrics diff --md --all "$before"
} | sed -e "s/$before/before/; s/workspace/now/; s/  *|/ |/g; s/---*/---/g" > "$here/build/report/report.md"
dvc plots diff --quiet --out "$here/build/report" "$before" workspace
tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}" < "$here/build/report/report.md"
