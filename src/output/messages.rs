//! `error:`, `hint:` and `warning:` lines.

use std::io::{self, Write};

use super::Style;
use crate::escape;
use crate::wrap::{columns, wrapped};

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

/// What to do about the error above it. A command in it is never broken: it is copied whole.
///
/// # Errors
/// When writing fails.
pub fn hint(
    writer: &mut (impl Write + ?Sized),
    form: impl Into<MessageForm>,
    text: &str,
) -> io::Result<()> {
    let form = form.into();
    let line = format!("{HINT} {}", one_line(text));
    let line = form.columns.map_or_else(
        || line.clone(),
        |columns| around_commands(&line, columns).join("\n"),
    );
    writeln!(
        writer,
        "{}",
        line.replacen(HINT, &form.style.advice(HINT), 1)
    )
}

/// Lines that are broken between words, but within no command: in backquotes it is one word, at the end it has a line of its own.
fn around_commands(line: &str, width: usize) -> Vec<String> {
    const COMMAND: &str = ": parfetch ";
    const STAYS: &str = "\u{a0}";
    let is_prose = |at: &usize| line[..*at].matches('`').count().is_multiple_of(2);
    let begins = line.find(COMMAND).filter(is_prose);
    let (prose, command) = match begins.filter(|_| columns(line) > width) {
        Some(at) => (&line[..=at], Some(format!("  {}", &line[at + 2..]))),
        None => (line, None),
    };
    let whole: Vec<String> = prose
        .split('`')
        .enumerate()
        .map(|(i, part)| match i % 2 {
            0 => part.to_owned(),
            _ => part.replace(' ', STAYS),
        })
        .collect();
    wrapped(&whole.join("`"), width, 2)
        .into_iter()
        .map(|line| line.replace(STAYS, " "))
        .chain(command)
        .collect()
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
const HINT: &str = "hint:";

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
            "error: cannot list\n  s3://imagse: the bucket does\n  not exist\nhint: check it:\n  parfetch doctor s3://images --endpoint-url http://127.0.0.1:9000\n"
        );
        let lines = |text| around_commands(text, 30);
        assert_eq!(
            lines("hint: name it, like `parfetch s3://images`, or set BUCKET_NAME"),
            [
                "hint: name it, like",
                "  `parfetch s3://images`, or",
                "  set BUCKET_NAME"
            ]
        );
        assert_eq!(
            lines("hint: run: parfetch doctor"),
            ["hint: run: parfetch doctor"]
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
