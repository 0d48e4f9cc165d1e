//! Looks at the bucket, asks, and stores what is not there yet, several objects at once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

use super::copies::{self, Originals, unusable};
use super::forecast::Forecast;
use super::{Amount, Content, Context, Copied, Fill, Filled, LeftOut, Made, Missing};
use crate::event::FillEvent;
use crate::exit::{Exit, Failure, Signal};
use crate::outlook::{Bytes, Paid, Usd, usd};
use crate::plan::Limits;
use crate::platform::clock::now_ns;
use crate::platform::wait::comes;
use crate::price::{Egress, PriceList};
use crate::results::summary::{StorageClass, fetched_classes};
use crate::spool::keys::KeyFile;
use crate::store::{
    Bucket, Looked, Origin, PART_BYTES, PageQuery, Replace, Session, StoreError, StoreErrorKind,
};
use crate::units;

/// Bytes of made objects in memory at once, in MiB.
const MEMORY_MIB: u32 = 256;
/// How long uploads that were begun may take to be taken back after an error, and after a signal.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(500));
/// What to do about an object that is in the way.
const ELSEWHERE: &str = "fill replaces no object: give another prefix, as s3://BUCKET/NAME/, or remove the objects first";

/// What was found of the bucket before anything is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It does not exist.
    NoBucket,
    /// It holds nothing under the prefix.
    Nothing,
    /// It holds objects there, or nobody may list it: each key is looked at first.
    Objects,
}

/// A fill that is ready.
struct Ready {
    target: Bucket,
    found: Found,
    items: Items,
    forecast: Forecast,
    /// Keys of originals are in it.
    _spool: TempDir,
}

/// All objects that are to be there.
enum Items {
    Made(Made),
    Copied(KeyFile, Copied),
}

/// One of them.
struct Item {
    number: u64,
    /// Key behind the prefix.
    key: String,
    size: Option<u64>,
}

impl Items {
    fn count(&self) -> u64 {
        match self {
            Self::Made(made) => made.objects.get(),
            Self::Copied(keys, _) => keys.count(),
        }
    }

    fn item(&self, number: u64) -> std::io::Result<Item> {
        match self {
            Self::Made(made) => Ok(Item {
                number,
                key: Made::key(number),
                size: Some(made.size(number)),
            }),
            Self::Copied(keys, _) => {
                let record = keys
                    .read(number..number + 1)?
                    .pop()
                    .ok_or_else(|| std::io::Error::other("a key is missing"))?;
                Ok(Item {
                    number,
                    key: record.key,
                    size: record.size,
                })
            }
        }
    }

    /// What objects of this fill carry.
    fn mark(&self) -> String {
        match self {
            Self::Made(made) => made.mark(),
            Self::Copied(_, copied) => format!("copied-1 from={}", copied.from.bucket),
        }
    }
}

/// What became of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Stored(u64),
    Found(u64),
    Missing,
}

/// Says what [`fill`] would do; stores nothing.
///
/// # Errors
/// What would end it before its first object.
pub async fn foresee(fill: &Fill, mut context: Context<'_>) -> Result<Forecast, Failure> {
    Box::pin(prepare(fill, &mut context))
        .await
        .map(|ready| ready.forecast)
}

