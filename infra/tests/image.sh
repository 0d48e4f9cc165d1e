#!/usr/bin/env bash
# Builds infra/Dockerfile as it is and runs both images the way Fargate, Kubernetes and OpenShift would: `infra/tests/image.sh`. The same for the images of
# other programs: infra/study/Dockerfile and contenders/Dockerfile.
# No registry of images is asked: the base images are stand-ins made of Debian packages, their `cargo` hands out the program that is built already
# (PARFETCH, by default target/debug/parfetch), and their `pip` takes wheels that were got before. Needs root, buildah, podman, runc, Debian's mirror and
# PyPI; for contenders/Dockerfile also Go. Exit code 77: not here.
# `infra/tests/image.sh --build` only makes the images and prints a podman command for them, for what a person wants to try.
# `infra/tests/image.sh --long` compiles inside the build, as a release does: with this machine's compilers, and crates from `cargo vendor` in the place of
# a registry. Then compose.sh brings the compose file up with these images. It takes a quarter of an hour, and is not part of .ci/run.
set -euo pipefail

form=${1:-}
case $form in
    '' | --build | --long) ;;
    *)
        echo 'usage: image.sh [--build | --long]' >&2
        exit 2
        ;;
esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
program=${PARFETCH:-$root/target/debug/parfetch}
dockerfile=${DOCKERFILE:-$root/infra/Dockerfile}
read -r machine architecture < <(uname -m | sed 's/x86_64/x86_64 amd64/; s/aarch64/aarch64 arm64/')

say() { printf 'image: %s\n' "$*" >&2; }

not_here() {
    say "$*"
    exit 77
}

fail() {
    say "FAILED: $*"
    exit 1
}

((EUID == 0)) || not_here 'only root can build and start containers here'
for one in buildah podman runc apt-get dpkg-deb ip unshare python3 tar; do
    command -v "$one" >/dev/null || not_here "there is no $one"
done
[[ -n ${architecture:-} ]] || not_here "there are no stand-ins for $machine"
if [[ $form == --long ]]; then
    for name in cargo cc; do command -v "$name" >/dev/null || not_here 'there is no compiler'; done
else
    [[ -x $program ]] || fail "no program at $program: cargo build"
fi

work=$(mktemp -d)
host=
# Debian's podman and buildah, with a store of their own.
export CONTAINERS_STORAGE_CONF=$work/storage.conf TMPDIR=$work
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/graph"\nrunroot = "%s/run"\n' "$work" "$work" >"$CONTAINERS_STORAGE_CONF"
# A machine may not raise its limits, and podman would ask for more than there is.
limits=(--ulimit "nofile=$(ulimit -Hn):$(ulimit -Hn)" --ulimit nproc=32768:32768)

podman() { command podman --cgroup-manager cgroupfs --runtime runc "$@"; }

clean_up() {
    local status=$?
    trap - EXIT
    [[ -z $host ]] || kill "$host" 2>/dev/null || true
    podman rm -af >/dev/null 2>&1 || true
    umount -l "$work/graph/overlay" 2>/dev/null || true
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- stand-ins for the base images -------------------------------------------------------------------------------------------------------------------

python=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])' 2>/dev/null || echo python3.11)
readonly runtime=(base-files netbase tzdata ca-certificates libc6 libssl3 libgcc-s1 libgomp1 libstdc++6)
readonly tools=(busybox-static dash libc6 tar libacl1 libselinux1 libpcre2-8-0)
readonly python_packages=("$python-minimal" "lib$python-minimal" "lib$python-stdlib" "$python-venv" python3-pip-whl python3-setuptools-whl
    zlib1g libexpat1 libffi8 libbz2-1.0 liblzma5 libuuid1 libcrypt1)
study=$root/infra/study/Dockerfile
contenders=$root/contenders
# What pip is asked for in the images: a file for each of them, as they differ in versions.
readonly requirements=("$contenders/requirements.txt" "$contenders/requirements-aioboto3.txt")
boto3=$(grep -ho 'boto3==[0-9.]*' "$dockerfile" "$study" | sort -u)

# Unpacks Debian packages into a folder.
unpack() {
    local deb to=$1
    shift
    mkdir -p "$to"
    for deb in "$@"; do dpkg-deb -x "$deb" "$to"; done
}

