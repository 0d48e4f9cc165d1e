//! What a person reads of a clock that is wrong.

use crate::units::{SECOND_NS, duration};

/// The warning for a store's clock that is so far ahead of this machine's, in s; `None` while this machine's is right.
pub(super) fn warning(offset_s: i64) -> Option<String> {
    let side = if offset_s > 0 { "behind" } else { "ahead of" };
    let time = duration(offset_s.unsigned_abs().saturating_mul(SECOND_NS));
    (offset_s != 0).then(|| format!("this machine's clock is {time} {side} the store's: requests are signed with the store's time; set the clock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_how_wrong_the_clock_is() {
        assert_eq!(warning(0), None);
        let said = "this machine's clock is 30 min 2 s behind the store's: requests are signed with the store's time; set the clock";
        assert_eq!(warning(1_802).unwrap(), said);
        assert!(
            warning(-60)
                .unwrap()
                .starts_with("this machine's clock is 60.0 s ahead of the store's"),
            "{:?}",
            warning(-60)
        );
    }
}
