//! Lines for a shell, to be pasted as they stand.

use std::borrow::Cow;

use crate::escape;

/// Text as one word of a shell. What a terminal would obey or hide stands as an escape of `$'…'`, which bash, zsh and ksh read.
pub fn word(text: &str) -> String {
    if escape::terminal(text) != text {
        return in_escapes(text);
    }
    // What no shell gives a meaning stays as people type it: `-c 1,4,16`, `--embedded=objects=300`.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    // Only a NUL cannot be quoted, and that is a control character.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Cow::into_owned)
}

/// A command with its arguments, each as one word.
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

fn in_escapes(text: &str) -> String {
    let escaped = text.chars().map(|c| match (c, u32::from(c)) {
        ('\\' | '\'', _) => format!("\\{c}"),
        (' '..='~', _) => c.to_string(),
        (_, code @ ..0x80) => format!("\\x{code:02x}"),
        (_, code @ 0x80..0x1_0000) => format!("\\u{code:04x}"),
        (_, code) => format!("\\U{code:08x}"),
    });
    format!("$'{}'", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_and_a_plain_one_stays_plain() {
        for plain in [
            "s3://images/2024/",
            "objects=300,network=s3",
            "http://127.0.0.1:9000",
            "./parfetch-results",
            "32,64,128",
            "--embedded=objects=300",
        ] {
            assert_eq!(word(plain), plain);
        }
        assert_eq!(
            line(["parfetch", "run", "s3://images/a b", "it's"]),
            r#"parfetch run 's3://images/a b' "it's""#
        );
        assert_eq!(word(""), "''");
    }

    #[test]
    fn a_terminal_gets_no_commands_and_the_shell_gets_every_character() {
        assert_eq!(word("a\nb'\\\u{1b}[2J"), r"$'a\x0ab\'\\\x1b[2J'");
        assert_eq!(word("\u{202e}ü🦀"), r"$'\u202e\u00fc\U0001f980'");
        assert_eq!(word("ü🦀"), "'ü🦀'", "letters stand as they are");
    }
}
