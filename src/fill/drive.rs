//! Looks at the bucket, asks, and stores what is not there yet, several objects at once.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

use super::copies::unusable;
use super::forecast::Forecast;
use super::look::{ReadyFill, TargetState, look};
use super::request::{Amount, Fill, FillContext, Filled};
use super::storer::{ItemEnd, MEMORY_MIB, Storer};
use crate::event::FillEvent;
use crate::exit::{Failure, Signal};
use crate::platform::clock::now_ns;
use crate::platform::wait::comes;
use crate::units;

/// How long uploads that were begun may take to be taken back after an error, and after a signal.
const CLEANUP_TIME: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(500));

/// Says what [`fill`] would do; stores nothing.
///
/// # Errors
/// What would end it before its first object.
pub async fn foresee(fill: &Fill, mut context: FillContext<'_>) -> Result<Forecast, Failure> {
    Box::pin(prepare(fill, &mut context))
        .await
        .map(|ready| ready.forecast)
}

/// Fills the bucket, or what is left of it.
///
/// # Errors
/// What ends it, an object in the way among it. What was stored stays, and the same command continues.
pub async fn fill(fill: &Fill, mut context: FillContext<'_>) -> Result<Filled, Failure> {
    let ReadyFill {
        mut target,
        found,
        items,
        forecast,
        _spool,
    } = Box::pin(prepare(fill, &mut context)).await?;
    let FillContext {
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
        if found == TargetState::NoBucket {
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
    let storer = Storer {
        target: target.clone(),
        prefix: fill.target.key.clone(),
        items,
        found,
        memory: Semaphore::new(MEMORY_MIB as usize),
    };
    let mut ended = |outcome| {
        match outcome {
            ItemEnd::Stored(bytes) => filled.stored.add(bytes),
            ItemEnd::Found(bytes) => filled.found.add(bytes),
            ItemEnd::Missing => filled.missing += 1,
        }
        on_event(&FillEvent::Progress {
            done: filled.stored.plus(filled.found).objects,
            stored: filled.stored.objects,
            stored_bytes: filled.stored.bytes,
        });
    };
    let result = storer
        .all(fill.concurrency.get() as usize, &mut signal, &mut ended)
        .await;
    filled.elapsed_ns = now_ns().saturating_sub(begun);
    if !matches!(result, Ok(None)) {
        // What is left of an upload in parts costs money and is seen nowhere.
        let time = if result.is_err() {
            CLEANUP_TIME.0
        } else {
            CLEANUP_TIME.1
        };
        let _late = tokio::time::timeout(time, target.abort_open()).await;
    }
    on_event(&FillEvent::Over);
    match result {
        Ok(signal) => Ok(Filled { signal, ..filled }),
        Err(failure) => {
            let there = filled.stored.plus(filled.found).objects;
            if there > 0 {
                on_event(&FillEvent::Warning(format!(
                    "{} of {} objects are stored",
                    units::count(there),
                    units::count(wanted.objects)
                )));
            }
            // What the error says of itself counts more: an object in the way stays in the way.
            let hint = failure.hint.clone();
            Err(failure.hint(hint.unwrap_or_else(|| "run the same command to continue".to_owned())))
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

async fn prepare(fill: &Fill, context: &mut FillContext<'_>) -> Result<ReadyFill, Failure> {
    let mut signal = context.signal.clone();
    let spool = tempfile::tempdir().map_err(|error| unusable(&error))?;
    unless_interrupted(&mut signal, Box::pin(look(fill, spool, context))).await
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
