//! One part of the keys: how far it was read, and whether it has ended, by what its pages say. Pure.

use super::seam::Behind;
use super::space::{Alphabets, KeyInterval, ratio};
use crate::lister::error::StreamError;
use crate::store::{ListPage, RoundDetector};

/// So many short pages of a range may be called the last and be followed by others, as in a bucket that grows at its end.
const SHORT_ENDS: u32 = 16;

/// Number of a range; never used twice.
pub(super) type Id = u64;

/// How far a range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RangeState {
    /// Not asked for yet.
    Waiting,
    /// A page is asked for.
    Asked,
    /// Every key of it is there.
    Done,
}

/// Keys behind `after`, up to and with `end`.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) id: Id,
    pub(super) state: RangeState,
    /// Keys kept of it that wait on disk.
    pub(super) spooled: u64,
    pub(super) after: String,
    pub(super) end: Option<String>,
    /// The first key read.
    pub(super) first: Option<String>,
    /// The last key read.
    pub(super) at: Option<String>,
    /// What the store lists behind the last key read, as far as the last page says.
    pub(super) behind: Behind,
    /// How the next page is asked for where that is not behind the last key read: of the first range, which is one stream's beginning, and while
    /// pages without a key come.
    pub(super) token: Option<String>,
    /// The page that is asked for is asked for so.
    pub(super) asked_by_token: bool,
    pub(super) rounds: RoundDetector,
    /// Short pages that were called the last.
    pub(super) short_ends: u32,
    pub(super) keys: u64,
    pub(super) pages_since_division: u32,
    /// How many keys are thought to be left.
    pub(super) left: f64,
    /// Divisions in a row whose other part had no key, or is not known yet.
    pub(super) fruitless: u32,
    /// Nobody knows how far the keys go: guesses go on until one finds a key.
    pub(super) searching: bool,
    /// The range that this one was divided from, until its first page has come.
    pub(super) divided_from: Option<Id>,
}

/// What came of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReceivedPage {
    /// So many keys from its front are the range's.
    pub(super) keys: usize,
    /// Whether the range goes on.
    pub(super) state: RangeState,
}

impl Range {
    /// Whether no key of it was read.
    pub(super) fn is_empty_so_far(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn new(id: Id, (after, end): (String, Option<String>)) -> Self {
        Self {
            id,
            state: RangeState::Waiting,
            spooled: 0,
            after,
            end,
            first: None,
            at: None,
            behind: Behind::Unknown,
            token: None,
            asked_by_token: false,
            rounds: RoundDetector::default(),
            short_ends: 0,
            keys: 0,
            pages_since_division: 0,
            left: 0.0,
            fruitless: 0,
            searching: false,
            divided_from: None,
        }
    }

    /// Keys that are worth a guess: each one that found nothing makes the next less likely to.
    pub(super) fn believed(&self) -> f64 {
        let doubt = if self.searching {
            0
        } else {
            self.fruitless.min(16)
        };
        self.left / 16_f64.powi(i32::try_from(doubt).unwrap_or(16))
    }

    pub(super) fn received(
        &mut self,
        page: &ListPage,
        most: u64,
    ) -> Result<ReceivedPage, StreamError> {
        let mut last = self.at.as_deref().unwrap_or(&self.after);
        for record in &page.keys {
            if record.key.as_str() <= last {
                return Err(StreamError::Order);
            }
            last = &record.key;
        }
        let mine = self.end.as_ref().map_or(page.keys.len(), |end| {
            page.keys.partition_point(|record| record.key <= *end)
        });
        self.keys += mine as u64;
        self.pages_since_division += 1;
        if let Some(record) = mine.checked_sub(1).and_then(|last| page.keys.get(last)) {
            self.at = Some(record.key.clone());
            self.first.get_or_insert_with(|| page.keys[0].key.clone());
        }
        let state = if self.has_ended(page, mine, most)? {
            RangeState::Done
        } else {
            RangeState::Asked
        };
        if state == RangeState::Done {
            self.state = RangeState::Done;
            self.left = 0.0;
        }
        Ok(ReceivedPage { keys: mine, state })
    }

    /// Whether nothing more of the range comes, by what the page says; `mine` of its keys are the range's.
    fn has_ended(&mut self, page: &ListPage, mine: usize, most: u64) -> Result<bool, StreamError> {
        self.behind = Behind::Unknown;
        if let Some(further) = page.keys.get(mine) {
            self.behind = Behind::Key(further.key.clone());
            return Ok(true);
        }
        if page.keys.is_empty() && page.truncated {
            // Where more is, and how to get there, the token alone says. A key that it skips would be missing at a seam.
            self.rounds.take(page).map_err(|_| StreamError::Order)?;
            self.token = page.next.clone().filter(|next| !next.is_empty());
            return if self.token.is_some() {
                Ok(false)
            } else {
                Err(StreamError::Order)
            };
        }
        if !page.truncated && (page.keys.is_empty() || self.asked_by_token) {
            self.behind = Behind::Nothing;
            return Ok(true);
        }
        if !page.truncated && (page.keys.len() as u64) < most / 2 {
            self.short_ends += 1;
            if self.short_ends > SHORT_ENDS {
                return Err(StreamError::Order);
            }
        }
        // A page behind a given key that is called the last: nothing must come behind its last key.
        if page.truncated && self.after.is_empty() {
            self.token = page.next.clone().filter(|next| !next.is_empty());
        }
        Ok(self.at.is_some() && self.at == self.end)
    }

    /// Thinks again about how many keys are left.
    pub(super) fn estimate(&mut self, alphabets: &Alphabets) {
        let (Some(first), Some(at)) = (self.first.as_deref(), self.at.as_deref()) else {
            return;
        };
        // From the first key, not from where the range begins: between the two there may be any distance.
        let whole = KeyInterval {
            after: first,
            end: self.end.as_deref(),
        };
        // Where that cannot be told, there may be any number.
        let ratio = ratio(alphabets, whole, (first, at)).unwrap_or(1e18);
        self.left = self.keys as f64 * ratio;
    }
}
