//! Lines for programs: one JSON object each, as `CloudWatch` Logs finds fields in them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::escape;
use crate::platform::clock;

/// How much a line matters; the words are those of the log's own lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Good to know.
    Info,
    /// A person should know.
    Warn,
    /// Why it ended early.
    Error,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: Severity,
    message: &'a str,
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
}

/// Writes `{"timestamp":…,"level":…,"message":…}` and the members of `fields`, an object: numbers with units in their names. Null is left out.
///
/// # Errors
/// When writing fails.
pub fn log_line(
    writer: &mut (impl Write + ?Sized),
    level: Severity,
    message: &str,
    fields: Value,
) -> io::Result<()> {
    let mut fields = if let Value::Object(fields) = fields {
        fields
    } else {
        Map::new()
    };
    fields.retain(|_, value| !value.is_null());
    let line = serde_json::to_string(&Line {
        timestamp: &clock::utc_now(),
        level,
        message,
        fields: &fields,
    })?;
    // At once: other threads write lines too.
    writer.write_all((escape::json(&line) + "\n").as_bytes())?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_one_object_whatever_a_key_holds() {
        let mut out = Vec::new();
        log_line(
            &mut out,
            Severity::Warn,
            "a\nb \u{1b}[2J\u{202e}",
            json!({"left_s": null, "bytes": 5}),
        )
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() == 1 && !text.contains('\u{202e}'));
        let mut line: Map<String, Value> = serde_json::from_str(&text).unwrap();
        assert!(
            line.remove("timestamp")
                .unwrap()
                .as_str()
                .unwrap()
                .ends_with('Z')
        );
        assert_eq!(
            Value::Object(line),
            json!({"level": "WARN", "message": "a\nb \u{1b}[2J\u{202e}", "bytes": 5})
        );
    }
}
