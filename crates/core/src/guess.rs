//! What somebody may have meant: the known word that is most like an unknown one.

/// From 0 to 1: words more alike than this may stand for each other. clap has the same for flags.
const ALIKE: f64 = 0.7;

/// A word of so many letters may have one slip: a letter more, less, or another, or two that changed places. Shorter ones would be like anything.
const SHORTEST: usize = 3;

/// The known word that is most like this one.
pub fn guess<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let rated = known
        .into_iter()
        .map(|known| (alike(&word, &known.to_lowercase()), known))
        .filter(|(alike, _)| *alike > ALIKE);
    // Of equally similar ones the first.
    rated
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map(|(_, known)| known)
}

/// From 0 to 1. What is one slip away is alike, also where the first letters alone say otherwise: `rnu` is `run`.
fn alike(word: &str, known: &str) -> f64 {
    let jaro = strsim::jaro(word, known);
    if is_slip(word, known) {
        jaro.max(ALIKE + 0.01)
    } else {
        jaro
    }
}

fn is_slip(word: &str, known: &str) -> bool {
    word.chars().count() >= SHORTEST && strsim::osa_distance(word, known) <= 1
}

/// The known word that is at most one slip away: where a word may as well be a name that somebody chose, to be alike is too little.
pub fn slip<'a>(word: &str, mut known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known.find(|known| is_slip(&word, known))
}

/// The same as a hint.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    guess(word, known).map(meant)
}

/// The guess as a hint.
pub fn meant(known: &str) -> String {
    format!("did you mean `{known}`?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_has_a_guess_and_another_word_has_none() {
        let modes = ["async", "thread", "process"];
        for (word, meant) in [
            ("asink", "async"),
            ("threads", "thread"),
            ("PROCESS", "process"),
            ("proces", "process"),
        ] {
            assert_eq!(guess(word, modes), Some(meant), "{word}");
        }
        for (word, meant) in [
            ("rnu", "run"),
            ("urn", "run"),
            ("ran", "run"),
            ("runn", "run"),
            ("sweap", "sweep"),
            ("mna", "man"),
        ] {
            assert_eq!(guess(word, ["run", "sweep", "man"]), Some(meant), "{word}");
        }
        for word in ["fiber", "", "x", "go"] {
            assert_eq!(guess(word, modes), None, "{word}");
        }
        assert_eq!(
            (
                slip("rnu", ["run"].into_iter()),
                slip("source", ["serve"].into_iter()),
                slip("run", ["run"].into_iter())
            ),
            (Some("run"), None, Some("run"))
        );
        assert_eq!(
            hint("htm", ["text", "html"]).as_deref(),
            Some("did you mean `html`?")
        );
    }
}
