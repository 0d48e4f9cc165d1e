//! Reads the XML of a `ListObjectsV2` answer: keys, common prefixes and how to go on, straight out of the text, without a model of the document.
//!
//! Strict where a mistake would lose a key: a document that ends early, whose tags do not match or whose entities are unknown is an error, never
//! a shorter page. Elements that nobody asked for are passed over, wherever they are.

mod tokens;

use std::borrow::Cow;

use super::ListPage;
use memchr::{memchr2, memrchr};

use crate::sample::KeyRecord;
use tokens::{Token, Tokens, unescape};

/// What an element's text is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Key,
    Size,
    ETag,
    StorageClass,
    CommonPrefix,
    IsTruncated,
    NextToken,
    Encoding,
}

/// An entry as it stands in the document.
#[derive(Default)]
struct Entry<'a> {
    key: Option<Cow<'a, str>>,
    size: Option<u64>,
    etag: Cow<'a, str>,
    storage_class: Cow<'a, str>,
}

/// What was read so far.
#[derive(Default)]
struct Reading<'a> {
    entries: Vec<Entry<'a>>,
    prefixes: Vec<Cow<'a, str>>,
    truncated: bool,
    next: Option<String>,
    encoded: bool,
}

/// Names of the open elements, the root first.
type Path<'a> = Vec<&'a str>;

/// Reads a page.
///
/// # Errors
/// Why the document is not a whole listing page.
pub(in crate::store) fn scan(document: &[u8]) -> Result<ListPage, String> {
    let text = std::str::from_utf8(document).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut reading = Reading::default();
    let mut path: Path<'_> = Vec::with_capacity(8);
    let mut tokens = Tokens::new(text);
    let mut ended = false;
    // The field that is open, and its text so far.
    let mut field: Option<(Field, Cow<'_, str>)> = None;
    while let Some(token) = tokens.next_token()? {
        match token {
            Token::Start(name) | Token::Empty(name) if field.is_some() => return Err(format!("there is <{name}> where a text should be")),
            Token::Start(name) | Token::Empty(name) => {
                if path.is_empty() && (ended || local(name) != "ListBucketResult") {
                    return Err(format!("there is <{name}> where <ListBucketResult> should be"));
                }
                field = reading.enter(&path, local(name)).map(|field| (field, Cow::Borrowed("")));
                if matches!(token, Token::Start(_)) {
                    path.push(name);
                } else {
                    ended |= path.is_empty();
                    if let Some((field, value)) = field.take() {
                        reading.set(field, value)?;
                    }
                }
            }
            Token::End(name) => {
                if path.pop() != Some(name) {
                    return Err(format!("there is </{name}> where another element ends"));
                }
                if let Some((field, value)) = field.take() {
                    reading.set(field, value)?;
                }
                ended |= path.is_empty();
            }
            Token::Text(_) | Token::Verbatim(_) if field.is_none() => {}
            Token::Text(piece) => append(&mut field, unescape(piece)?),
            Token::Verbatim(piece) => append(&mut field, Cow::Borrowed(piece)),
        }
    }
    if !ended || !path.is_empty() { Err("it ends early".to_owned()) } else { reading.page() }
}

/// A name without its namespace prefix.
fn local(name: &str) -> &str {
    memrchr(b':', name.as_bytes()).map_or(name, |colon| &name[colon + 1..])
}

fn append<'a>(field: &mut Option<(Field, Cow<'a, str>)>, piece: Cow<'a, str>) {
    if let Some((_, value)) = field {
        if value.is_empty() {
            *value = piece;
        } else {
            value.to_mut().push_str(&piece);
        }
    }
}

impl<'a> Reading<'a> {
    /// An element begins below `path`; what its text is for, when it is wanted.
    fn enter(&mut self, path: &Path<'a>, name: &str) -> Option<Field> {
        match (path.len(), name) {
            (1, "Contents") => {
                self.entries.push(Entry::default());
                None
            }
            (1, "IsTruncated") => Some(Field::IsTruncated),
            (1, "NextContinuationToken") => Some(Field::NextToken),
            (1, "EncodingType") => Some(Field::Encoding),
            (2, "Key") => within(path, "Contents", Field::Key),
            (2, "Size") => within(path, "Contents", Field::Size),
            (2, "ETag") => within(path, "Contents", Field::ETag),
            (2, "StorageClass") => within(path, "Contents", Field::StorageClass),
            (2, "Prefix") => within(path, "CommonPrefixes", Field::CommonPrefix),
            _ => None,
        }
    }

    fn set(&mut self, field: Field, value: Cow<'a, str>) -> Result<(), String> {
        match field {
            Field::IsTruncated => {
                self.truncated = value.parse().map_err(|_| format!("IsTruncated is `{value}`"))?;
            }
            Field::NextToken => self.next = Some(value.into_owned()),
            Field::Encoding => self.encoded = value == "url",
            Field::CommonPrefix => self.prefixes.push(value),
            Field::Key | Field::Size | Field::ETag | Field::StorageClass => {
                let entry = self.entries.last_mut().ok_or("a field stands in no entry")?;
                match field {
                    Field::Key => entry.key = Some(value),
                    Field::Size => {
                        let size: i64 = value.parse().map_err(|_| format!("a size is `{value}`"))?;
                        entry.size = u64::try_from(size).ok();
                    }
                    Field::ETag => entry.etag = value,
                    _ => entry.storage_class = value,
                }
            }
        }
        Ok(())
    }

    /// Decodes at the end: the encoding may be told behind the keys.
    fn page(self) -> Result<ListPage, String> {
        let encoded = self.encoded;
        let verbatim = |text: Cow<'_, str>| {
            if encoded { decode(&text).ok_or_else(|| "a key is not UTF-8".to_owned()) } else { Ok(text.into_owned()) }
        };
        let record = |entry: Entry<'_>| {
            let key = verbatim(entry.key.ok_or("an entry of the listing has no key")?)?;
            Ok(KeyRecord { key, size: entry.size, etag: unquoted(entry.etag), storage_class: entry.storage_class.into_owned() })
        };
        Ok(ListPage {
            keys: self.entries.into_iter().map(record).collect::<Result<_, String>>()?,
            prefixes: self.prefixes.into_iter().map(verbatim).collect::<Result<_, String>>()?,
            truncated: self.truncated,
            next: self.next,
        })
    }
}

/// An entity tag without its quotes.
fn unquoted(tag: Cow<'_, str>) -> String {
    let mut tag = tag.into_owned();
    tag.truncate(tag.trim_end_matches('"').len());
    tag.drain(..tag.len() - tag.trim_start_matches('"').len());
    tag
}

fn within(path: &Path<'_>, parent: &str, field: Field) -> Option<Field> {
    path.get(1).is_some_and(|name| local(name) == parent).then_some(field)
}

/// Undoes `encoding-type=url` as S3 does it: `+` is a space, the rest percent-encoded. `None` when the bytes are not UTF-8.
pub(in crate::store) fn decode(text: &str) -> Option<String> {
    if memchr2(b'+', b'%', text.as_bytes()).is_none() {
        return Some(text.to_owned());
    }
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests;
