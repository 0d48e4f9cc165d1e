//! Names of sweeps, tunes and jobs that were given none.

use crate::platform::clock::utc_now;

/// The name of a sweep that was given none: date, time, and letters that no other one of this second has. Two with one name would be taken for one
/// sweep that goes on, here or in a results bucket that several people use.
pub(super) fn name_of_now() -> String {
    // `2026-11-20T10:00:00Z` without what a folder's name does not need.
    let now: String = utc_now()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    let letters: String = std::iter::repeat_with(fastrand::lowercase)
        .take(4)
        .collect();
    format!("{}-{}-{letters}", &now[..8], &now[8..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sweeps_of_one_second_have_names_of_their_own() {
        let names: std::collections::BTreeSet<String> =
            std::iter::repeat_with(name_of_now).take(50).collect();
        assert!(names.len() >= 49, "{names:?}");
    }
}
