//! Pieces of Markdown: tables, headings, paragraphs, lists.

use std::fmt::Write as _;

use crate::escape::markdown;

/// A table whose cells are escaped; column `left` holds words, the others numbers.
pub(super) fn grid(text: &mut String, heads: &[String], rows: &[Vec<String>], left: usize) {
    gap(text);
    let rule: Vec<&str> = (0..heads.len())
        .map(|place| if place == left { "---" } else { "---:" })
        .collect();
    writeln!(text, "| {} |\n|{}|", heads.join(" | "), rule.join("|")).expect("a String takes all");
    for row in rows {
        writeln!(text, "| {} |", row.join(" | ")).expect("a String takes all");
    }
}

/// An empty line, unless one is there.
fn gap(text: &mut String) {
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
}

/// A heading and an empty line; its text is escaped here.
pub(super) fn heading(text: &mut String, level: &str, words: &str) {
    gap(text);
    write!(text, "{level} {}\n\n", markdown(words)).expect("a String takes all");
}

/// A paragraph of escaped text.
pub(super) fn paragraph(text: &mut String, words: &str) {
    gap(text);
    writeln!(text, "{words}").expect("a String takes all");
}

/// A list's item of escaped text.
pub(super) fn item(text: &mut String, words: &str) {
    writeln!(text, "- {words}").expect("a String takes all");
}

/// Sentences, escaped here, below a heading.
pub(super) fn list(text: &mut String, title: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    heading(text, "###", title);
    for sentence in sentences {
        item(text, &markdown(sentence));
    }
}
