//! Looks at the target and the originals before anything is stored: what is there, what there is to do, and what it costs.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::copies::{self, Originals};
use super::forecast::Forecast;
use super::items::FillItems;
use super::objects::Made;
use super::request::{Content, Fill, FillContext, LeftOut, Missing};
use crate::estimate::{Bytes, Paid, Usd, usd};
use crate::exit::Failure;
use crate::plan::Limits;
use crate::price::{Egress, PriceList};
use crate::results::summary::{StorageClass, fetched_classes};
use crate::store::{Bucket, PART_BYTES, PageQuery, Session, StoreErrorKind};

/// What was found of the bucket before anything is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetState {
    /// It does not exist.
    NoBucket,
    /// It holds nothing under the prefix.
    Nothing,
    /// It holds objects there, or nobody may list it: each key is looked at first.
    Objects,
}

pub(super) struct ReadyFill {
    pub(super) target: Bucket,
    pub(super) found: TargetState,
    pub(super) items: FillItems,
    pub(super) forecast: Forecast,
    /// Keys of originals are in it.
    pub(super) _spool: TempDir,
}

pub(super) async fn look(
    fill: &Fill,
    spool: TempDir,
    context: &mut FillContext<'_>,
) -> Result<ReadyFill, Failure> {
    let FillContext {
        prices, on_event, ..
    } = context;
    let session = Session::load(&fill.access, Limits::default(), None).await?;
    let mut target = Bucket::new(&session, &fill.target.bucket);
    let found = reach(fill, &mut target).await?;
    let region = target.session().region().to_owned();
    let (items, mut forecast, charged) = match &fill.content {
        Content::Made(made) => (
            FillItems::Made(*made),
            of_made(fill, *made),
            Charged::default(),
        ),
        Content::Copied(copied) => {
            let mut source = Bucket::new(&session, &copied.from.bucket);
            let originals = copies::find(
                (copied, &fill.target.key),
                (&mut source, spool.path()),
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
                FillItems::Copied(originals.keys, copied.clone()),
                forecast,
                charged,
            )
        }
    };
    forecast.makes_bucket = found == TargetState::NoBucket;
    forecast.heads = if found == TargetState::Objects {
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
    Ok(ReadyFill {
        target,
        found,
        items,
        forecast,
        _spool: spool,
    })
}

/// Whether the bucket exists, and holds something under the prefix.
async fn reach(fill: &Fill, target: &mut Bucket) -> Result<TargetState, Failure> {
    let query = PageQuery {
        max_keys: Some(1),
        ..PageQuery::of(&fill.target.key)
    };
    match target.list_page(&query).await {
        Ok(page) if page.keys.is_empty() && !page.truncated => Ok(TargetState::Nothing),
        Ok(_) => Ok(TargetState::Objects),
        Err(error) if error.kind == StoreErrorKind::Denied => Ok(TargetState::Objects),
        Err(error) if error.kind == StoreErrorKind::NoSuchBucket => match fill.missing {
            Missing::Create => Ok(TargetState::NoBucket),
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
