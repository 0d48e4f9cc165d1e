#!/bin/sh
# Builds third_party/echarts/echarts.min.js.gz out of the packages that package-lock.json pins.
#   build.sh           writes the bundle, packed, the SHA-256 of what it unpacks to, and the licences
#   build.sh --check   builds into a temporary folder and fails unless every file is the one in third_party/echarts
set -eu
cd "$(dirname "$0")"
kept=../../third_party/echarts
case "${1:-}" in
    "") out=$kept ;;
    --check) out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT ;;
    *) echo "usage: build.sh [--check]" >&2 && exit 2 ;;
esac

npm ci --ignore-scripts --no-audit --no-fund --silent
node_modules/.bin/esbuild entry.js --bundle --minify --format=iife --target=es2020 --charset=ascii --legal-comments=none --log-level=warning \
    --outfile="$out/bundle.js"
# The licences travel with every copy of the code, so with every report page.
{
    cat banner.txt
    echo "/*!"
    cat node_modules/zrender/LICENSE
    printf '\n\nd3.js (parts of number.ts):\n'
    cat node_modules/echarts/licenses/LICENSE-d3
    printf '\n*/\n'
    cat "$out/bundle.js"
} >"$out/echarts.min.js"
rm "$out/bundle.js"
cp node_modules/echarts/LICENSE "$out/LICENSE"
cp node_modules/echarts/NOTICE "$out/NOTICE"
cp node_modules/zrender/LICENSE "$out/LICENSE-zrender"
cp node_modules/echarts/licenses/LICENSE-d3 "$out/LICENSE-d3"
cp node_modules/tslib/LICENSE.txt "$out/LICENSE-tslib"
(cd "$out" && sha256sum echarts.min.js >SHA256SUMS)

if grep -q -e '</script' -e '<!--' "$out/echarts.min.js"; then
    echo "the bundle cannot be inlined: it holds </script or <!--" >&2 && exit 1
fi
# Packed in the repository, and so in the program: it is two thirds smaller.
gzip -9n "$out/echarts.min.js"
if [ "$out" != "$kept" ]; then
    diff -rq "$out" "$kept" >&2 || { echo "third_party/echarts is not what build.sh makes" >&2 && exit 1; }
    echo "third_party/echarts is what build.sh makes"
fi
