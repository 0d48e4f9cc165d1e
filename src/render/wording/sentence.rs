//! A fragment as a sentence, and one that stands in several places.

use crate::units;

/// What must be said of results that were not measured.
pub(crate) const OF_A_MODEL: &str =
    "Simulated by a model of a platform: nothing was measured, and no figure comes from AWS.";

/// Behind a confidence, where the minimum for the smallest task makes one the cheapest: how sure that is says nothing of the programs.
pub(crate) const AS_BILLED: &str = ", as the minimum is billed";

/// What stands above an answer that is no recommendation yet: `A first look: cheapest`. Its sentences say only why.
pub(crate) fn as_first_look(label: &str) -> String {
    format!("A first look: {}", label.to_lowercase())
}

/// With an upper-case first letter and a full stop.
pub(crate) fn sentence(fragment: &str) -> String {
    let stop = if fragment.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{stop}", units::upper_first(fragment))
}
