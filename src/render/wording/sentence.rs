//! A fragment as a sentence.

use crate::units;

/// With an upper-case first letter and a full stop.
pub(crate) fn sentence(fragment: &str) -> String {
    let stop = if fragment.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{stop}", units::upper_first(fragment))
}
