//! One page of a listing over keys in order: prefix, delimiter, where to go on, and the encoding that S3 gives keys in XML. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Keys in the order of their bytes.
pub(super) trait SortedKeys {
    /// Number of keys.
    fn len(&self) -> u64;
    /// Number of keys below `bound`.
    fn lower_bound(&self, bound: &[u8]) -> u64;
    /// The key at `index`, below [`SortedKeys::len`].
    fn key(&self, index: u64) -> String;
}

/// What a listing asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) prefix: String,
    pub(super) delimiter: String,
    /// Keys up to this one are left out.
    pub(super) start_after: String,
    /// A token of an earlier page; wins over `start_after`.
    pub(super) token: Option<String>,
    pub(super) max_keys: u64,
}

/// What a page holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListingPage {
    /// Index and key.
    pub(super) keys: Vec<(u64, String)>,
    pub(super) common_prefixes: Vec<String>,
    /// Token of the next page, when there is one.
    pub(super) next: Option<String>,
}

/// Token bytes: what the page ended with, then the key or the common prefix.
const AFTER_KEY: u8 = b'k';
const AFTER_PREFIX: u8 = b'p';

/// Reads one page; none when the token is not one of ours.
pub(super) fn page(keys: &impl SortedKeys, query: &Query) -> Option<ListingPage> {
    let end =
        successor(query.prefix.as_bytes()).map_or(keys.len(), |bound| keys.lower_bound(&bound));
    let mut index = keys
        .lower_bound(query.prefix.as_bytes())
        .max(start(keys, query)?);
    let mut page = ListingPage::default();
    let mut last = None;
    while index < end && query.max_keys > 0 {
        if (page.keys.len() + page.common_prefixes.len()) as u64 == query.max_keys {
            page.next = last.map(|(kind, text): (u8, String)| {
                URL_SAFE_NO_PAD.encode([&[kind], text.as_bytes()].concat())
            });
            break;
        }
        let key = keys.key(index);
        if let Some(common) = common_prefix(&key, query) {
            index = successor(common.as_bytes()).map_or(end, |bound| keys.lower_bound(&bound));
            last = Some((AFTER_PREFIX, common.clone()));
            page.common_prefixes.push(common);
        } else {
            last = Some((AFTER_KEY, key.clone()));
            page.keys.push((index, key));
            index += 1;
        }
    }
    Some(page)
}

/// The first index that the query's token or start admits.
fn start(keys: &impl SortedKeys, query: &Query) -> Option<u64> {
    let Some(token) = &query.token else {
        return Some(if query.start_after.is_empty() {
            0
        } else {
            after(keys, query.start_after.as_bytes())
        });
    };
    let token = URL_SAFE_NO_PAD.decode(token).ok()?;
    match token.split_first()? {
        (&AFTER_KEY, key) => Some(after(keys, key)),
        (&AFTER_PREFIX, prefix) => {
            Some(successor(prefix).map_or(keys.len(), |bound| keys.lower_bound(&bound)))
        }
        _ => None,
    }
}

/// Number of keys up to and with `key`: nothing stands between a key and itself with a zero byte added.
fn after(keys: &impl SortedKeys, key: &[u8]) -> u64 {
    keys.lower_bound(&[key, &[0]].concat())
}

fn common_prefix(key: &str, query: &Query) -> Option<String> {
    if query.delimiter.is_empty() {
        return None;
    }
    let rest = key.get(query.prefix.len()..)?;
    let found = rest.find(&query.delimiter)?;
    Some(key[..query.prefix.len() + found + query.delimiter.len()].to_owned())
}

/// The least byte string above everything that begins with `prefix`; none when there is no such string.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte < 0xff)?;
    let mut bound = prefix[..=kept].to_vec();
    bound[kept] += 1;
    Some(bound)
}

/// What S3 leaves alone under `encoding-type=url`; everything else is percent-encoded, and a space becomes `+`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b'/')
    .remove(b' ');

/// A key or prefix as it stands in a listing with `encoding-type=url`.
pub(super) fn url_encoded(text: &str) -> String {
    percent_encode(text.as_bytes(), ENCODED)
        .to_string()
        .replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    impl SortedKeys for Vec<&str> {
        fn len(&self) -> u64 {
            self.as_slice().len() as u64
        }

        fn lower_bound(&self, bound: &[u8]) -> u64 {
            self.partition_point(|key| key.as_bytes() < bound) as u64
        }

        fn key(&self, index: u64) -> String {
            self[usize::try_from(index).unwrap()].to_owned()
        }
    }

    /// Every page's keys (or common prefixes, marked), pages apart by `|`.
    fn all(keys: &[&str], query: &Query) -> String {
        let keys = keys.to_vec();
        let mut query = query.clone();
        let mut pages = Vec::new();
        loop {
            let page = page(&keys, &query).unwrap();
            let names = page.keys.into_iter().map(|(_, key)| key).chain(
                page.common_prefixes
                    .into_iter()
                    .map(|prefix| format!("({prefix})")),
            );
            pages.push(names.collect::<Vec<_>>().join(" "));
            match page.next {
                None => return pages.join("|"),
                next => query.token = next,
            }
        }
    }

    const KEYS: &[&str] = &["a", "a/1", "a/2", "b", "c/", "c/x/1", "c/x/2", "d"];

    #[test]
    fn pages_end_full_and_go_on_behind_their_last_key() {
        let query = Query {
            max_keys: 3,
            ..Query::default()
        };
        assert_eq!(all(KEYS, &query), "a a/1 a/2|b c/ c/x/1|c/x/2 d");
        assert_eq!(all(&KEYS[..3], &query), "a a/1 a/2");
        assert_eq!(all(&[], &query), "");
        assert_eq!(
            page(&KEYS.to_vec(), &Query::default()).unwrap(),
            ListingPage::default()
        );
    }

    #[test]
    fn a_delimiter_folds_keys_and_a_page_goes_on_behind_a_fold() {
        let query = Query {
            delimiter: "/".to_owned(),
            max_keys: 2,
            ..Query::default()
        };
        assert_eq!(all(KEYS, &query), "a (a/)|b (c/)|d");
        let below = Query {
            prefix: "c/".to_owned(),
            max_keys: 1,
            ..query.clone()
        };
        assert_eq!(all(KEYS, &below), "c/|(c/x/)");
    }

    #[test]
    fn prefix_and_start_bound_the_listing() {
        let query = Query {
            max_keys: 100,
            ..Query::default()
        };
        assert_eq!(
            all(
                KEYS,
                &Query {
                    prefix: "a/".to_owned(),
                    ..query.clone()
                }
            ),
            "a/1 a/2"
        );
        assert_eq!(
            all(
                KEYS,
                &Query {
                    start_after: "a/2".to_owned(),
                    ..query.clone()
                }
            ),
            "b c/ c/x/1 c/x/2 d"
        );
        assert_eq!(
            all(
                KEYS,
                &Query {
                    start_after: "a/3".to_owned(),
                    prefix: "a".to_owned(),
                    ..query.clone()
                }
            ),
            ""
        );
        assert_eq!(
            page(
                &KEYS.to_vec(),
                &Query {
                    token: Some("nonsense!".to_owned()),
                    ..query
                }
            ),
            None
        );
    }

    #[test]
    fn keys_are_encoded_as_s3_does() {
        assert_eq!(url_encoded("a b/c+d%~*.txt"), "a+b/c%2Bd%25%7E*.txt");
        assert_eq!(url_encoded("é\n\u{1}&\""), "%C3%A9%0A%01%26%22");
    }
}
