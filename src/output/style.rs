//! Colour with a meaning, or none.

use std::io::IsTerminal;

/// How meaning is marked. Plain text says all of it in words; colour only makes it quicker to find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    #[default]
    Plain,
    /// ANSI colours.
    Coloured,
}

impl Style {
    /// Colours everywhere or nowhere where that is wanted, else on a terminal.
    pub fn for_stream(stream: &impl IsTerminal, wanted: Option<bool>) -> Self {
        if wanted.unwrap_or_else(|| stream.is_terminal()) {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// Failed.
    pub fn bad(self, text: &str) -> String {
        self.wrap("31;1", text)
    }

    /// Not as it should be: throttled, vanished, interrupted.
    pub fn caution(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Helps on.
    pub fn advice(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// The one thing to read.
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_no_escapes() {
        assert_eq!(Style::Plain.bad("failed"), "failed");
        assert_eq!(Style::Coloured.bad("failed"), "\x1b[31;1mfailed\x1b[0m");
    }

    #[test]
    fn what_is_no_terminal_is_plain_unless_colours_are_wanted() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(
            [None, Some(false), Some(true)].map(|wanted| Style::for_stream(&file, wanted)),
            [Style::Plain, Style::Plain, Style::Coloured]
        );
    }
}
