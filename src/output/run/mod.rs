//! The summary of a run as a person reads it: what happened, what limits it, what to type next, and then the figures, aligned. At most as wide as asked, and
//! in words where colour says something too.

mod answer;
mod figures;
mod next;
#[cfg(test)]
mod tests;

use super::{Style, one_line};
use crate::results::summary::Summary;
use crate::sample::FailedKey;
use crate::wrap::{columns, wrapped};

/// Where values begin.
const VALUE_COLUMN: usize = 15;
/// Where details begin, also on the lines that they are continued on.
const DETAIL_COLUMN: usize = 28;
/// Narrower than this is not tried.
const NARROWEST: usize = 60;
/// What a process ends with when results were not stored: the error says where they are.
const NOT_STORED: u8 = 5;

/// How the summary of a run is shown, and what only the process knows of it.
#[derive(Clone, Copy, Debug)]
pub struct RunView<'a> {
    /// Colours.
    pub style: Style,
    /// Columns of the terminal.
    pub width: usize,
    /// What the process ends with.
    pub exit_code: u8,
    /// The first object of the listing that could not be fetched.
    pub first_failure: Option<&'a FailedKey>,
    /// The options of the embedded server as they were typed; none without one.
    pub embedded: Option<&'a str>,
}

/// The summary, every line with its line end, in lines of at most `width` columns where that is possible; 80 always suffice.
pub fn render_run(summary: &Summary, view: &RunView<'_>) -> String {
    let mut page = Page {
        style: view.style,
        width: view.width.max(NARROWEST),
        lines: Vec::new(),
    };
    for said in answer::answer(summary, view) {
        page.say(&said);
    }
    if summary.totals.is_some_and(|totals| totals.rows.sum() > 0) {
        page.lines.push(String::new());
        figures::figures(&mut page, summary);
        page.lines.push(String::new());
    }
    page.results(summary, view.exit_code);
    page.lines.join("\n") + "\n"
}

/// What a sentence means, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    /// The one thing to read.
    Strong,
    Caution,
    Bad,
    /// A line to paste: never broken.
    Command,
}

/// A sentence or a line to paste.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    tone: Tone,
    text: String,
}

/// One piece of a line and what it means.
enum Part {
    Fact(String),
    Caution(String),
    Bad(String),
}

impl Part {
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

struct Page {
    style: Style,
    width: usize,
    lines: Vec<String>,
}

impl Page {
    /// Sentences below each other; a line to paste stands by itself.
    fn say(&mut self, said: &Said) {
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
    fn line(&mut self, label: &str, value: &str, parts: &[Part]) {
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

    fn results(&mut self, summary: &Summary, exit_code: u8) {
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