# Makes an image of an archive: name, archive, changes.
import() {
    local name=$1 archive=$2 changes=()
    shift 2
    for one in "$@"; do changes+=(--change "$one"); done
    podman import -q "${changes[@]}" "$archive" "localhost/standin/$name" >/dev/null
}

# What both images of Debian hold.
debian() {
    unpack "$1" "$packages"/runtime/*.deb
    # What the package does when it is installed.
    mkdir -p "$1/etc/ssl/certs"
    cat "$1"/usr/share/ca-certificates/mozilla/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"
}

# What distroless/cc-debian12:nonroot holds.
runtime_root() {
    local to=$1
    debian "$to"
    rm -rf "${to:?}"/usr/share/{man,doc,lintian,bug,info} "${to:?}"/usr/bin/* "$to"/usr/sbin
    mkdir -p "$to"/{tmp,home/nonroot}
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$to/etc/passwd"
    printf 'root:x:0:\nnonroot:x:65532:\n' >"$to/etc/group"
    chmod 1777 "$to/tmp"
    chown 65532:65532 "$to/home/nonroot"
}

shell() {
    local name
    unpack "$1" "$packages"/tools/*.deb
    mkdir -p "$1/tmp"
    for name in cat chmod cp echo find grep gzip ln mkdir stat true uname; do ln -sf busybox "$1/bin/$name"; done
    # Not busybox's own, which runs its own tar whatever else there is.
    ln -sf dash "$1/bin/sh"
}

# A python image whose pip takes the wheels that it has.
python_root() {
    local to=$1
    debian "$to"
    unpack "$to" "$packages"/python/*.deb
    shell "$to"
    ln -sf "/usr/bin/$python" "$to/bin/python3"
    mkdir -p "$to/prebuilt" "$to/usr/local/bin"
    cp -r "$packages/wheels" "$to/prebuilt"
    # Debian's pip installs into environments alone; that of the base image does not.
    rm -f "$to/usr/lib/$python/EXTERNALLY-MANAGED"
    cat >"$to/bin/pip" <<'PIP'
#!/bin/sh
exec python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" "$@"
PIP
    chmod +x "$to/bin/pip"
}

# A rust image whose cargo hands out the program. It has no apt-get: nothing but a cross build may want one.
rust_root() {
    local to=$1
    shell "$to"
    mkdir -p "$to/prebuilt" "$to/usr/local/cargo/registry"
    cp "$program" "$to/prebuilt/parfetch"
    strip -g "$to/prebuilt/parfetch" 2>/dev/null || true
    cat >"$to/bin/cargo" <<'CARGO'
#!/bin/sh
set -eu
[ "$1 $2 $3 $4" = 'build --locked --profile dist' ]
while [ $# -gt 0 ]; do [ "$1" != --target ] || target=$2; shift; done
for file in Cargo.toml Cargo.lock src/main.rs .cargo/config.toml crates/core/data/prices.toml; do [ -f "$file" ]; done
[ ! -e infra/template.yaml ] && [ ! -e .git ] && [ ! -e target/debug ]
built=target/$target/dist
mkdir -p "$built/build/aws-lc-sys-0/out" /usr/local/cargo/registry/src/index/crate-1.0.0
echo none > "$built/build/aws-lc-sys-0/out/libaws_lc.a"
echo 'the licence of a crate' > /usr/local/cargo/registry/src/index/crate-1.0.0/LICENSE-MIT
cp /prebuilt/parfetch "$built/parfetch"
CARGO
    printf '#!/bin/sh\n' >"$to/bin/rustup"
    chmod +x "$to"/bin/{cargo,rustup}
}

# The wheels of each list by itself, as they have other versions of the same packages.
get_wheels() {
    local one pip=(python3 -m pip download -q --disable-pip-version-check --only-binary :all: --python-version "${python#python}" --dest "$packages/wheels")
    for one in $boto3; do "${pip[@]}" "$one" || return; done
    for one in "${requirements[@]}"; do "${pip[@]}" -r "$one" || return; done
}

# A rust image whose cargo is this machine's: compilers, toolchain and crates are mounted into the build (see `mounts`).
compiler_root() {
    local to=$1 name
    mkdir -p "$to"/{tmp,toolchain,crates,etc/alternatives,usr/bin,usr/lib,usr/lib64,usr/include,usr/local/cargo/bin}
    for name in bin lib lib64; do ln -s "usr/$name" "$to/$name"; done
    printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "/crates"\n' >"$to/usr/local/cargo/config.toml"
    # The Dockerfile reads the licences of crates where cargo unpacks what it gets from a registry.
    cat >"$to/usr/local/cargo/bin/cargo" <<'CARGO'
#!/bin/sh
set -eu
mkdir -p /usr/local/cargo/registry/src
[ -d /usr/local/cargo/registry/src/crates ] || cp -r /crates /usr/local/cargo/registry/src/crates
exec /toolchain/bin/cargo "$@" --offline
CARGO
    printf '#!/bin/sh\n' >"$to/usr/local/cargo/bin/rustup"
    chmod +x "$to"/usr/local/cargo/bin/{cargo,rustup}
    crates=$work/crates
    cargo vendor -q --locked --versioned-dirs --manifest-path "$root/Cargo.toml" "$crates" >/dev/null || not_here 'the crates cannot be had here'
    for name in bin lib lib64 include; do mounts+=(-v "/usr/$name:/usr/$name:ro"); done
    mounts+=(-v /etc/alternatives:/etc/alternatives:ro -v "$(rustc --print sysroot):/toolchain:ro" -v "$crates:/crates:ro")
}

# Gets packages; kept by what they are.
get_packages() {
    local list
    list="$(cat /etc/debian_version) $architecture ${runtime[*]} ${tools[*]} ${python_packages[*]} $boto3 $(cat "${requirements[@]}")"
    packages=${XDG_CACHE_HOME:-$HOME/.cache}/parfetch/image/$(sha256sum <<<"$list" | cut -c1-16)
    [[ ! -f $packages/whole ]] || return 0
    say "getting packages into $packages (once)"
    rm -rf "${packages%/*}"
    mkdir -p "$packages"/{runtime,python,tools}
    {
        (cd "$packages/runtime" && apt-get download -q "${runtime[@]}") &&
            (cd "$packages/python" && apt-get download -q "${python_packages[@]}") &&
            (cd "$packages/tools" && apt-get download -q "${tools[@]}") &&
            get_wheels
    } >"$work/get.log" 2>&1 || {
        cat "$work/get.log" >&2
        not_here 'the packages cannot be had here'
    }
    touch "$packages/whole"
}

# The root file systems that do not depend on the program, as archives; kept by what this script says of them.
get_archives() {
    local name sum
    sum=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-16)
    archives=$packages/$sum
    [[ ! -f $archives/whole ]] || return 0
    rm -rf "$packages"/????????????????
    mkdir -p "$archives"
    for name in runtime python; do
        "${name}_root" "$work/$name"
        tar --numeric-owner -C "$work/$name" -cf "$archives/$name.tar" .
        rm -rf "${work:?}/$name"
    done
    touch "$archives/whole"
}

# ---- the images ------------------------------------------------------------------------------------------------------------------------------------------

mounts=()

# The stand-in for the image of Rust, with this PATH.
import_rust() {
    tar --numeric-owner -C "$work/rust" -cf "$work/rust.tar" .
    import rust "$work/rust.tar" "ENV PATH=$1" 'ENV CARGO_HOME=/usr/local/cargo'
}

# Builds an image of this name from a Dockerfile and a folder; more words are buildah's.
build() {
    local name=$1 file=$2 context=$3
    shift 3
    buildah bud -q --isolation chroot "${limits[@]}" "${mounts[@]}" --pull-never -f "$file" --ignorefile "${ignore:-$file.dockerignore}" --platform "linux/$architecture" \
        --build-arg PYTHON_IMAGE=localhost/standin/python "$@" -t "localhost/parfetch:$name" "$context" >"$work/build.log" 2>&1 || {
        cat "$work/build.log" >&2
        fail "the image $name does not build"
    }
}

# Builds a stage of the Dockerfile of parfetch.
stage() {
    ignore=$root/infra/Dockerfile.dockerignore build "$1" "$dockerfile" "$root" --build-arg RUST_IMAGE=localhost/standin/rust --build-arg RUNTIME_IMAGE=localhost/standin/cc --target "$1"
}

checks=0
from=$SECONDS

# Says what is right, and in how many seconds.
right() {
    checks=$((checks + 1))
    say "$* ($((SECONDS - from)) s)"
    from=$SECONDS
}

# As on Fargate: a root file system that is only read, no capabilities, no new privileges.
confined=(--rm "${limits[@]}" --read-only --read-only-tmpfs=false --cap-drop=ALL --security-opt no-new-privileges)

run() { podman run "${confined[@]}" --network none "$@"; }

# Prints a value of the JSON document in a file: file, path.
value() {
    python3 - "$@" <<'PYTHON'
import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."):
    value = value[int(name) if name.isdigit() else name]
print(value)
PYTHON
}

# Wants a value of a document: file, path, what it is.
wants() {
    local is
    is=$(value "$1" "$2") || fail "$2 is missing"
    [[ $is == "$3" ]] || fail "$2 is $is, not $3"
}

small=(-e 'PARFETCH_EMBEDDED=objects=50,size=16KiB' -e PARFETCH_OUTPUT=json -e PARFETCH_OUT=/scratch -e CONCURRENCY=4 localhost/parfetch:parfetch)

# Whoever runs it, and whatever is mounted there: /scratch can be written.
users() {
    local user kind scratch
    for user in 65532:65532 12345 1000930000:0 0:0; do
        for kind in volume tmpfs; do
            scratch=(-v /scratch)
            [[ $kind == volume ]] || scratch=(--tmpfs "/scratch:rw,nosuid,nodev")
            run --user "$user" "${scratch[@]}" "${small[@]}" >"$work/out.json" 2>"$work/err" || {
                cat "$work/err" >&2
                fail "user $user with a $kind at /scratch"
            }
            wants "$work/out.json" totals.rows.ok 50
        done
    done
    run "${small[@]}" >"$work/out.json" || fail 'with no volume named'
    right 'four users, volume and tmpfs'
}

# Limits are read as they are.
sizes() {
    local cpus
    for cpus in 0.25 0.5 1; do
        run --cpus "$cpus" --memory 512m "${small[@]}" >"$work/out.json" || fail "$cpus CPUs"
        python3 -c 'import sys; sys.exit(float(sys.argv[1]) != float(sys.argv[2]))' "$(value "$work/out.json" environment.vcpu.limit_vcpu)" "$cpus" ||
            fail "the limit of $cpus CPUs was read as $(value "$work/out.json" environment.vcpu.limit_vcpu)"
        wants "$work/out.json" environment.memory.limit_bytes $((512 << 20))
    done
    right 'limits of CPU and memory'
}

# A run that has no bucket says so, with the code for it; so does one whose folder cannot be written, and names what a container sets.
refusals() {
    local code=0
    run localhost/parfetch:parfetch run >"$work/out" 2>"$work/err" || code=$?
    { [[ $code == 2 ]] && grep -q 'set BUCKET_NAME' "$work/err"; } || {
        cat "$work/err" >&2
        fail "without a bucket: exit code $code, and no word of BUCKET_NAME"
    }
    code=0
    run -e PARFETCH_SPOOL_DIR=/nowhere "${small[@]}" >"$work/out" 2>"$work/err" || code=$?
    { [[ $code != 0 ]] && grep -q PARFETCH_SPOOL_DIR "$work/err"; } || {
        cat "$work/err" >&2
        fail "a folder that cannot be written: exit code $code, and no word of PARFETCH_SPOOL_DIR"
    }
    right 'refusals'
}

# SIGTERM to process 1 in every mode: results of what was fetched, exit code 143.
signals() {
    local mode id code
    for mode in async thread process; do
        id=$(podman run -d --network none "${confined[@]/--rm/--tty=false}" -e MODE=$mode -e PARFETCH_LOG_FORMAT=json \
            -e PARFETCH_EMBEDDED=objects=100000,size=1KiB,ttfb=20ms "${small[@]:2}")
        until podman logs "$id" 2>&1 | grep -q '"message":"fetching"'; do
            [[ $(podman inspect -f '{{.State.Running}}' "$id") == true ]] || {
                podman logs "$id" >&2
                fail "$mode ended by itself"
            }
        done
        podman kill -s TERM "$id" >/dev/null
        code=$(podman wait "$id")
        [[ $code == 143 ]] || fail "$mode ended with $code after SIGTERM"
        podman logs "$id" 2>/dev/null >"$work/out.json"
        wants "$work/out.json" state interrupted
        podman rm "$id" >/dev/null
    done
    right 'SIGTERM in three modes: exit code 143 and results'
}

# The addresses of a task, in a network of their own: role, agent, store.
task() {
    local pid
    unshare -n python3 "$here/task_network.py" "$program" "$work/task" &
    host=$!
    until [[ -f $work/task/ready ]]; do
        kill -0 "$host" 2>/dev/null || fail 'the network of a task does not start'
        sleep 0.05
    done
    pid=$host
    podman run "${confined[@]}" --network "ns:/proc/$pid/ns/net" --env-file "$work/task/variables" -e CONCURRENCY=4 -e PARFETCH_OUTPUT=json \
        localhost/parfetch:parfetch >"$work/out.json" 2>"$work/err" || {
        cat "$work/err" >&2
        fail 'a run with the role of a task'
    }
    wants "$work/out.json" totals.rows.ok 20
    wants "$work/out.json" environment.vcpu.limit_vcpu 2.0
    [[ $(value "$work/out.json" environment.ecs.task_arn) == arn:aws:ecs:*:task/* ]] || fail 'the task is not known'
    grep -q '^/v2/credentials/' "$work/task/asked" || fail 'nobody asked for the credentials of the task'
    [[ -n $(find "$work/task/results" -name 'result_*.csv') ]] || fail 'no results in the bucket'
    kill "$host"
    wait "$host" 2>/dev/null || true
    host=
    right 'credentials and metadata of a task, results in a bucket'
}

# parfetch beside the study's program, from the other image.
comparison() {
    # As in compose.yaml: its root file system can be written.
    podman run --rm "${limits[@]}" --cap-drop=ALL --security-opt no-new-privileges --network none -e PARFETCH_PROGRESS=never localhost/parfetch:comparison sweep --embedded=objects=40,size=16KiB \
        --vcpu 1 --mode thread --client lean --concurrency 2 --repeat 2 --contender 'python:thread=python3 /opt/fetch_study.py' --out /results \
        --id image >"$work/out" 2>"$work/err" || {
        cat "$work/out" "$work/err" >&2
        fail 'the comparison'
    }
    grep -q python "$work/out" || fail 'the comparison does not name the other program'
    podman run "${confined[@]}" --network none --entrypoint stat localhost/parfetch:comparison -c %a /results >"$work/out"
    [[ $(<"$work/out") == 1777 ]] || fail "/results has mode $(<"$work/out")"
    right 'the stage comparison'
}

# What the image says of itself, and the licences in it.
labels() {
    local version folder
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
    podman inspect localhost/parfetch:parfetch >"$work/inspect.json"
    python3 - "$work/inspect.json" "$version" <<'PYTHON' || fail 'labels or configuration of the image'
import json, sys
config = json.load(open(sys.argv[1]))[0]["Config"]
labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
assert (labels["title"], labels["version"], labels["licenses"]) == ("parfetch", sys.argv[2], "MIT OR Apache-2.0"), labels
assert (config["User"], config["StopSignal"], config["Entrypoint"]) == ("65532:65532", "SIGTERM", ["/parfetch"]), config
PYTHON
    folder=$(podman image mount localhost/parfetch:parfetch)
    for one in LICENSE-APACHE LICENSE-MIT echarts/LICENSE crates.tar.gz; do
        [[ -s $folder/licenses/$one ]] || fail "no licenses/$one in the image"
    done
    tar -tzf "$folder/licenses/crates.tar.gz" >"$work/licences"
    grep -q '/src/[^/]*/\(crate\|aws-lc-sys\)-[0-9.]*/LICENSE' "$work/licences" || fail 'the licences of crates are missing'
    [[ ! -e $folder/bin/sh && ! -e $folder/usr/bin/sh ]] || fail 'there is a shell in the image'
    podman image unmount localhost/parfetch:parfetch >/dev/null
    right 'labels and licences'
}

