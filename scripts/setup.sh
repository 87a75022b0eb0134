#!/usr/bin/env bash
# Install Poetry into .poetry/ and the locked dependencies into .venv/; nothing outside this folder is touched.
#
#   scripts/setup.sh              all groups but `clients` and `tables`
#   scripts/setup.sh --clients    the first of them too
#   scripts/setup.sh --tables     both of them
#   scripts/setup.sh --lock       write poetry.lock anew from pyproject.toml first
set -euo pipefail
cd "$(dirname "$0")/.."

# A Python we support: $PYTHON, or the first one found.
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python} ''; do
    if [ -n "$python" ] && "$python" -c "$supported" 2>/dev/null; then break; fi
done
if [ -z "$python" ]; then
    echo "error: Python 3.11, 3.12 or 3.13 is needed; install one, or name it: make install PYTHON=/path/to/python3" >&2
    exit 1
fi

# Poetry has an environment of its own, so that its dependencies never meet ours.
poetry=.poetry/bin/poetry
if ! "$poetry" --version >/dev/null 2>&1; then
    echo "installing Poetry into .poetry/"
    rm -rf .poetry
    "$python" -m venv .poetry
    .poetry/bin/python -m pip install --quiet --disable-pip-version-check \
        "poetry>=2.5,<2.6" "poetry-plugin-pypi-mirror>=0.6.5,<0.7"
fi

# Poetry asks the index that pip is configured for; many networks serve that one and nothing else.
pip_option() {
    .poetry/bin/python -c "
from pip._internal.commands import create_command
print(getattr(create_command('install').parse_args([])[0], '$1') or '')"
}
POETRY_PYPI_MIRROR_URL=${POETRY_PYPI_MIRROR_URL:-$(pip_option index_url)}
REQUESTS_CA_BUNDLE=${REQUESTS_CA_BUNDLE:-$(pip_option cert)}
POETRY_CACHE_DIR=${POETRY_CACHE_DIR:-$PWD/.poetry/cache}
export POETRY_PYPI_MIRROR_URL POETRY_CACHE_DIR
if [ -n "$REQUESTS_CA_BUNDLE" ]; then export REQUESTS_CA_BUNDLE; fi
unset VIRTUAL_ENV # an active environment would be installed into

groups=()
case ${1:-} in
    --lock) "$poetry" lock --no-interaction ;;
    --clients) groups=(--with clients) ;;
    --tables) groups=(--with "clients,tables") ;;
esac
"$poetry" env use --quiet --no-interaction "$("$python" -c 'import sys; print(sys.executable)')"
# mlflow and mlflow-skinny hold the same files, and Poetry warns of each of two thousand.
"$poetry" sync --no-interaction "${groups[@]}" 2> >(grep -v 'over existing file' >&2)
