//! What somebody may have meant: the known word that is most like an unknown one.

/// From 0 to 1: words more alike than this may stand for each other. clap has the same for flags.
const ALIKE: f64 = 0.7;

/// The known word that is most like this one.
pub(crate) fn guess<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let rated = known.into_iter().map(|known| (strsim::jaro(&word, &known.to_lowercase()), known)).filter(|(alike, _)| *alike > ALIKE);
    // Of equally similar ones the first.
    rated.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, known)| known)
}

/// The same as a hint.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    guess(word, known).map(|known| format!("did you mean {known}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_has_a_guess_and_another_word_has_none() {
        let modes = ["async", "thread", "process"];
        for (word, meant) in [("asink", "async"), ("threads", "thread"), ("PROCESS", "process"), ("proces", "process")] {
            assert_eq!(guess(word, modes), Some(meant), "{word}");
        }
        for word in ["fiber", "", "x", "go"] {
            assert_eq!(guess(word, modes), None, "{word}");
        }
        assert_eq!(hint("htm", ["text", "html"]).as_deref(), Some("did you mean html?"));
    }
}
