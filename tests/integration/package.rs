//! What `cargo publish` would upload: everything that a build of the program needs, and nothing of tests and benchmarks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Uncompressed; the registry takes 10 MB compressed.
const MOST_BYTES: u64 = 6_000_000;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Paths of the package's files, from the root.
fn packaged() -> BTreeSet<PathBuf> {
    let listed = Command::new(env!("CARGO"))
        .args([
            "package",
            "--list",
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
    let root = root().canonicalize().unwrap();
    paths
        .map(|path| path.strip_prefix(&root).unwrap().to_owned())
        .collect()
}

#[test]
fn the_package_has_what_a_build_needs() {
    let packaged = packaged();
    let mut sources = Vec::new();
    rust_files(&root().join("src"), &mut sources);
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
    assert!(
        data.len() > 5,
        "what the program includes was found: {data:?}"
    );
    let sources = sources
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_owned());
    let missing: Vec<PathBuf> = sources
        .chain(data)
        .filter(|path| !packaged.contains(path))
        .collect();
    assert!(
        missing.is_empty(),
        "not in the package, see `include` in Cargo.toml: {missing:?}"
    );
    for name in [
        "Cargo.lock",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "third_party/echarts/LICENSE",
    ] {
        assert!(
            packaged.contains(Path::new(name)),
            "{name} is not in the package"
        );
    }
}

#[test]
fn the_package_is_small() {
    let packaged = packaged();
    let folders = ["bench", "docs", "infra", "tests", "tools"];
    let needless: Vec<&PathBuf> = packaged
        .iter()
        .filter(|path| folders.iter().any(|folder| path.starts_with(folder)))
        .collect();
    assert!(needless.is_empty(), "{needless:?}");
    // Cargo makes a few of the files itself.
    let bytes: u64 = packaged
        .iter()
        .filter_map(|path| fs::metadata(root().join(path)).ok())
        .map(|file| file.len())
        .sum();
    assert!((1_000_000..MOST_BYTES).contains(&bytes), "{bytes} bytes");
}
