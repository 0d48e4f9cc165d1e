//! The forms in which progress is shown, and the words that all of them share.

use std::io::IsTerminal;

use crate::event::RunEvent;
use crate::output::{Style, WARNING, one_line};
use crate::units;
use crate::wrap::wrapped;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A bar, redrawn in place.
    Bar,
    /// A line now and then.
    Lines,
    /// Warnings only.
    Silent,
    /// A line now and then, each a JSON object.
    Json,
    /// Warnings only, each a JSON object.
    JsonWarnings,
}

impl Display {
    /// A bar where there is a terminal, lines elsewhere.
    pub fn auto(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() {
            Self::Bar
        } else {
            Self::Lines
        }
    }
}

/// The text of an event that is shown in every form; may hold control characters of a key.
pub(super) fn caution(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::Warning(text) | RunEvent::Account(text) => Some(text.clone()),
        RunEvent::Interrupted => {
            Some("interrupted: no new fetches start, partial results are stored".to_owned())
        }
        _ => None,
    }
}

/// `listed 46,000 keys, 118 GB, in 3.9 s`
pub(super) fn listed(keys: &str, bytes: Option<u64>, elapsed_ns: u64) -> String {
    let bytes = bytes.map_or_else(String::new, |bytes| format!(", {}", units::bytes(bytes)));
    format!("listed {keys}{bytes}, in {}", units::duration(elapsed_ns))
}

/// `sample: 3,500 of 1,000,000 keys at random, seed 1, 900 MB`
pub(super) fn sampled(words: &str, bytes: Option<u64>) -> String {
    let bytes = bytes.map_or_else(String::new, |bytes| format!(", {}", units::bytes(bytes)));
    format!("sample: {words}{bytes}")
}

/// What is said, as the display has room for it: on a terminal in lines that are broken between words, in a log as one line.
pub(super) fn said(display: Display, text: &str) -> String {
    let text = one_line(text);
    if display == Display::Bar {
        wrapped(&text, terminal_width(), hanging(&text)).join("\n")
    } else {
        text
    }
}

/// Where lines after the first begin: those of a step below its words, behind its number.
fn hanging(text: &str) -> usize {
    let words = text.trim_start();
    let begin = text.len() - words.len();
    let behind_number = words.find("  ").filter(|_| begin > 0);
    behind_number.map_or(2, |at| begin + at + 2)
}

/// The same for a warning.
pub(super) fn warned(display: Display, style: Style, text: &str) -> String {
    said(display, &format!("{WARNING} {text}")).replacen(WARNING, &style.caution(WARNING), 1)
}

/// Columns of the terminal that stderr is; 80 where it is none.
pub(super) fn terminal_width() -> usize {
    console::Term::stderr()
        .size_checked()
        .map_or(80, |(_, columns)| usize::from(columns))
}

/// Progress is a courtesy: a closed stderr must not end a measurement.
pub(super) fn lossy(result: std::io::Result<()>) {
    result.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_step_hang_below_its_words() {
        assert_eq!(hanging("    5/150  1 vCPU, async × 4: 95 MB/s"), 11);
        assert_eq!(hanging("sweep s: 4 configurations  × 6"), 2);
        assert_eq!(hanging("  listing"), 2);
    }
}
