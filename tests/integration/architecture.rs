//! The layers, held by reading the source: what a module may import, who may use a crate, and how large things may get.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each top-level module may import of this crate, besides itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("escape", &[]),
    ("wrap", &[]),
    ("shell", &["escape"]),
    ("guess", &[]),
    ("plan", &["price", "units"]),
    ("sample", &["plan"]),
    ("event", &[]),
    ("cell", &["plan"]),
    ("price", &[]),
    ("pace", &[]),
    ("stats", &["units"]),
    ("platform", &[]),
    ("exit", &[]),
    ("fuzz", &[]),
    (
        "fill",
        &[
            "event", "exit", "lister", "outlook", "pace", "plan", "platform", "price", "run",
            "sample", "store", "units", "spool", "results",
        ],
    ),
    ("outlook", &["exit", "price", "units"]),
    ("store", &["exit", "plan", "sample", "platform"]),
    ("cloud", &["exit", "plan", "store"]),
    (
        "spool",
        &[
            "exit", "plan", "sample", "units", "stats", "platform", "store",
        ],
    ),
    (
        "results",
        &[
            "cell", "exit", "plan", "price", "sample", "units", "stats", "platform", "store",
            "spool",
        ],
    ),
    (
        "model",
        &["cell", "plan", "platform", "price", "results", "stats"],
    ),
    ("fetch", &["plan", "sample", "platform", "store"]),
    (
        "lister",
        &[
            "exit", "pace", "plan", "platform", "sample", "results", "stats", "store", "units",
            "spool",
        ],
    ),
    (
        "engine",
        &[
            "event", "exit", "plan", "sample", "platform", "store", "spool", "fetch",
        ],
    ),
    ("server", &["guess", "platform", "units"]),
    (
        "run",
        &[
            "event", "exit", "outlook", "pace", "plan", "price", "sample", "shell", "units",
            "platform", "store", "results", "lister", "engine", "server", "spool",
        ],
    ),
    (
        "sweep",
        &[
            "cell", "cloud", "event", "exit", "outlook", "pace", "plan", "platform", "price",
            "lister", "results", "run", "server", "shell", "stats", "store", "units", "spool",
        ],
    ),
    (
        "submit",
        &[
            "cell", "cloud", "event", "exit", "lister", "pace", "plan", "platform", "price",
            "spool", "run", "sample", "server", "store", "units",
        ],
    ),
    (
        "analysis",
        &[
            "cell", "plan", "platform", "price", "results", "sample", "stats", "units",
        ],
    ),
    (
        "render",
        &[
            "analysis", "cell", "escape", "plan", "price", "results", "shell", "units", "stats",
            "wrap",
        ],
    ),
    (
        "doctor",
        &[
            "cloud", "escape", "exit", "outlook", "plan", "platform", "price", "results", "run",
            "shell", "store", "sweep", "units",
        ],
    ),
    (
        "output",
        &[
            "cell", "doctor", "escape", "plan", "price", "sample", "shell", "units", "stats",
            "platform", "results", "wrap",
        ],
    ),
    (
        "progress",
        &["event", "output", "sample", "stats", "units", "wrap"],
    ),
    ("cli", &["exit", "guess", "plan", "shell"]),
    (
        "settings",
        &[
            "analysis", "cli", "cloud", "doctor", "exit", "fill", "guess", "outlook", "pace",
            "plan", "price", "render", "server", "submit", "sweep", "units",
        ],
    ),
    (
        "commands",
        &[
            "analysis", "cli", "cloud", "doctor", "event", "exit", "fill", "guess", "outlook",
            "plan", "platform", "store", "results", "engine", "run", "server", "output", "price",
            "progress", "render", "sample", "settings", "shell", "submit", "sweep", "units",
        ],
    ),
];

/// Crates that only some modules may name.
const CRATES: &[(&str, &[&str])] = &[
    ("aws_", &["cloud", "store"]),
    ("clap", &["cli", "commands"]),
    ("indicatif", &["progress"]),
    ("s3s", &["server"]),
    ("rayon", &["engine"]),
    ("shlex", &["settings", "shell", "sweep"]),
    ("toml", &["model", "price", "sweep"]),
    ("maud", &["render"]),
];

/// Longest file, tests apart: a longer one hides two ideas.
const LINES: usize = 600;

struct Source {
    module: String,
    path: PathBuf,
    /// Without inline tests.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 50, "the source is where it should be");
    files
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&root).unwrap();
            let first = relative
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).unwrap();
            let tests = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(super) mod "];
            let code = tests
                .iter()
                .fold(text.as_str(), |code, tests| {
                    code.split(tests).next().unwrap()
                })
                .to_owned();
            Source {
                module: first.trim_end_matches(".rs").to_owned(),
                path,
                code,
            }
        })
        .collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && name != "tests.rs"
            && name != "fixture.rs"
        {
            files.push(path);
        }
    }
}

/// Lines of code: comments say what they like.
fn code_lines(source: &Source) -> impl Iterator<Item = &str> {
    source
        .code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn modules_import_only_from_layers_below() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| !["lib", "main"].contains(&source.module.as_str()))
    {
        let may = allowed
            .get(source.module.as_str())
            .unwrap_or_else(|| panic!("`{}` has no row in ALLOWED", source.module));
        for line in code_lines(source) {
            for rest in line.split("crate::").skip(1) {
                let import: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if import != source.module && !may.contains(&import.as_str()) {
                    wrong.push(format!("{}: crate::{import}", source.path.display()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports that the table does not allow:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_their_module_names_a_crate() {
    let mut wrong = Vec::new();
    for source in sources() {
        for line in code_lines(&source) {
            for (name, modules) in CRATES {
                let named = line.contains(&format!("{name}::"))
                    || line.trim_start().starts_with(&format!("use {name};"));
                if named && !modules.contains(&source.module.as_str()) {
                    wrong.push(format!("{}: {}", source.path.display(), line.trim()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "crates named where they must not be:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_open_with_what_they_own_and_stay_small() {
    for source in sources() {
        let path = source.path.display();
        assert!(
            source.code.starts_with("//! "),
            "{path} does not open with what it owns"
        );
        let lines = source.code.lines().count();
        assert!(lines <= LINES, "{path} has {lines} lines without its tests");
    }
}

/// A word that is not in the table would become `other` without a sound.
#[test]
fn every_error_code_in_the_source_is_one() {
    let mut found = 0;
    for source in sources() {
        for call in ["AttemptError::own(\"", "from_word(\""] {
            for rest in source.code.split(call).skip(1) {
                let word = rest.split('"').next().unwrap();
                assert!(
                    parfetch::internals::ErrorCode::known(word).is_some(),
                    "{}: `{word}`",
                    source.path.display()
                );
                found += 1;
            }
        }
    }
    assert!(found > 10, "the codes are where they were: {found}");
}
