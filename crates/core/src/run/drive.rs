//! The order of a run: set up, prove the results place, list and fetch, write and store.
//!
//! Owns what a failure of each step means.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::task::JoinSet;

use super::ahead::CostCheck;
use super::aws::Aws;
use super::capacity;
use super::context::{RunContext, RunEnd};
use super::fallback::{self, Fallback};
use super::fetch::Fetched;
use super::finish::Closing;
use super::interrupt::proved;
use super::log::RunLog;
use super::prepare::{Setup, prepare};
use super::title::{ServedBy, title};
use crate::event::RunEvent;
use crate::exit::{Exit, Failure};
use crate::plan::{Access, RunPlan};
use crate::platform::clock::{now_ns, utc_now};
use crate::platform::panics;
use crate::results::place::ResultsPlace;
use crate::results::summary::{Header, RunFacts, State, Summary};
use crate::spool::folder::SpoolFolder;
use crate::store::{Bucket, Session};

/// Does the whole run.
///
/// # Errors
/// What ends a run before there are results to keep. Later failures are part of [`RunEnd`].
pub async fn run(plan: &RunPlan, context: RunContext<'_>) -> Result<RunEnd, Failure> {
    let mut fallback = None;
    let ended = AssertUnwindSafe(Box::pin(from_start_to_end(plan, context, &mut fallback)))
        .catch_unwind()
        .await;
    match ended {
        Ok(ended) => ended,
        Err(payload) => {
            Err(Box::pin(fallback::panicked(fallback, panics::caught(&*payload))).await)
        }
    }
}

async fn from_start_to_end(
    plan: &RunPlan,
    context: RunContext<'_>,
    fallback: &mut Option<Fallback>,
) -> Result<RunEnd, Failure> {
    let RunContext {
        process_start_ns,
        sources,
        children,
        embedded,
        prices,
        signal,
        on_event,
        warnings,
        store,
        cost_policy,
        ask,
    } = context;
    let mut log = RunLog::new(on_event, signal, warnings);
    let environment = crate::platform::inspect(&sources).await;
    capacity::check(plan, &environment)?;
    let mut header = Header::new(plan, utc_now(), environment);
    let reached = ServedBy::of(embedded.as_ref());
    let (server, credentials) = embedded.unzip();
    // Aborted when this function returns: the keeper lives as long as the run.
    let mut keeper = JoinSet::new();
    let aws = Aws::of_run(plan, credentials, &log, &mut keeper).await?;
    header.region = aws
        .as_ref()
        .filter(|_| plan.source.is_bucket())
        .map(|aws| aws.session.region().to_owned());
    log.event(&RunEvent::Started {
        title: title(plan, &header, reached),
    });
    let spool = SpoolFolder::create(plan.destination.spool_dir.as_deref())?;
    let (place, replaced) = prove(plan, aws.as_ref(), &header, &mut log).await?;
    *fallback = Some(Fallback {
        header: header.clone(),
        proved: place.proved(),
    });
    for warning in replaced {
        log.warn(warning);
    }
    log.phases.start_up_ns = Some(now_ns().saturating_sub(process_start_ns));
    let mut facts = RunFacts::new(header, State::Complete);
    let setup = Setup {
        plan,
        aws,
        spool: spool.path(),
        results: place.folder(),
        children,
        sources: &sources,
        server,
        store,
        consent: CostCheck {
            cost_policy,
            prices: &prices,
            ask,
        },
    };
    let fetched = Box::pin(list_and_fetch(setup, &mut facts, &mut log)).await;
    // Between two phases: what it takes is part of none.
    facts.header.environment.look_again(&sources).await;
    let closing = Closing {
        plan,
        prices: &prices,
        place,
        facts,
        log,
    };
    match fetched {
        Ok(Some(fetched)) => Box::pin(closing.with_rows(fetched, spool.path())).await,
        Ok(None) => Box::pin(closing.without_fetch()).await,
        Err(failure) => Err(Box::pin(closing.failed(failure)).await),
    }
}

/// Lists and fetches; `None` when there was nothing to fetch, or a signal came first.
async fn list_and_fetch(
    setup: Setup<'_>,
    facts: &mut RunFacts,
    log: &mut RunLog<'_>,
) -> Result<Option<Fetched>, Failure> {
    match prepare(setup, facts, log).await? {
        Some(phase) => Box::pin(phase.run(log)).await.map(Some),
        None => Ok(None),
    }
}

/// Proves that results can be stored. From then on a summary says there that the run is running. Warnings say what is replaced.
async fn prove(
    plan: &RunPlan,
    aws: Option<&Aws>,
    header: &Header,
    log: &mut RunLog<'_>,
) -> Result<(ResultsPlace, Vec<String>), Failure> {
    let bucket = results_bucket(plan, aws).await?;
    let running = Summary::running(header.clone())
        .to_json()
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    let stem = plan.result_stem();
    let prepare = Box::pin(ResultsPlace::prepare(
        &plan.destination,
        &stem,
        bucket,
        &running,
    ));
    proved(prepare, log).await
}

/// The results bucket. Without signatures the source is read, but nobody may write so: results are signed all the same.
async fn results_bucket(plan: &RunPlan, aws: Option<&Aws>) -> Result<Option<Bucket>, Failure> {
    let (Some(name), Some(Aws { session, .. })) = (plan.destination.bucket.as_deref(), aws) else {
        return Ok(None);
    };
    if !plan.access.no_sign_request {
        return Ok(Some(Bucket::new(session, name)));
    }
    let access = Access {
        no_sign_request: false,
        ..plan.access.clone()
    };
    Ok(Some(Bucket::new(
        &Session::load(&access, plan.fetch.limits, None).await?,
        name,
    )))
}
