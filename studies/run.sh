#!/usr/bin/env bash
# studies/run.sh NAME… : makes the studies of these names again (fastapi, flask, gradio, streamlit, s3; without a name all of them), and says what came out
# next to what the study said. Exit code 1 when a figure is off, 77 when the packages cannot be had.
#
# PARFETCH is the program (default: target/release/parfetch, else target/debug/parfetch), STUDIES_CACHE the folder of the Python packages and results.
# PLANS=ten-at-once,post runs these plans alone. studies/page.py --write makes studies/README.md from the results.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${STUDIES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/parfetch/studies}
for built in "$here"/../target/{debug,release}/parfetch; do
    [[ -x $built ]] && : "${PARFETCH_BUILT:=$built}" && PARFETCH_BUILT=$built
done
parfetch=$(realpath "${PARFETCH:-${PARFETCH_BUILT:?build parfetch first: cargo build --release}}")
(($#)) || set -- fastapi flask gradio streamlit s3

# A folder for each set of packages: what is there is complete.
packages() {
    local wanted=$1 sum
    sum=$(sha256sum "$wanted" | cut -c 1-12)
    venv=$cache/venv-$sum
    if [[ ! -e $venv/complete ]]; then
        echo "installing $(wc -l <"$wanted") Python packages into $venv" >&2
        { python3 -m venv "$venv" && "$venv/bin/pip" install -q -r "$wanted"; } || exit 77
        touch "$venv/complete"
    fi
    PATH=$venv/bin:$PATH
}

for name; do
    [[ -d $here/$name ]] || { echo "there is no study $name" >&2; exit 2; }
    packages "$here/$name/requirements.txt"
    for plan in "$here/$name"/*.toml; do
        label=$(basename "$plan" .toml)
        [[ -z ${PLANS:-} || ,$PLANS, == *,$label,* ]] || continue
        id=$name.$label
        # Where the servers write what they had in hand, and when.
        export SPANS_FOLDER=$cache/results/spans/$id
        rm -rf "$cache/results/sweeps/$id" "$SPANS_FOLDER"
        mkdir -p "$SPANS_FOLDER"
        # A repetition that fails is a result too: the page says so.
        (cd "$here/$name" && "$parfetch" sweep --plan "$plan" --id "$id" --out "$cache/results" --yes >"$cache/$id.txt") || (($? == 3))
    done
done
python3 "$here/page.py" "$cache/results" "$@"
