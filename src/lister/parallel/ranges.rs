//! Which part of the keys each stream lists, and where a part is divided for a stream that has nothing to do. Pure: asks nobody, writes nothing.
//!
//! The ranges stand in key order and leave no gap: each begins behind the key at which the one before it ends. Whatever is divided, every key is
//! in one range; a bad guess costs a request, never a key.

use std::collections::VecDeque;

use super::space::{Alphabets, Interval, divide, ratio};
use crate::lister::{Wrong, no_token, repeated};
use crate::store::{ListPage, PageQuery};

/// A range is divided when it is thought to have so many pages left.
const WORTHWHILE_PAGES: f64 = 4.0;
/// A range whose keys come faster than thought is divided after so many pages, whatever is thought.
const OVERDUE_PAGES: u32 = 8;
/// Keys of a page from which alphabets are learned.
const OBSERVED: usize = 32;

/// Number of a range; never used twice.
pub(super) type Id = u64;

/// How far a range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
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
    pub(super) state: State,
    /// Keys kept of it that wait on disk.
    pub(super) spooled: u64,
    after: String,
    end: Option<String>,
    /// The first key read.
    first: Option<String>,
    /// The last key read.
    at: Option<String>,
    /// The first key that was seen behind the end: a range further on must have it.
    further: Option<String>,
    token: Option<String>,
    keys: u64,
    pages_since_division: u32,
    /// How many keys are thought to be left.
    left: f64,
    /// Divisions in a row whose other part had no key, or is not known yet.
    fruitless: u32,
    /// Nobody knows how far the keys go: guesses go on until one finds a key.
    searching: bool,
    /// The range that this one was divided from, until its first page has come.
    divided_from: Option<Id>,
}

/// What came of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// So many keys from its front are the range's.
    pub(super) keys: usize,
    /// Whether the range goes on.
    pub(super) state: State,
}

/// All ranges.
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
    /// A page behind a given key has come, and began behind it.
    start_is_heeded: bool,
    /// A key was seen that belongs to a range further on.
    seen_further: bool,
    /// Such a key, of the ranges that were given out: not found yet.
    promised: Option<String>,
}

