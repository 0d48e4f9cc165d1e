#!/bin/sh
# Opens report pages in a real browser: run.sh [--shots DIR] [PAGE.html…]; or, to test the tests, run.sh --faults
# Without pages, those of `cargo test --lib write_the_sample_pages -- --ignored` in target/page.
# Needs Node 20, npm and Chromium ($CHROMIUM, chromium, chromium-browser or google-chrome on the PATH).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! cmp -s "$here/package-lock.json" "$here/node_modules/.installed"; then
    (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --silent)
    cp "$here/package-lock.json" "$here/node_modules/.installed"
fi
if [ "${1:-}" = --faults ]; then
    exec node "$here/faults.mjs"
fi
exec node "$here/run.mjs" "$@"
