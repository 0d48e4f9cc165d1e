//! The command line as it was typed, with other values: a line to paste.

use std::ffi::OsString;

use crate::shell;

/// The body of requests, which a line to paste takes from the environment: it may be long, and several lines would repeat it.
const BODY: [&str; 2] = ["--body", "-d"];

/// `parfetch sweep s3://images --repeat 6`: the words that were typed, with these values of long flags in place of theirs, or behind them, and without a
/// body.
pub fn typed_again(arguments: &[OsString], settings: &[(&str, &str)]) -> String {
    let mut words = vec!["parfetch".to_owned()];
    let mut typed = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let is_replaced = |flag: &str| settings.iter().any(|(other, _)| *other == flag);
    while let Some(word) = typed.next() {
        if BODY.contains(&word.as_str()) {
            typed.next();
            continue;
        }
        if word.starts_with("--body=") || word.starts_with("-d") {
            continue;
        }
        let flag = word.strip_prefix("--").unwrap_or_default();
        match flag.split_once('=') {
            Some((flag, _)) if is_replaced(flag) => {}
            None if is_replaced(flag) => _ = typed.next(),
            _ => words.push(word),
        }
    }
    for (flag, value) in settings {
        words.extend([format!("--{flag}"), (*value).to_owned()]);
    }
    shell::line(words.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(line: &str, settings: &[(&str, &str)]) -> String {
        let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
        typed_again(&words, settings)
    }

    #[test]
    fn what_was_typed_stays_and_values_are_replaced() {
        assert_eq!(
            again(
                "./target/debug/parfetch sweep s3://a -c 1,2",
                &[("repeat", "6")]
            ),
            "parfetch sweep s3://a -c 1,2 --repeat 6"
        );
        assert_eq!(
            again(
                "p sweep --repeat 2 s3://a --duration=1s --dry-run",
                &[("repeat", "6"), ("duration", "5s")]
            ),
            "parfetch sweep s3://a --dry-run --repeat 6 --duration 5s"
        );
        for body in ["-d {}", "-d{}", "-d={}", "--body {}", "--body={}"] {
            assert_eq!(
                again(
                    &format!("p sweep http://h/ {body} --dry-run --body-file x"),
                    &[]
                ),
                "parfetch sweep http://h/ --dry-run --body-file x"
            );
        }
        let spaced: Vec<OsString> = ["p", "sweep", "--contender", "a=python3 x.py"]
            .map(Into::into)
            .into();
        assert_eq!(
            typed_again(&spaced, &[]),
            "parfetch sweep --contender 'a=python3 x.py'"
        );
    }
}
