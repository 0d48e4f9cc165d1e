#!/usr/bin/env bash
# Checks infra: `infra/tests/run.sh [unittest's arguments]`. Its Python packages go into an environment of their own, made once for each list of them.
# Exit code 77: they cannot be had here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/requirements.txt
sum=$(sha256sum "$list")
environment=${XDG_CACHE_HOME:-$HOME/.cache}/parfetch/infra/${sum:0:16}

say() { printf 'infra: %s\n' "$*" >&2; }

# Marked when it is whole; programs in it name its path, so it cannot be made elsewhere and moved.
if [[ ! -f $environment/whole ]]; then
    if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        say 'there is no Python 3.11 or later with venv and pip'
        exit 77
    fi
    say "getting packages into $environment (a minute or two, once)"
    mkdir -p "${environment%/*}"
    rm -rf "$environment"
    python3 -m venv "$environment"
    if ! "$environment/bin/python" -m pip install -q --disable-pip-version-check -r "$list" >&2; then
        say 'pip cannot get the packages'
        exit 77
    fi
    touch "$environment/whole"
fi

cd "$here"
exec "$environment/bin/python" -B -W ignore -m unittest --buffer "$@"
