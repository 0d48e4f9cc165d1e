//! The source bucket: what a GET, a HEAD or a listing page of it answers, with the network model and the faults.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use s3s::dto::{ETag, StreamingBlob, Timestamp};
use s3s::{S3Error, S3Result, s3_error};
use time::macros::datetime;

use super::body::{Body, Break};
use super::connection::RequestContext;
use super::keys::KeySpace;
use super::listing::SortedKeys as _;
use super::meter::RateLimit;
use super::model::{Fault, ServiceModel};
use super::options::Options;
use super::statistics::{Lasting, Statistics};
use super::timer::now_ns;

/// An object's facts, as a head or a listing shows them.
pub(super) struct ObjectFacts {
    index: u64,
    pub(super) size: u64,
    pub(super) tag: ETag,
    pub(super) archived: bool,
}

/// Most objects whose GETs are counted each by itself: 16 MiB of counters.
const COUNTED: u64 = 1 << 24;

pub(super) struct SourceBucket {
    pub(super) keys: KeySpace,
    model: ServiceModel,
    statistics: Arc<Statistics>,
    requests: Option<RateLimit>,
    bandwidth: Option<Arc<RateLimit>>,
    list_delay_ns: u64,
    pub(super) page_keys: u64,
    /// Requests so far: each draws its delay by its number.
    served: AtomicU64,
    /// How often each object was asked for (objects a multiple of [`COUNTED`] apart share a count); empty without faults that depend on it.
    asked: Vec<AtomicU8>,
}

impl SourceBucket {
    pub(super) fn new(options: &Options, statistics: Arc<Statistics>) -> Self {
        let keys = KeySpace::new(options);
        let counted = if options.faults.any_transient() {
            keys.len().min(COUNTED)
        } else {
            0
        };
        Self {
            keys,
            model: ServiceModel::new(options),
            statistics,
            requests: options.request_rate_per_s.map(RateLimit::new),
            bandwidth: options
                .total_rate_bytes_per_s
                .map(|rate| Arc::new(RateLimit::new(rate))),
            list_delay_ns: options.list_delay_ns,
            page_keys: u64::from(options.page_keys),
            served: AtomicU64::new(0),
            asked: (0..counted).map(|_| AtomicU8::new(0)).collect(),
        }
    }

    /// Whether every GET of an object that is there gets it, so that nothing has to be drawn for it.
    pub(super) fn always_answers(&self) -> bool {
        self.requests.is_none() && self.model.is_faultless()
    }

    /// Every object's time of change: the bucket was never written to.
    pub(super) fn modified() -> Timestamp {
        Timestamp::from(datetime!(2026-01-01 0:00 UTC))
    }

    /// The facts of the object at `index`.
    pub(super) fn facts(&self, index: u64, key: &str) -> ObjectFacts {
        let size = if KeySpace::is_empty_object(key) {
            0
        } else {
            self.model.size(index)
        };
        ObjectFacts {
            index,
            size,
            tag: ETag::Strong(self.model.tag(index)),
            archived: self.model.is_archived(index),
        }
    }

    /// Waits as long as a listing page takes.
    pub(super) async fn list_page(&self, context: &RequestContext) {
        self.statistics.list_pages.fetch_add(1, Ordering::Relaxed);
        if self.list_delay_ns > 0 {
            context
                .connection
                .timer
                .until(context.started_ns + self.list_delay_ns)
                .await;
        }
    }

    /// Waits for the first byte's time and finds the object: what GET and HEAD have in common.
    pub(super) async fn find(&self, key: &str, context: &RequestContext) -> S3Result<ObjectFacts> {
        if self
            .requests
            .as_ref()
            .is_some_and(|meter| !meter.admit(now_ns()))
        {
            self.statistics
                .refused_above_rate
                .fetch_add(1, Ordering::Relaxed);
            return Err(slow_down());
        }
        let delay = self
            .model
            .first_byte_delay_ns(self.served.fetch_add(1, Ordering::Relaxed));
        if delay > 0 {
            let deadline = context.started_ns + delay;
            context.connection.timer.until(deadline).await;
            self.statistics.late(now_ns().saturating_sub(deadline));
        }
        let index = self.keys.find(key).ok_or_else(no_such_key)?;
        if self.model.is_missing(index) {
            self.statistics.lasting(Lasting::Missing);
            return Err(no_such_key());
        }
        Ok(self.facts(index, key))
    }

    /// What this GET suffers, when it is not answered as it should be.
    pub(super) async fn fault(
        &self,
        facts: &ObjectFacts,
        context: &RequestContext,
    ) -> S3Result<Option<Break>> {
        if facts.archived {
            self.statistics.lasting(Lasting::Archived);
            return Err(s3_error!(
                InvalidObjectState,
                "The operation is not valid for the object's storage class"
            ));
        }
        let Some(fault) = self.draw(facts.index) else {
            return Ok(None);
        };
        self.statistics.fault(fault);
        match fault {
            Fault::InternalError => Err(s3_error!(
                InternalError,
                "We encountered an internal error. Please try again."
            )),
            Fault::SlowDown => Err(slow_down()),
            Fault::ExpiredToken => Err(s3_error!(ExpiredToken, "The provided token has expired.")),
            // An empty body cannot break off.
            Fault::ResetInBody | Fault::ResetBeforeHead if facts.size == 0 => {
                Err(abandoned(context, End::Reset))
            }
            Fault::Short if facts.size == 0 => Err(abandoned(context, End::Close)),
            Fault::ResetBeforeHead => Err(abandoned(context, End::Reset)),
            Fault::Stall if facts.size == 0 => std::future::pending().await,
            Fault::ResetInBody => Ok(Some(Break::Reset)),
            Fault::Stall => Ok(Some(Break::Stall)),
            Fault::Short => Ok(Some(Break::Short)),
        }
    }

    /// The bytes of a range, shared bandwidth applied.
    pub(super) fn body(
        &self,
        range: Range<u64>,
        context: RequestContext,
        breaks: Option<Break>,
    ) -> StreamingBlob {
        let body = Body::new(range, context, Arc::clone(&self.statistics));
        StreamingBlob::new(body.breaking(breaks).metered(self.bandwidth.clone()))
    }

    fn draw(&self, index: u64) -> Option<Fault> {
        let counter = self.asked.get(usize::try_from(index % COUNTED).ok()?)?;
        self.model
            .fault(index, u64::from(counter.fetch_add(1, Ordering::Relaxed)))
    }
}

/// How a connection ends that gives no answer.
#[derive(Clone, Copy)]
enum End {
    Reset,
    Close,
}

fn abandoned(context: &RequestContext, end: End) -> S3Error {
    context.connection.abandon();
    if matches!(end, End::Reset) {
        context.connection.reset_when_dropped();
    }
    s3_error!(InternalError, "the connection is given up on purpose")
}

fn slow_down() -> S3Error {
    s3_error!(SlowDown, "Please reduce your request rate.")
}

/// The answer for a key that is not there.
pub(super) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}
