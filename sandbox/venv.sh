#!/bin/sh
# Makes the virtual environment from the locked requirements. A shell script, so that a Python that is too old can be named.
set -eu
python=$1 venv=$2
if ! command -v "$python" >/dev/null 2>&1; then
    echo "Detour needs Python 3.11 or newer and '$python' is not there: install it (apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3.11" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Detour needs Python 3.11 or newer and '$python' is $("$python" -V 2>&1): install a newer one and name it: make PYTHON=/path/to/python3.11" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    echo "installing python3-venv, which Debian keeps apart from Python"
    (apt-get update -qq && apt-get install -y -qq python3-venv) >/dev/null || {
        echo "Detour needs Python's venv module: run 'apt-get install python3-venv' as root and try again" >&2
        exit 1
    }
fi
if [ -L "$venv" ]; then
    echo "$venv is a link, and making it anew would empty what it leads to: run make there, or 'touch $venv/.ready' if that is up to date" >&2
    exit 1
fi
echo "setting up Python's packages in $venv"
start=$(date +%s)
"$python" -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2>/dev/null ||
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --editable .
touch "$venv/.ready"
echo "Python's packages are set up, it took $(($(date +%s) - start)) s"
