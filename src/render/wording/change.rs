//! Numbers of a comparison in words: ratios as changes, and probabilities. Pure.

/// A ratio as a change: `-10.0 %`, `+854 %`.
pub(crate) fn percent(ratio: f64) -> String {
    let change = (ratio - 1.0) * 100.0;
    // What rounds to nothing has no sign.
    if change.abs() < 0.05 {
        "0.0 %".to_owned()
    } else if change.abs() < 99.95 {
        format!("{change:+.1} %")
    } else {
        format!("{change:+.0} %")
    }
}

/// `-12.1 … -8.0 %`.
pub(crate) fn range(low: f64, high: f64) -> String {
    format!(
        "{} … {}",
        percent(low).trim_end_matches(" %"),
        percent(high)
    )
}

/// A probability: four decimals.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.000_05 {
        "<0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_signed_and_small_ones_are_none() {
        assert_eq!(
            (
                percent(0.9).as_str(),
                percent(1.0).as_str(),
                percent(1.000_4).as_str(),
                percent(9.54).as_str()
            ),
            ("-10.0 %", "0.0 %", "0.0 %", "+854 %")
        );
        assert_eq!(
            (
                probability(0.000_01).as_str(),
                probability(2.0 / 924.0).as_str()
            ),
            ("<0.0001", "0.0022")
        );
    }
}
