//! Which part of the keys each stream lists, and where a part is divided for a stream that has nothing to do. Pure: asks nobody, writes nothing.
//!
//! The ranges stand in key order and leave no gap: each begins behind the key at which the one before it ends. Whatever is divided, every key is
//! in one range; a bad guess costs a request, never a key.
//!
//! That holds for a store that lists in the order of the keys' bytes. Whether it does is not believed but seen: a range goes on behind the last key
//! read, which exists, and ends where a page passes its end, or where nothing comes; and where two ranges meet, the key that the store lists behind
//! the last one of the first must be the first one of the second ([`Seam`]). So each key is the one that the store lists behind the key before it,
//! as in one stream.

use std::collections::VecDeque;

use super::range::{Id, Range, RangeState, ReceivedPage};
use super::seam::Seam;
use super::space::{Alphabets, KeyInterval, divide};
use crate::lister::error::StreamError;
use crate::store::{ListPage, PageQuery};

/// A range is divided when it is thought to have so many pages left.
const WORTHWHILE_PAGES: f64 = 4.0;
/// A range whose keys come faster than thought is divided after so many pages, whatever is thought.
const OVERDUE_PAGES: u32 = 8;
/// Keys of a page from which alphabets are learned.
const OBSERVED: usize = 32;

pub(super) struct Ranges {
    prefix: String,
    /// In key order.
    all: VecDeque<Range>,
    alphabets: Alphabets,
    next_id: Id,
    pages: u64,
    page_keys: u64,
    /// Requests for parts that had no key, and those not answered yet.
    fruitless: u64,
    /// Behind the last range with a key that was given out.
    seam: Option<Seam>,
}

impl Ranges {
    /// One range of all keys.
    pub(super) fn new(prefix: &str) -> Self {
        let whole = Range::new(0, (String::new(), None));
        let all = VecDeque::from([Range {
            searching: true,
            ..whole
        }]);
        let prefix = prefix.to_owned();
        let alphabets = Alphabets::default();
        Self {
            prefix,
            all,
            alphabets,
            next_id: 1,
            pages: 0,
            page_keys: 0,
            fruitless: 0,
            seam: None,
        }
    }

