//! `error:`, `hint:` and `warning:` lines.

use std::io::{self, Write};

use super::Style;
use crate::escape;
use crate::wrap::wrapped;

/// How such lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageForm {
    /// With colours or without.
    pub style: Style,
    /// Columns of the terminal, in which words are not cut; `None` without a terminal: one line stays one.
    pub columns: Option<usize>,
}

impl From<Style> for MessageForm {
    fn from(style: Style) -> Self {
        Self {
            style,
            columns: None,
        }
    }
}

/// What and where, the cause once.
///
/// # Errors
/// When writing fails.
pub fn error(
    writer: &mut (impl Write + ?Sized),
    form: impl Into<MessageForm>,
    text: &str,
) -> io::Result<()> {
    prose(writer, form.into(), ("error:", Style::bad), text)
}

/// What to do about the error above it. One line on a terminal too: a command in it is copied whole.
///
/// # Errors
/// When writing fails.
pub fn hint(
    writer: &mut (impl Write + ?Sized),
    form: impl Into<MessageForm>,
    text: &str,
) -> io::Result<()> {
    let style = form.into().style;
    writeln!(writer, "{} {}", style.advice("hint:"), one_line(text))
}

/// Something a person should know.
///
/// # Errors
/// When writing fails.
pub fn warning(
    writer: &mut (impl Write + ?Sized),
    form: impl Into<MessageForm>,
    text: &str,
) -> io::Result<()> {
    prose(writer, form.into(), (WARNING, Style::caution), text)
}

/// What a warning begins with.
pub(crate) const WARNING: &str = "warning:";

fn prose(
    writer: &mut (impl Write + ?Sized),
    form: MessageForm,
    (begins, paint): (&str, fn(Style, &str) -> String),
    text: &str,
) -> io::Result<()> {
    let line = format!("{begins} {}", one_line(text));
    let lines = fitted(&line, form.columns);
    writeln!(
        writer,
        "{}",
        lines.replacen(begins, &paint(form.style, begins), 1)
    )
}

/// The text in lines that are broken between words, where there is a terminal of so many columns.
fn fitted(text: &str, columns: Option<usize>) -> String {
    columns.map_or_else(
        || text.to_owned(),
        |columns| wrapped(text, columns, 2).join("\n"),
    )
}

/// The same of each line of a text.
pub fn fitted_lines(text: &str, columns: Option<usize>) -> String {
    text.lines()
        .map(|line| fitted(line, columns) + "\n")
        .collect()
}

/// The text as one line: keys may hold line ends, escape sequences that a terminal would obey, and letters that hide or turn others.
pub fn one_line(text: &str) -> String {
    escape::terminal(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_fits_the_terminal_that_there_is() {
        let text = "requests: 12,400 GETs\ntime: 9 min\n";
        assert_eq!(fitted_lines(text, None), text);
        assert_eq!(
            fitted_lines(text, Some(16)),
            "requests: 12,400\n  GETs\ntime: 9 min\n"
        );
    }

    #[test]
    fn each_kind_of_line_says_what_it_is() {
        let mut out = Vec::new();
        error(
            &mut out,
            Style::Plain,
            "cannot list s3://imagse: the bucket does not exist (NoSuchBucket)",
        )
        .unwrap();
        hint(&mut out, Style::Plain, "check BUCKET_NAME").unwrap();
        warning(&mut out, Style::Coloured, "2 keys vanished").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "error: cannot list s3://imagse: the bucket does not exist (NoSuchBucket)\nhint: check BUCKET_NAME\n\x1b[33mwarning:\x1b[0m 2 keys vanished\n"
        );
    }

    #[test]
    fn words_are_not_cut_on_a_terminal_and_a_command_stays_whole() {
        let form = MessageForm {
            style: Style::Plain,
            columns: Some(30),
        };
        let mut out = Vec::new();
        error(
            &mut out,
            form,
            "cannot list s3://imagse: the bucket does not exist",
        )
        .unwrap();
        hint(
            &mut out,
            form,
            "check it: parfetch doctor s3://images --endpoint-url http://127.0.0.1:9000",
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "error: cannot list\n  s3://imagse: the bucket does\n  not exist\nhint: check it: parfetch doctor s3://images --endpoint-url http://127.0.0.1:9000\n"
        );
    }

    #[test]
    fn a_key_cannot_break_the_line_nor_speak_to_the_terminal() {
        assert_eq!(
            one_line("a\nb\x1b[2J\u{202e}c 🦀"),
            "a\\nb\\u{1b}[2J\\u{202e}c 🦀"
        );
    }
}
