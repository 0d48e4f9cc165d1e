#!/usr/bin/env bash
# Makes the compiler that Cargo.toml names the one that rustup uses: a newer clippy would find other things.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
rustup toolchain install "$version" --profile minimal --component clippy --component rustfmt
rustup default "$version"
