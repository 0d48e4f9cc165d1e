//! Pages of a bucket's keys: what is asked for, what a page holds, and who asks.
//!
//! The SDK asks for the first page of a listing ([`super::Bucket::list_page`]): it finds the bucket's region and puts errors into words. The pages
//! behind it come over connections of the `lean` client where a run may use it. A scanner of our own reads every page, whoever asked for it.

mod by_sdk;
mod lean_pages;
mod pager;
mod scan;
mod walk;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::sample::KeyRecord;

pub(super) use by_sdk::{AskedPage, NoPage, ask};
pub(super) use lean_pages::LeanPages;
pub use pager::Pager;
pub(super) use scan::scan;
pub use walk::{BadListing, RoundDetector, Walk};

/// One answer of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// In the order of the answer.
    pub keys: Vec<KeyRecord>,
    /// With a delimiter: what keys behind it were folded into.
    pub prefixes: Vec<String>,
    /// Whether the store says that more follow.
    pub truncated: bool,
    /// How to ask for what follows.
    pub next: Option<String>,
}

/// Which page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Only keys that begin so.
    pub prefix: String,
    /// Where the last page ended; wins over `start_after`.
    pub token: Option<String>,
    /// Only keys behind this one.
    pub start_after: Option<String>,
    /// Folds keys behind it into common prefixes.
    pub delimiter: Option<&'static str>,
    /// Only keys behind this one, by `ListObjects`, the older request, which knows neither a token nor `start_after`.
    pub marker: Option<String>,
    /// Fewer keys than the store gives by itself.
    pub max_keys: Option<i32>,
}

impl PageQuery {
    /// Pages of the keys that begin with `prefix`, from the first one.
    pub fn of(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..Self::default()
        }
    }

    /// The same listing, behind what the page with this token ended with.
    #[must_use]
    pub fn after(&self, token: Option<String>) -> Self {
        Self {
            token,
            ..self.clone()
        }
    }
}

/// What a signature leaves as it is in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The query of a request: parameters sorted by name, percent-encoded. `encoding` is how keys are asked for.
fn query_text(query: &PageQuery, encoding: Option<&'static str>) -> String {
    let PageQuery {
        prefix,
        token,
        start_after,
        delimiter,
        marker,
        max_keys,
    } = query;
    let newer = marker.is_none();
    let start_after = start_after.as_deref().filter(|_| token.is_none() && newer);
    let max_keys = max_keys.map(|keys| keys.to_string());
    let given = [
        ("continuation-token", token.as_deref().filter(|_| newer)),
        ("delimiter", *delimiter),
        ("encoding-type", encoding),
        ("list-type", Some("2").filter(|_| newer)),
        ("marker", marker.as_deref()),
        ("max-keys", max_keys.as_deref()),
        (
            "prefix",
            Some(prefix.as_str()).filter(|prefix| !prefix.is_empty()),
        ),
        ("start-after", start_after),
    ];
    let parts = given
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", utf8_percent_encode(value?, QUERY))));
    parts.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_sorted_and_encoded() {
        assert_eq!(
            query_text(&PageQuery::default(), Some("url")),
            "encoding-type=url&list-type=2"
        );
        let all = PageQuery {
            start_after: Some("a b+/é".to_owned()),
            delimiter: Some("/"),
            ..PageQuery::of("p/=&")
        };
        assert_eq!(
            query_text(&all, Some("url")),
            "delimiter=%2F&encoding-type=url&list-type=2&prefix=p%2F%3D%26&start-after=a%20b%2B%2F%C3%A9"
        );
        let token = all.after(Some("t+=".to_owned()));
        assert_eq!(
            query_text(&token, Some("url")),
            "continuation-token=t%2B%3D&delimiter=%2F&encoding-type=url&list-type=2&prefix=p%2F%3D%26"
        );
        let older = PageQuery {
            marker: Some("a b".to_owned()),
            max_keys: Some(1),
            ..token
        };
        assert_eq!(
            query_text(&older, Some("url")),
            "delimiter=%2F&encoding-type=url&marker=a%20b&max-keys=1&prefix=p%2F%3D%26"
        );
        assert_eq!(query_text(&PageQuery::default(), None), "list-type=2");
    }
}
