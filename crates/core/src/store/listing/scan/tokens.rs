//! The tokens of an XML document as S3 writes one: tags and texts. Comments, processing instructions and attributes are passed over; a document
//! type is refused.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// One piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<name …>`
    Start(&'a str),
    /// `<name …/>`
    Empty(&'a str),
    /// `</name>`
    End(&'a str),
    /// Text with its entities as they stand.
    Text(&'a str),
    /// The inside of a CDATA section.
    Verbatim(&'a str),
}

/// Reads a document from its front.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(document: &'a str) -> Self {
        Self { rest: document }
    }

    /// The next token; none at the document's end.
    pub(super) fn next_token(&mut self) -> Result<Option<Token<'a>>, String> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let Some(inside) = self.rest.strip_prefix('<') else {
                let end = find(self.rest, b'<').unwrap_or(self.rest.len());
                return Ok(Some(Token::Text(self.cut(end, 0))));
            };
            match inside.as_bytes().first() {
                Some(b'/') => {
                    let end = find(self.rest, b'>').ok_or_else(early)?;
                    let tag = self.cut(end, 1);
                    return Ok(Some(Token::End(tag[2..].trim_end_matches(SPACE))));
                }
                // Its name first: `<?>` opens an instruction and does not end it, which readers of XML see differently.
                Some(b'?') if inside.as_bytes().get(1).is_some_and(|byte| is_name(*byte)) => {
                    self.skip("?>")?;
                }
                Some(b'?') => return Err("a processing instruction has no name".to_owned()),
                Some(b'!') if inside.starts_with("!--") => self.skip("-->")?,
                Some(b'!') if inside.starts_with("![CDATA[") => {
                    let end = self.rest.find("]]>").ok_or_else(early)?;
                    let section = self.cut(end, 3);
                    return Ok(Some(Token::Verbatim(&section["<![CDATA[".len()..])));
                }
                Some(b'!') => return Err("it has a document type".to_owned()),
                _ => return self.start().map(Some),
            }
        }
    }

    /// Takes `length` bytes off the front, and drops `more` behind them.
    fn cut(&mut self, length: usize, more: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = &rest[more..];
        taken
    }

    fn skip(&mut self, end: &str) -> Result<(), String> {
        // Behind the opening `<!--`, so that `<!-->` does not end itself.
        let from = if end == "-->" { 4 } else { 2 };
        let at = self.rest[from..].find(end).ok_or_else(early)?;
        self.cut(from + at, end.len());
        Ok(())
    }

    fn start(&mut self) -> Result<Token<'a>, String> {
        let end = tag_end(self.rest.as_bytes()).ok_or_else(early)?;
        let tag = &self.cut(end, 1)[1..];
        let (tag, empty) = tag
            .strip_suffix('/')
            .map_or((tag, false), |tag| (tag, true));
        let name = match tag.as_bytes().iter().position(|byte| !is_name(*byte)) {
            None => tag,
            Some(at) if tag[at..].starts_with(SPACE) => &tag[..at],
            Some(_) => return Err("a tag has no name".to_owned()),
        };
        if name.is_empty() {
            return Err("a tag has no name".to_owned());
        }
        Ok(if empty {
            Token::Empty(name)
        } else {
            Token::Start(name)
        })
    }
}

/// Whether a byte can be part of an element's name.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.') || !byte.is_ascii()
}

/// XML's white space.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

fn early() -> String {
    "it ends early".to_owned()
}

fn find(text: &str, byte: u8) -> Option<usize> {
    memchr(byte, text.as_bytes())
}

/// Where the `>` of a start tag is: not in an attribute's value.
fn tag_end(tag: &[u8]) -> Option<usize> {
    let first = memchr(b'>', tag)?;
    if memchr2(b'"', b'\'', &tag[..first]).is_none() {
        return Some(first);
    }
    let mut quote = None;
    tag.iter().position(|byte| {
        match quote {
            Some(open) if open == *byte => quote = None,
            Some(_) => {}
            None if matches!(byte, b'"' | b'\'') => quote = Some(*byte),
            None => return *byte == b'>',
        }
        false
    })
}

/// A text with its entities resolved.
pub(super) fn unescape(text: &str) -> Result<Cow<'_, str>, String> {
    let Some(first) = find(text, b'&') else {
        return Ok(Cow::Borrowed(text));
    };
    let mut plain = String::with_capacity(text.len());
    plain.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(entity) = rest.strip_prefix('&') {
        let (name, behind) = entity.split_once(';').ok_or("an entity has no end")?;
        plain.push(
            entity_char(name)
                .ok_or_else(|| format!("there is no entity `{}`", name.escape_debug()))?,
        );
        let next = find(behind, b'&').unwrap_or(behind.len());
        plain.push_str(&behind[..next]);
        rest = &behind[next..];
    }
    Ok(Cow::Owned(plain))
}

fn entity_char(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        let number = u32::from_str_radix(digits, radix)
            .ok()
            .filter(|number| *number != 0 && !digits.starts_with('+'));
        number.and_then(char::from_u32)
    };
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x") {
            Some(digits) => number(digits, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}
