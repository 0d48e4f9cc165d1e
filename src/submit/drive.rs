//! From a job to its end: what stands in its folder already, the keys and their division, the request, the wait.

use std::path::PathBuf;

use super::allowed::{check_price, few_enough, may_be_spent};
use super::claim::{StoredJob, begun, claim, own_word, release, store_over};
use super::document::{FILE_NAME, JobDocument, JobPlan, SCHEMA, ShardKeys, VERSION};
use super::forecast::JobForecast;
use super::job::{Afterwards, BatchJob, Division};
use super::listing::{ListedKeys, divided, forecast_of, is_transfer_unpriced, list};
use super::manifest::KeyFileSet;
use super::noted::{note_id, store};
use super::redo::Waits;
use super::tally::KeyTally;
use super::wait::{FEW_LOOKS, JobEnd, JobWatch};
use crate::cloud::Jobs;
use crate::estimate::CostConsent;
use crate::event::JobEvent;
use crate::exit::{Exit, Failure, Signal, same_command};
use crate::platform::bounded::text;
use crate::platform::clock::utc_now;
use crate::platform::wait::comes;
use crate::price::PriceList;
use crate::run::reached;
use crate::server::{Embedded, ProcessConfig};
use crate::store::{Bucket, Session};

/// What a job gets from outside.
pub struct SubmitContext<'a> {
    /// This program.
    pub executable: PathBuf,
    /// Prices of the forecast.
    pub prices: PriceList,
    /// Set once a signal has come.
    pub signal: tokio::sync::watch::Receiver<Option<Signal>>,
    /// Hears every event.
    pub on_event: &'a mut dyn FnMut(&JobEvent),
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmitOutcome {
    /// Nothing was submitted, as nothing may be spent.
    Forecast(Box<JobForecast>),
    /// It goes on, and is not waited for: its id.
    Left(String),
    /// It is over.
    Over {
        /// How it ended.
        end: JobEnd,
        /// Keys that its children had to fetch.
        keys: u64,
        /// What each of them had to fetch, in their order.
        shards: Vec<ShardKeys>,
    },
}

/// Says what [`submit`] would do: lists the keys and divides them; submits and stores nothing.
///
/// # Errors
/// What would end the job before it is submitted.
pub async fn forecast(job: &BatchJob, context: SubmitContext<'_>) -> Result<JobForecast, Failure> {
    let server = match &job.embedded {
        Some(options) => {
            let config = ProcessConfig::new(options.clone(), std::env::temp_dir());
            let server = Embedded::start(&context.executable, &config).await;
            Some(server.map_err(|error| Failure::new(Exit::SetUp, error.to_string()))?)
        }
        None => None,
    };
    let keys = {
        let (access, keys) = reached(&job.run.access, server.as_ref());
        let session = Session::load(&access, job.run.fetch.limits, keys).await?;
        let bucket = server
            .as_ref()
            .map_or(job.run.source.bucket(), |server| {
                &server.ready().source_bucket
            })
            .to_owned();
        let mut signal = context.signal;
        tokio::select! {
            listed = list(job, (&session, &bucket), context.on_event) => listed,
            failure = interrupted(&mut signal) => Err(failure),
        }
    };
    if let Some(server) = server {
        // Its pipe is closed either way, and that ends it.
        let _ended = server
            .stop()
            .await
            .inspect_err(|error| tracing::warn!(%error, "the embedded server did not end well"));
    }
    let keys = keys?;
    job.request(keys.shards)?;
    forecast_of(job, &keys, &context.prices).await
}

