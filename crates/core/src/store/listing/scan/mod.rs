//! Reads the XML of a `ListObjectsV2` answer: keys, common prefixes and how to go on, straight out of the text, without a model of the document.
//!
//! Strict where a mistake would lose a key: a document that ends early, whose tags do not match, whose entities are unknown or that says one thing
//! twice is an error, never a shorter page. Elements that nobody asked for are passed over, wherever they are.

mod tokens;

use std::borrow::Cow;

use super::ListPage;
use memchr::{memchr2, memrchr};

use crate::sample::KeyRecord;
use tokens::{SPACE, Token, Tokens, unescape};

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
struct ScanEntry<'a> {
    key: Option<Cow<'a, str>>,
    size: Option<Cow<'a, str>>,
    etag: Option<Cow<'a, str>>,
    storage_class: Option<Cow<'a, str>>,
}

/// What was read so far.
#[derive(Default)]
struct ScannedPage<'a> {
    entries: Vec<ScanEntry<'a>>,
    prefixes: Vec<Cow<'a, str>>,
    truncated: Option<Cow<'a, str>>,
    next: Option<Cow<'a, str>>,
    encoding: Option<Cow<'a, str>>,
}

/// Names of the open elements, the root first.
type Path<'a> = Vec<&'a str>;

/// Reads a page.
///
/// # Errors
/// Why the document is not a whole listing page.
pub(in crate::store) fn scan(document: &[u8]) -> Result<ListPage, String> {
    let text = std::str::from_utf8(document).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reading = ScannedPage::default();
    let mut path: Path<'_> = Vec::with_capacity(8);
    let mut tokens = Tokens::new(text);
    let mut ended = false;
    // The field that is open, and its text so far.
    let mut field: Option<(Field, Cow<'_, str>)> = None;
    while let Some(token) = tokens.next_token()? {
        match token {
            Token::Start(name) | Token::Empty(name) if field.is_some() => {
                return Err(format!("there is <{name}> where a text should be"));
            }
            Token::Start(name) | Token::Empty(name) => {
                if path.is_empty() && (ended || local(name) != "ListBucketResult") {
                    return Err(format!(
                        "there is <{name}> where <ListBucketResult> should be"
                    ));
                }
                field = reading
                    .enter(&path, local(name))
                    .map(|field| (field, Cow::Borrowed("")));
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
            Token::Text(piece) | Token::Verbatim(piece)
                if path.is_empty() && !piece.trim_matches(SPACE).is_empty() =>
            {
                return Err("there is text outside of its elements".to_owned());
            }
            Token::Verbatim(_) if field.is_none() => {}
            // Nobody wants it, but it has to be a text.
            Token::Text(piece) if field.is_none() => drop(unescape(piece)?),
            Token::Text(piece) => append(&mut field, unescape(piece)?),
            Token::Verbatim(piece) => append(&mut field, Cow::Borrowed(piece)),
        }
    }
    if !ended || !path.is_empty() {
        Err("it ends early".to_owned())
    } else {
        reading.page()
    }
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

impl<'a> ScannedPage<'a> {
    /// An element begins below `path`; what its text is for, when it is wanted.
    fn enter(&mut self, path: &Path<'a>, name: &str) -> Option<Field> {
        match (path.len(), name) {
            (1, "Contents") => {
                self.entries.push(ScanEntry::default());
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
        let (slot, name) = match field {
            Field::IsTruncated => (&mut self.truncated, "IsTruncated"),
            Field::NextToken => (&mut self.next, "NextContinuationToken"),
            Field::Encoding => (&mut self.encoding, "EncodingType"),
            Field::CommonPrefix => {
                self.prefixes.push(value);
                return Ok(());
            }
            Field::Key | Field::Size | Field::ETag | Field::StorageClass => {
                let entry = self
                    .entries
                    .last_mut()
                    .ok_or("a field stands in no entry")?;
                match field {
                    Field::Key => (&mut entry.key, "Key"),
                    Field::Size => (&mut entry.size, "Size"),
                    Field::ETag => (&mut entry.etag, "ETag"),
                    _ => (&mut entry.storage_class, "StorageClass"),
                }
            }
        };
        // Of an entry with two keys, one would be lost.
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(format!("{name} is given twice")),
        }
    }

    /// Decodes at the end: the encoding may be told behind the keys.
    fn page(self) -> Result<ListPage, String> {
        let encoded = self.encoding.is_some_and(|encoding| encoding == "url");
        let verbatim = |text: Cow<'_, str>| {
            if encoded {
                decode(&text).ok_or_else(|| "a key is not UTF-8".to_owned())
            } else {
                Ok(text.into_owned())
            }
        };
        let record = |entry: ScanEntry<'_>| {
            let key = verbatim(entry.key.ok_or("an entry of the listing has no key")?)?;
            let size = size(entry.size.as_deref().unwrap_or_default())
                .map_err(|what| format!("the size of `{}` is {what}", shown(&key)))?;
            Ok(KeyRecord {
                key,
                size,
                etag: unquoted(entry.etag.as_deref().unwrap_or_default()),
                storage_class: entry
                    .storage_class
                    .unwrap_or_default()
                    .trim_matches(SPACE)
                    .to_owned(),
            })
        };
        Ok(ListPage {
            keys: self
                .entries
                .into_iter()
                .map(record)
                .collect::<Result<_, String>>()?,
            prefixes: self
                .prefixes
                .into_iter()
                .map(verbatim)
                .collect::<Result<_, String>>()?,
            truncated: truncated(self.truncated.as_deref().unwrap_or("false"))?,
            next: self.next.map(Cow::into_owned),
        })
    }
}

/// A size in bytes; `None` when the store says that it does not know: nothing, or a negative number.
fn size(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim_matches(SPACE);
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.parse() {
        _ if text.is_empty() => Ok(None),
        _ if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(format!("`{}`", shown(text)))
        }
        _ if digits.len() < text.len() => Ok(None),
        Ok(size) => Ok(Some(size)),
        Err(_) => Err(format!("`{}`", shown(text))),
    }
}

fn truncated(text: &str) -> Result<bool, String> {
    let text = text.trim_matches(SPACE);
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(format!("IsTruncated is `{}`", shown(text))),
    }
}

/// As much of a text as a message has room for, without control characters.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

/// An entity tag without its quotes, and without white space around them.
fn unquoted(tag: &str) -> String {
    tag.trim_matches(SPACE).trim_matches('"').to_owned()
}

fn within(path: &Path<'_>, parent: &str, field: Field) -> Option<Field> {
    path.get(1)
        .is_some_and(|name| local(name) == parent)
        .then_some(field)
}

/// Undoes `encoding-type=url` as S3 does it: `+` is a space, the rest percent-encoded. `None` when the bytes are not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    if memchr2(b'+', b'%', text.as_bytes()).is_none() {
        return Some(text.to_owned());
    }
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .map(Cow::into_owned)
}

#[cfg(test)]
mod tests;
