//! Before the first run of a sweep: its place, what fits there, the server, the keys, and where results are stored.

use std::num::NonZeroU32;
use std::path::Path;

use super::added::with_definitions;
use super::begin::{
    Begun, KeysFrom, NewSweep, continued, expected, same_plan, with_more_repetitions,
};
use super::environment::{ResultsLocation, RunTemplate};
use super::fitting::{Fitting, fitting};
use super::folder::Folder;
use super::job::{SweepContext, SweepJob};
use super::keys::requests;
use super::launcher::{Launcher, LauncherSetup};
use super::room::WorkerRoom;
use crate::cell::Cell;
use crate::estimate::Ask;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::plan::{
    ClientKind, Destination, FetchOptions, KeySource, Limits, Mode, ObjectSource, RunPlan,
    Selection,
};
use crate::price::{Egress, PriceList};
use crate::results::record::SweepFacts;
use crate::run::reached;
use crate::server::{Embedded, ProcessConfig};
use crate::store::{Bucket, Session};

/// Folder of the embedded server's results bucket, below the sweep's.
const RESULTS_DIR: &str = "contender-results";

pub(super) struct ReadySweep<'a> {
    pub(super) launcher: Box<dyn Launcher>,
    pub(super) cells: Vec<Cell>,
    pub(super) facts: SweepFacts,
    pub(super) template: RunTemplate,
    pub(super) server: Option<Embedded>,
    /// Where contenders store their results, when that is a bucket.
    pub(super) contender_results: Option<Bucket>,
    /// Where the sweep stores its results as well.
    pub(super) results: Option<Bucket>,
    /// Where repetitions find their keys and leave their results, when they store them themselves.
    pub(super) stored: Option<ResultsLocation>,
    pub(super) lists: u64,
    /// GETs of one run of parfetch, when time does not end it.
    pub(super) gets: u64,
    pub(super) warnings: Vec<String>,
    pub(super) on_event: &'a mut dyn FnMut(&SweepEvent),
    pub(super) prices: &'a PriceList,
    /// Asks a person.
    pub(super) ask: Ask<'a>,
}

/// Sets a sweep up in its folder.
pub(super) async fn set_up<'a>(
    job: &SweepJob,
    folder: &Folder,
    context: SweepContext<'a>,
) -> Result<ReadySweep<'a>, Failure> {
    let SweepContext {
        executable,
        environment,
        prices,
        on_event,
        ask,
        ..
    } = context;
    let plan = job.adds_to.clone().unwrap_or_else(|| job.plan.to_toml());
    let begun = begun(folder, &plan, job)?;
    let setup = launcher_setup(job, folder, (&executable, prices), begun.as_ref());
    let mut launcher = job.place.open(&setup).await?;
    let room = WorkerRoom::of(&job.place.facts()).await;
    let Fitting {
        cells,
        left_out,
        warnings,
    } = fitting(job, &*launcher, &room)?;
    for warning in &warnings {
        on_event(&SweepEvent::Warning(warning.clone()));
    }
    let results_dir = folder.of_processes().join(RESULTS_DIR);
    let server = start(job, &executable, &results_dir).await?;
    let session = session(job, server.as_ref()).await?;
    let mut source = session
        .as_ref()
        .filter(|_| job.requests.is_none())
        .map(|session| Bucket::new(session, &source_bucket(job, server.as_ref())));
    let Begun { facts, lists } = if let Some((facts, _)) = begun {
        let facts = continued(job, folder, facts)?;
        let facts = with_definitions(facts, job, (&*launcher, folder))?;
        Begun { facts, lists: 0 }
    } else {
        let sweep = new_sweep((job, folder), (&cells, &plan), &*launcher);
        let keys = keys_from(job, source.as_mut())?;
        sweep.begin(keys, on_event).await?
    };
    // Another day there may be more room, or less.
    let facts = SweepFacts { left_out, ..facts };
    let name = source.as_ref().map_or(facts.bucket.as_str(), Bucket::name);
    let name = name.to_owned();
    let template = RunTemplate {
        id: job.id.clone(),
        inherited: environment,
        plan: run_plan(job, &name, folder),
        requests: job.requests.clone(),
        prefix: job.plan.prefix.clone(),
        contenders: job.plan.contender.clone(),
        results_bucket: results_bucket(job, server.as_ref()),
        embedded: server
            .as_ref()
            .map(|server| (server.ready().clone(), results_dir)),
        expected: expected(job, folder, &facts)?,
        max_bytes: None,
        time_limit: job.time_limit,
    };
    launcher.fetches(template.expected.objects)?;
    let gets = gets(job, folder, template.expected.objects)?;
    let results = job
        .results
        .as_ref()
        .zip(session.as_ref())
        .filter(|_| server.is_none())
        .map(|(uri, session)| Bucket::new(session, &uri.bucket));
    let stored = stored(job, &facts);
    if let (Some(stored), Some(results)) = (&stored, &results) {
        launcher.belong(&facts, (stored, results));
    }
    Ok(ReadySweep {
        launcher,
        cells,
        facts,
        template,
        server,
        contender_results: results.clone(),
        results,
        stored,
        lists,
        gets,
        warnings,
        on_event,
        prices,
        ask,
    })
}

