//! Whether colours are wanted: what was typed, then what the environment says, as <https://bixense.com/clicolors> and <https://no-color.org> have it.

use std::ffi::OsString;

use super::values::Variables;

/// Whether colours are wanted everywhere (`true`), nowhere, or where there is a terminal (`None`). Known before the arguments are understood,
/// because that may be what fails.
pub fn colours(arguments: &[OsString], variables: &Variables) -> Option<bool> {
    match last_value(arguments, "--color").as_deref() {
        Some("always") => return Some(true),
        Some("never") => return Some(false),
        // `auto`, and what is refused later.
        Some(_) | None => {}
    }
    let is = |name: &str, wanted: fn(&str) -> bool| variables.get(name).is_some_and(wanted);
    if is("NO_COLOR", |_| true) {
        return Some(false);
    }
    if is("CLICOLOR_FORCE", |value| value != "0") {
        return Some(true);
    }
    (is("CLICOLOR", |value| value == "0") || is("TERM", |value| value == "dumb")).then_some(false)
}

/// The value of a flag, where it stands last: `--flag value` or `--flag=value`.
pub fn last_value(arguments: &[OsString], flag: &str) -> Option<String> {
    let words: Vec<_> = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy())
        .collect();
    let value =
        words
            .iter()
            .enumerate()
            .rev()
            .find_map(|(place, word)| match word.strip_prefix(flag)? {
                "" => words.get(place + 1).map(AsRef::as_ref),
                value => value.strip_prefix('='),
            });
    value.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted<const N: usize>(words: &[&str], variables: [(&str, &str); N]) -> Option<bool> {
        let arguments: Vec<OsString> = std::iter::once("parfetch")
            .chain(words.iter().copied())
            .map(OsString::from)
            .collect();
        colours(&arguments, &Variables::from(variables))
    }

    #[test]
    fn a_flag_wins_then_no_then_force() {
        assert_eq!(wanted(&[], []), None);
        assert_eq!(wanted(&["--color", "auto"], []), None);
        assert_eq!(
            wanted(&["run", "--color=always"], [("NO_COLOR", "1")]),
            Some(true)
        );
        assert_eq!(
            wanted(&["--color", "never"], [("CLICOLOR_FORCE", "1")]),
            Some(false)
        );
        assert_eq!(
            wanted(&["--color=always", "--color", "never"], []),
            Some(false),
            "the last one"
        );
        assert_eq!(
            wanted(&[], [("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
            Some(false)
        );
        assert_eq!(
            wanted(&["--color", "auto"], [("NO_COLOR", "0")]),
            Some(false),
            "set is set, whatever it holds"
        );
        assert_eq!(
            wanted(&[], [("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")]),
            Some(true)
        );
        assert_eq!(wanted(&[], [("CLICOLOR_FORCE", "0")]), None);
        assert_eq!(wanted(&[], [("CLICOLOR", "0")]), Some(false));
        assert_eq!(wanted(&[], [("TERM", "dumb")]), Some(false));
        assert_eq!(wanted(&["--colour=x"], []), None);
    }
}