impl Ranges {
    /// One range of all keys.
    pub(super) fn new(prefix: &str) -> Self {
        let whole = Range::new(0, (String::new(), None));
        let all = VecDeque::from([Range { searching: true, ..whole }]);
        let prefix = prefix.to_owned();
        let alphabets = Alphabets::default();
        Self { prefix, all, alphabets, next_id: 1, pages: 0, page_keys: 0, fruitless: 0, start_is_heeded: false, seen_further: false, promised: None }
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
    ///
    /// # Errors
    /// When a key that a range before it saw on its way should be in it, and is not: the store's order is another than that of the bytes, or the key
    /// was deleted meanwhile.
    pub(super) fn drop_front(&mut self) -> Result<(), Wrong> {
        let Some(front) = self.all.pop_front() else { return Ok(()) };
        let here = self.promised.take_if(|key| front.end.as_ref().is_none_or(|end| *key <= *end));
        if here.is_some_and(|key| front.first.as_ref().is_none_or(|first| *first > key)) {
            return Err(Wrong::Order);
        }
        if self.promised.is_none() {
            self.promised = front.further;
        }
        Ok(())
    }

    /// Whether the page that is asked for of this range is one behind a given key.
    pub(super) fn asked_by_start(&self, id: Id) -> bool {
        self.all.iter().any(|range| range.id == id && range.token.is_none() && !range.after.is_empty())
    }

    /// Gives up everything behind the range of this number, and the rest of that one.
    pub(super) fn cut_behind(&mut self, id: Id) {
        if let Some(place) = self.all.iter().position(|range| range.id == id) {
            self.all.truncate(place + 1);
            self.all[place].state = State::Done;
        }
    }

    /// True when all that was listed behind a given key was nothing, and yet there should have been something.
    pub(super) fn look_wrong(&self) -> bool {
        self.seen_further && !self.start_is_heeded
    }

    /// The next page of this range.
    pub(super) fn ask(&mut self, id: Id) -> Option<PageQuery> {
        let prefix = self.prefix.clone();
        let range = self.find(id)?;
        range.state = State::Asked;
        let token = range.token.clone();
        let start_after = Some(range.after.clone()).filter(|after| token.is_none() && !after.is_empty());
        Some(PageQuery { prefix, token, start_after, delimiter: None })
    }

    /// The first range that nobody asks for.
    pub(super) fn waiting(&self) -> Option<Id> {
        self.all.iter().find(|range| range.state == State::Waiting).map(|range| range.id)
    }

    /// A range for a stream that has nothing to do: one that waits, else a part of another.
    pub(super) fn next_for_idle(&mut self) -> Option<Id> {
        if let Some(waiting) = self.waiting() {
            return Some(waiting);
        }
        let allowed = (8 + 2 * self.pages).min(48 + self.pages / 16);
        let least = WORTHWHILE_PAGES * self.page_keys.max(1) as f64;
        let wants = |range: &Range| {
            let worthwhile = range.believed() >= least || range.pages_since_division >= OVERDUE_PAGES;
            range.state == State::Asked && range.at.is_some() && worthwhile
        };
        while self.fruitless < allowed {
            let wanting = self.all.iter().enumerate().filter(|(_, range)| wants(range));
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
        let interval = Interval { after: range.at.as_deref().unwrap_or(&range.after), end: range.end.as_deref() };
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
            let Some(first) = self.all.front_mut() else { return };
            let inside = first.at.as_ref().is_none_or(|at| at < boundary) && first.end.as_ref().is_none_or(|end| boundary < end);
            if first.state != State::Done && inside && first.after < *boundary {
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
    /// What is wrong with it.
    pub(super) fn received(&mut self, id: Id, page: &ListPage) -> Result<Received, Wrong> {
        self.pages += 1;
        self.page_keys = self.page_keys.max(page.keys.len() as u64);
        for record in page.keys.iter().step_by(page.keys.len().div_ceil(OBSERVED).max(1)) {
            self.alphabets.observe(&record.key);
        }
        let number = self.pages;
        let Some(range) = self.all.iter_mut().find(|range| range.id == id) else { return Ok(Received { keys: 0, state: State::Done }) };
        let by_start = range.at.is_none() && !range.after.is_empty();
        let received = range.received(page, number)?;
        self.seen_further |= received.keys < page.keys.len();
        self.start_is_heeded |= by_start && !page.keys.is_empty();
        if received.state == State::Asked {
            range.estimate(&self.alphabets);
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

impl Range {
    fn new(id: Id, (after, end): (String, Option<String>)) -> Self {
        Self {
            id,
            state: State::Waiting,
            spooled: 0,
            after,
            end,
            first: None,
            at: None,
            further: None,
            token: None,
            keys: 0,
            pages_since_division: 0,
            left: 0.0,
            fruitless: 0,
            searching: false,
            divided_from: None,
        }
    }

    /// Keys that are worth a guess: each one that found nothing makes the next less likely to.
    fn believed(&self) -> f64 {
        let doubt = if self.searching { 0 } else { self.fruitless.min(16) };
        self.left / 16_f64.powi(i32::try_from(doubt).unwrap_or(16))
    }

    fn received(&mut self, page: &ListPage, number: u64) -> Result<Received, Wrong> {
        let mut last = self.at.as_deref().unwrap_or(&self.after);
        for record in &page.keys {
            if record.key.as_str() <= last {
                return Err(Wrong::Order);
            }
            last = &record.key;
        }
        let mine = self.end.as_ref().map_or(page.keys.len(), |end| page.keys.partition_point(|record| record.key <= *end));
        self.keys += mine as u64;
        self.pages_since_division += 1;
        if let Some(record) = mine.checked_sub(1).and_then(|last| page.keys.get(last)) {
            self.at = Some(record.key.clone());
            self.first.get_or_insert_with(|| page.keys[0].key.clone());
        }
        self.further = page.keys.get(mine).map(|record| record.key.clone());
        let ended = !page.truncated || mine < page.keys.len() || (self.at.is_some() && self.at == self.end);
        if ended {
            self.state = State::Done;
            self.left = 0.0;
            return Ok(Received { keys: mine, state: State::Done });
        }
        let next = page.next.clone().filter(|next| !next.is_empty()).ok_or_else(|| Wrong::from(no_token(number)))?;
        if self.token.replace(next) == page.next {
            return Err(repeated(number).into());
        }
        Ok(Received { keys: mine, state: State::Asked })
    }

    /// Thinks again about how many keys are left.
    fn estimate(&mut self, alphabets: &Alphabets) {
        let (Some(first), Some(at)) = (self.first.as_deref(), self.at.as_deref()) else { return };
        // From the first key, not from where the range begins: between the two there may be any distance.
        let whole = Interval { after: first, end: self.end.as_deref() };
        // Where that cannot be told, there may be any number.
        let ratio = ratio(alphabets, whole, (first, at)).unwrap_or(1e18);
        self.left = self.keys as f64 * ratio;
    }
}