fn new_sweep<'a>(
    (job, folder): (&'a SweepJob, &'a Folder),
    (cells, plan): (&'a [Cell], &'a str),
    launcher: &dyn Launcher,
) -> NewSweep<'a> {
    NewSweep {
        job,
        cells,
        folder,
        plan,
        definition: launcher.definition().map(str::to_owned),
        contender_definitions: launcher.contender_definitions(),
        architecture: launcher.architecture().map(str::to_owned),
    }
}

/// What an earlier part of the sweep has begun. As long as nothing was measured, another plan begins anew: somebody has corrected it.
fn begun(
    folder: &Folder,
    plan: &str,
    job: &SweepJob,
) -> Result<Option<(SweepFacts, String)>, Failure> {
    let Some(begun) = folder.begun()? else {
        return Ok(None);
    };
    if let Some(facts) = with_more_repetitions(&begun, &job.plan) {
        return Ok(Some((facts, begun.1)));
    }
    match same_plan(&begun.1, plan, &job.id, folder.root()) {
        Ok(()) => Ok(Some(begun)),
        Err(_) if folder.is_unmeasured()? => {
            folder.clear()?;
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn keys_from<'a>(
    job: &'a SweepJob,
    source: Option<&'a mut Bucket>,
) -> Result<KeysFrom<'a>, Failure> {
    match (job.place.law(), source, &job.requests) {
        (Some(law), ..) => Ok(KeysFrom::Model(law)),
        (None, Some(bucket), _) => Ok(KeysFrom::Bucket(bucket)),
        (None, None, Some(requests)) => Ok(KeysFrom::Urls(requests)),
        (None, None, None) => Err(Failure::new(Exit::Unexpected, "there is no source")),
    }
}

/// With the task definitions with which the sweep was begun.
fn launcher_setup<'a>(
    job: &'a SweepJob,
    folder: &'a Folder,
    (executable, prices): (&'a Path, &'a PriceList),
    begun: Option<&(SweepFacts, String)>,
) -> LauncherSetup<'a> {
    let facts = begun.map(|(facts, _)| facts);
    LauncherSetup {
        folder: folder.of_processes(),
        executable,
        access: &job.access,
        prices,
        time_limit: job.time_limit,
        is_embedded: job.embedded.is_some(),
        is_source_here: job.is_source_here(),
        server_units: (!job.plan.server.is_empty()).then(|| job.plan.server_rules().cpu_units),
        definition: facts.and_then(|facts| facts.task_definition.clone()),
        contender_definitions: facts
            .map(|facts| facts.contender_definitions.clone())
            .unwrap_or_default(),
        plan: &job.plan,
    }
}

