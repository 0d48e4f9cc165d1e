//! From a job to its end: what stands in its folder already, the keys and their division, the request, the wait.

use std::path::PathBuf;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::document::{FILE_NAME, JobDocument, JobPlan, Part, SCHEMA, VERSION};
use super::forecast::{Basis, Forecast, Usd};
use super::job::{Afterwards, Division, Job, Spending};
use super::manifest::{Manifest, unreadable};
use super::tally::{Tally, parts};
use super::wait::{FEW_LOOKS, JobEnd, Watch};
use crate::cloud::Jobs;
use crate::event::JobEvent;
use crate::exit::Signal;
use crate::exit::{Exit, Failure};
use crate::lister::{self, Listed};
use crate::plan::Access;
use crate::platform::bounded::text;
use crate::platform::clock::utc_now;
use crate::platform::wait::comes;
use crate::price::{Egress, PriceList};
use crate::server::{Embedded, ProcessConfig};
use crate::spool::folder::SpoolFolder;
use crate::spool::keys::KeyFile;
use crate::store::{Bucket, PageQuery, Replace, Session, StaticCredentials, StoreErrorKind};
use crate::units;

/// What a job gets from outside.
pub struct World<'a> {
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
pub enum Ended {
    /// Nothing was submitted, as nothing may be spent.
    Foretold(Box<Forecast>),
    /// It goes on, and is not waited for: its id.
    Left(String),
    /// It is over.
    Over {
        /// How it ended.
        end: JobEnd,
        /// Keys that its children had to fetch.
        keys: u64,
        /// What each of them had to fetch, in their order.
        shards: Vec<Part>,
    },
}

/// The keys of a job, listed.
struct Keys {
    /// Holds the key file, and is gone with this.
    spool: SpoolFolder,
    file: KeyFile,
    listed: Listed,
    tally: Tally,
    shards: u32,
    /// Of the bucket, and of the queue.
    regions: (String, String),
}

