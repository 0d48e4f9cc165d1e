//! Lines of at most so many columns: labelled facts, paragraphs with a hanging indent, headings.

use super::view::{Paint, Role};
use crate::escape::terminal;
use crate::shell;
use crate::wrap::{columns as width, wrapped};

/// Narrower than this is not tried.
const NARROWEST: usize = 60;
/// Where the parts of a labelled line begin.
const VALUE: usize = 15;

/// What is being written.
pub(crate) struct TextPage<'a> {
    pub(crate) width: usize,
    pub(crate) paint: Paint<'a>,
    lines: Vec<String>,
}

impl<'a> TextPage<'a> {
    pub(crate) fn new(columns: usize, paint: Paint<'a>) -> Self {
        Self {
            width: columns.max(NARROWEST),
            paint,
            lines: Vec::new(),
        }
    }

    /// Everything, each line with its end.
    pub(crate) fn finish(self) -> String {
        self.lines
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect()
    }

    /// A line as it is: it fits, or it is to be pasted.
    pub(crate) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// An empty line, unless one is there.
    pub(crate) fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// A heading after an empty line.
    pub(crate) fn heading(&mut self, text: &str) {
        self.gap();
        for line in wrapped(text, self.width, 0) {
            let painted = (self.paint)(Role::Heading, &line);
            self.lines.push(painted);
        }
    }

    /// The head of a part of a long report.
    pub(crate) fn section(&mut self, text: &str) {
        self.heading(&format!("== {text} =="));
    }

    /// `  Label        part · part`, going on below the first part.
    pub(crate) fn fact(&mut self, label: &str, parts: &[String]) {
        let mut line = format!("  {label:<w$}", w = VALUE - 2);
        for (number, part) in parts.iter().enumerate() {
            let separator = if number == 0 { "" } else { " · " };
            if number > 0 && width(&line) + width(separator) + width(part) > self.width {
                let full = std::mem::replace(&mut line, " ".repeat(VALUE));
                self.long(&full, VALUE);
                line += part;
            } else {
                line += separator;
                line += part;
            }
        }
        self.long(&line, VALUE);
    }

    /// Words after `first`, going on below `indent`.
    pub(crate) fn paragraph(&mut self, first: &str, text: &str, indent: usize) {
        self.long(&format!("{first}{text}"), indent);
    }

    /// A line that may be too long: broken between words.
    fn long(&mut self, line: &str, indent: usize) {
        self.lines.extend(wrapped(line, self.width, indent));
    }

    /// What makes a task of a size: an option of `aws ecs run-task`, whose other words only its user knows. It stands alone, to be pasted.
    pub(super) fn overrides(&mut self, overrides: &str) {
        self.line(format!(
            "  --overrides {}",
            terminal(&shell::word(overrides))
        ));
    }

    /// Sentences below a heading, escaped here; nothing where there are none.
    pub(super) fn list(&mut self, heading: &str, sentences: &[String]) {
        if sentences.is_empty() {
            return;
        }
        self.heading(heading);
        for sentence in sentences {
            self.paragraph("  - ", &terminal(sentence), 4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_between_words() {
        let mut page = TextPage::new(60, &|_, text| text.to_owned());
        page.fact(
            "Where",
            &["local".to_owned(), "x".repeat(30), "y".repeat(20)],
        );
        page.paragraph("  - ", &"word ".repeat(14), 4);
        let text = page.finish();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            format!("  Where        local · {}", "x".repeat(30))
        );
        assert_eq!(lines[1], format!("               {}", "y".repeat(20)));
        assert_eq!(lines[2], format!("  - {}", ["word"; 11].join(" ")));
        assert_eq!(lines[3], "    word word word");
    }
}