    /// The ranges in key order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Range> {
        self.all.iter()
    }

    /// The range of this number; none when it was given up.
    pub(super) fn find(&mut self, id: Id) -> Option<&mut Range> {
        self.all.iter_mut().find(|range| range.id == id)
    }

    /// The first range: its keys come next in the listing.
    pub(super) fn front(&mut self) -> Option<&mut Range> {
        self.all.front_mut()
    }

    /// Forgets the first range, which is complete.
    pub(super) fn drop_front(&mut self) {
        if let Some(Range {
            at: Some(at),
            behind,
            ..
        }) = self.all.pop_front()
        {
            self.seam = Some(Seam::new(at, behind));
        }
    }

    /// Whether the keys of the first range follow what was given out, or, when no range is left, nothing does.
    pub(super) fn is_closed(&mut self) -> bool {
        let next = self
            .all
            .front()
            .map(|range| (range.after.as_str(), range.first.as_deref()));
        if self.seam.as_ref().is_none_or(|seam| seam.is_closed(next)) {
            self.seam = None;
        }
        self.seam.is_none()
    }

    /// What to ask the store about the seam, once, if that is not known otherwise: one key behind its last one.
    pub(super) fn question(&mut self) -> Option<PageQuery> {
        let known = self.all.front().is_none_or(|range| range.first.is_some());
        if !known || self.is_closed() {
            return None;
        }
        let at = self.seam.as_mut()?.ask()?;
        Some(self.one_behind(at))
    }

    /// The one key behind this one.
    pub(super) fn one_behind(&self, key: String) -> PageQuery {
        PageQuery {
            start_after: Some(key),
            max_keys: Some(1),
            ..PageQuery::of(&self.prefix)
        }
    }

    /// Takes in the answer.
    ///
    /// # Errors
    /// When the store lists another key there than the ranges have.
    pub(super) fn answered(&mut self, page: &ListPage) -> Result<(), StreamError> {
        let next = self.all.front().and_then(|range| range.first.as_deref());
        if page.keys.first().map(|record| record.key.as_str()) != next {
            return Err(StreamError::Order);
        }
        self.seam = None;
        Ok(())
    }

    /// The token of the next page of a range does not serve any more: it goes on behind its last key. False when there is no such thing.
    pub(super) fn is_without_token(&mut self, id: Id) -> bool {
        let Some(range) = self
            .find(id)
            .filter(|range| range.asked_by_token && range.at.is_some())
        else {
            return false;
        };
        range.state = RangeState::Waiting;
        range.asked_by_token = false;
        true
    }

    /// Whether the page that is asked for of this range is one behind a given key.
    pub(super) fn asked_by_start(&self, id: Id) -> bool {
        self.all
            .iter()
            .any(|range| range.id == id && !range.asked_by_token)
    }

    /// Gives up everything behind the range of this number, and the rest of that one.
    pub(super) fn cut_behind(&mut self, id: Id) {
        if let Some(place) = self.all.iter().position(|range| range.id == id) {
            self.all.truncate(place + 1);
            self.all[place].state = RangeState::Done;
        }
    }

    /// The next page of this range.
    pub(super) fn ask(&mut self, id: Id) -> Option<PageQuery> {
        let prefix = self.prefix.clone();
        let range = self.find(id)?;
        range.state = RangeState::Asked;
        let token = range.token.take();
        range.asked_by_token = token.is_some();
        let start = range.at.as_ref().unwrap_or(&range.after);
        let start_after = Some(start.clone()).filter(|start| token.is_none() && !start.is_empty());
        Some(PageQuery {
            token,
            start_after,
            ..PageQuery::of(&prefix)
        })
    }

    /// The first range that nobody asks for.
    pub(super) fn waiting(&self) -> Option<Id> {
        self.all
            .iter()
            .find(|range| range.state == RangeState::Waiting)
            .map(|range| range.id)
    }

    /// A range for a stream that has nothing to do: one that waits, else a part of another.
    pub(super) fn next_for_idle(&mut self) -> Option<Id> {
        if let Some(waiting) = self.waiting() {
            return Some(waiting);
        }
        let allowed = (8 + 2 * self.pages).min(48 + self.pages / 16);
        let least = WORTHWHILE_PAGES * self.page_keys.max(1) as f64;
        let wants = |range: &Range| {
            let worthwhile =
                range.believed() >= least || range.pages_since_division >= OVERDUE_PAGES;
            range.state == RangeState::Asked && range.at.is_some() && worthwhile
        };
        while self.fruitless < allowed {
            let wanting = self
                .all
                .iter()
                .enumerate()
                .filter(|(_, range)| wants(range));
            let (place, _) = wanting.max_by(|(_, a), (_, b)| a.left.total_cmp(&b.left))?;
            // A range that cannot be divided does not want to be any more.
            if let Some(id) = self.divide(place) {
                return Some(id);
            }
        }
        None
    }

    /// Divides a range; the part behind gets a number of its own.
    fn divide(&mut self, place: usize) -> Option<Id> {
        let range = &mut self.all[place];
        let shift = match range.fruitless {
            0 => 1,
            1 => 2,
            _ => 4,
        };
        range.fruitless += 1;
        range.pages_since_division = 0;
        let interval = KeyInterval {
            after: range.at.as_deref().unwrap_or(&range.after),
            end: range.end.as_deref(),
        };
        let Some(middle) = divide(&self.alphabets, interval, shift) else {
            range.left = 0.0;
            return None;
        };
        let end = range.end.replace(middle.clone());
        range.left /= f64::from(1_u32 << shift);
        let (from, searching) = (range.id, range.searching && end.is_none());
        let id = self.insert(place + 1, (middle, end));
        self.all[place + 1].divided_from = Some(from);
        self.all[place + 1].searching = searching;
        self.fruitless += 1;
        Some(id)
    }

    /// Divides the first range at these keys, as far as it has not come there yet.
    pub(super) fn divide_at(&mut self, boundaries: &[String]) {
        for boundary in boundaries {
            self.alphabets.observe(boundary);
        }
        for boundary in boundaries.iter().rev() {
            let Some(first) = self.all.front_mut() else {
                return;
            };
            let inside = first.at.as_ref().is_none_or(|at| at < boundary)
                && first.end.as_ref().is_none_or(|end| boundary < end);
            if first.state != RangeState::Done && inside && first.after < *boundary {
                let end = first.end.replace(boundary.clone());
                let searching = end.is_none();
                self.insert(1, (boundary.clone(), end));
                self.all[1].searching = searching;
            }
        }
        if let Some(first) = self.all.front_mut() {
            // A folder behind says how far the keys go, other than a guess.
            first.searching &= !boundaries.iter().any(|boundary| boundary.ends_with('/'));
            first.estimate(&self.alphabets);
        }
    }

    fn insert(&mut self, place: usize, bounds: (String, Option<String>)) -> Id {
        let id = self.next_id;
        self.next_id += 1;
        self.all.insert(place, Range::new(id, bounds));
        id
    }

    /// Takes in a page of a range.
    ///
    /// # Errors
    /// [`StreamError::Order`] when the store does not list as it should.
    pub(super) fn received(
        &mut self,
        id: Id,
        page: &ListPage,
    ) -> Result<ReceivedPage, StreamError> {
        self.pages += 1;
        self.page_keys = self.page_keys.max(page.keys.len() as u64);
        for record in page
            .keys
            .iter()
            .step_by(page.keys.len().div_ceil(OBSERVED).max(1))
        {
            self.alphabets.observe(&record.key);
        }
        let Some(range) = self.all.iter_mut().find(|range| range.id == id) else {
            return Ok(ReceivedPage {
                keys: 0,
                state: RangeState::Done,
            });
        };
        let received = range.received(page, self.page_keys)?;
        if received.state == RangeState::Asked && page.truncated {
            range.estimate(&self.alphabets);
        } else {
            range.left = 0.0;
        }
        if let Some(from) = range.divided_from.take() {
            let found = received.keys > 0;
            if found {
                self.fruitless -= 1;
            }
            if let Some(other) = self.find(from).filter(|_| found) {
                (other.fruitless, other.searching) = (0, false);
            }
        }
        Ok(received)
    }
}
