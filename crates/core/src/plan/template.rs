//! Texts that name values in braces: `{workers}` in a command, a web address, a header or a body.
//!
//! A name begins with a letter and has letters, digits and `_`. `{{name}}` stands for `{name}`. Everything else is verbatim: JSON, `{}`, and the
//! `${NAME}` of a shell.

/// Longest name.
const LONGEST: usize = 32;

enum TextPiece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Whether a word can stand in braces.
pub fn is_name(word: &str) -> bool {
    word.len() <= LONGEST
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The names in a text, each as often as it stands there.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        TextPiece::Name(name) => Some(name),
        TextPiece::Text(_) => None,
    })
}

/// The text with a value in the place of each name.
///
/// # Errors
/// The first name that has no value.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            TextPiece::Text(text) => filled.push_str(text),
            TextPiece::Name(name) => filled.push_str(&value(name).ok_or_else(|| name.to_owned())?),
        }
    }
    Ok(filled)
}

fn pieces(text: &str) -> Vec<TextPiece<'_>> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while let Some(open) = text[at..].find('{').map(|found| at + found) {
        let is_escaped = text[open + 1..].starts_with('{');
        let inner = open + 1 + usize::from(is_escaped);
        let close = if is_escaped { "}}" } else { "}" };
        let name = text[inner..].split_once(close).map(|(name, _)| name);
        let Some(name) = name.filter(|name| is_name(name)) else {
            at = open + 1;
            continue;
        };
        let end = inner + name.len() + close.len();
        if is_escaped {
            pieces.push(TextPiece::Text(&text[begin..open]));
            pieces.push(TextPiece::Text(&text[open + 1..end - 1]));
        } else if text[..open].ends_with('$') {
            at = end;
            continue;
        } else {
            pieces.push(TextPiece::Text(&text[begin..open]));
            pieces.push(TextPiece::Name(name));
        }
        (begin, at) = (end, end);
    }
    pieces.push(TextPiece::Text(&text[begin..]));
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        fill(text, |name| {
            (name != "unknown").then(|| name.to_uppercase())
        })
    }

    #[test]
    fn names_are_replaced_and_all_else_is_verbatim() {
        for (text, expected) in [
            ("--port {port} -w {workers}", "--port PORT -w WORKERS"),
            ("{a}{b}", "AB"),
            ("{{a}} {a}", "{a} A"),
            (
                r#"{"x": [1], "y": {"z": 2}}"#,
                r#"{"x": [1], "y": {"z": 2}}"#,
            ),
            (r#"{"n": {n}}"#, r#"{"n": N}"#),
            (
                "${HOME} {} { } {1} {a b} {-a}",
                "${HOME} {} { } {1} {a b} {-a}",
            ),
            ("{", "{"),
            ("дом {a} 🦀{", "дом A 🦀{"),
            ("{{{a}", "{{A"),
        ] {
            assert_eq!(filled(text).unwrap(), expected, "{text}");
        }
        assert_eq!(filled("{a} {unknown}"), Err("unknown".to_owned()));
        assert_eq!(names("{a} {{b}} {a}").collect::<Vec<_>>(), ["a", "a"]);
    }

    proptest! {
        #[test]
        fn without_a_name_nothing_changes(text in "[a-z{}$\" ]{0,20}") {
            let is_plain = names(&text).next().is_none() && !text.contains("{{");
            prop_assert!(!is_plain || filled(&text).unwrap() == text);
        }
    }
}
