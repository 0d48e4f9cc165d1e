//! The keys of a run: listed, and a random sample in their place where that was asked for.

use std::path::Path;

use super::log::RunLog;
use super::source::OpenSource;
use crate::event::RunEvent;
use crate::lister::{self, ListError, Listed};
use crate::plan::RunPlan;
use crate::platform::Environment;
use crate::platform::clock::now_ns;
use crate::results::summary::{ListingFacts, SampleFacts};
use crate::speed::{AssumedSpeed, Configuration, Store};
use crate::units::plural;

/// How fast this run is thought to be.
pub(super) fn speed(plan: &RunPlan, environment: &Environment, store: Store) -> AssumedSpeed {
    let vcpu = environment.vcpu.limit_vcpu.unwrap_or(1.0);
    let configuration = Configuration {
        vcpu,
        concurrency: f64::from(plan.concurrency.get()),
        shards: 1.0,
    };
    AssumedSpeed {
        store,
        configurations: vec![configuration],
    }
}

/// Lists the keys, and draws a sample of them where that was asked for.
pub(super) async fn list(
    plan: &RunPlan,
    (source, spool): (&mut OpenSource<'_>, &Path),
    speed: AssumedSpeed,
    log: &mut RunLog<'_>,
) -> Result<(Listed, ListingFacts), ListError> {
    let begin = now_ns();
    let on_event = &mut *log.on_event;
    let what = plan.source.entry();
    let progress = |keys| on_event(&RunEvent::Listing { keys, what });
    let listed = source.list(plan, spool, progress).await?;
    let elapsed_ns = now_ns().saturating_sub(begin);
    log.phases.listing_ns = Some(elapsed_ns);
    log.take_notes();
    tracing::info!(keys = listed.keys, pages = listed.pages, "listed");
    log.event(&RunEvent::Listed {
        keys: listed.keys,
        what,
        bytes: listed.bytes,
        elapsed_ns,
    });
    let (listed, sample) = draw(plan, (listed, spool), speed, log).await?;
    if listed.unchecked {
        log.warn(
            "the key file has no checksum line: nobody can tell whether it is whole".to_owned(),
        );
    }
    if listed.archived > 0 {
        let are = if listed.archived == 1 {
            "is in an archived storage class and is"
        } else {
            "are in an archived storage class and are"
        };
        log.warn(format!(
            "{} {are} not fetched",
            plural(listed.archived, "object")
        ));
    }
    let facts = ListingFacts {
        sample,
        keys: listed.keys,
        bytes: listed.bytes,
        lists: listed.pages,
    };
    Ok((listed, facts))
}

/// Draws the sample, if any; its time is part of the listing's.
async fn draw(
    plan: &RunPlan,
    (listed, spool): (Listed, &Path),
    speed: AssumedSpeed,
    log: &mut RunLog<'_>,
) -> Result<(Listed, Option<SampleFacts>), ListError> {
    let Some(sample) = plan.selection.sample.filter(|_| listed.keys > 0) else {
        return Ok((listed, None));
    };
    let begin = now_ns();
    let drawn = lister::draw(spool, (sample, listed), speed).await?;
    log.phases.listing_ns = log
        .phases
        .listing_ns
        .map(|listing_ns| listing_ns + now_ns().saturating_sub(begin));
    if let Some(facts) = &drawn.facts {
        log.event(&RunEvent::Sampled {
            words: facts.in_words(),
            bytes: facts.bytes,
        });
    }
    if let Some(note) = drawn.note {
        log.warn(note);
    }
    Ok((drawn.listed, drawn.facts))
}