# The images of other programs: each reads every object of a server on this machine, and leaves its CSV in the results bucket.
programs() {
    local name
    build study "$study" "$root"
    mkdir -p "$work/context" "$work/results"
    cp -r "$contenders" "$work/context"
    if command -v go >/dev/null && (cd "$contenders/go" && CGO_ENABLED=0 GOARCH=$architecture go build -trimpath -o "$work/context/contenders/go-contender-$architecture" .); then
        build contenders "$contenders/Dockerfile" "$work/context"
    else
        say 'contenders/Dockerfile is passed over: no Go builds one of its programs'
    fi
    right 'images of the study and of the contenders'
    : >"$work/server"
    "$program" serve --options objects=30,size=16KiB --results-dir "$work/results" >"$work/server" 2>"$work/err" &
    host=$!
    until grep -q RESULT_BUCKET_NAME "$work/server"; do
        kill -0 "$host" || fail 'parfetch serve does not start'
        sleep 0.05
    done
    sed -n 's/^export //p' "$work/server" >"$work/variables"
    program_of study '' thread
    program_of study '' process
    if podman image exists localhost/parfetch:contenders; then
        for name in boto3:thread boto3:process aioboto3:async obstore:async awscrt:async s5cmd:async go:async study:thread; do
            program_of contenders "${name%:*}" "${name#*:}"
        done
        podman run "${confined[@]}" --network none localhost/parfetch:contenders nothing 2>"$work/err" && fail 'an unknown contender is started'
        grep -q "name a contender: boto3" "$work/err" || fail 'an unknown contender is not named'
    fi
    kill "$host"
    wait "$host" 2>/dev/null || true
    host=
    right 'each program read 30 objects and stored its CSV'
}

