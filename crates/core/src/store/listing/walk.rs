//! The way through one listing, page after page: how the next page is asked for, whether the page that came is that one, and when there is no end.
//! Pure: asks nobody.

use super::{ListPage, PageQuery};

/// So many pages in a row without a key are no listing.
const BARREN_PAGES: u32 = 1_000;
/// What to try when the pages contradict each other.
const TRUST_HINT: &str = "such a listing cannot be trusted: check that the endpoint is one of S3";
/// What to try when the store has no way to go on behind a page.
const KEYS_HINT: &str =
    "list the bucket with another tool, and name its keys in a file with --keys";

/// Pages that are no listing: what is wrong with them, and what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct BadListing {
    /// In one line, without the bucket.
    pub what: String,
    /// What to try.
    pub hint: &'static str,
}

impl BadListing {
    fn untrusted(what: String) -> Self {
        Self {
            what,
            hint: TRUST_HINT,
        }
    }
}

/// One listing under way. Goes on by continuation tokens; where a store sends none, by the last key: as `start-after`, and if the store ignores that, as
/// `marker` of the older `ListObjects`.
#[derive(Debug)]
pub struct Walk {
    query: PageQuery,
    by: By,
    /// The last key or common prefix of the pages so far.
    last: Option<String>,
    rounds: RoundDetector,
    over: bool,
}

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Token,
    StartAfter,
    Marker,
}

impl Walk {
    /// Before the first page.
    pub fn new(query: PageQuery) -> Self {
        Self {
            query,
            by: By::Token,
            last: None,
            rounds: RoundDetector::default(),
            over: false,
        }
    }

    /// The page to ask for.
    pub fn query(&self) -> &PageQuery {
        &self.query
    }

    /// Whether the last page has come.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether this is the page that was asked for. If not, [`query`](Self::query) asks for it in another way.
    ///
    /// # Errors
    /// When there is no other way.
    pub fn accepts(&mut self, page: &ListPage) -> Result<bool, BadListing> {
        let behind = page
            .keys
            .iter()
            .all(|record| self.last.as_ref().is_none_or(|last| record.key > *last));
        if self.by == By::Token || behind {
            return Ok(true);
        }
        if self.is_refused() {
            return Ok(false);
        }
        let what = format!(
            "page {} does not begin behind the last key of the page before it: the store sends no continuation token, and ignores `start-after` and `marker`",
            self.rounds.page + 1
        );
        Err(BadListing {
            what,
            hint: KEYS_HINT,
        })
    }

    /// The store does not know what was asked of it. True when there is another way to ask.
    pub fn is_refused(&mut self) -> bool {
        if self.by != By::StartAfter {
            return false;
        }
        self.by = By::Marker;
        self.query.marker = self.query.start_after.take();
        true
    }

    /// Goes on behind a page that was accepted.
    ///
    /// # Errors
    /// When the listing has no end, or no way to go on.
    pub fn follow(&mut self, page: &ListPage) -> Result<(), BadListing> {
        let number = self.rounds.page + 1;
        self.over = !page.truncated;
        if self.over {
            return Ok(());
        }
        let next = page
            .next
            .clone()
            .filter(|next| !next.is_empty() && self.by != By::Marker);
        // Tokens are opaque, but the same one twice running asks for the same page for ever.
        if next.is_some() && next == self.query.token {
            return Err(BadListing::untrusted(format!(
                "page {number} repeats its continuation token"
            )));
        }
        self.rounds.take(page)?;
        let ordered = page.keys.is_sorted_by(|a, b| a.key < b.key) && self.accepts_order(page);
        let last = page
            .keys
            .last()
            .map(|record| record.key.clone())
            .max(page.prefixes.last().cloned());
        if last.is_some() {
            self.last = last;
        }
        if let Some(token) = next {
            (self.by, self.query.token) = (By::Token, Some(token));
            return Ok(());
        }
        let nothing = page.keys.is_empty() && page.prefixes.is_empty();
        if nothing || !ordered {
            let why = if nothing {
                "has neither a key nor"
            } else {
                "is out of order and has no"
            };
            let token = if nothing {
                "a continuation token"
            } else {
                "continuation token"
            };
            return Err(BadListing {
                what: format!("page {number} is truncated, {why} {token}"),
                hint: KEYS_HINT,
            });
        }
        self.query.token = None;
        match self.by {
            By::Marker => self.query.marker.clone_from(&self.last),
            By::Token | By::StartAfter => {
                self.by = By::StartAfter;
                self.query.start_after.clone_from(&self.last);
            }
        }
        Ok(())
    }

    fn accepts_order(&self, page: &ListPage) -> bool {
        self.last
            .as_ref()
            .is_none_or(|last| page.keys.first().is_none_or(|first| first.key > *last))
    }
}

/// Notices pages that come again, whatever the length of the circle, with the memory of one page (Brent's method); and pages without end that have no
/// key.
#[derive(Debug, Default)]
pub struct RoundDetector {
    page: u64,
    barren: u32,
    /// A page that has come: its number, token and first key. Replaced at each power of two.
    mark: (u64, Option<String>, Option<String>),
}