/// Submits the job, or finds the one of this name that was submitted before, and waits for its end.
///
/// # Errors
/// What ends it before its end. What is in Batch goes on, unless a signal ended it.
pub async fn submit(
    job: &BatchJob,
    jobs: &dyn Jobs,
    context: SubmitContext<'_>,
) -> Result<SubmitOutcome, Failure> {
    let session = Session::load(&job.run.access, job.run.fetch.limits, None).await?;
    let mut results = Bucket::new(&session, job.results_bucket());
    let SubmitContext {
        prices,
        mut signal,
        on_event,
        ..
    } = context;
    let (mut stored, was_planned) = if let Some(stored) = begun(job, &mut results).await? {
        (stored, true)
    } else {
        let planned = tokio::select! {
            planned = plan(job, (&session, &mut results), (&prices, on_event)) => planned?,
            failure = interrupted(&mut signal) => return Err(failure),
        };
        match planned {
            NewJob::Stored(stored) => (*stored, false),
            NewJob::Forecast(forecast) => return Ok(SubmitOutcome::Forecast(forecast)),
        }
    };
    let (parts, keys) = (stored.document.shards.clone(), stored.document.keys);
    let shards = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let mut watch = JobWatch {
        name: &job.id,
        jobs,
        signal,
        on_event,
    };
    let id = match &stored.document.job_id {
        Some(id) => {
            (watch.on_event)(&JobEvent::Submitted {
                id: id.clone(),
                before: true,
            });
            id.clone()
        }
        None => send(job, (&mut results, &mut stored), (&mut watch, was_planned)).await?,
    };
    if job.afterwards == Afterwards::Leave {
        return Ok(SubmitOutcome::Left(id));
    }
    let waits = Waits {
        job,
        results: &mut results,
        watch: &mut watch,
    };
    let end = waits.until_the_end((&id, shards), stored).await?;
    Ok(SubmitOutcome::Over {
        end,
        keys,
        shards: parts,
    })
}

/// A signal before anything was submitted.
async fn interrupted(signal: &mut tokio::sync::watch::Receiver<Option<Signal>>) -> Failure {
    Failure::new(
        comes(signal).await.exit(),
        "interrupted before the job was submitted",
    )
    .hint("the same command begins again")
}

