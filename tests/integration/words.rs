//! The words that people read: what plain English replaces does not come back.
//!
//! Looks at string literals of the code, tests and comments apart. The list is the one place where a word is forbidden, and why it may stand somewhere.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What must not stand in a text for people, and what to write instead.
pub(super) const REPLACED: &[(&str, &str)] = &[
    (
        "inconclusive",
        "say what is known: «no limit reached at 16 workers»",
    ),
    ("unclear", "say what is known: «no limit found»"),
    ("is none of its values", "is not a valid value"),
    ("is none of", "is not one of"),
    ("is no metric", "unknown metric"),
    ("is no sum of money", "is not an amount"),
    ("stands there twice", "is given twice"),
    ("nobody says", "is not set"),
    ("it goes on still", "still running, or died"),
    ("goes on from here", "run the same command to continue"),
    (
        "does not count; the same command",
        "the unfinished run is discarded; run the same command to continue",
    ),
    ("that the forecast names", "the forecast shows the cost"),
    ("attempts again", "retries"),
    ("told apart", "no measurable difference"),
    ("not distinguishable", "no measurable difference"),
    ("serve at most", "at most … differences can be tested"),
    ("to tell", "run a sweep to find out"),
    ("one an object", "one row per object"),
    ("is told", "gets, or the name of the signal or setting"),
    ("are told", "get, or the name of the signal or setting"),
    ("hears", "receives"),
    ("heed", "follows"),
    ("vanished", "missing (`vanished` is the word of the CSV)"),
    ("goodput", "complete objects"),
    ("cell", "configuration"),
    ("cells", "configurations"),
    ("indistinguishable", "no measurable difference"),
    ("1 cells", "a plural that is right"),
    ("throttled –", "nothing, where nothing was throttled"),
    ("Verdict", "the sentence that says what limits it"),
    ("nobody knows", "is not known"),
];

/// Literals in which a word may stand: file (its end), the literal's text, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("cli/reports.rs", "", "names of metrics, a format"),
    ("output/emf.rs", "", "names of metrics, a format"),
    (
        "wording/metric.rs",
        "goodput",
        "the name of a metric, which --metrics takes",
    ),
    ("page/matrix.rs", "pf-cell", "the name of a style's class"),
    ("output/end.rs", "vanished", "the name of a field, a format"),
    (
        "output/end.rs",
        "goodput_bytes",
        "the name of a field, a format",
    ),
    (
        "output/end.rs",
        "goodput_bytes_per_s",
        "the name of a field, a format",
    ),
];

/// Of these, whole phrases that stand in no text of the program, wherever it is: errors, hints and help too.
const NOWHERE: [&str; 20] = [
    "is none of its values",
    "is none of",
    "is no metric",
    "is no sum of money",
    "stands there twice",
    "nobody says",
    "it goes on still",
    "goes on from here",
    "does not count; the same command",
    "that the forecast names",
    "attempts again",
    "told apart",
    "not distinguishable",
    "serve at most",
    "to tell",
    "one an object",
    "is told",
    "are told",
    "hears",
    "nobody knows",
];

/// Where texts for people stand.
const FOLDERS: [&str; 9] = [
    "src/cli",
    "src/doctor",
    "src/fill",
    "src/output",
    "src/progress",
    "src/render/page",
    "src/render/text",
    "src/render/wording",
    "crates/core/src/run",
];

#[test]
fn texts_use_the_words_that_people_know() {
    let mut wrong = Vec::new();
    let mut literals = 0;
    for folder in FOLDERS {
        for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            for literal in texts(&text) {
                literals += 1;
                for (word, instead) in REPLACED.iter().filter(|(word, _)| holds(&literal, word)) {
                    let is_allowed = |(file, allowed, _): &(&str, &str, &str)| {
                        path.ends_with(file) && (allowed.is_empty() || *allowed == literal)
                    };
                    if !ALLOWED.iter().any(is_allowed) {
                        wrong.push(format!(
                            "{}: «{word}» in {literal:?}; write: {instead}",
                            path.display()
                        ));
                    }
                }
            }
        }
    }
    assert!(literals > 300, "the texts are where they were: {literals}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_text_of_the_program_has_a_phrase_that_plain_english_replaces() {
    let mut wrong = Vec::new();
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for literal in texts(&fs::read_to_string(&path).unwrap()) {
            for phrase in NOWHERE.iter().filter(|phrase| holds(&literal, phrase)) {
                let instead = REPLACED
                    .iter()
                    .find(|(known, _)| *known == *phrase)
                    .map_or("other words", |(_, instead)| instead);
                wrong.push(format!(
                    "{}: «{phrase}» in {literal:?}; write: {instead}",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn literals_are_found_and_code_is_not() {
    let source = "//! a \"comment\"\nlet a = \"one \\\"two\\\"\"; // \"no\"\nlet b = 'x'; let c: &'static str = r\"raw\"; let q = '\"'; f(\"a \\\n   b {cell} {cells:?}\");\n#[cfg(test)]\nmod tests { \"test\" }";
    assert_eq!(texts(source), ["one \"two\"", "raw", "a b {} {}"]);
    assert!(
        holds("of 3 cells", "cells") && !holds("excellent", "cell") && !holds("of 3 cells", "cell")
    );
}

/// Whether a text has this word, or these words.
pub(super) fn holds(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !is_letter(text[..at].chars().next_back())
            && !is_letter(text[at + word.len()..].chars().next())
    })
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && name != "tests.rs"
            && name != "fixture.rs"
        {
            found.push(path);
        }
    }
    found
}

/// The string literals of a source file, inline tests and comments apart; without the names of variables that are put into them.
pub(crate) fn texts(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let mut found = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next().is_some_and(|c| c != '\n') {},
            // A character, or a lifetime.
            '\'' => {
                if chars.next() == Some('\\') {
                    chars.next();
                    while chars.next().is_some_and(|c| c != '\'') {}
                } else {
                    chars.next_if_eq(&'\'');
                }
            }
            '"' => found.push(literal(&mut chars)),
            _ => {}
        }
    }
    found
}

/// What follows its opening quote.
fn literal(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some('n') => text.push('\n'),
                Some(c) => text.push(c),
                None => break,
            },
            // `{name}`, `{name:?}`; `{{` is a brace.
            '{' if chars.peek() != Some(&'{') => {
                while chars.next().is_some_and(|c| c != '}') {}
                text.push_str("{}");
            }
            c => text.push(c),
        }
    }
    text
}

/// What a rename leaves in a text: the head of a column was `PageSize` once.
#[test]
fn no_text_of_a_report_is_the_name_of_a_type() {
    let source = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all: Vec<String> = files(&root.join("src")).iter().map(source).collect();
    let types: HashSet<&str> = all
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(declared)
        .filter(|name| name.chars().filter(|c| c.is_uppercase()).count() > 1)
        .collect();
    assert!(types.contains("PageSize"), "types are found: {types:?}");
    let slips: Vec<String> = files(&root.join("src/render"))
        .iter()
        .flat_map(|path| texts(&source(path)))
        .filter(|text| types.contains(text.as_str()))
        .collect();
    assert!(slips.is_empty(), "{slips:?}");
}

/// The type that a line declares.
fn declared(line: &str) -> Option<&str> {
    let mut words = line
        .split_whitespace()
        .skip_while(|word| word.starts_with("pub"));
    matches!(words.next()?, "struct" | "enum" | "trait").then_some(())?;
    words.next()?.split(|c: char| !c.is_alphanumeric()).next()
}