/// Fills the bucket, or what is left of it.
///
/// # Errors
/// What ends it, an object in the way among it. What was stored stays, and the same command continues.
pub async fn fill(fill: &Fill, mut context: Context<'_>) -> Result<Filled, Failure> {
    let Ready {
        mut target,
        found,
        items,
        forecast,
        _spool,
    } = Box::pin(prepare(fill, &mut context)).await?;
    let Context {
        mut signal,
        on_event,
        ask,
        ..
    } = context;
    if forecast.needs_asking(fill.consent) {
        on_event(&FillEvent::Asking);
    }
    let agreed = async {
        forecast.agree(fill.consent, ask).await?;
        if found == Found::NoBucket {
            target.create().await?;
        }
        Ok::<_, Failure>(())
    };
    unless_interrupted(&mut signal, agreed).await?;
    on_event(&FillEvent::Planned {
        title: title(&forecast),
        objects: forecast.objects,
    });
    let begun = now_ns();
    let wanted = Amount {
        objects: forecast.objects,
        bytes: forecast.bytes,
    };
    let mut filled = Filled {
        wanted,
        stored: Amount::default(),
        found: Amount::default(),
        missing: 0,
        left_out: forecast.left_out,
        elapsed_ns: 0,
        signal: None,
    };
    target = target.marking(&items.mark());
    let work = Work {
        target: target.clone(),
        prefix: fill.target.key.clone(),
        items,
        found,
        memory: Semaphore::new(MEMORY_MIB as usize),
    };
    let mut ended = |outcome| {
        match outcome {
            Outcome::Stored(bytes) => filled.stored.add(bytes),
            Outcome::Found(bytes) => filled.found.add(bytes),
            Outcome::Missing => filled.missing += 1,
        }
        on_event(&FillEvent::Progress {
            done: filled.stored.plus(filled.found).objects,
            stored_bytes: filled.stored.bytes,
        });
    };
    let result = work
        .all(fill.concurrency.get() as usize, &mut signal, &mut ended)
        .await;
    filled.elapsed_ns = now_ns().saturating_sub(begun);
    if !matches!(result, Ok(None)) {
        // What is left of an upload in parts costs money and is seen nowhere.
        let patience = if result.is_err() {
            PATIENCE.0
        } else {
            PATIENCE.1
        };
        let _late = tokio::time::timeout(patience, target.abort_open()).await;
    }
    on_event(&FillEvent::Over);
    match result {
        Ok(signal) => Ok(Filled { signal, ..filled }),
        Err(failure) => {
            let there = filled.stored.plus(filled.found).objects;
            // Where nothing was stored there is nothing to continue.
            if there > 0 {
                on_event(&FillEvent::Warning(format!(
                    "{} of {} objects are stored; run the same command to continue",
                    units::count(there),
                    units::count(wanted.objects)
                )));
            }
            Err(failure)
        }
    }
}

/// `filling s3://bench/ with 2,000 objects, 5.24 GB`
fn title(forecast: &Forecast) -> String {
    format!(
        "filling {} with {}",
        forecast.target,
        Amount {
            objects: forecast.objects,
            bytes: forecast.bytes
        }
    )
}

async fn prepare(fill: &Fill, context: &mut Context<'_>) -> Result<Ready, Failure> {
    let mut signal = context.signal.clone();
    let spool = tempfile::tempdir().map_err(|error| unusable(&error))?;
    unless_interrupted(&mut signal, Box::pin(look(fill, spool, context))).await
}

async fn look(fill: &Fill, spool: TempDir, context: &mut Context<'_>) -> Result<Ready, Failure> {
    let Context {
        prices, on_event, ..
    } = context;
    let session = Session::load(&fill.access, Limits::default(), None).await?;
    let mut target = Bucket::new(&session, &fill.target.bucket);
    let found = reach(fill, &mut target).await?;
    let region = target.session().region().to_owned();
    let (items, mut forecast, charged) = match &fill.content {
        Content::Made(made) => (Items::Made(*made), of_made(fill, *made), Charged::default()),
        Content::Copied(copied) => {
            let mut source = Bucket::new(&session, &copied.from.bucket);
            let originals = copies::find(
                copied,
                (&mut source, &fill.target.key, spool.path()),
                &mut **on_event,
            )
            .await?;
            let from = Some(source.session().region().to_owned()).filter(|from| *from != region);
            let forecast = of_copied(fill, &originals);
            let charged = Charged {
                classes: originals.classes,
                from,
            };
            (
                Items::Copied(originals.keys, copied.clone()),
                forecast,
                charged,
            )
        }
    };
    forecast.makes_bucket = found == Found::NoBucket;
    forecast.heads = if found == Found::Objects {
        forecast.objects
    } else {
        0
    };
    forecast.lists += 1;
    let by_aws = fill.access.endpoint_url.is_none() && target.endpoint().is_none();
    forecast.usd = if by_aws {
        price(&forecast, (&region, &charged), prices)
    } else {
        None
    };
    Ok(Ready {
        target,
        found,
        items,
        forecast,
        _spool: spool,
    })
}

/// Whether the bucket exists, and holds something under the prefix.
async fn reach(fill: &Fill, target: &mut Bucket) -> Result<Found, Failure> {
    let query = PageQuery {
        max_keys: Some(1),
        ..PageQuery::of(&fill.target.key)
    };
    match target.list_page(&query).await {
        Ok(page) if page.keys.is_empty() && !page.truncated => Ok(Found::Nothing),
        Ok(_) => Ok(Found::Objects),
        Err(error) if error.kind == StoreErrorKind::Denied => Ok(Found::Objects),
        Err(error) if error.kind == StoreErrorKind::NoSuchBucket => match fill.missing {
            Missing::Create => Ok(Found::NoBucket),
            Missing::Refuse => {
                let hint = format!(
                    "--create-bucket creates it; {}",
                    error.hint.as_deref().unwrap_or("check the bucket's name")
                );
                Err(Failure::from(error).hint(hint))
            }
        },
        Err(error) => Err(error.into()),
    }
}