/// Finds the job by its name, or submits it; and writes down its id.
async fn send(
    job: &BatchJob,
    (results, stored): (&mut Bucket, &mut StoredJob),
    (watch, was_planned): (&mut JobWatch<'_>, bool),
) -> Result<String, Failure> {
    let shards = u32::try_from(stored.document.shards.len()).unwrap_or(u32::MAX);
    let request = job.request(shards)?;
    // A command that was killed between the request and writing down its answer.
    let found = if was_planned {
        match watch.look_for(&request, FEW_LOOKS).await? {
            // Another command may have submitted it meanwhile, and Batch does not list it yet.
            None => {
                if let Some(again) = begun(job, results).await? {
                    *stored = again;
                }
                stored.document.job_id.clone()
            }
            found => found,
        }
    } else {
        None
    };
    let document = &stored.document;
    if found.is_none() && job.consent == CostConsent::NotGiven {
        return Err(Failure::new(
            Exit::Usage,
            format!("the job {} has its keys and is not submitted", job.id),
        )
        .hint("--yes submits it"));
    }
    if found.is_none() && was_planned {
        few_enough(job, document.bytes)?;
    }
    if let (None, true, CostConsent::UpTo(most)) = (&found, was_planned, job.consent) {
        check_price(most, document.forecast_usd, &job.id)?;
    }
    let before = found.is_some();
    let id = if let Some(id) = found {
        id
    } else {
        if was_planned {
            claim(job, results, stored).await?;
        }
        match watch.submit(&request).await {
            Ok(id) => id,
            Err(failure) => {
                release(job, results, &mut stored.document).await;
                return Err(failure);
            }
        }
    };
    let document = &mut stored.document;
    (watch.on_event)(&JobEvent::Submitted {
        id: id.clone(),
        before,
    });
    document.job_id = Some(id.clone());
    (document.submitting_since, document.submitted_at) = (None, Some(utc_now()));
    note_id(job, (results, document), watch).await;
    Ok(id)
}

/// What a new job has come to.
enum NewJob {
    /// Its keys and its document are stored.
    Stored(Box<StoredJob>),
    /// Nothing may be spent.
    Forecast(Box<JobForecast>),
}

/// Lists, asks for the money, and stores what the children need.
async fn plan(
    job: &BatchJob,
    (session, results): (&Session, &mut Bucket),
    (prices, on_event): (&PriceList, &mut dyn FnMut(&JobEvent)),
) -> Result<NewJob, Failure> {
    let planner = own_word();
    if job.consent != CostConsent::NotGiven {
        // Hours of listing come to nothing when the results place cannot be written: a document without shards proves it.
        store(job, results, &document((job, &planner), None, Vec::new())).await?;
    }
    let keys = list(job, (session, job.run.source.bucket()), on_event).await?;
    job.request(keys.shards)?;
    let forecast = forecast_of(job, &keys, prices).await?;
    on_event(&JobEvent::Planned {
        title: forecast.title.clone(),
    });
    if let (CostConsent::UpTo(_), true) = (job.consent, is_transfer_unpriced(job, &keys.regions)) {
        let message = format!(
            "--max-cost cannot be kept: the bucket is in {}, and transfer to {} is not in the price",
            keys.regions.bucket, keys.regions.queue
        );
        return Err(Failure::new(Exit::Usage, message)
            .hint("--egress region prices it; in the bucket's region there is none; --yes submits it whatever it costs"));
    }
    few_enough(job, forecast.bytes)?;
    if !may_be_spent(job, &forecast)? {
        return Ok(NewJob::Forecast(Box::new(forecast)));
    }
    still_ours((job, &planner), results).await?;
    let parts = match job.division {
        Division::Manifest => {
            let ListedKeys {
                spool,
                file,
                tally,
                shards,
                ..
            } = &keys;
            let manifest = KeyFileSet {
                job,
                file,
                tally,
                spool: spool.path(),
                shards: *shards,
            };
            let of = u64::from(*shards);
            manifest
                .store(results, |done| on_event(&JobEvent::Storing { done, of }))
                .await?
        }
        Division::Hash => divided(job, &keys).await?,
    };
    let usd = forecast.usd.as_ref().ok().map(|usd| usd.total().1);
    let document = JobDocument {
        forecast_usd: usd,
        submitting_since: Some(utc_now()),
        ..document((job, &planner), Some(&keys.tally), parts)
    };
    let tag = still_ours((job, &planner), results).await?;
    let stored = StoredJob { document, tag };
    store_over(job, results, &stored).await?;
    Ok(NewJob::Stored(Box::new(stored)))
}

/// Two commands of one name that begin at the same moment would divide the keys twice, and submit both: the one that began last goes on. The entity tag of
/// the document, for [`store_over`].
async fn still_ours(
    (job, planner): (&BatchJob, &str),
    results: &mut Bucket,
) -> Result<String, Failure> {
    let (stored, tag) = results.read_tagged(&job.key(FILE_NAME)).await?;
    let stored = text(stored)
        .ok()
        .and_then(|text| JobDocument::from_json(&text).ok());
    if stored.and_then(|document| document.planned_by).as_deref() == Some(planner) {
        return Ok(tag);
    }
    Err(Failure::new(
        Exit::SetUp,
        format!("another command plans the job {} at the same time", job.id),
    )
    .hint(format!("{} follows that job", same_command(&job.id))))
}

fn document(
    (job, planner): (&BatchJob, &str),
    tally: Option<&KeyTally>,
    shards: Vec<ShardKeys>,
) -> JobDocument {
    JobDocument {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        id: job.id.clone(),
        job_name: job.batch_name(),
        job_id: None,
        planned_at: utc_now(),
        planned_by: Some(planner.to_owned()),
        submitting_since: None,
        submitted_at: None,
        plan: JobPlan::of(job),
        keys: tally.map_or(0, |tally| tally.keys),
        bytes: tally.and_then(KeyTally::bytes),
        forecast_usd: None,
        shards,
        redone: Vec::new(),
    }
}
