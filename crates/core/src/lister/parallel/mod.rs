//! Many streams of pages at once over disjoint ranges of the keys, given out in the order of one listing.
//!
//! [`ranges`] owns who lists what, [`spool`] the keys that came before their turn. Here is only the waiting: which pages are asked for, and what is
//! done with the answer.

mod folders;
mod range;
mod ranges;
mod seam;
mod space;
mod spool;

use std::path::Path;
use std::pin::Pin;

use futures::future::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::error::{ListError, StreamError};
use super::pages::{PageSource, Pages, is_refusal};
use super::pick::{Picker, check};
use crate::store::{ListPage, PageQuery, StoreError};
use folders::DELIMITER;
use range::{Id, RangeState};
use ranges::Ranges;
use seam::{Neighbours, Proof};
use spool::Spool;

/// Streams of pages at the most. S3 answers a page in about 80 ms, so this is some 400,000 keys a second.
pub(super) const STREAMS: usize = 32;

#[derive(Clone, Copy, Debug)]
enum RequestPurpose {
    /// A page of a range.
    Range(Id),
    /// Folders, number so and so of those around the first page.
    Folders(usize),
    /// What comes behind the keys that were given out.
    Seam,
    /// Whether the store begins where it is told to: number so and so of those asked.
    Start(usize),
}

/// A request's end.
struct PageAnswer<P> {
    pages: P,
    purpose: RequestPurpose,
    page: Result<ListPage, StoreError>,
}

type Request<P> = Pin<Box<dyn Future<Output = PageAnswer<P>>>>;

/// A listing under way.
pub(super) struct Parallel<'a, S: PageSource> {
    source: &'a mut S,
    picker: &'a mut Picker,
    progress: &'a mut dyn FnMut(u64),
    ranges: Ranges,
    spool: Spool,
    requests: FuturesUnordered<Request<S::Pages>>,
    idle: Vec<S::Pages>,
    opened: u32,
    /// Keys found, in the key file or before their turn.
    found: u64,
    /// The folders that are looked into, and what was found; taken when all have come.
    folders: (Vec<String>, Vec<ListPage>),
    looking: usize,
    last_of_first: String,
    /// What shows whether the store begins where it is told to. Until it has, nothing is given out.
    proofs: Vec<Proof>,
    proved_in_folder: bool,
}

/// What a listing is made of.
pub(super) struct ListingParts<'a, S> {
    pub(super) source: &'a mut S,
    pub(super) picker: &'a mut Picker,
    pub(super) progress: &'a mut dyn FnMut(u64),
    /// Folder for keys that come before their turn.
    pub(super) spool: &'a Path,
}

/// Lists the keys that begin with `prefix`, of which `first` is the first page.
///
/// # Errors
/// [`StreamError::Order`] when the store does not list in order after all: what the picker has is to be thrown away then.
pub(super) async fn list<S: PageSource>(
    parts: ListingParts<'_, S>,
    prefix: &str,
    first: ListPage,
) -> Result<(), StreamError>
where
    S::Pages: 'static,
{
    let ListingParts {
        source,
        picker,
        progress,
        spool,
    } = parts;
    let folders = folders::around(prefix, &first);
    // Where there is no folder in the first page, a later one shows how the store begins in one.
    let neighbours = Neighbours::of_a_page(&first.keys)
        .filter(|_| Neighbours::of_a_folder(&first.keys).is_none());
    let mut parallel = Parallel {
        source,
        picker,
        progress,
        ranges: Ranges::new(prefix),
        spool: Spool::new(spool),
        requests: FuturesUnordered::new(),
        idle: Vec::new(),
        opened: 0,
        found: 0,
        looking: folders.len(),
        folders: (folders, Vec::new()),
        last_of_first: first
            .keys
            .last()
            .map(|record| record.key.clone())
            .unwrap_or_default(),
        proofs: neighbours.into_iter().map(Proof::of).collect(),
        proved_in_folder: false,
    };
    parallel.take(0, first)?;
    for (number, folder) in parallel.folders.0.clone().into_iter().enumerate() {
        let query = PageQuery {
            delimiter: Some(DELIMITER),
            ..PageQuery::of(&folder)
        };
        parallel.ask(RequestPurpose::Folders(number), query).await?;
    }
    parallel.run().await
}

