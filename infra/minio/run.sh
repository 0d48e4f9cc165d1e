#!/usr/bin/env bash
# A MinIO of our own, for as long as a command runs: `infra/minio/run.sh [--keep | COMMAND…]`; README.md here says more.
set -euo pipefail

# MinIO is released as source only; this is the last version that the module proxy has.
readonly version=v0.0.0-20260212201848-7aac2a2c5b7c
readonly region=us-east-1
# Seconds until MinIO must answer.
readonly patience=60

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
server=
data=

case ${1:-} in
    -h | --help)
        sed -n '2s/^# //p' "${BASH_SOURCE[0]}"
        exit
        ;;
esac

say() { printf 'minio: %s\n' "$*" >&2; }

stop() {
    local status=$?
    trap - EXIT
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    [[ -z $data ]] || rm -rf "$data"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Prints the path of the program, built when it is not there.
program() {
    if [[ -n ${MINIO_BIN:-} ]]; then
        echo "$MINIO_BIN"
        return
    fi
    local folder=${XDG_CACHE_HOME:-$HOME/.cache}/parfetch/minio/$version
    if [[ ! -x $folder/minio ]]; then
        if ! command -v go >/dev/null; then
            say "no MinIO in $folder and no Go to build it: install Go, or set MINIO_BIN"
            return 1
        fi
        say "building MinIO $version into $folder (some minutes, once)"
        GOBIN=$folder go install "github.com/minio/minio@$version" >&2
    fi
    echo "$folder/minio"
}

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# True when MinIO on port $1 says that it is ready to serve.
ready() {
    local status=
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
    printf 'GET /minio/health/ready HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
    read -r -t 5 status <&3 || true
    exec 3>&-
    [[ $status == *' 200 '* ]]
}

# Starts MinIO on port $1; fails when it ends or is not ready in time.
start() {
    local deadline=$((SECONDS + patience))
    MINIO_ROOT_USER=$PARFETCH_TEST_ACCESS_KEY MINIO_ROOT_PASSWORD=$PARFETCH_TEST_SECRET_KEY MINIO_BROWSER=off MINIO_UPDATE=off \
        "$minio" server --quiet --address "127.0.0.1:$1" --certs-dir "$data/certs" "$data/objects" </dev/null >"$data/log" 2>&1 &
    server=$!
    until ready "$1"; do
        if ! kill -0 "$server" 2>/dev/null; then
            server=
            return 1
        fi
        if ((SECONDS >= deadline)); then
            say "not ready after $patience s"
            cat "$data/log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# Starts MinIO on a port that nobody listens on; another program may be quicker, so it tries a few.
start_somewhere() {
    local port
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 12000))
        if { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then
            exec 3>&-
            continue
        fi
        if start "$port"; then
            export PARFETCH_TEST_ENDPOINT=http://127.0.0.1:$port
            return
        fi
    done
    say "does not start"
    [[ ! -f $data/log ]] || cat "$data/log" >&2
    exit 1
}

minio=$(program)
data=$(mktemp -d)
PARFETCH_TEST_ACCESS_KEY=$(random 8)
PARFETCH_TEST_SECRET_KEY=$(random 16)
export PARFETCH_TEST_ACCESS_KEY PARFETCH_TEST_SECRET_KEY PARFETCH_TEST_REGION=$region
start_somewhere
say "serves $PARFETCH_TEST_ENDPOINT from $data"

study=$root/contenders/fetch_study.py
if [[ -z ${PARFETCH_TEST_STUDY:-} && -f $study ]]; then
    export PARFETCH_TEST_STUDY=$study
fi

if [[ ${1:-} == --keep ]]; then
    # A folder of the drive is a bucket.
    mkdir "$data/objects/source" "$data/objects/results"
    export AWS_ENDPOINT_URL=$PARFETCH_TEST_ENDPOINT AWS_REGION=$region BUCKET_NAME=source RESULT_BUCKET_NAME=results
    export AWS_ACCESS_KEY_ID=$PARFETCH_TEST_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$PARFETCH_TEST_SECRET_KEY
    for name in PARFETCH_TEST_{ENDPOINT,ACCESS_KEY,SECRET_KEY,REGION} \
        AWS_{ENDPOINT_URL,ACCESS_KEY_ID,SECRET_ACCESS_KEY,REGION} BUCKET_NAME RESULT_BUCKET_NAME; do
        echo "export $name=${!name}"
    done
    say "runs until Ctrl-C"
    wait "$server"
elif (($# > 0)); then
    "$@"
else
    cd "$root"
    cargo test --locked --test integration minio
fi
