//! Behind the listing: a random sample of the keys takes their place, where that was asked for.

use std::path::Path;

use super::Log;
use crate::event::RunEvent;
use crate::lister::{self, ListError, Listed};
use crate::pace::{Configuration, Pace, Store};
use crate::plan::RunPlan;
use crate::platform::Environment;
use crate::platform::clock::now_ns;
use crate::results::summary::SampleFacts;

/// How fast this run is thought to be.
pub(super) fn pace(plan: &RunPlan, environment: &Environment, store: Store) -> Pace {
    let vcpu = environment.vcpu.limit_vcpu.unwrap_or(1.0);
    let configuration = Configuration { vcpu, concurrency: f64::from(plan.concurrency.get()), shards: 1.0 };
    Pace { store, configurations: vec![configuration] }
}

/// Draws the sample, if any; its time is part of the listing's.
pub(super) async fn draw(
    plan: &RunPlan,
    (listed, spool): (Listed, &Path),
    pace: Pace,
    log: &mut Log<'_>,
) -> Result<(Listed, Option<SampleFacts>), ListError> {
    let Some(sample) = plan.selection.sample.filter(|_| listed.keys > 0) else { return Ok((listed, None)) };
    let begin = now_ns();
    let drawn = lister::draw(spool, (sample, listed), pace).await?;
    log.phases.listing_ns = log.phases.listing_ns.map(|listing_ns| listing_ns + now_ns().saturating_sub(begin));
    if let Some(facts) = &drawn.facts {
        log.event(&RunEvent::Sampled { words: facts.in_words(), bytes: facts.bytes });
    }
    if let Some(note) = drawn.note {
        log.warn(note);
    }
    Ok((drawn.listed, drawn.facts))
}