impl<S: PageSource> Parallel<'_, S>
where
    S::Pages: 'static,
{
    async fn run(mut self) -> Result<(), StreamError> {
        loop {
            self.give_work().await?;
            let given = self.give_out()?;
            if given == GivenOut::Enough {
                return Ok(());
            }
            if given == GivenOut::Nothing && self.ranges.front().is_none() {
                if self.ranges.is_closed() {
                    // What is still asked for are hints.
                    return Ok(());
                }
                self.ask_questions().await?;
            }
            if given == GivenOut::Nothing && self.requests.is_empty() {
                // Nobody can say what is missing.
                return Err(StreamError::Order);
            }
            let answer = if given == GivenOut::Something {
                // The keys before their turn are given out a page at a time, so that no answer waits for all of them.
                tokio::task::yield_now().await;
                self.requests.next().now_or_never().flatten()
            } else {
                self.requests.next().await
            };
            if let Some(answer) = answer {
                self.answered(answer)?;
            }
        }
    }

    /// Asks for a page with a stream that has nothing to do, or a new one.
    async fn ask(&mut self, purpose: RequestPurpose, query: PageQuery) -> Result<(), StreamError> {
        if self.idle.is_empty() {
            self.opened += 1;
            self.idle.push(
                self.source
                    .pages(self.opened - 1)
                    .await
                    .map_err(ListError::from)?,
            );
        }
        let mut pages = self.idle.pop().expect("one was put there");
        self.picker.listed.pages += 1;
        self.requests.push(Box::pin(async move {
            let page = pages.page(&query).await;
            PageAnswer {
                pages,
                purpose,
                page,
            }
        }));
        Ok(())
    }

    /// Asks for what says whether the store is to be trusted: a page of one key each.
    async fn ask_questions(&mut self) -> Result<(), StreamError> {
        for number in 0..self.proofs.len() {
            let proof = &mut self.proofs[number];
            if !std::mem::replace(&mut proof.asked, true) {
                let query = self.ranges.one_behind(proof.neighbours.key.clone());
                self.ask(RequestPurpose::Start(number), query).await?;
            }
        }
        match self.ranges.question() {
            Some(query) => self.ask(RequestPurpose::Seam, query).await,
            None => Ok(()),
        }
    }

    /// Every stream gets something to do, if there is anything.
    async fn give_work(&mut self) -> Result<(), StreamError> {
        self.ask_questions().await?;
        while self.requests.len() < STREAMS {
            // Guesses wait until the folders are known.
            let id = if self.looking > 0 {
                self.ranges.waiting()
            } else {
                self.ranges.next_for_idle()
            };
            let Some(id) = id else { break };
            let Some(query) = self.ranges.ask(id) else {
                break;
            };
            self.ask(RequestPurpose::Range(id), query).await?;
        }
        Ok(())
    }

    fn answered(&mut self, answer: PageAnswer<S::Pages>) -> Result<(), StreamError> {
        let PageAnswer {
            pages,
            purpose,
            page,
        } = answer;
        self.idle.push(pages);
        match purpose {
            // Nobody wants to know any more, not even what went wrong.
            RequestPurpose::Range(id) if self.ranges.find(id).is_none() => Ok(()),
            // Behind the limit: whatever came of it.
            RequestPurpose::Range(id)
                if self
                    .ranges
                    .find(id)
                    .is_none_or(|range| range.state == RangeState::Done) =>
            {
                Ok(())
            }
            RequestPurpose::Range(id) => match page {
                // A store that has no such request: one stream needs none, and words what is wrong if that was not it.
                Err(error) if self.ranges.asked_by_start(id) && is_refusal(&error) => {
                    Err(StreamError::Order)
                }
                // It may have expired.
                Err(error) if is_refusal(&error) && self.ranges.is_without_token(id) => Ok(()),
                page => self.take(id, page.map_err(ListError::from)?),
            },
            RequestPurpose::Seam => self.ranges.answered(&doubted(page)?),
            RequestPurpose::Start(number) => {
                let (page, proof) = (doubted(page)?, &mut self.proofs[number]);
                proof.given = page
                    .keys
                    .first()
                    .is_some_and(|record| record.key == proof.neighbours.next);
                if proof.given {
                    Ok(())
                } else {
                    Err(StreamError::Order)
                }
            }
            RequestPurpose::Folders(number) => {
                // Only a hint was lost; what is wrong with the store, the ranges' own pages will say.
                let page = page
                    .inspect_err(|error| tracing::debug!(number, %error, "folders not listed"))
                    .unwrap_or_default();
                self.folders.1.push(page);
                self.looking -= 1;
                if self.looking == 0 {
                    let (folders, pages) = std::mem::take(&mut self.folders);
                    self.ranges.divide_at(&folders::boundaries(
                        (&folders, &pages),
                        &self.last_of_first,
                        STREAMS - 1,
                    ));
                }
                Ok(())
            }
        }
    }

    /// Takes in a page of a range: into the key file when it is its turn, else aside.
    fn take(&mut self, id: Id, mut page: ListPage) -> Result<(), StreamError> {
        let received = self.ranges.received(id, &page)?;
        if !self.proved_in_folder
            && let Some(neighbours) = Neighbours::of_a_folder(&page.keys)
        {
            self.proved_in_folder = true;
            self.proofs.push(Proof::of(neighbours));
        }
        page.keys.truncate(received.keys);
        page.keys.iter().try_for_each(check)?;
        page.keys.retain(|record| self.picker.selects(record));
        let Some(range) = self.ranges.find(id) else {
            return Ok(());
        };
        self.found += page.keys.len() as u64;
        if received.state == RangeState::Asked {
            range.state = RangeState::Waiting;
        }
        range.spooled += page.keys.len() as u64;
        self.spool.push(id, &page.keys).map_err(ListError::Spool)?;
        self.cut();
        (self.progress)(self.found.min(self.picker.limit()));
        Ok(())
    }

    /// Gives up what lies behind enough keys.
    fn cut(&mut self) {
        let mut sum = self.picker.listed.keys;
        let enough = self.ranges.iter().find(|range| {
            sum += range.spooled;
            sum >= self.picker.limit()
        });
        if let Some(id) = enough.map(|range| range.id) {
            self.ranges.cut_behind(id);
        }
    }

    /// Puts the next page of the first range into the key file.
    fn give_out(&mut self) -> Result<GivenOut, StreamError> {
        while self.proofs.iter().all(|proof| proof.given)
            && let Some(front) = self.ranges.front()
        {
            let id = front.id;
            if front.is_empty_so_far() {
                if front.state != RangeState::Done {
                    return Ok(GivenOut::Nothing);
                }
                self.spool.forget(id);
                self.ranges.drop_front();
                continue;
            }
            if !self.ranges.is_closed() {
                return Ok(GivenOut::Nothing);
            }
            let Some(front) = self.ranges.front() else {
                break;
            };
            if let Some(records) = self.spool.pop(id).map_err(ListError::Spool)? {
                front.spooled -= records.len() as u64;
                for record in &records {
                    if !self.picker.take(record)? {
                        return Ok(GivenOut::Enough);
                    }
                }
                return Ok(GivenOut::Something);
            }
            if front.state != RangeState::Done {
                return Ok(GivenOut::Nothing);
            }
            self.spool.forget(id);
            self.ranges.drop_front();
        }
        Ok(GivenOut::Nothing)
    }
}

/// The answer to a question that one stream has no need to ask.
fn doubted(page: Result<ListPage, StoreError>) -> Result<ListPage, StreamError> {
    page.map_err(|error| {
        if is_refusal(&error) {
            StreamError::Order
        } else {
            ListError::from(error).into()
        }
    })
}

/// What was put into the key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GivenOut {
    Nothing,
    Something,
    Enough,
}

#[cfg(test)]
mod tests;
