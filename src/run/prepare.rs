//! From a run that is set up to one that can fetch: list the keys, find where requests go, lay the items out, and ask a person if it is much.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use super::ahead::{self, Ahead, CostCheck};
use super::arrange::arrange;
use super::fetch::FetchPhase;
use super::interrupt::unless_signalled;
use super::listing;
use super::log::RunLog;
use super::source::OpenSource;
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
use crate::store::{CredentialFeed, Recipe, Session};

/// What a run has once it is set up.
pub(super) struct Setup<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) session: Session,
    pub(super) spool: &'a Path,
    /// Where the results are written.
    pub(super) results: &'a Path,
    pub(super) feed: Option<CredentialFeed>,
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
        session,
        spool,
        results,
        feed,
        children,
        sources,
        server,
        store,
        consent,
    } = setup;
    let mut source = OpenSource::new(plan, &session, feed.clone());
    let speed = listing::speed(plan, &facts.header.environment, store);
    let mut signal = log.signal();
    let listed = tokio::select! {
        listed = listing::list(plan, (source.listing(), spool), speed.clone(), log) => Some(listed?),
        _ = comes(&mut signal) => None,
    };
    let Some((listed, listing)) = listed else {
        log.event(&RunEvent::Interrupted);
        return Ok(None);
    };
    fault::point("listed");
    facts.listing = listing;
    if listed.keys == 0 {
        log.warn(format!(
            "there are no keys under {}",
            plan.source.uri(&plan.selection.prefix)
        ));
        return Ok(None);
    }
    let recipe = source.recipe().await?;
    if recipe.region() != session.region() {
        log.warn(format!(
            "s3://{} is in {}, not in {}: requests go there",
            plan.source.bucket(),
            recipe.region(),
            session.region()
        ));
    }
    facts.header.region = Some(recipe.region().to_owned());
    facts.header.resolved_addresses = addresses(&recipe).await;
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
        gets: laid_out.items,
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
        feed,
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

async fn addresses(recipe: &Recipe) -> Option<u32> {
    let found = tokio::net::lookup_host((recipe.endpoint.host.as_str(), recipe.endpoint.port))
        .await
        .ok()?;
    u32::try_from(found.count()).ok()
}
