//! All checks together: what they say as a whole, for people and for programs.

use serde::Serialize;

use super::check::{Check, CheckOutcome};
use crate::escape;
use crate::exit::Exit;
use crate::units;

/// Version of the document.
const VERSION: u32 = 1;

/// Every check, in the order in which they are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Checks(pub Vec<Check>);

#[derive(Serialize)]
struct ChecksDocument<'a> {
    /// Always `parfetch.doctor`.
    schema: &'static str,
    version: u32,
    parfetch_version: &'static str,
    exit_code: u8,
    checks: &'a [Check],
}

impl Checks {
    fn count(&self, outcome: CheckOutcome) -> u64 {
        self.0
            .iter()
            .filter(|check| check.outcome == outcome)
            .count() as u64
    }

    /// How the process ends: something that would stop a run is a failure of the set-up.
    pub fn exit(&self) -> Exit {
        if self.count(CheckOutcome::Failed) > 0 {
            Exit::SetUp
        } else {
            Exit::Good
        }
    }

    /// `9 checks: 7 ok, 1 warning, 1 failed. A run would end before its first fetch.`
    pub fn in_words(&self) -> String {
        let named = [
            (CheckOutcome::Ok, "ok", "ok"),
            (CheckOutcome::Warning, "warning", "warnings"),
            (CheckOutcome::Failed, "failed", "failed"),
            (CheckOutcome::NotChecked, "not checked", "not checked"),
        ];
        let counts = named
            .into_iter()
            .map(|(outcome, one, many)| (self.count(outcome), one, many))
            .filter(|(count, ..)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, one, many)| {
                format!(
                    "{} {}",
                    units::count(count),
                    if count == 1 { one } else { many }
                )
            })
            .collect();
        let meaning = if self.exit() == Exit::Good {
            "Nothing that was checked would stop a run."
        } else {
            "What failed would stop a run."
        };
        format!(
            "{} checks: {}. {meaning}",
            units::count(self.0.len() as u64),
            counts.join(", ")
        )
    }

    /// The same for programs, with a line end.
    ///
    /// # Errors
    /// Never in practice: the types have no state that cannot be written.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let document = ChecksDocument {
            schema: "parfetch.doctor",
            version: VERSION,
            parfetch_version: env!("CARGO_PKG_VERSION"),
            exit_code: self.exit() as u8,
            checks: &self.0,
        };
        Ok(escape::json(&serde_json::to_string_pretty(&document)?) + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_decides() {
        let check = |outcome| Check::new("a", "a", outcome, "b");
        let good = Checks(vec![
            check(CheckOutcome::Ok),
            check(CheckOutcome::Warning),
            check(CheckOutcome::Warning),
            check(CheckOutcome::NotChecked),
        ]);
        assert_eq!(good.exit(), Exit::Good);
        assert_eq!(
            good.in_words(),
            "4 checks: 1 ok, 2 warnings, 1 not checked. Nothing that was checked would stop a run."
        );
        let bad = Checks([good.0, vec![check(CheckOutcome::Failed)]].concat());
        assert_eq!(bad.exit(), Exit::SetUp);
        let json: serde_json::Value = serde_json::from_str(&bad.to_json().unwrap()).unwrap();
        assert_eq!(
            (&json["schema"], &json["version"], &json["exit_code"]),
            (&"parfetch.doctor".into(), &1.into(), &4.into())
        );
        assert_eq!(json["checks"][3]["outcome"], "not_checked");
    }
}
