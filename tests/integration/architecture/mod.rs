//! The layers, held by reading the source: what a module may import, who may use a crate, how large things may get, and what means two things.
//!
//! `cargo xtask house --list` shows all that it finds, with more measures.

#[path = "../../../tools/xtask/src/code/mod.rs"]
mod code;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use code::Source;
use code::findings::{self, Finding};

/// What each top-level module may import of this crate, besides itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("escape", &[]),
    ("wrap", &[]),
    ("shell", &["escape"]),
    ("guess", &[]),
    ("words", &[]),
    ("plan", &["price", "units", "words"]),
    ("law", &["plan"]),
    ("sample", &["plan"]),
    ("event", &["cell"]),
    ("cell", &["plan"]),
    ("price", &["words"]),
    ("speed", &[]),
    ("stats", &["units"]),
    ("platform", &[]),
    ("exit", &[]),
    ("fuzz", &[]),
    (
        "fill",
        &[
            "event", "exit", "lister", "estimate", "speed", "plan", "platform", "price", "run",
            "sample", "store", "units", "spool", "results",
        ],
    ),
    ("estimate", &["exit", "price", "units"]),
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
        &[
            "cell", "plan", "platform", "price", "results", "stats", "units",
        ],
    ),
    ("fetch", &["plan", "sample", "platform", "store"]),
    (
        "lister",
        &[
            "exit", "speed", "plan", "platform", "sample", "results", "stats", "store", "units",
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
            "event", "exit", "estimate", "speed", "plan", "price", "sample", "shell", "units",
            "platform", "store", "results", "lister", "engine", "server", "spool",
        ],
    ),
    (
        "sweep",
        &[
            "analysis", "cell", "cloud", "event", "exit", "model", "estimate", "speed", "plan",
            "platform", "price", "lister", "results", "run", "sample", "server", "shell", "stats",
            "store", "tune", "units", "spool",
        ],
    ),
    (
        "submit",
        &[
            "cell", "cloud", "event", "exit", "lister", "estimate", "speed", "plan", "platform",
            "price", "spool", "run", "sample", "server", "store", "units",
        ],
    ),
    (
        "analysis",
        &[
            "cell", "law", "plan", "platform", "price", "results", "sample", "stats", "units",
        ],
    ),
    ("tune", &["cell", "law", "model", "plan", "price", "stats"]),
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
            "cloud", "escape", "exit", "estimate", "plan", "platform", "price", "results", "run",
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
        &[
            "cell", "event", "output", "sample", "stats", "units", "wrap",
        ],
    ),
    ("cli", &["exit", "guess", "plan", "price", "shell"]),
    (
        "settings",
        &[
            "analysis", "cell", "cli", "cloud", "doctor", "exit", "fill", "guess", "estimate",
            "speed", "plan", "price", "render", "results", "server", "submit", "sweep", "units",
        ],
    ),
    (
        "commands",
        &[
            "analysis", "cell", "cli", "cloud", "doctor", "event", "exit", "fill", "guess",
            "estimate", "plan", "platform", "store", "results", "engine", "run", "server",
            "output", "price", "progress", "render", "sample", "settings", "shell", "submit",
            "sweep", "units",
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
const LINES: usize = 400;

static SOURCES: LazyLock<Vec<Source>> =
    LazyLock::new(|| code::read(Path::new(env!("CARGO_MANIFEST_DIR"))));

fn sources() -> &'static [Source] {
    &SOURCES
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
    for source in sources() {
        let room = source.room();
        if ["lib", "main"].contains(&room) {
            continue;
        }
        let may = allowed
            .get(room)
            .unwrap_or_else(|| panic!("`{room}` has no row in ALLOWED"));
        for line in code_lines(source) {
            for rest in line.split("crate::").skip(1) {
                let import: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if import != room && !may.contains(&import.as_str()) {
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
        for line in code_lines(source) {
            for (name, modules) in CRATES {
                let named = line.contains(&format!("{name}::"))
                    || line.trim_start().starts_with(&format!("use {name};"));
                if named && !modules.contains(&source.room()) {
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
        let lines = source.lines();
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

/// Functions that are short, parameters and types that have a name of their own, layers inside a room too, and comments that say something.
#[test]
fn the_rules_of_the_house_have_no_exceptions() {
    let mut wrong = String::new();
    for rule in findings::rules(sources()) {
        for Finding { name, place } in &rule.found {
            writeln!(wrong, "{}: {name}: {place}", rule.what).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Pages that say where things are.
const MAPS: [&str; 2] = ["ARCHITECTURE.md", "docs/contributing.md"];

#[test]
fn pages_name_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for page in MAPS {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let is_made_up = name.contains("NAME");
            if !name.contains('/')
                || Path::new(name)
                    .extension()
                    .is_none_or(|ending| ending != "rs")
                || is_made_up
            {
                continue;
            }
            named += 1;
            let exists = ["src", "crates/core/src", ""]
                .iter()
                .any(|from| root.join(from).join(name).exists());
            assert!(exists, "{page}: `{name}`");
        }
    }
    assert!(named > 50, "the tables are there: {named}");
}
