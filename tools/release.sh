#!/usr/bin/env bash
# Builds the archive of a release, installs it into an empty folder and tries what it holds.
#   tools/release.sh [TARGET]                 builds for TARGET (default: this machine); archive and checksum are in target/archives
#   PARFETCH=FILE tools/release.sh --check    packs the program FILE instead of building one, and keeps nothing
# The program must run on this machine, as the completions and the manual come from it. Works with the bash 3.2 of macOS.
set -euo pipefail

# Largest program in bytes.
readonly limit=30000000

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
built=${CARGO_TARGET_DIR:-$root/target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf 'release: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

sum() { if have sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# Panic messages name source files: without the folders of this machine.
build() {
    local cargo_home=${CARGO_HOME:-$HOME/.cargo} link=()
    # Functions with the same code are there once: each crate has its own copies of what is generic. The usual linkers of other targets cannot do it.
    [[ $target != x86_64-unknown-linux-gnu ]] || link=(-C 'link-arg=-Wl,--icf=all')
    RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$root=/parfetch" \
        cargo rustc --locked --profile dist --bin parfetch --target "$target" -- ${link[@]+"${link[@]}"}
    program=$built/$target/dist/parfetch
    ! grep -aqF -e "$cargo_home/registry" -e "$root/src" -e "$root/crates" "$program" || fail "$program holds paths of this machine"
    local size
    size=$(wc -c <"$program")
    ((size <= limit)) || fail "$program has $size bytes, more than $limit"
}

# The licences of everything that is linked in: crates, Apache ECharts, Rust's standard library.
third_party() {
    mkdir -p "$1/echarts"
    cp third_party/echarts/LICENSE* third_party/echarts/NOTICE "$1/echarts"
    local library
    library=$(rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html
    [[ ! -f $library ]] || cp "$library" "$1/rust-standard-library.html"
    if cargo about --version >/dev/null 2>&1; then
        cargo about generate --frozen --fail -c tools/release/about.toml -o "$1/crates.md" tools/release/crates.hbs
        grep -q '^# Licences of crates' "$1/crates.md" || fail 'cargo about wrote no licences'
    elif [[ $mode == check ]]; then
        say 'without the licences of crates, as there is no cargo-about'
    else
        fail 'there is no cargo-about: cargo install --locked --features cli cargo-about'
    fi
}

# The folder that is packed.
lay_out() {
    mkdir -p "$1/completions"
    cp "$program" "$1/parfetch"
    cp README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$1"
    "$program" completions bash >"$1/completions/parfetch.bash"
    "$program" completions elvish >"$1/completions/parfetch.elv"
    "$program" completions fish >"$1/completions/parfetch.fish"
    "$program" completions powershell >"$1/completions/_parfetch.ps1"
    "$program" completions zsh >"$1/completions/_parfetch"
    "$program" man --out "$1/man" >/dev/null
    third_party "$1/third-party"
}

# The same files make the same archive, where tar is GNU's.
pack() {
    local tar=tar time options=()
    ! have gtar || tar=gtar
    time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
    if [[ $("$tar" --version) == *GNU* ]]; then
        options=(--sort=name --owner=0 --group=0 --numeric-owner "--mtime=@$time")
    fi
    "$tar" ${options[@]+"${options[@]}"} -C "$work" -cf - "$name" | gzip -n >"$1/$name.tar.gz"
    (cd "$1" && sum "$name.tar.gz" >"$name.tar.gz.sha256")
}

# In a shell of its own: presses the tabulator behind `parfetch comp`.
complete_in_bash() {
    bash --noprofile --norc -c '
        set -e
        source "$1"
        complete -p parfetch >/dev/null
        COMP_WORDS=(parfetch comp) COMP_CWORD=1
        _parfetch parfetch comp parfetch
        [[ " ${COMPREPLY[*]} " == *" completions "* ]]' bash "$1"
}

try_completions() {
    local errors
    errors=$(complete_in_bash "$1/parfetch.bash" 2>&1) || fail "bash does not take the completions: $errors"
    [[ -z $errors ]] || fail "bash says of the completions: $errors"
    ! have zsh || zsh -fn "$1/_parfetch" || fail 'zsh does not read the completions'
    ! have fish || fish --no-config --no-execute "$1/parfetch.fish" || fail 'fish does not read the completions'
}

# One page of the manual, as a person would see it.
render() {
    if have mandoc; then
        mandoc -T utf8 -W error "$1"
    else
        MANWIDTH=80 man --warnings=w -l "$1"
    fi
}

try_manual() {
    local page text
    have mandoc || man --version >/dev/null 2>&1 || {
        say 'no page of the manual was rendered, as there is neither mandoc nor man'
        return
    }
    for page in "$1"/*.1; do
        text=$(render "$page" 2>&1) || fail "$page does not render: $text"
        [[ $text == *SYNOPSIS* && $text == *parfetch* && $text != *warning:* ]] || fail "$page renders as: $text"
    done
}

# What someone does who got the archive: nothing but the archive is there.
try_out() {
    local rows
    mkdir "$work/home"
    cd "$work/home"
    (cd "$1" && sum -c "$name.tar.gz.sha256" >/dev/null) || fail 'the checksum is not that of the archive'
    tar -xzf "$1/$name.tar.gz"
    cd "$name"
    for file in parfetch README.md LICENSE-APACHE LICENSE-MIT man/parfetch.1 third-party/echarts/NOTICE; do
        [[ -s $file ]] || fail "the archive has no $file"
    done
    [[ $(./parfetch --version) == "parfetch $version" ]] || fail "parfetch --version prints $(./parfetch --version), not $version"
    env -i PATH="$PATH" HOME="$work/home" TMPDIR="$work" ./parfetch run --embedded=objects=20 >"$work/said" 2>&1 || fail "a run fails: $(cat "$work/said")"
    rows=$(($(wc -l <parfetch-results/result_run_async_16.csv) - 1))
    ((rows == 20)) || fail "the run has $rows rows, not 20"
    try_completions completions
    try_manual man
    cd "$root"
}

host=$(rustc -vV | sed -n 's/^host: //p')
case "${1:-}" in
    --check)
        mode=check target=$host program=${PARFETCH:?names the program that is packed}
        [[ -x $program ]] || fail "there is no program $program"
        program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
        out=$work
        ;;
    -*)
        echo 'usage: tools/release.sh [TARGET | --check]' >&2
        exit 2
        ;;
    *)
        mode=build target=${1:-$host}
        build
        out=$built/archives
        mkdir -p "$out"
        ;;
esac

"$program" --version >/dev/null 2>&1 || fail "$program does not run on this machine ($host): build the archive on a machine of its own kind"
version=$(cargo pkgid --offline)
version=${version##*[@#]}
name=parfetch-$version-$target
lay_out "$work/$name"
pack "$out"
try_out "$out"
if [[ $mode == build ]]; then
    printf '%s\n' "$out/$name.tar.gz" "$out/$name.tar.gz.sha256"
else
    say "$name.tar.gz installs and works"
fi
