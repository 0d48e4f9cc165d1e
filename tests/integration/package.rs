//! What `cargo publish` would upload of both crates: everything that a build of the program needs, and nothing of tests and benchmarks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Uncompressed; the registry takes 10 MB compressed.
const MOST_BYTES: u64 = 6_000_000;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Folders of the crates.
const CRATES: [&str; 2] = ["", "crates/core"];

/// Paths of the files of a crate's package, from its folder.
fn packaged(folder: &str) -> BTreeSet<PathBuf> {
    let name = ["parfetch", "parfetch-core"][usize::from(!folder.is_empty())];
    let listed = Command::new(env!("CARGO"))
        .args([
            "package",
            "--list",
            "-p",
            name,
            "--offline",
            "--locked",
            "--allow-dirty",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .map(PathBuf::from)
        .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Files that a source file has the compiler read into the program, from the root. Those that only tests read do not count.
fn included(source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(source).unwrap();
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let names = ["include_str!(\"", "include_bytes!(\""]
        .iter()
        .flat_map(|call| code.split(call).skip(1))
        .map(|rest| rest.split('"').next().unwrap());
    let paths = names.map(|name| source.parent().unwrap().join(name).canonicalize().unwrap());
    paths.collect()
}

#[test]
fn the_packages_have_what_a_build_needs() {
    for folder in CRATES {
        let packaged = packaged(folder);
        let folder = root().join(folder).canonicalize().unwrap();
        let mut sources = Vec::new();
        rust_files(&folder.join("src"), &mut sources);
        let is_test = |path: &Path| {
            path.components().any(|part| part.as_os_str() == "tests")
                || path.ends_with("tests.rs")
                || path.ends_with("fixture.rs")
        };
        let data: BTreeSet<PathBuf> = sources
            .iter()
            .filter(|path| !is_test(path))
            .flat_map(|path| included(path))
            .collect();
        assert!(!data.is_empty(), "what the program includes was found");
        // What lies in the folder of the other crate is in no package of this one.
        let name = |path: &PathBuf| {
            path.strip_prefix(&folder)
                .map_or_else(|_| path.clone(), ToOwned::to_owned)
        };
        let needed = sources.iter().chain(&data).map(name);
        let missing: Vec<PathBuf> = needed.filter(|path| !packaged.contains(path)).collect();
        assert!(
            missing.is_empty(),
            "not in the package, see `include` in Cargo.toml: {missing:?}"
        );
        for name in ["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT"] {
            assert!(
                packaged.contains(Path::new(name)),
                "{name} is not in the package"
            );
        }
    }
    for name in ["README.md", "third_party/echarts/LICENSE"] {
        assert!(packaged("").contains(Path::new(name)), "{name} is missing");
    }
}

#[test]
fn the_packages_are_small() {
    for folder in CRATES {
        let packaged = packaged(folder);
        let folders = ["bench", "crates", "docs", "infra", "tests", "tools"];
        let needless: Vec<&PathBuf> = packaged
            .iter()
            .filter(|path| folders.iter().any(|folder| path.starts_with(folder)))
            .collect();
        assert!(needless.is_empty(), "{needless:?}");
        // Cargo makes a few of the files itself.
        let bytes: u64 = packaged
            .iter()
            .filter_map(|path| fs::metadata(root().join(folder).join(path)).ok())
            .map(|file| file.len())
            .sum();
        assert!((1_000_000..MOST_BYTES).contains(&bytes), "{bytes} bytes");
    }
}
