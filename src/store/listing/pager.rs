//! Who asks for pages: the SDK, or a connection of the `lean` client, with the retry policy of fetches.
//!
//! Where `lean` gives up, the SDK asks once more: what it then says is the error that a person reads.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::scan::scan;
use super::{ListPage, PageQuery, query_text};
use crate::plan::Limits;
use crate::sample::Outcome;
use crate::store::attempt::{
    AttemptError, BodyHead, BodySink, CLOCK_CORRECTIONS, ObjectClient as _, Remedy,
};
use crate::store::backoff::backoff;
use crate::store::bucket::Bucket;
use crate::store::credentials::CredentialFeed;
use crate::store::error::StoreError;
use crate::store::lean::{Dialer, LeanClient};
use crate::store::limits::{PAGE_BYTES, PAGE_STALLS};
use crate::store::recipe::Recipe;

/// The code of an answer that is no listing page.
const NOT_A_PAGE: &str = "protocol";

/// Makes the askers that share a bucket's addresses and certificate authorities.
#[derive(Clone, Debug)]
pub(in crate::store) struct LeanPages {
    recipe: Arc<Recipe>,
    dialer: Arc<Dialer>,
    feed: Option<CredentialFeed>,
}

impl LeanPages {
    pub(in crate::store) fn new(
        recipe: Recipe,
        feed: Option<CredentialFeed>,
    ) -> Result<Self, StoreError> {
        let dialer = Dialer::new(
            &recipe.endpoint,
            recipe.limits.connect_timeout,
            recipe.access.ca_bundle.as_deref(),
        )?;
        Ok(Self {
            recipe: Arc::new(recipe),
            dialer: Arc::new(dialer),
            feed,
        })
    }

    /// Asker `number`. Opens no connection yet.
    pub(in crate::store) fn pager(&self, bucket: Bucket, number: u32) -> Pager {
        let client = LeanClient::new(
            Arc::clone(&self.dialer),
            &self.recipe,
            self.feed.clone(),
            number,
        );
        Pager::Lean(Box::new(LeanPager {
            client,
            bucket,
            limits: self.recipe.limits,
            random: fastrand::Rng::new(),
        }))
    }
}

/// Asks for pages, one at a time.
pub enum Pager {
    /// Through aws-sdk-s3.
    Sdk(Box<Bucket>),
    /// Over a connection of its own.
    Lean(Box<LeanPager>),
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
struct Tries {
    gets: u32,
    unconnected: u32,
    cut_off_since: Option<Instant>,
    refreshed: bool,
    corrected: u32,
}

enum Next {
    GiveUp,
    AtOnce,
    Refresh,
    Wait(Duration),
}

impl LeanPager {
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        let text = query_text(query, self.bucket.encodes_keys());
        let mut tries = Tries::default();
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
                Next::GiveUp => return self.bucket.list_page_once(query).await,
                Next::AtOnce => {}
                Next::Refresh => self.client.refresh_credentials().await,
                Next::Wait(time) => tokio::time::sleep(time).await,
            }
        }
    }

    /// One GET: the whole body, which is as long as announced, and not longer than a page can be.
    async fn attempt(&mut self, query: &str) -> Result<Vec<u8>, AttemptError> {
        let (progress, over) = (Cell::new(Instant::now()), Cell::new(false));
        let mut document = Document {
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
            let last = Instant::now() + self.limits.stall_timeout * PAGE_STALLS;
            loop {
                let deadline = progress.get() + self.limits.stall_timeout;
                match tokio::time::timeout_at(deadline.min(last), &mut call).await {
                    Ok(result) => break result?,
                    Err(_)
                        if progress.get() + self.limits.stall_timeout > deadline
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
    fn after(&mut self, remedy: Remedy, begin: Instant, tries: &mut Tries) -> Next {
        if remedy != Remedy::Reconnect {
            (tries.unconnected, tries.cut_off_since) = (0, None);
        }
        match remedy {
            Remedy::Nothing(_) => Next::GiveUp,
            Remedy::NewConnection => Next::AtOnce,
            Remedy::Refresh if tries.refreshed => Next::GiveUp,
            Remedy::Refresh => {
                tries.refreshed = true;
                Next::Refresh
            }
            Remedy::ClockCorrected if tries.corrected >= CLOCK_CORRECTIONS => Next::GiveUp,
            Remedy::ClockCorrected => {
                tries.corrected += 1;
                Next::AtOnce
            }
            Remedy::BackOff => {
                tries.gets += 1;
                if tries.gets >= self.limits.attempts {
                    Next::GiveUp
                } else {
                    Next::Wait(backoff(tries.gets - 1, self.random.f64()))
                }
            }
            Remedy::Reconnect => {
                let since = *tries.cut_off_since.get_or_insert(begin);
                tries.unconnected += 1;
                if since.elapsed() >= self.limits.stall_timeout {
                    Next::GiveUp
                } else {
                    Next::Wait(backoff(tries.unconnected - 1, self.random.f64()))
                }
            }
        }
    }
}

/// The body of an answer.
struct Document<'a> {
    progress: &'a Cell<Instant>,
    /// More came than a page can have.
    over: &'a Cell<bool>,
    announced: Option<u64>,
    bytes: Vec<u8>,
}

impl BodySink for Document<'_> {
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