/// Says what [`submit`] would do: lists the keys and divides them; submits and stores nothing.
///
/// # Errors
/// What would end the job before it is submitted.
pub async fn forecast(job: &Job, world: World<'_>) -> Result<Forecast, Failure> {
    let server = match &job.embedded {
        Some(options) => {
            let config = ProcessConfig::new(options.clone(), std::env::temp_dir());
            let server = Embedded::start(&world.executable, &config).await;
            Some(server.map_err(|error| Failure::new(Exit::SetUp, error.to_string()))?)
        }
        None => None,
    };
    let keys = {
        let (access, keys) = reached(job, server.as_ref());
        let session = Session::load(&access, job.run.fetch.limits, keys).await?;
        let bucket = server
            .as_ref()
            .map_or(&job.run.bucket, |server| &server.ready().source_bucket)
            .clone();
        let mut signal = world.signal;
        tokio::select! {
            listed = list(job, (&session, &bucket), world.on_event) => listed,
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
    foretell(job, &keys, &world.prices).await
}

/// Submits the job, or finds the one of this name that was submitted before, and waits for its end.
///
/// # Errors
/// What ends it before its end. What is in Batch goes on, unless a signal ended it.
pub async fn submit(job: &Job, jobs: &dyn Jobs, world: World<'_>) -> Result<Ended, Failure> {
    let session = Session::load(&job.run.access, job.run.fetch.limits, None).await?;
    let mut results = Bucket::new(&session, job.results_bucket());
    let World {
        prices,
        mut signal,
        on_event,
        ..
    } = world;
    let (document, was_planned) = if let Some(document) = begun(job, &mut results).await? {
        (document, true)
    } else {
        let planned = tokio::select! {
            planned = plan(job, (&session, &mut results), (&prices, on_event)) => planned?,
            failure = interrupted(&mut signal) => return Err(failure),
        };
        match planned {
            Planned::Stored(document) => (*document, false),
            Planned::Foretold(forecast) => return Ok(Ended::Foretold(forecast)),
        }
    };
    let (parts, keys) = (document.shards.clone(), document.keys);
    let shards = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let mut watch = Watch {
        jobs,
        signal,
        on_event,
    };
    let id = match &document.job_id {
        Some(id) => {
            (watch.on_event)(&JobEvent::Submitted {
                id: id.clone(),
                before: true,
            });
            id.clone()
        }
        None => send(job, (&mut results, document), (&mut watch, was_planned)).await?,
    };
    if job.afterwards == Afterwards::Leave {
        return Ok(Ended::Left(id));
    }
    let end = watch.until_its_end(&id, (shards, job.poll)).await?;
    Ok(Ended::Over {
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
    job: &Job,
    (results, document): (&mut Bucket, JobDocument),
    (watch, was_planned): (&mut Watch<'_>, bool),
) -> Result<String, Failure> {
    let shards = u32::try_from(document.shards.len()).unwrap_or(u32::MAX);
    let request = job.request(shards)?;
    // A command that was killed between the request and writing down its answer.
    let found = if was_planned {
        watch.look_for(&request, FEW_LOOKS).await?
    } else {
        None
    };
    if found.is_none() && job.spending == Spending::Nothing {
        return Err(Failure::new(
            Exit::Usage,
            format!("the job {} has its keys and is not submitted", job.id),
        )
        .hint("--yes submits it"));
    }
    if found.is_none() && was_planned {
        few_enough(job, document.bytes)?;
    }
    if let (None, true, Spending::UpTo(most)) = (&found, was_planned, job.spending) {
        within(most, document.forecast_usd, &job.id)?;
    }
    let before = found.is_some();
    let id = match found {
        Some(id) => id,
        None => watch.submit(&request).await?,
    };
    (watch.on_event)(&JobEvent::Submitted {
        id: id.clone(),
        before,
    });
    let document = JobDocument {
        job_id: Some(id.clone()),
        submitted_at: Some(utc_now()),
        ..document
    };
    if let Err(error) = store(job, results, &document).await {
        // The same command finds it by its name.
        (watch.on_event)(&JobEvent::Warning(format!(
            "the id of the job is not written down: {}",
            error.message
        )));
    }
    Ok(id)
}

/// The document of an earlier command with this name.
async fn begun(job: &Job, results: &mut Bucket) -> Result<Option<JobDocument>, Failure> {
    let key = job.key(FILE_NAME);
    // Asked of the listing: whoever may list under a prefix alone is told «denied» of an object that is not there.
    match results.list_page(&PageQuery::of(&key)).await {
        Ok(page) if page.keys.iter().all(|record| record.key != key) => return Ok(None),
        Err(error) if error.kind != StoreErrorKind::Denied => return Err(error.into()),
        _ => {}
    }
    let document = match results.read_document(&key).await {
        Ok(document) => document,
        Err(error) if error.kind == StoreErrorKind::NoSuchKey => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let uri = job.uri(FILE_NAME);
    let damaged = |what: &dyn std::fmt::Display| {
        Failure::new(Exit::SetUp, format!("cannot read {uri}: {what}")).hint("take another --id")
    };
    let text = text(document).map_err(|error| damaged(&error))?;
    let document = JobDocument::from_json(&text).map_err(|error| damaged(&error))?;
    if document.shards.is_empty() {
        return Ok(None);
    }
    match document.plan.difference(&JobPlan::of(job)) {
        None => Ok(Some(document)),
        Some(what) => Err(Failure::new(
            Exit::Usage,
            format!("the job {} was planned with other settings: {what}", job.id),
        )
        .hint("take another --id for another job")),
    }
}

/// What a new job has come to.
enum Planned {
    /// Its keys and its document are stored.
    Stored(Box<JobDocument>),
    /// Nothing may be spent.
    Foretold(Box<Forecast>),
}

/// Lists, asks for the money, and stores what the children need.
async fn plan(
    job: &Job,
    (session, results): (&Session, &mut Bucket),
    (prices, on_event): (&PriceList, &mut dyn FnMut(&JobEvent)),
) -> Result<Planned, Failure> {
    if job.spending != Spending::Nothing {
        // Hours of listing come to nothing when the results place cannot be written: a document without shards proves it.
        store(job, results, &document(job, None, Vec::new())).await?;
    }
    let keys = list(job, (session, &job.run.bucket), on_event).await?;
    job.request(keys.shards)?;
    let forecast = foretell(job, &keys, prices).await?;
    on_event(&JobEvent::Planned {
        title: forecast.title.clone(),
    });
    if let (Spending::UpTo(_), true) = (job.spending, is_transfer_unpriced(job, &keys.regions)) {
        let message = format!(
            "--max-cost cannot be kept: the bucket is in {}, and transfer to {} is not in the price",
            keys.regions.0, keys.regions.1
        );
        return Err(Failure::new(Exit::Usage, message)
            .hint("--egress region prices it; in the bucket's region there is none; --yes submits it whatever it costs"));
    }
    few_enough(job, forecast.bytes)?;
    if !may_be_spent(job, &forecast)? {
        return Ok(Planned::Foretold(Box::new(forecast)));
    }
    let parts = match job.division {
        Division::Manifest => {
            let Keys {
                spool,
                file,
                tally,
                shards,
                ..
            } = &keys;
            let manifest = Manifest {
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
    let usd = forecast.usd.as_ref().ok().map(Usd::total);
    let document = JobDocument {
        forecast_usd: usd,
        ..document(job, Some(&keys.tally), parts)
    };
    store(job, results, &document).await?;
    Ok(Planned::Stored(Box::new(document)))
}

fn document(job: &Job, tally: Option<&Tally>, shards: Vec<Part>) -> JobDocument {
    JobDocument {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        id: job.id.clone(),
        job_name: job.batch_name(),
        job_id: None,
        planned_at: utc_now(),
        submitted_at: None,
        plan: JobPlan::of(job),
        keys: tally.map_or(0, |tally| tally.keys),
        bytes: tally.and_then(Tally::bytes),
        forecast_usd: None,
        shards,
    }
}

async fn store(job: &Job, results: &mut Bucket, document: &JobDocument) -> Result<(), Failure> {
    let text = document
        .to_json()
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    Ok(results
        .store(&job.key(FILE_NAME), text.into_bytes(), Replace::Yes)
        .await?)
}

/// Lists the keys into a passing folder, and adds them up.
async fn list(
    job: &Job,
    (session, bucket): (&Session, &str),
    on_event: &mut dyn FnMut(&JobEvent),
) -> Result<Keys, Failure> {
    let spool = SpoolFolder::create(job.run.destination.spool_dir.as_deref())?;
    let mut keepers = JoinSet::new();
    let (tell, mut notes) = mpsc::unbounded_channel();
    let feed = session.credentials().await?.map(|(keeper, feed)| {
        keepers.spawn(keeper.keep(tell));
        feed
    });
    let session = session.with_feed(feed.as_ref());
    let mut source = Bucket::new(&session, bucket).pages_by(job.pages, feed);
    let listed = lister::list(&mut source, &job.run.selection, spool.path(), |keys| {
        on_event(&JobEvent::Listing { keys });
    })
    .await?;
    while let Ok(note) = notes.try_recv() {
        on_event(&JobEvent::Warning(note));
    }
    if listed.keys == 0 {
        return Err(Failure::new(
            Exit::SetUp,
            format!(
                "there are no keys under {}",
                source.uri(&job.run.selection.prefix)
            ),
        )
        .hint("a job needs something to fetch: check the bucket and --prefix"));
    }
    let shards = u32::try_from(listed.keys)
        .unwrap_or(u32::MAX)
        .min(job.shards);
    if shards < job.shards {
        let (keys, are) = (
            units::plural(listed.keys, "key"),
            if shards == 1 { "is" } else { "are" },
        );
        on_event(&JobEvent::Warning(format!(
            "there {are} {keys}, so that there are as many children"
        )));
    }
    let file = KeyFile::open(spool.path()).map_err(|error| unreadable(&error))?;
    let tally = Tally::of(&file, (&job.run.selection.prefix, job.run.layout), shards)
        .await
        .map_err(|error| unreadable(&error))?;
    let regions = (
        source.session().region().to_owned(),
        session.region().to_owned(),
    );
    if is_transfer_unpriced(job, &regions) {
        let (there, here) = &regions;
        on_event(&JobEvent::Warning(format!(
            "the bucket is in {there} and the job runs in {here}: transfer between regions costs more, and is not in the price (--egress region prices it)"
        )));
    }
    Ok(Keys {
        spool,
        file,
        listed,
        tally,
        shards,
        regions,
    })
}

/// Whether bytes go from the bucket's region to the queue's, and nobody asked for their price.
fn is_transfer_unpriced(job: &Job, (there, here): &(String, String)) -> bool {
    let is_aws = job.run.access.endpoint_url.is_none() && job.embedded.is_none();
    there != here && is_aws && job.run.egress == Egress::None
}

async fn divided(job: &Job, keys: &Keys) -> Result<Vec<Part>, Failure> {
    parts(&keys.file, (&keys.tally, job.division), keys.shards)
        .await
        .map_err(|error| unreadable(&error))
}

async fn foretell(job: &Job, keys: &Keys, prices: &PriceList) -> Result<Forecast, Failure> {
    let parts = divided(job, keys).await?;
    let (region, home) = (keys.regions.0.as_str(), keys.regions.1.as_str());
    Ok(Forecast::of(
        job,
        &Basis {
            tally: &keys.tally,
            parts: &parts,
            pages: keys.listed.pages,
            region,
            home,
            prices,
        },
    ))
}

fn may_be_spent(job: &Job, forecast: &Forecast) -> Result<bool, Failure> {
    let Spending::UpTo(most) = job.spending else {
        return Ok(job.spending == Spending::Forecast);
    };
    let hint = "--yes submits it whatever it costs";
    let usd = forecast.usd.as_ref().map_err(|why| {
        Failure::new(Exit::Usage, format!("what it costs is not known: {why}"))
            .hint(format!("{hint}; --prices FILE takes another price list"))
    })?;
    let usd = usd.total();
    if usd > most {
        let message = format!(
            "it would cost ${}, more than --max-cost {most}",
            units::three_digits(usd)
        );
        return Err(Failure::new(Exit::Usage, message).hint(hint));
    }
    Ok(true)
}

/// Whether the children may fetch so many bytes. What they fetch in a time is held to while they fetch.
fn few_enough(job: &Job, bytes: Option<u64>) -> Result<(), Failure> {
    let Some(most) = job.max_bytes.filter(|_| job.run.duration.is_none()) else {
        return Ok(());
    };
    let from = super::document::source_words(&job.run.selection, &job.run.bucket);
    let limit = units::bytes(most);
    let (message, hint) = match bytes {
        Some(bytes) if bytes <= most => return Ok(()),
        Some(bytes) => {
            let message = format!(
                "this job fetches {} from {from}, and --max-bytes is {limit}",
                units::bytes(bytes)
            );
            (
                message,
                "a higher --max-bytes allows it; --limit or --prefix fetch less",
            )
        }
        None => {
            let message = format!(
                "how many bytes this job fetches from {from} is not known, and --max-bytes is {limit}"
            );
            (
                message,
                "a key file with sizes, or a listing, has it; without --max-bytes the job has no such limit",
            )
        }
    };
    Err(Failure::new(Exit::Usage, message).hint(hint))
}

/// A job that was planned before is submitted for no more than may be spent now.
fn within(most: f64, forecast_usd: Option<f64>, id: &str) -> Result<(), Failure> {
    let message = match forecast_usd {
        Some(usd) if usd <= most => return Ok(()),
        Some(usd) => format!(
            "the job {id} would cost ${}, more than --max-cost {most}",
            units::three_digits(usd)
        ),
        None => format!("what the job {id} costs was not known when it was planned"),
    };
    Err(Failure::new(Exit::Usage, message).hint("--yes submits it whatever it costs"))
}

fn reached(job: &Job, server: Option<&Embedded>) -> (Access, Option<StaticCredentials>) {
    let Some(ready) = server.map(Embedded::ready) else {
        return (job.run.access.clone(), None);
    };
    let access = Access {
        endpoint_url: Some(ready.endpoint_url.clone()),
        ..Access::default()
    };
    let keys = StaticCredentials {
        access_key: ready.credentials.access_key.clone(),
        secret_key: ready.credentials.secret_key.clone(),
    };
    (access, Some(keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::fixture;

    #[test]
    fn more_bytes_than_are_allowed_are_refused_before_anything_is_submitted() {
        let mut job = fixture::job();
        assert_eq!(few_enough(&job, None), Ok(()));
        job.max_bytes = Some(50_000_000_000);
        assert_eq!(few_enough(&job, Some(50_000_000_000)), Ok(()));
        let refused = few_enough(&job, Some(51_000_000_000)).unwrap_err();
        assert_eq!(
            (refused.exit, refused.message.as_str()),
            (
                Exit::Usage,
                "this job fetches 51.0 GB from s3://images/, and --max-bytes is 50.0 GB"
            )
        );
        let unknown = few_enough(&job, None).unwrap_err();
        assert_eq!(
            unknown.message,
            "how many bytes this job fetches from s3://images/ is not known, and --max-bytes is 50.0 GB"
        );
        job.run.duration = Some(std::time::Duration::from_mins(1));
        assert_eq!(
            few_enough(&job, None),
            Ok(()),
            "each child stops at its share"
        );
    }

    #[test]
    fn transfer_to_another_region_has_a_price_where_it_is_asked_for() {
        let (mut job, apart) = (
            fixture::job(),
            ("eu-west-1".to_owned(), "us-east-1".to_owned()),
        );
        assert!(is_transfer_unpriced(&job, &apart));
        assert!(!is_transfer_unpriced(
            &job,
            &("us-east-1".to_owned(), "us-east-1".to_owned())
        ));
        job.run.egress = Egress::Region;
        assert!(!is_transfer_unpriced(&job, &apart));
    }
}
