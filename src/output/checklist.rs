//! The list of checks of `doctor`: a mark, what was checked, what was found, and a hint.

use super::{Style, one_line};
use crate::doctor::{Check, CheckOutcome, Checks};
use crate::wrap::wrapped;

/// Widest column of what was checked; what is longer stands on a line of its own.
const SUBJECT: usize = 24;
/// Narrowest text.
const LEAST: usize = 30;

/// The marks in front of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// ✓ ! ✗
    Unicode,
    /// + ! x
    Ascii,
}

impl Marks {
    /// Unicode where the locale says UTF-8: the first of these variables that is set and not empty counts, as POSIX has it.
    pub fn of_locale(all: Option<&str>, ctype: Option<&str>, lang: Option<&str>) -> Self {
        let locale = all
            .or(ctype)
            .or(lang)
            .unwrap_or_default()
            .to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") {
            Self::Unicode
        } else {
            Self::Ascii
        }
    }

    const fn of(self, outcome: CheckOutcome) -> &'static str {
        match (self, outcome) {
            (Self::Unicode, CheckOutcome::Ok) => "✓",
            (Self::Ascii, CheckOutcome::Ok) => "+",
            (_, CheckOutcome::Warning) => "!",
            (Self::Unicode, CheckOutcome::Failed) => "✗",
            (Self::Ascii, CheckOutcome::Failed) => "x",
            (_, CheckOutcome::NotChecked) => "-",
        }
    }
}

/// The lines, wrapped to `width` columns. Each says in words how its check ended, unless all is well.
pub fn checklist(checks: &Checks, style: Style, (marks, width): (Marks, usize)) -> String {
    let subjects = checks
        .0
        .iter()
        .map(|check| one_line(&check.subject).chars().count())
        .filter(|length| *length <= SUBJECT);
    let column = subjects.max().unwrap_or(0);
    let mut text = String::new();
    for check in &checks.0 {
        entry(&mut text, check, (marks, style), (column, width));
    }
    text + "\n" + &wrapped(&checks.in_words(), width, 0).join("\n") + "\n"
}

fn entry(
    text: &mut String,
    check: &Check,
    (marks, style): (Marks, Style),
    (column, width): (usize, usize),
) {
    let mark = marks.of(check.outcome);
    let mark = match check.outcome {
        CheckOutcome::Ok => style.advice(mark),
        CheckOutcome::Warning => style.caution(mark),
        CheckOutcome::Failed => style.bad(mark),
        CheckOutcome::NotChecked => mark.to_owned(),
    };
    let word = match check.outcome {
        CheckOutcome::Ok => "",
        CheckOutcome::Warning => "warning: ",
        CheckOutcome::Failed => "failed: ",
        CheckOutcome::NotChecked => "not checked: ",
    };
    let subject = one_line(&check.subject);
    let indent = column + 4;
    let room = width.saturating_sub(indent).max(LEAST);
    let mut lines = wrapped(&format!("{word}{}", one_line(&check.text)), room, 0);
    if let Some(hint) = &check.hint {
        lines.extend(wrapped(&format!("hint: {}", one_line(hint)), room, 0));
    }
    // Never broken: it is to be pasted.
    lines.extend(
        check
            .command
            .as_ref()
            .map(|line| format!("  {}", style.advice(&one_line(line)))),
    );
    let is_long = subject.chars().count() > column;
    let first = if is_long {
        String::new()
    } else {
        format!("  {}", lines.remove(0))
    };
    text.push_str(format!("{mark} {subject:column$}{first}").trim_end());
    text.push('\n');
    for line in lines {
        text.extend([format!("{:indent$}{line}\n", "")]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(subject: &str, outcome: CheckOutcome, text: &str, hint: Option<&str>) -> Check {
        Check {
            id: "x",
            subject: subject.to_owned(),
            outcome,
            text: text.to_owned(),
            hint: hint.map(str::to_owned),
            command: None,
            facts: serde_json::Map::new(),
        }
    }

    fn checks() -> Checks {
        Checks(vec![
            check(
                "credentials",
                CheckOutcome::Ok,
                "arn:aws:iam::123456789012:user/reader, access key …WXYZ from SSO, profile work",
                None,
            ),
            check(
                "s3://images",
                CheckOutcome::Failed,
                "cannot list s3://images: access denied (AccessDenied)",
                Some("grant s3:ListBucket to these credentials"),
            ),
            check(
                "s3://a-bucket-with-a-long-name/results/",
                CheckOutcome::Warning,
                "an object stays",
                None,
            ),
            check(
                "default sweep",
                CheckOutcome::NotChecked,
                "the source cannot be read",
                None,
            ),
        ])
    }

    #[test]
    fn eighty_columns_suffice_and_words_say_what_marks_do() {
        let text = checklist(&checks(), Style::Plain, (Marks::Unicode, 80));
        assert_eq!(
            text,
            "✓ credentials    arn:aws:iam::123456789012:user/reader, access key …WXYZ from\n\
             \u{20}                SSO, profile work\n\
             ✗ s3://images    failed: cannot list s3://images: access denied (AccessDenied)\n\
             \u{20}                hint: grant s3:ListBucket to these credentials\n\
             ! s3://a-bucket-with-a-long-name/results/\n\
             \u{20}                warning: an object stays\n\
             - default sweep  not checked: the source cannot be read\n\
             \n\
             4 checks: 1 ok, 1 warning, 1 failed, 1 not checked. What failed would stop a\n\
             run.\n"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn a_plain_locale_gets_plain_marks() {
        let text = checklist(
            &Checks(vec![
                check("a", CheckOutcome::Ok, "b", None),
                check("a", CheckOutcome::Failed, "b", None),
            ]),
            Style::Plain,
            (Marks::Ascii, 80),
        );
        assert!(text.starts_with("+ a  b\nx a  failed: b\n"), "{text}");
        let of = |all, ctype, lang| Marks::of_locale(all, ctype, lang);
        assert_eq!(of(None, None, Some("en_US.UTF-8")), Marks::Unicode);
        assert_eq!(of(Some("C"), None, Some("en_US.UTF-8")), Marks::Ascii);
        assert_eq!(of(None, Some("C.utf8"), None), Marks::Unicode);
        assert_eq!(of(None, None, None), Marks::Ascii);
    }

    #[test]
    fn a_name_cannot_speak_to_the_terminal() {
        let text = checklist(
            &Checks(vec![check(
                "s3://a/\x1b[2J",
                CheckOutcome::Ok,
                "b\nc",
                None,
            )]),
            Style::Plain,
            (Marks::Ascii, 80),
        );
        assert!(text.starts_with("+ s3://a/\\u{1b}[2J  b\\nc\n"), "{text}");
    }
}
