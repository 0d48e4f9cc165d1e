//! From a run that is set up to one that can fetch: list the keys, find where requests go, lay the items out, and ask a person if it is much.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use super::ahead::{self, Ahead, CostCheck};
use super::arrange::arrange;
use super::aws::Aws;
use super::fetch::FetchPhase;
use super::interrupt::unless_signalled;
use super::listing;
use super::log::RunLog;
use super::source::{Destinations, OpenSource};
use crate::engine::ChildOptions;
use crate::event::RunEvent;
use crate::exit::Failure;
use crate::plan::RunPlan;
use crate::platform::wait::comes;
use crate::platform::{Environment, Sources, fault};
use crate::results::summary::RunFacts;
use crate::server::Embedded;
use crate::speed::Store;
use crate::spool::folder::spool_failure;
use crate::spool::items::Items;
use crate::spool::keys::KeyFile;
use crate::store::Recipe;

/// What a run has once it is set up.
pub(super) struct Setup<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) aws: Option<Aws>,
    pub(super) spool: &'a Path,
    /// Where the results are written.
    pub(super) results: &'a Path,
    pub(super) children: ChildOptions,
    pub(super) sources: &'a Sources,
    pub(super) server: Option<&'a mut Embedded>,
    pub(super) store: Store,
    pub(super) consent: CostCheck<'a>,
}

/// Prepares the fetch phase; `None` when there is nothing to fetch, or a signal came first.
pub(super) async fn prepare<'a>(
    setup: Setup<'a>,
    facts: &mut RunFacts,
    log: &mut RunLog<'_>,
) -> Result<Option<FetchPhase<'a>>, Failure> {
    let Setup {
        plan,
        aws,
        spool,
        results,
        children,
        sources,
        server,
        store,
        consent,
    } = setup;
    let mut source = OpenSource::new(plan, aws.as_ref())?;
    let speed = listing::speed(plan, &facts.header.environment, store);
    let mut signal = log.signal();
    let listed = tokio::select! {
        listed = listing::list(plan, (&mut source, spool), speed.clone(), log) => Some(listed?),
        _ = comes(&mut signal) => None,
    };
    let Some((listed, listing)) = listed else {
        log.event(&RunEvent::Interrupted);
        return Ok(None);
    };
    fault::point("listed");
    facts.listing = listing;
    if listed.keys == 0 {
        log.account(format!(
            "there are no keys under {}",
            plan.source.uri(&plan.selection.prefix)
        ));
        return Ok(None);
    }
    let found = source.destinations(plan);
    let recipe = take_over(unless_signalled(log.signal(), found).await?, facts, log);
    let keys = Arc::new(KeyFile::open(spool).map_err(|error| spool_failure(&error))?);
    let Some(laid_out) = arrange(plan.layout, (&keys, spool), log).await? else {
        return Ok(None);
    };
    let most_bytes = consent.cost_policy.approval.max_bytes;
    let environment = &facts.header.environment;
    let classes = unless_signalled(log.signal(), ahead::classes(plan, environment, &keys)).await?;
    let ahead = Ahead {
        plan,
        listed,
        gets: plan.source.requests().unwrap_or(laid_out.items),
        speed: &speed,
        classes,
    };
    unless_signalled(log.signal(), ahead.agree(&facts.header, log, consent)).await?;
    Ok(Some(FetchPhase {
        plan,
        listed,
        items: Arc::new(Items::open(spool).map_err(|error| spool_failure(&error))?),
        key_bytes: keys.mean_bytes().map_err(|error| spool_failure(&error))?,
        keys,
        laid_out,
        spool,
        results,
        recipe,
        feed: aws
            .filter(|_| plan.source.is_bucket())
            .and_then(|aws| aws.feed),
        children,
        runtimes: runtimes(environment),
        most_bytes,
        server,
        sources,
    }))
}

/// One runtime per vCPU, rounded up; one below 1 vCPU, because two threads would use up a small quota in half the time and then stand still.
fn runtimes(environment: &Environment) -> NonZeroU32 {
    let limit = environment.vcpu.limit_vcpu.unwrap_or(1.0).ceil();
    // No machine has so many that a few thousand runtimes would be too few.
    (1..=4096)
        .rev()
        .find(|count| f64::from(*count) <= limit)
        .and_then(NonZeroU32::new)
        .unwrap_or(NonZeroU32::MIN)
}

/// Puts what is known of the server into the facts.
fn take_over(found: Destinations, facts: &mut RunFacts, log: &mut RunLog<'_>) -> Recipe {
    let Destinations {
        recipe,
        region,
        server,
        addresses,
        lookup_ns,
        note,
    } = found;
    if let Some(note) = note {
        log.warn(note);
    }
    log.phases.lookup_ns = lookup_ns;
    let header = &mut facts.header;
    (header.region, header.resolved_addresses) = (region, addresses);
    if server.is_some() {
        header.endpoint = server;
    }
    recipe
}