/// Those of one run of parfetch over so many objects.
fn gets(job: &SweepJob, folder: &Folder, objects: u64) -> Result<u64, Failure> {
    match job.layout.part_size {
        Some(_) => requests(&folder.keys_path(), job.layout, job.plan.limit),
        None => Ok(objects),
    }
}

/// Where contenders store.
fn results_bucket(job: &SweepJob, server: Option<&Embedded>) -> Option<String> {
    match server {
        Some(server) => Some(server.ready().results_bucket.clone()),
        None => job.results.as_ref().map(|uri| uri.bucket.clone()),
    }
}

/// Where repetitions store by themselves.
fn stored(job: &SweepJob, facts: &SweepFacts) -> Option<ResultsLocation> {
    let uri = job
        .results
        .as_ref()
        .filter(|_| job.place.facts().stores_results)?;
    Some(ResultsLocation {
        bucket: uri.bucket.clone(),
        prefix: format!("{}sweeps/{}/", uri.key, job.id),
        keys_sha256: facts.keys_sha256.clone(),
    })
}

impl ReadySweep<'_> {
    pub(super) fn event(&mut self, event: &SweepEvent) {
        (self.on_event)(event);
    }

    /// Lets the server end.
    pub(super) async fn end(self) {
        if let Some(server) = self.server {
            // Its pipe is closed either way, and that ends it.
            let _ended = server.stop().await.inspect_err(
                |error| tracing::warn!(%error, "the embedded server did not end well"),
            );
        }
    }
}

/// What every repetition does.
fn run_plan(job: &SweepJob, bucket: &str, folder: &Folder) -> RunPlan {
    let keys = std::path::absolute(folder.keys_path()).unwrap_or_else(|_| folder.keys_path());
    RunPlan {
        source: ObjectSource::Bucket(bucket.to_owned()),
        selection: Selection {
            source: if job.requests.is_some() {
                KeySource::Listing
            } else {
                KeySource::File(keys)
            },
            // The list holds what begins with the prefix, and the sample.
            prefix: String::new(),
            limit: job.plan.limit,
            sample: None,
            shard: None,
        },
        concurrency: NonZeroU32::MIN,
        mode: Mode::Async,
        client: ClientKind::Lean,
        tag: String::new(),
        access: job.access.clone(),
        fetch: FetchOptions {
            limits: job.limits,
            work: job.plan.work,
        },
        duration: job.plan.time(),
        layout: job.layout,
        destination: Destination::default(),
        egress: Egress::default(),
    }
}

/// AWS, for the sweeps that read a bucket or store results in one.
async fn session(job: &SweepJob, server: Option<&Embedded>) -> Result<Option<Session>, Failure> {
    let is_model = job.place.law().is_some();
    if is_model || (job.requests.is_some() && job.results.is_none()) {
        return Ok(None);
    }
    let (access, keys) = reached(&job.access, server);
    // Limits of a web server's answers are not those of control calls.
    let limits = if job.requests.is_some() {
        Limits::default()
    } else {
        job.limits
    };
    Ok(Some(Session::load(&access, limits, keys).await?))
}

async fn start(
    job: &SweepJob,
    executable: &Path,
    results_dir: &Path,
) -> Result<Option<Embedded>, Failure> {
    let Some(options) = &job.embedded else {
        return Ok(None);
    };
    let server = Embedded::start(
        executable,
        &ProcessConfig::new(options.clone(), results_dir.to_owned()),
    )
    .await;
    server
        .map(Some)
        .map_err(|error| Failure::new(Exit::SetUp, error.to_string()))
}

/// The bucket that is fetched.
fn source_bucket(job: &SweepJob, server: Option<&Embedded>) -> String {
    server
        .map_or(&job.plan.bucket, |server| &server.ready().source_bucket)
        .clone()
}
