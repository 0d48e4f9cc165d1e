//! Stores objects, several at once, and replaces none.

use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

use super::copies::unusable;
use super::items::{FillItem, FillItems};
use super::look::TargetState;
use super::objects::Made;
use crate::exit::{Exit, Failure, Signal};
use crate::platform::wait::comes;
use crate::store::{
    Bucket, HeldObject, Looked, Origin, PART_BYTES, Replace, StoreError, StoreErrorKind,
};
use crate::units;

/// Bytes of made objects in memory at once, in MiB.
pub(super) const MEMORY_MIB: u32 = 256;
/// What to do about an object that is in the way.
const ELSEWHERE: &str = "fill replaces no object: give another prefix, as s3://BUCKET/NAME/, or remove the objects first";

/// What became of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemEnd {
    Stored(u64),
    Found(u64),
    Missing,
}

/// What stores objects.
pub(super) struct Storer {
    pub(super) target: Bucket,
    pub(super) prefix: String,
    pub(super) items: FillItems,
    pub(super) found: TargetState,
    /// MiB that may be held.
    pub(super) memory: Semaphore,
}

impl Storer {
    /// Stores all, `at_once` at a time, until a signal comes, which is returned.
    pub(super) async fn all(
        &self,
        at_once: usize,
        signal: &mut Receiver<Option<Signal>>,
        ended: &mut dyn FnMut(ItemEnd),
    ) -> Result<Option<Signal>, Failure> {
        let mut tries = std::pin::pin!(
            futures::stream::iter(0..self.items.count())
                .map(|number| self.one(number))
                .buffer_unordered(at_once)
        );
        loop {
            tokio::select! {
                biased;
                came = comes(signal) => return Ok(Some(came)),
                next = tries.next() => match next {
                    None => return Ok(None),
                    Some(outcome) => ended(outcome?),
                },
            }
        }
    }

    /// Makes sure that one object is there.
    async fn one(&self, number: u64) -> Result<ItemEnd, Failure> {
        let item = self.items.item(number).map_err(|error| unusable(&error))?;
        let key = format!("{}{}", self.prefix, item.key);
        let mut target = self.target.clone();
        if self.found == TargetState::Objects {
            match target.look(&key).await? {
                Looked::There(held) => return self.held(&item, &key, held),
                Looked::Nothing | Looked::Unknown => {}
            }
        }
        let stored = match &self.items {
            FillItems::Made(made) => self.make((made, &item), &mut target, &key).await,
            FillItems::Copied(_, copied) => match target
                .copy(
                    Origin {
                        bucket: &copied.from.bucket,
                        key: &item.key,
                    },
                    &key,
                )
                .await
            {
                Err(error) if error.kind == StoreErrorKind::NoSuchKey => {
                    return Ok(ItemEnd::Missing);
                }
                result => result,
            },
        };
        match stored {
            Ok(()) => Ok(ItemEnd::Stored(item.size.unwrap_or(0))),
            // Somebody was faster, or the answer to an earlier try of this very request was lost.
            Err(error) if error.kind == StoreErrorKind::Exists => match target.look(&key).await? {
                Looked::There(held) => self.held(&item, &key, held),
                Looked::Nothing | Looked::Unknown => {
                    Err(in_the_way(&target.uri(&key), "there is an object already"))
                }
            },
            Err(error) => Err(error.into()),
        }
    }

    /// An object that is there: this fill's own, or in the way.
    fn held(
        &self,
        item: &FillItem,
        key: &str,
        HeldObject { size, mark }: HeldObject,
    ) -> Result<ItemEnd, Failure> {
        let uri = self.target.uri(key);
        match mark {
            None => Err(in_the_way(
                &uri,
                "there is an object that fill did not make",
            )),
            Some(mark) if mark != self.items.mark() => Err(in_the_way(
                &uri,
                &format!("there is an object of another fill ({mark})"),
            )),
            Some(_) if size != item.size => {
                let sizes = [size, item.size].map(|size| {
                    size.map_or_else(|| "an unknown number of".to_owned(), units::count)
                });
                Err(in_the_way(
                    &uri,
                    &format!(
                        "there is an object of {} bytes from an earlier fill, and this one has {} bytes",
                        sizes[0], sizes[1]
                    ),
                ))
            }
            Some(_) => Ok(ItemEnd::Found(size.unwrap_or(0))),
        }
    }

    async fn make(
        &self,
        (made, item): (&Made, &FillItem),
        target: &mut Bucket,
        key: &str,
    ) -> Result<(), StoreError> {
        let size = item.size.unwrap_or(0);
        let held = u32::try_from(size.min(PART_BYTES).div_ceil(1 << 20))
            .unwrap_or(MEMORY_MIB)
            .clamp(1, MEMORY_MIB);
        // Closed never: it lives as long as this.
        let _memory = self.memory.acquire_many(held).await.ok();
        let part = |start: u64| {
            made.bytes(
                item.number,
                start,
                usize::try_from((size - start).min(PART_BYTES)).unwrap_or(0),
            )
        };
        if size <= PART_BYTES {
            return target.store(key, part(0), Replace::No).await;
        }
        let mut start = 0;
        let mut next = || {
            let bytes = part(start);
            start += bytes.len() as u64;
            Ok(bytes)
        };
        target.store_parts(key, &mut next, Replace::No).await
    }
}

fn in_the_way(uri: &str, what: &str) -> Failure {
    Failure::new(Exit::SetUp, format!("cannot store {uri}: {what}")).hint(ELSEWHERE)
}
