//! Who asks for pages: the SDK, or a connection of the `lean` client, with the retry policy of fetches.
//!
//! Where `lean` gives up, the SDK asks once more: what it then says is the error that a person reads.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::lean_pages::LeanPages;
use super::scan::scan;
use super::{ListPage, PageQuery, query_text};
use crate::plan::Limits;
use crate::sample::Outcome;
use crate::store::attempt::{
    AttemptError, BodyHead, BodySink, CLOCK_CORRECTIONS, ObjectClient as _, Remedy,
};
use crate::store::backoff::backoff;
use crate::store::bucket::{Bucket, PagesBy};
use crate::store::error::StoreError;
use crate::store::lean::LeanClient;
use crate::store::limits::{PAGE_BYTES, PAGE_STALLS};
use crate::store::recipe::S3Recipe;

/// The code of an answer that is no listing page.
const NOT_A_PAGE: &str = "protocol";

/// Asks for pages, one at a time.
pub enum Pager {
    /// Through aws-sdk-s3.
    Sdk(Box<Bucket>),
    /// Over a connection of its own.
    Lean(Box<LeanPager>),
}

impl Bucket {
    /// Asker `number` for pages of this bucket. For when a first page has come: only then it is known where the bucket is.
    ///
    /// # Errors
    /// When the bucket's endpoint is not found, or its certificate authorities cannot be read.
    pub async fn pager(&mut self, number: u32) -> Result<Pager, StoreError> {
        if let PagesBy::Lean(feed) = &self.pages {
            let recipe = S3Recipe::resolve(&self.session, &self.name).await?;
            self.pages = PagesBy::LeanAt(LeanPages::new(recipe, feed.clone())?);
        }
        Ok(match &self.pages {
            PagesBy::LeanAt(pages) => Pager::Lean(Box::new(LeanPager {
                client: pages.client(number),
                bucket: self.clone(),
                limits: pages.limits(),
                random: fastrand::Rng::new(),
            })),
            PagesBy::Sdk | PagesBy::Lean(_) => Pager::Sdk(Box::new(self.clone())),
        })
    }
}

impl Pager {
    /// One page.
    ///
    /// # Errors
    /// What the last attempt failed with.
    pub async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        match self {
            Self::Sdk(bucket) => bucket.list_page(query).await,
            Self::Lean(pager) => pager.page(query).await,
        }
    }
}

/// Asks over one connection of the `lean` client.
pub struct LeanPager {
    client: LeanClient,
    bucket: Bucket,
    limits: Limits,
    random: fastrand::Rng,
}

/// Tries of one page so far.
#[derive(Default)]
struct PageTries {
    gets: u32,
    unconnected: u32,
    cut_off_since: Option<Instant>,
    refreshed: bool,
    corrected: u32,
}

enum NextTry {
    GiveUp,
    AtOnce,
    Refresh,
    Wait(Duration),
}

impl LeanPager {
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        let text = query_text(query, self.bucket.key_encoding());
        let mut tries = PageTries::default();
        loop {
            let begin = Instant::now();
            let read = self.attempt(&text).await.and_then(|document| {
                scan(&document).map_err(|why| {
                    tracing::debug!(why, "a listing page cannot be read");
                    AttemptError::own(NOT_A_PAGE, Remedy::BackOff)
                })
            });
            let error = match read {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            tracing::debug!(code = %error.code, "no listing page");
            match self.after(error.remedy, begin, &mut tries) {
                // What the SDK then says is the error that a person reads.
                NextTry::GiveUp => return self.bucket.list_page_once(query).await,
                NextTry::AtOnce => {}
                NextTry::Refresh => self.client.refresh_credentials().await,
                NextTry::Wait(time) => tokio::time::sleep(time).await,
            }
        }
    }

    /// One GET: the whole body, which is as long as announced, and not longer than a page can be.
    async fn attempt(&mut self, query: &str) -> Result<Vec<u8>, AttemptError> {
        let (progress, over) = (Cell::new(Instant::now()), Cell::new(false));
        let mut document = PageDocument {
            progress: &progress,
            over: &over,
            announced: None,
            bytes: Vec::new(),
        };
        let too_long = || AttemptError::own(NOT_A_PAGE, Remedy::Nothing(Outcome::Failed));
        {
            let mut call = std::pin::pin!(self.client.list(query, &mut document));
            let mut call = std::pin::pin!(poll_fn(|context| match call.as_mut().poll(context) {
                // Nobody waits for the rest.
                _ if over.get() => Poll::Ready(Err(too_long())),
                result => result,
            }));
            let last = Instant::now() + self.limits.stall() * PAGE_STALLS;
            loop {
                let deadline = progress.get() + self.limits.stall();
                match tokio::time::timeout_at(deadline.min(last), &mut call).await {
                    Ok(result) => break result?,
                    Err(_)
                        if progress.get() + self.limits.stall() > deadline
                            && Instant::now() < last => {}
                    Err(_) => return Err(AttemptError::own("stalled", Remedy::BackOff)),
                }
            }
        }
        match document.announced {
            Some(length) if length != document.bytes.len() as u64 => {
                Err(AttemptError::own("short-body", Remedy::BackOff))
            }
            _ => Ok(document.bytes),
        }
    }

    /// The retry policy of fetches.
    fn after(&mut self, remedy: Remedy, begin: Instant, tries: &mut PageTries) -> NextTry {
        if remedy != Remedy::Reconnect {
            (tries.unconnected, tries.cut_off_since) = (0, None);
        }
        match remedy {
            Remedy::Nothing(_) => NextTry::GiveUp,
            Remedy::NewConnection => NextTry::AtOnce,
            Remedy::Refresh if tries.refreshed => NextTry::GiveUp,
            Remedy::Refresh => {
                tries.refreshed = true;
                NextTry::Refresh
            }
            Remedy::ClockCorrected if tries.corrected >= CLOCK_CORRECTIONS => NextTry::GiveUp,
            Remedy::ClockCorrected => {
                tries.corrected += 1;
                NextTry::AtOnce
            }
            Remedy::BackOff => {
                tries.gets += 1;
                if tries.gets >= self.limits.attempts {
                    NextTry::GiveUp
                } else {
                    NextTry::Wait(backoff(tries.gets - 1, self.random.f64()))
                }
            }
            Remedy::Reconnect => {
                let since = *tries.cut_off_since.get_or_insert(begin);
                tries.unconnected += 1;
                if since.elapsed() >= self.limits.stall() {
                    NextTry::GiveUp
                } else {
                    NextTry::Wait(backoff(tries.unconnected - 1, self.random.f64()))
                }
            }
        }
    }
}

/// The body of an answer.
struct PageDocument<'a> {
    progress: &'a Cell<Instant>,
    /// More came than a page can have.
    over: &'a Cell<bool>,
    announced: Option<u64>,
    bytes: Vec<u8>,
}

impl BodySink for PageDocument<'_> {
    fn head(&mut self, head: &BodyHead<'_>) {
        self.progress.set(Instant::now());
        self.announced = head.length;
        // A page is some hundred KiB; a head that promises more is not believed before its bytes come.
        self.bytes.reserve(
            head.length
                .and_then(|length| usize::try_from(length).ok())
                .unwrap_or(0)
                .min(1 << 20),
        );
    }

    fn chunk(&mut self, bytes: &[u8]) {
        self.progress.set(Instant::now());
        if (self.bytes.len() + bytes.len()) as u64 > PAGE_BYTES {
            self.over.set(true);
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }
}