/// Beside requests, what a copy is charged for.
#[derive(Default)]
struct Charged {
    /// Keys and bytes by storage class of the originals.
    classes: BTreeMap<String, StorageClass>,
    /// Region of the originals, where it is another.
    from: Option<String>,
}

fn price(
    forecast: &Forecast,
    (region, charged): (&str, &Charged),
    prices: &PriceList,
) -> Option<Usd> {
    let bytes = if charged.classes.is_empty() {
        0
    } else {
        forecast.bytes
    };
    let classes = fetched_classes(&charged.classes);
    // PUT, COPY and LIST have one price. The GET of an original is part of its COPY.
    let lists = forecast.puts + forecast.lists;
    let paid = Paid {
        region,
        gets: forecast.heads,
        lists,
        bytes: Bytes::Listed(bytes),
        egress: Egress::None,
        classes,
    };
    let usd = usd(&paid, prices)?;
    Some(match &charged.from {
        None => usd,
        Some(from) => Usd {
            egress: prices.egress_usd(from, Egress::Region, bytes as f64),
            dearest_egress: prices.dearest_egress_usd(Egress::Region, bytes as f64),
            to: Egress::Region,
            ..usd
        },
    })
}

fn empty_forecast(fill: &Fill) -> Forecast {
    Forecast {
        target: fill.target.to_string(),
        content: fill.content.clone(),
        objects: 0,
        bytes: 0,
        left_out: LeftOut::default(),
        puts: 0,
        lists: 0,
        heads: 0,
        usd: None,
        makes_bucket: false,
        is_on_this_machine: fill.access.is_on_this_machine(),
    }
}

fn of_made(fill: &Fill, made: Made) -> Forecast {
    let mut forecast = Forecast {
        objects: made.objects.get(),
        ..empty_forecast(fill)
    };
    for size in (0..made.objects.get()).map(|number| made.size(number)) {
        forecast.bytes = forecast.bytes.saturating_add(size);
        // An upload in parts is begun and completed as well.
        forecast.puts += if size <= PART_BYTES {
            1
        } else {
            size.div_ceil(PART_BYTES) + 2
        };
    }
    forecast
}

fn of_copied(fill: &Fill, originals: &Originals) -> Forecast {
    let count = originals.keys.count();
    let bytes = originals
        .classes
        .values()
        .fold(0_u64, |sum, class| sum.saturating_add(class.bytes));
    Forecast {
        objects: count,
        bytes,
        left_out: originals.left_out,
        puts: count,
        lists: originals.pages,
        ..empty_forecast(fill)
    }
}

/// What stores objects.
struct Work {
    target: Bucket,
    prefix: String,
    items: Items,
    found: Found,
    /// MiB that may be held.
    memory: Semaphore,
}

impl Work {
    /// Stores all, `at_once` at a time, until a signal comes, which is returned.
    async fn all(
        &self,
        at_once: usize,
        signal: &mut Receiver<Option<Signal>>,
        ended: &mut dyn FnMut(Outcome),
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
    async fn one(&self, number: u64) -> Result<Outcome, Failure> {
        let item = self.items.item(number).map_err(|error| unusable(&error))?;
        let key = format!("{}{}", self.prefix, item.key);
        let mut target = self.target.clone();
        if self.found == Found::Objects {
            match target.look(&key).await? {
                Looked::There(held) => return self.held(&item, (&key, held.size, held.mark)),
                Looked::Nothing | Looked::Unknown => {}
            }
        }
        let stored = match &self.items {
            Items::Made(made) => self.make((made, &item), &mut target, &key).await,
            Items::Copied(_, copied) => match target
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
                    return Ok(Outcome::Missing);
                }
                result => result,
            },
        };
        match stored {
            Ok(()) => Ok(Outcome::Stored(item.size.unwrap_or(0))),
            // Somebody was faster, or the answer to an earlier try of this very request was lost.
            Err(error) if error.kind == StoreErrorKind::Exists => match target.look(&key).await? {
                Looked::There(held) => self.held(&item, (&key, held.size, held.mark)),
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
        item: &Item,
        (key, size, mark): (&str, Option<u64>, Option<String>),
    ) -> Result<Outcome, Failure> {
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
            Some(_) => Ok(Outcome::Found(size.unwrap_or(0))),
        }
    }

    async fn make(
        &self,
        (made, item): (&Made, &Item),
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

/// Does `work`, unless a signal comes first: then nothing has been stored.
async fn unless_interrupted<T>(
    signal: &mut Receiver<Option<Signal>>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        signal = comes(signal) => Err(Failure::new(signal.exit(), "interrupted before the first object").hint("run the same command to begin again")),
    }
}
