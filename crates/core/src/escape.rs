//! Text that others chose (keys, bucket names, contenders, messages of servers) as text in each form: nothing of it is markup, a formula or a command
//! to a terminal, and nothing in it hides or turns what stands beside it.

/// For a terminal: control characters, and those that reorder or hide text, as escapes.
pub fn terminal(text: &str) -> String {
    if !text.contains(is_unseen) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| {
            if is_unseen(c) {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

/// Control characters, zero-width ones, line separators and those that turn the direction of text.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The same in a JSON document, which means the same afterwards: control characters are escapes there already.
pub fn json(document: &str) -> String {
    if !document.contains(|c: char| is_unseen(c) && !c.is_ascii()) {
        return document.to_owned();
    }
    let escaped = |c: char| {
        if is_unseen(c) && !c.is_ascii() {
            format!("\\u{:04x}", u32::from(c))
        } else {
            c.to_string()
        }
    };
    document.chars().map(escaped).collect()
}

/// For Markdown, within a line or a table's cell: every character that could begin markup behind a backslash; addresses are not made links.
pub fn markdown(text: &str) -> String {
    let text = terminal(text);
    let lower = text.to_ascii_lowercase();
    let is_link = ["http:", "https:", "ftp:", "mailto:", "xmpp:", "www."]
        .iter()
        .any(|beginning| lower.contains(beginning));
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let is_markup = matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '@' | '$'
        );
        if is_markup || (is_link && matches!(c, ':' | '.')) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// For a field of a CSV file: spreadsheets take text that begins so for a formula, and an apostrophe keeps it text. Quoting is the writer's.
pub fn csv(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_commands() {
        assert_eq!(
            terminal("a\x1b[2Jb\nc\u{202e}d 🦀 ×"),
            "a\\u{1b}[2Jb\\nc\\u{202e}d 🦀 ×"
        );
    }

    #[test]
    fn a_json_document_means_the_same_and_shows_what_it_holds() {
        let text = "k\u{202e}\u{85}ü🦀\n";
        let document = serde_json::to_string(text).unwrap();
        assert_eq!(json(&document), "\"k\\u202e\\u0085ü🦀\\n\"");
        assert_eq!(
            serde_json::from_str::<String>(&json(&document)).unwrap(),
            text
        );
    }

    #[test]
    fn markdown_gets_no_markup() {
        assert_eq!(
            markdown("a|b<script>`c`\n*d* _e_ [f](g)"),
            "a\\|b\\<script\\>\\`c\\`\\\\n\\*d\\* \\_e\\_ \\[f\\](g)"
        );
        assert_eq!(markdown("s3://images/a.b"), "s3://images/a.b");
        assert_eq!(markdown("https://evil.example"), "https\\://evil\\.example");
    }

    #[test]
    fn spreadsheets_get_no_formulas() {
        for text in ["=1+1", "+1", "-1", "@a", "\ta", "\ra"] {
            assert_eq!(csv(text), format!("'{text}"));
        }
        assert_eq!(csv("a=1"), "a=1");
    }
}
