//! When Batch tries a job again: `retryStrategy`, as the submission or else the definition has it.

use serde_json::{Value, json};

use super::job::Attempt;

/// Attempts, and the rules that are asked one after another.
pub(super) struct Retry {
    attempts: usize,
    rules: Vec<Value>,
}

/// As the template's job definition has it.
fn of_definition() -> Value {
    json!({"attempts": 3, "evaluateOnExit": [
        {"action": "EXIT", "onReason": "CannotPullContainerError*"},
        {"action": "RETRY", "onStatusReason": "Your Spot Task was interrupted*"},
        {"action": "RETRY", "onStatusReason": "Task failed to start*"},
        {"action": "RETRY", "onExitCode": "143"},
        {"action": "EXIT", "onStatusReason": "*"},
    ]})
}

impl Retry {
    /// Of a submission.
    pub(super) fn of(request: &Value) -> Self {
        let own = request
            .get("retryStrategy")
            .cloned()
            .unwrap_or_else(of_definition);
        let attempts = own["attempts"]
            .as_u64()
            .and_then(|attempts| usize::try_from(attempts).ok())
            .unwrap_or(1);
        Self {
            attempts,
            rules: own["evaluateOnExit"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// Whether another attempt follows this one, the `number`th.
    pub(super) fn allows(&self, ended: &Attempt, number: usize) -> bool {
        let exit_code = ended.exit_code.map(|code| code.to_string());
        let holds = |rule: &Value, name: &str, value: Option<&str>| {
            rule[name]
                .as_str()
                .is_none_or(|glob| value.is_some_and(|value| matches(glob, value)))
        };
        let first = self.rules.iter().find(|rule| {
            holds(rule, "onExitCode", exit_code.as_deref())
                && holds(rule, "onReason", ended.reason.as_deref())
                && holds(rule, "onStatusReason", Some(&ended.status_reason))
        });
        // What matches nothing is tried again.
        number < self.attempts
            && first.is_none_or(|rule| {
                rule["action"]
                    .as_str()
                    .is_some_and(|action| action.eq_ignore_ascii_case("RETRY"))
            })
    }
}

/// Globs end in an asterisk, or have none.
fn matches(glob: &str, text: &str) -> bool {
    match glob.strip_suffix('*') {
        Some(beginning) => text.to_lowercase().starts_with(&beginning.to_lowercase()),
        None => glob.eq_ignore_ascii_case(text),
    }
}
