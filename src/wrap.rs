//! Text in lines of at most so many columns, broken between words alone.

/// What stands behind a number and is not parted from it.
const UNITS: [&str; 26] = [
    "%", "ns", "µs", "ms", "s", "min", "h", "d", "B", "kB", "MB", "GB", "TB", "PB", "MiB", "B/s",
    "kB/s", "MB/s", "GB/s", "TB/s", "Gbit/s", "s/GB", "/s", "vCPU", "vCPUs", "workers",
];

/// Columns of a terminal that a text takes.
pub(crate) fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text in lines of at most `width` columns, each after the first `indent` columns in. A word that is longer has a line of its own; a number stays with
/// its unit, and a separator with what it stands behind.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
    if columns(text) <= width {
        return vec![text.trim_end().to_owned()];
    }
    let (blanks, words) = text.split_at(text.len() - text.trim_start_matches(' ').len());
    let mut lines = Vec::new();
    let mut line = blanks.to_owned();
    let mut is_begun = false;
    for piece in pieces(words) {
        if is_begun && columns(&line) + 1 + columns(&piece) > width {
            lines.push(
                std::mem::replace(&mut line, " ".repeat(indent))
                    .trim_end()
                    .to_owned(),
            );
            is_begun = false;
        }
        if is_begun {
            line.push(' ');
        }
        line += &piece;
        is_begun = true;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// What is never broken.
fn pieces(words: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match pieces.last_mut() {
            Some(last) if belong_together(last, word) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

fn belong_together(before: &str, word: &str) -> bool {
    let unit = word.trim_end_matches(['.', ',', ';', ':', ')']);
    let is_unit = UNITS.contains(&unit) && before.ends_with(|c: char| c.is_ascii_digit());
    is_unit || ["·", "×", "→"].contains(&word) || before.ends_with(" ×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_never_before_a_unit() {
        assert_eq!(wrapped("short", 20, 2), ["short"]);
        assert_eq!(
            wrapped("  the tail took 0.4 % of it", 19, 4),
            ["  the tail took", "    0.4 % of it"]
        );
        assert_eq!(
            wrapped("async × 32 · lean client", 12, 2),
            ["async × 32 ·", "  lean", "  client"]
        );
        assert_eq!(
            wrapped("a wordthatislongerthanaline b", 10, 0),
            ["a", "wordthatislongerthanaline", "b"]
        );
    }
}