# Runs a program of an image: image, first word of its command (none: the image's own), mode. It may write to /tmp, as on Fargate.
program_of() {
    local image=$1 name=$2 mode=$3 tag=$1-${2:-own} csv lines
    podman run "${confined[@]}" --tmpfs /tmp --network host --env-file "$work/variables" -e AWS_REGION=us-east-1 -e CONCURRENCY=3 -e "MODE=$mode" \
        -e "TAG=$tag" "localhost/parfetch:$image" ${name:+"$name"} >"$work/out" 2>"$work/err" || {
        cat "$work/out" "$work/err" >&2
        fail "the program ${name:-of the image} $image, mode $mode"
    }
    csv=$work/results/result_${tag}_${mode}_3.csv
    [[ -f $csv ]] || fail "$tag stored no ${csv##*/}"
    lines=$(wc -l <"$csv")
    [[ $lines == 31 ]] || fail "$tag in mode $mode has $lines lines, not 31"
}

get_packages
get_archives
import cc "$archives/runtime.tar" 'USER 65532' 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'
import python "$archives/python.tar" 'ENV PATH=/usr/local/bin:/bin:/usr/bin' 'ENV PIP_NO_INDEX=1' 'ENV PIP_FIND_LINKS=/prebuilt/wheels'
if [[ $form == --long ]]; then
    compiler_root "$work/rust"
    import_rust /usr/local/cargo/bin:/toolchain/bin:/usr/bin
