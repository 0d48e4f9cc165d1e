#!/usr/bin/env bash
# Brings infra/compose.yaml up in a Docker of its own: `infra/tests/compose.sh IMAGES`, an archive of parfetch:local and parfetch-comparison:local, as
# `image.sh --long` makes it. MinIO is MINIO_BIN (by default minio), in an image made of it alone. Needs root, dockerd, MinIO, busybox, and docker
# compose: the plugin, or its program in COMPOSE. Nothing is pulled or built. Exit code 77: not here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
images=$1
minio=$(command -v "${MINIO_BIN:-minio}" || true)

say() { printf 'compose: %s\n' "$*" >&2; }

not_here() {
    say "$*"
    exit 77
}

fail() {
    say "FAILED: $*"
    exit 1
}

((EUID == 0)) || not_here 'only root can start dockerd here'
for one in dockerd docker containerd iptables busybox; do command -v "$one" >/dev/null || not_here "there is no $one"; done
[[ -n $minio ]] || not_here 'there is no MinIO: set MINIO_BIN'
if [[ -n ${COMPOSE:-} ]]; then
    compose=("$COMPOSE")
else
    compose=(docker compose)
    docker compose version >/dev/null 2>&1 || not_here 'there is no docker compose'
fi

work=$(mktemp -d)
daemon=
export DOCKER_HOST=unix://$work/socket

clean_up() {
    local status=$?
    trap - EXIT
    if [[ -n $daemon ]]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" -H "$DOCKER_HOST" --bridge none >"$work/dockerd.log" 2>&1 &
daemon=$!
until docker version >/dev/null 2>&1; do
    kill -0 "$daemon" 2>/dev/null || {
        tail -20 "$work/dockerd.log" >&2
        not_here 'dockerd does not start here'
    }
    sleep 0.1
done

docker load -q -i "$images" >/dev/null
# In the place of the image with MinIO: the program, and an `mc` that knows what the health check asks.
mkdir -p "$work/minio"/{bin,data,tmp}
cp "$minio" "$work/minio/bin/minio"
# Its C library, where it needs one.
{ ldd "$minio" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r one; do cp -L --parents "$one" "$work/minio"; done
cp "$(command -v busybox)" "$work/minio/bin/busybox"
ln -s busybox "$work/minio/bin/sh"
ln -s busybox "$work/minio/bin/wget"
printf '#!/bin/sh\nexec wget -q -O /dev/null http://127.0.0.1:9000/minio/health/ready\n' >"$work/minio/bin/mc"
chmod +x "$work/minio/bin/mc"
tar -C "$work/minio" -c . | docker import -c 'ENV PATH=/bin' -c 'ENTRYPOINT ["minio"]' - minio:local >/dev/null
# A machine may not raise its limits.
files=$(ulimit -Hn)
((files < 65535)) || files=65535
limits="ulimits: { nofile: { soft: $files, hard: $files } }"
printf 'services: { minio: { image: "minio:local" }, run: { %s }, comparison: { %s } }\n' "$limits" "$limits" >"$work/local.yaml"

# A small bucket and a small sweep.
export OBJECTS=${OBJECTS:-60} SIZE_KIB=${SIZE_KIB:-64} REPEAT=${REPEAT:-3} CONCURRENCIES=${CONCURRENCIES:-1,4} CONCURRENCY=4 MINIO_PORT=${MINIO_PORT:-19000}
run() { "${compose[@]}" -f "$here/../compose.yaml" -f "$work/local.yaml" "$@"; }

run run --rm -T comparison >"$work/table" 2>"$work/said" || {
    cat "$work/table" "$work/said" >&2
    for one in minio fill run; do docker logs --tail 20 "parfetch-$one-1" >&2 || true; done
    fail 'fill, run, comparison'
}
cat "$work/table"
grep -q python "$work/table" || fail 'the table does not name the other program'
for one in fill run; do
    [[ $(docker inspect -f '{{.State.ExitCode}}' "parfetch-$one-1") == 0 ]] || fail "$one"
done
docker logs parfetch-fill-1 2>&1 | grep "s3://source: $OBJECTS objects" || fail 'fill'
docker logs parfetch-run-1 2>&1 | grep 'Results: s3://results/parfetch/' || fail 'run'
run run --rm --no-deps -T --entrypoint cat comparison /results/sweeps/compose/report.html >"$work/report.html"
grep -q '</html>' "$work/report.html" || fail 'the page'
run run --rm -T study >"$work/study" 2>&1 || {
    cat "$work/study" >&2
    fail 'the study'
}
cat "$work/study"
run down --volumes 2>/dev/null
[[ -z $(docker ps -aq)$(docker volume ls -q) ]] || fail 'something is left after down'
say "fill, run, comparison, study and down are right in $SECONDS s"
