#!/usr/bin/env bash
# Keep build/bundle in MODEL_STORE, and propose it: a pull request that points deploy/model.json to it.
# When the model is the one pointed to already, nothing is proposed.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/ci/lib.sh
need GITHUB_REPOSITORY MODEL_STORE
export PATH=$PWD/.venv/bin:$PATH

python -m scripts.ci.model_pointer write "$MODEL_STORE"
if [ -z "$(git status --porcelain deploy/model.json)" ]; then exit 0; fi

# A bundle's name has its digest in it: what is there already is the same. It is read back before anyone is asked.
bundle=$(jq --raw-output .bundle deploy/model.json)
gcloud storage cp --no-clobber build/bundle/* "$MODEL_STORE/$bundle/"
python -m scripts.ci.model_pointer verify "$MODEL_STORE"

branch=model/${bundle##*/}
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
    printf 'Merging this puts %s of the model store in service.\n\n' "$bundle"
    jq --raw-output '"| measure | held-out rows |", "|---|---|", (to_entries[] | select(.value | type == "number") | "| \(.key) | \(.value) |")' \
        build/bundle/metrics.json
} > "$body"
git switch --quiet --create "$branch"
git add deploy/model.json
git -c user.name='github-actions[bot]' -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
    commit --quiet --message "Put the model ${bundle##*/} in service"
gh auth setup-git
git push --quiet "https://github.com/$GITHUB_REPOSITORY.git" "$branch"
gh pr create --repo "$GITHUB_REPOSITORY" --base main --head "$branch" --title "Model ${bundle##*/}" --body-file "$body"
gh workflow run ci.yml --repo "$GITHUB_REPOSITORY" --ref "$branch"