impl RoundDetector {
    /// Takes in a page that others follow.
    ///
    /// # Errors
    /// When the pages have no end.
    pub fn take(&mut self, page: &ListPage) -> Result<(), BadListing> {
        self.page += 1;
        let first = page.keys.first().map(|record| &record.key);
        let nothing = page.keys.is_empty() && page.prefixes.is_empty();
        self.barren = if nothing { self.barren + 1 } else { 0 };
        let (number, mark) = (self.page, &self.mark);
        if self.barren >= BARREN_PAGES {
            return Err(BadListing::untrusted(format!(
                "{BARREN_PAGES} pages up to page {number} have no key, and more are said to follow"
            )));
        }
        if page.next.is_some() && page.next == mark.1 {
            return Err(BadListing::untrusted(format!(
                "page {number} has the continuation token of page {}: the listing has no end",
                mark.0
            )));
        }
        if first.is_some() && first == mark.2.as_ref() {
            return Err(BadListing::untrusted(format!(
                "page {number} begins with the key that page {} begins with: the listing has no end",
                mark.0
            )));
        }
        if number.is_power_of_two() {
            self.mark = (number, page.next.clone(), first.cloned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::KeyRecord;

    fn page(keys: &[&str], truncated: bool, next: Option<&str>) -> ListPage {
        let keys = keys
            .iter()
            .map(|key| KeyRecord {
                key: (*key).to_owned(),
                ..KeyRecord::default()
            })
            .collect();
        ListPage {
            keys,
            truncated,
            next: next.map(str::to_owned),
            ..ListPage::default()
        }
    }

    /// Goes through what `answer` says, for as many pages as there may be.
    fn walk(answer: impl Fn(u64, &PageQuery) -> ListPage) -> Result<Vec<String>, String> {
        let mut walk = Walk::new(PageQuery::default());
        let mut keys = Vec::new();
        for number in 1..5_000 {
            let page = answer(number, walk.query());
            if walk.accepts(&page).map_err(|error| error.what)? {
                keys.extend(page.keys.iter().map(|record| record.key.clone()));
                walk.follow(&page).map_err(|error| error.what)?;
                if walk.is_over() {
                    return Ok(keys);
                }
            }
        }
        panic!("no end")
    }

    /// Two keys a page of the letters.
    fn letters(after: Option<&String>, next: impl Fn(&str) -> Option<String>) -> ListPage {
        let all = ["a", "b", "c", "d", "e"];
        let rest: Vec<&str> = all
            .into_iter()
            .filter(|key| after.is_none_or(|after| *key > after.as_str()))
            .collect();
        let taken = &rest[..rest.len().min(2)];
        let more = rest.len() > 2;
        ListPage {
            next: taken.last().filter(|_| more).and_then(|last| next(last)),
            ..page(taken, more, None)
        }
    }

    #[test]
    fn a_store_goes_on_in_one_of_three_ways() {
        let token = |last: &str| Some(format!("t{last}"));
        let by_token = walk(|_, query| {
            letters(
                query
                    .token
                    .as_ref()
                    .map(|token| token[1..].to_owned())
                    .as_ref(),
                token,
            )
        })
        .unwrap();
        let by_start = walk(|_, query| letters(query.start_after.as_ref(), |_| None)).unwrap();
        let by_marker = walk(|_, query| letters(query.marker.as_ref(), |_| None)).unwrap();
        for keys in [by_token, by_start, by_marker] {
            assert_eq!(keys, ["a", "b", "c", "d", "e"]);
        }
        let error = walk(|_, _| letters(None, |_| None)).unwrap_err();
        assert!(
            error.starts_with("page 2 does not begin behind the last key of the page before it"),
            "{error}"
        );
        assert_eq!(
            walk(|_, _| page(&["b", "a"], true, None)).unwrap_err(),
            "page 1 is truncated, is out of order and has no continuation token"
        );
        assert_eq!(
            walk(|_, _| page(&[], true, Some(""))).unwrap_err(),
            "page 1 is truncated, has neither a key nor a continuation token"
        );
    }

    #[test]
    fn a_listing_without_end_ends() {
        let same = walk(|number, _| page(&[&format!("{number:05}")], true, Some("t"))).unwrap_err();
        assert_eq!(same, "page 2 repeats its continuation token");
        for length in [2, 3, 7, 100] {
            let tokens = walk(|number, _| {
                page(
                    &[&format!("{number:05}")],
                    true,
                    Some(&format!("t{}", number % length)),
                )
            })
            .unwrap_err();
            assert!(
                tokens.contains(" has the continuation token of page "),
                "{tokens}"
            );
            let keys = walk(|number, _| {
                page(
                    &[&format!("{:05}", number % length)],
                    true,
                    Some(&format!("t{number}")),
                )
            })
            .unwrap_err();
            assert!(keys.contains(" begins with the key that page "), "{keys}");
        }
        let barren = walk(|number, _| page(&[], true, Some(&format!("t{number}")))).unwrap_err();
        assert_eq!(
            barren,
            "1000 pages up to page 1000 have no key, and more are said to follow"
        );
        let sparse = walk(|number, _| match number {
            4_000 => page(&["z"], false, None),
            number if number % 999 == 0 => page(
                &[&format!("{number:05}")],
                true,
                Some(&format!("t{number}")),
            ),
            number => page(&[], true, Some(&format!("t{number}"))),
        });
        assert_eq!(sparse.unwrap().len(), 5);
    }
}
