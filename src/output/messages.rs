//! `error:`, `hint:` and `warning:` lines.

use std::io::{self, Write};

use super::Style;

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

/// The text with its control characters escaped: keys may hold line ends, and escape sequences that a terminal would obey.
pub fn one_line(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_says_what_it_is() {
        let mut out = Vec::new();
        error(&mut out, Style::Plain, "cannot list s3://imagse: the bucket does not exist (NoSuchBucket)").unwrap();
        hint(&mut out, Style::Plain, "check BUCKET_NAME").unwrap();
        warning(&mut out, Style::Coloured, "2 keys vanished").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "error: cannot list s3://imagse: the bucket does not exist (NoSuchBucket)\nhint: check BUCKET_NAME\n\x1b[33mwarning:\x1b[0m 2 keys vanished\n"
        );
    }

    #[test]
    fn a_key_cannot_break_the_line_nor_speak_to_the_terminal() {
        assert_eq!(one_line("a\nb\x1b[2J 🦀"), "a\\nb\\u{1b}[2J 🦀");
    }
}
