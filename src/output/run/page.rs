//! How the summary of a run is laid out: sentences, aligned lines of figures, where its results are.

use super::said::{Said, Tone};
use crate::output::{Style, one_line};
use crate::results::place::EARLIER_STAY;
use crate::results::summary::Summary;
use crate::wrap::{columns, wrapped};

/// Where values begin.
const VALUE_COLUMN: usize = 15;
/// Where details begin, also on the lines that they are continued on.
const DETAIL_COLUMN: usize = 28;
/// What a process ends with when results were not stored: the error says where they are.
const NOT_STORED: u8 = 5;

/// One piece of a line and what it means.
pub(super) enum Piece {
    Fact(String),
    Caution(String),
    Bad(String),
}

impl Piece {
    fn width(&self) -> usize {
        let (Self::Fact(text) | Self::Caution(text) | Self::Bad(text)) = self;
        columns(text)
    }

    fn styled(&self, style: Style) -> String {
        match self {
            Self::Fact(text) => text.clone(),
            Self::Caution(text) => style.caution(text),
            Self::Bad(text) => style.bad(text),
        }
    }
}

/// The lines that are shown.
pub(super) struct RunPage {
    pub(super) style: Style,
    pub(super) width: usize,
    pub(super) lines: Vec<String>,
}

impl RunPage {
    /// Sentences below each other; a line to paste stands by itself.
    pub(super) fn say(&mut self, said: &Said) {
        let text = one_line(&said.text);
        let painted = |line: String| match said.tone {
            Tone::Plain => line,
            Tone::Strong => self.style.strong(&line),
            Tone::Caution => self.style.caution(&line),
            Tone::Bad => self.style.bad(&line),
            Tone::Command => format!("  {}", self.style.advice(&line)),
        };
        let broken = if said.tone == Tone::Command {
            vec![text]
        } else {
            wrapped(&text, self.width, 0)
        };
        self.lines.extend(broken.into_iter().map(painted));
    }

    /// `  Label        value        part · part`, continued below the first part where the line is full.
    pub(super) fn line(&mut self, label: &str, value: &str, parts: &[Piece]) {
        let mut line = format!("  {label:<w$}{value}", w = VALUE_COLUMN - 2);
        let mut column = columns(&line);
        for (i, part) in parts.iter().enumerate() {
            let separator = if i == 0 { "" } else { " · " };
            if i == 0 {
                let gap = DETAIL_COLUMN.saturating_sub(column).max(2);
                line += &" ".repeat(gap);
                column += gap;
            } else if column + columns(separator) + part.width() > self.width {
                self.lines
                    .push(std::mem::replace(&mut line, " ".repeat(DETAIL_COLUMN)));
                column = DETAIL_COLUMN + part.width();
                line += &part.styled(self.style);
                continue;
            }
            column += columns(separator) + part.width();
            line += separator;
            line += &part.styled(self.style);
        }
        self.lines.push(line);
    }

    pub(super) fn results(&mut self, summary: &Summary, exit_code: u8) {
        // They are of an earlier run, and a warning names where this one's are.
        let is_of_earlier = |text: &String| text.starts_with(EARLIER_STAY);
        if summary.warnings.iter().any(is_of_earlier) {
            return;
        }
        let place = &summary.settings.destination;
        let name = &summary.result_name;
        // Where they are instead, the error says.
        if let Some(bucket) = place.bucket.as_ref().filter(|_| exit_code != NOT_STORED) {
            self.lines.push(one_line(&format!(
                "  Results: s3://{bucket}/{}{name}.csv and .json",
                place.prefix
            )));
        }
        if let Some(folder) = &place.out {
            self.lines.push(one_line(&format!(
                "  Results: {}.csv and .json",
                folder.join(name).display()
            )));
        }
    }
}
