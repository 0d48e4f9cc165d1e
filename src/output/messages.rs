//! `error:`, `hint:` and `warning:` lines.

use std::io::{self, Write};

use super::Style;
use crate::escape;

/// One line: what and where, the cause once.
///
/// # Errors
/// When writing fails.
pub fn error(writer: &mut (impl Write + ?Sized), style: Style, text: &str) -> io::Result<()> {
    writeln!(writer, "{} {}", style.bad("error:"), one_line(text))
}

/// One line: what to do about the error above it.
///
/// # Errors
/// When writing fails.
pub fn hint(writer: &mut (impl Write + ?Sized), style: Style, text: &str) -> io::Result<()> {
    writeln!(writer, "{} {}", style.advice("hint:"), one_line(text))
}

/// One line: something a person should know.
///
/// # Errors
/// When writing fails.
pub fn warning(writer: &mut (impl Write + ?Sized), style: Style, text: &str) -> io::Result<()> {
    writeln!(writer, "{} {}", style.caution("warning:"), one_line(text))
}

/// The text as one line: keys may hold line ends, escape sequences that a terminal would obey, and letters that hide or turn others.
pub fn one_line(text: &str) -> String {
    escape::terminal(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_key_cannot_break_the_line_nor_speak_to_the_terminal() {
        assert_eq!(
            one_line("a\nb\x1b[2J\u{202e}c 🦀"),
            "a\\nb\\u{1b}[2J\\u{202e}c 🦀"
        );
    }
}