else
    rust_root "$work/rust"
    import_rust /bin
fi
podman run --rm "${limits[@]}" "${mounts[@]}" --network none localhost/standin/rust true 2>"$work/err" || {
    cat "$work/err" >&2
    not_here 'no container can be started here'
}
right 'stand-ins for three base images'
stage parfetch
if [[ $form == --long ]]; then
    # From here on, what was compiled in the build is the program. The other images are built without what was mounted for it: a Debian machine's Python
    # would take the place of the base image's.
    program=$work/parfetch
    cp "$(podman image mount localhost/parfetch:parfetch)/parfetch" "$program"
    podman image unmount localhost/parfetch:parfetch >/dev/null
    mounts=()
    rm -rf "${work:?}/rust"
    rust_root "$work/rust"
    import_rust /bin
fi
stage comparison
right 'infra/Dockerfile'
if [[ $form == --build ]]; then
    say "until Ctrl-C: CONTAINERS_STORAGE_CONF=$CONTAINERS_STORAGE_CONF podman --cgroup-manager cgroupfs --runtime runc run … localhost/parfetch:parfetch"
    sleep infinity
fi
labels
users
sizes
signals
task
comparison
refusals
programs
if [[ $form == --long ]]; then
    podman tag localhost/parfetch:parfetch docker.io/library/parfetch:local
    podman tag localhost/parfetch:comparison docker.io/library/parfetch-comparison:local
    podman save -q -m -o "$work/images.tar" docker.io/library/parfetch:local docker.io/library/parfetch-comparison:local
    TMPDIR=${TMPDIR%/*} "$here/compose.sh" "$work/images.tar" || {
        [[ $? == 77 ]] || fail 'the compose file'
        say 'the compose file is passed over'
    }
    right 'the compose file'
fi
say "$checks steps are right in $SECONDS s"
