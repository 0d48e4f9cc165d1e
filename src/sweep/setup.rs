//! Before the first run of a sweep: what fits on this machine, the server, the key list, and whether an earlier part of the same sweep agrees.

use std::path::PathBuf;

use super::attempt::Misfit;
use super::ecs::{Fleet, FleetPlan};
use super::folder::Folder;
use super::job::{Forecast, Job, Oversize, World};
use super::keys::{Frozen, KeySum, Wanted, freeze, requests};
use super::local::{Local, Neighbour};
use super::matrix::cells;
use super::place::Place;
use super::tell::{Expected, Stored, Telling};
use crate::cell::{Cell, UNITS_PER_VCPU};
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::lister::sha256_hex;
use crate::plan::Access;
use crate::price::{MINIMUM_SECONDS, PriceList};
use crate::results::record::SweepFacts;
use crate::server::{Embedded, ProcessConfig};
use crate::stats::family::can_reach;
use crate::store::{Bucket, Session, StaticKeys};
use crate::units;

/// What `compare` tests at.
const ALPHA: f64 = 0.05;
/// Keys of a listing page.
const PAGE_KEYS: u64 = 1_000;
/// Folder of the embedded server's results bucket, below the sweep's.
const RESULTS_DIR: &str = "contender-results";

/// A sweep that is ready to run.
pub(super) struct Stage<'a> {
    pub(super) place: Place,
    pub(super) cells: Vec<Cell>,
    pub(super) facts: SweepFacts,
    pub(super) telling: Telling,
    pub(super) server: Option<Embedded>,
    /// Where contenders store their results, when that is a bucket.
    pub(super) contender_results: Option<Bucket>,
    /// Where the sweep stores its results as well.
    pub(super) results: Option<Bucket>,
    /// Where tasks find their keys and leave their results; none on this machine.
    pub(super) stored: Option<Stored>,
    lists: u64,
    /// GETs of one run of parfetch, when time does not end it.
    gets: u64,
    warnings: Vec<String>,
    pub(super) on_event: &'a mut dyn FnMut(&SweepEvent),
}

/// Sets a sweep up in its folder.
pub(super) async fn set_up<'a>(job: &Job, folder: &Folder, world: World<'a>) -> Result<Stage<'a>, Failure> {
    let World { executable, environment, prices, on_event, .. } = world;
    let begun = folder.begun()?;
    let kept = begun.as_ref().and_then(|(facts, _)| facts.task_definition.clone());
    let mut place = place(job, (folder, &executable), (prices, kept)).await?;
    let (cells, warnings) = fitting(job, &place)?;
    for warning in &warnings {
        on_event(&SweepEvent::Warning(warning.clone()));
    }
    let plan = job.plan.to_toml();
    if let Some((_, before)) = &begun {
        same_plan(before, &plan, &job.id)?;
    }
    let results_dir = folder.root().join(RESULTS_DIR);
    let server = start(job, (&executable, results_dir.clone())).await?;
    let (access, keys) = reached(job, server.as_ref());
    let session = Session::load(&access, job.limits, keys).await?;
    let bucket_name = server.as_ref().map_or(&job.plan.bucket, |server| &server.ready().source_bucket).clone();
    let mut bucket = Bucket::new(&session, &bucket_name);
    let (facts, lists) = match begun {
        Some((facts, _)) => (goes_on(job, folder, facts)?, 0),
        None => begin(job, (folder, &plan, place.definition()), &mut bucket, on_event).await?,
    };
    let expected = expected(job, (folder, &facts))?;
    let gets = match job.layout.part_size {
        Some(_) => requests(&folder.keys_path(), job.layout, job.plan.limit)?,
        None => expected.objects,
    };
    let results = job.results.as_ref().map(|uri| Bucket::new(&session, &uri.bucket));
    let results_bucket = server.as_ref().map(|server| server.ready().results_bucket.clone());
    let telling = Telling {
        id: job.id.clone(),
        inherited: environment,
        bucket: bucket_name,
        results_bucket: results_bucket.or_else(|| job.results.as_ref().map(|uri| uri.bucket.clone())),
        access: job.access.clone(),
        embedded: server.as_ref().map(|server| (server.ready().clone(), results_dir)),
        keys: std::path::absolute(folder.keys_path()).unwrap_or_else(|_| folder.keys_path()),
        limit: job.plan.limit,
        duration: job.plan.duration.clone(),
        work: job.plan.work,
        layout: job.layout,
        limits: job.limits,
        expected,
    };
    let contender_results = if server.is_none() { results.clone() } else { None };
    let results = if server.is_none() { results } else { None };
    let stored = job.results.as_ref().filter(|_| job.fleet.is_some()).map(|uri| Stored {
        bucket: uri.bucket.clone(),
        prefix: format!("{}sweeps/{}/", uri.key, job.id),
        keys_sha256: facts.keys_sha256.clone(),
    });
    if let (Place::Ecs(fleet), Some(stored), Some(results)) = (&mut place, &stored, &results) {
        fleet.belong(&facts, (stored.clone(), Box::new(results.clone())));
    }
    Ok(Stage { place, cells, facts, telling, server, contender_results, results, stored, lists, gets, warnings, on_event })
}

/// Where the cells run. `kept` is the task definition with which the sweep was begun: a stack that was updated since must not change what the rest is
/// measured with.
async fn place(job: &Job, (folder, executable): (&Folder, &std::path::Path), (prices, kept): (&PriceList, Option<String>)) -> Result<Place, Failure> {
    let Some(plan) = &job.fleet else {
        let local = Local::new(folder.root(), executable.to_owned(), (job.time_limit, neighbour(job)));
        return Ok(Place::Local(Box::new(local), None));
    };
    let plan = FleetPlan { definition: kept.unwrap_or_else(|| plan.definition.clone()), ..plan.clone() };
    Ok(Place::Ecs(Box::new(Fleet::prepare(&plan, (&job.access, prices)).await?)))
}

impl Stage<'_> {
    pub(super) fn event(&mut self, event: &SweepEvent) {
        (self.on_event)(event);
    }

    /// Lets the server end.
    pub(super) async fn end(self) {
        if let Some(server) = self.server {
            // Its pipe is closed either way, and that ends it.
            let _ended = server.stop().await.inspect_err(|error| tracing::warn!(%error, "the embedded server did not end well"));
        }
    }

    fn billed(&self, job: &Job) -> Option<(String, String)> {
        let mut classes = self.facts.storage_classes.keys();
        let (class, None) = (classes.next()?, classes.next()) else { return None };
        let by_aws = job.embedded.is_none() && job.access.endpoint_url.is_none();
        by_aws.then(|| self.facts.region.clone()).flatten().map(|region| (region, class.clone()))
    }

    /// The least and the most that the tasks of all runs and warm-ups cost.
    fn tasks_usd(&self, job: &Job) -> Option<(f64, f64)> {
        let (Place::Ecs(fleet), Some(plan)) = (&self.place, &job.fleet) else { return None };
        let all = |seconds: f64| {
            let price = |cell: &Cell| Some(fleet.price(cell, seconds)? * f64::from(cell.shards));
            let runs = self.cells.iter().map(price).sum::<Option<f64>>()? * f64::from(job.plan.repeat);
            Some(runs + warmed_up(&self.cells).map(price).sum::<Option<f64>>()?)
        };
        let duration = job.plan.duration.as_deref().and_then(|text| units::parse_duration(text).ok()).unwrap_or_default();
        Some((all(duration.as_secs_f64().max(MINIMUM_SECONDS))?, all((plan.start_limit + plan.run_limit + plan.stop_limit).as_secs_f64())?))
    }

    pub(super) fn forecast(&self, job: &Job) -> Forecast {
        let runs = self.cells.len() as u64 * u64::from(job.plan.repeat);
        let mut programs: Vec<_> = self.cells.iter().map(|cell| &cell.program).collect();
        programs.sort();
        programs.dedup();
        let warm_ups = programs.len() as u64;
        let keys = self.telling.expected.objects;
        let by_contenders = self.cells.iter().filter(|cell| !cell.program.is_parfetch()).count() as u64 * u64::from(job.plan.repeat);
        let contenders_warm_ups = programs.iter().filter(|program| !program.is_parfetch()).count() as u64;
        // A contender reads every object whole, whatever parfetch does.
        let theirs = by_contenders + contenders_warm_ups;
        let gets = theirs * keys + (runs + warm_ups - theirs) * self.gets;
        Forecast {
            cells: self.cells.clone(),
            runs,
            warm_ups,
            keys,
            bytes: self.telling.expected.bytes,
            gets: job.plan.duration.is_none().then_some(gets),
            lists: self.lists + theirs * keys.div_ceil(PAGE_KEYS),
            is_on_ecs: job.fleet.is_some(),
            tasks_usd: self.tasks_usd(job),
            duration: job.plan.duration.clone(),
            billed: self.billed(job),
            limited: self.cells.first().map(|cell| self.place.words(cell)).unwrap_or_default(),
            warnings: self.warnings.clone(),
        }
    }
}

impl Forecast {
    /// `sweep study-1: 30 cells × 6 runs of 8.00 GB = 180 runs, 560,000 GETs; vCPU by cgroup v2 quota`
    pub fn title(&self, id: &str) -> String {
        let Self { cells, runs, keys, bytes, gets, duration, limited, .. } = self;
        let each = runs.checked_div(cells.len() as u64).unwrap_or(0);
        let work = match (duration, bytes) {
            (Some(time), _) => time.clone(),
            (None, Some(bytes)) => units::bytes(*bytes),
            (None, None) => format!("{} objects", units::count(*keys)),
        };
        let gets = gets.map_or_else(String::new, |gets| format!(", {} GETs", units::count(gets)));
        let runs = units::count(*runs);
        format!("sweep {id}: {} cells × {each} runs of {work} = {runs} runs{gets}; {limited}", cells.len())
    }
}

/// The first cell of each program: it warms up.
fn warmed_up(cells: &[Cell]) -> impl Iterator<Item = &Cell> {
    let is_first = |index: usize| cells[..index].iter().all(|before| before.program != cells[index].program);
    cells.iter().enumerate().filter(move |(index, _)| is_first(*index)).map(|(_, cell)| cell)
}

/// The cells that this place can hold.
fn fitting(job: &Job, place: &Place) -> Result<(Vec<Cell>, Vec<String>), Failure> {
    let mut warnings = Vec::new();
    let mut left_out: Vec<f64> = Vec::new();
    let mut fitting = Vec::new();
    for cell in cells(&job.plan, &job.sizes) {
        match (place.check(&cell), job.oversize) {
            (Ok(()), _) => fitting.push(cell),
            (Err(Misfit::TooLarge { .. } | Misfit::OverQuota { .. }), Oversize::LeaveOut) => left_out.push(cell.vcpu()),
            (Err(misfit), _) => return Err(refusal(&cell, misfit)),
        }
    }
    if !left_out.is_empty() {
        left_out.sort_by(f64::total_cmp);
        left_out.dedup();
        let sizes: Vec<_> = left_out.iter().map(f64::to_string).collect();
        let than = if job.fleet.is_some() { "the account may run on Fargate at once" } else { "this machine has" };
        warnings.push(format!("left out: {} vCPU, more than {than}", sizes.join(", ")));
    }
    if fitting.is_empty() {
        let place = if job.fleet.is_some() { "the account" } else { "this machine" };
        return Err(Failure::new(Exit::Usage, format!("the plan has no cell that {place} can hold")).hint("name sizes that it has with --vcpu"));
    }
    if let Place::Ecs(fleet) = place {
        warnings.extend(fleet.notes.iter().cloned());
    }
    warnings.extend(cannot_tell(fitting.len(), job.plan.repeat));
    Ok((fitting, warnings))
}

/// Two sweeps of this plan are compared cell by cell, all of them one family: with too few repetitions nothing in it can be significant.
fn cannot_tell(cells: usize, repeat: u32) -> Option<String> {
    /// More repetitions than that serve any number of cells.
    const MOST: usize = 100;
    let repeat = usize::try_from(repeat).ok()?;
    if can_reach(cells, repeat, ALPHA) {
        return None;
    }
    let enough = (repeat..MOST).find(|more| can_reach(cells, *more, ALPHA));
    let enough = enough.map_or_else(String::new, |enough| format!("; {enough} can"));
    let s = if repeat == 1 { "" } else { "s" };
    Some(format!("{repeat} repetition{s} cannot tell two sweeps of {cells} cells apart at 5 %, however much they differ{enough} (--repeat)"))
}

fn refusal(cell: &Cell, misfit: Misfit) -> Failure {
    let wanted = cell.vcpu() * f64::from(cell.shards);
    match misfit {
        Misfit::TooLarge { cpus } => Failure::new(Exit::Usage, format!("{cell} needs {wanted} vCPU, and this machine has {cpus} CPUs"))
            .hint(format!("a cell never gets more vCPU than there are CPUs: name smaller sizes with --vcpu, up to {cpus}")),
        Misfit::OverQuota { vcpu, is_known } => {
            let quota = if is_known { "the account's quota" } else { "a new account's quota" };
            Failure::new(Exit::Usage, format!("{cell} needs {wanted} vCPU at once, and {quota} of Fargate is {vcpu}"))
                .hint("name smaller sizes with --vcpu, or ask for a higher quota: Service Quotas, AWS Fargate")
        }
        Misfit::TooManyTasks { most } => Failure::new(Exit::Usage, format!("{cell} needs {} tasks at once, and --max-tasks is {most}", cell.shards))
            .hint(format!("a shard is a task: --max-tasks {}", cell.shards)),
        Misfit::NoQuota => {
            let message = format!("{cell}: nothing here can hold a process to {} vCPU", cell.vcpu());
            Failure::new(Exit::SetUp, message).hint(format!(
                "no control group can be made and systemd-run --user does not work: whole vCPU (multiples of {UNITS_PER_VCPU} CPU units) go by affinity"
            ))
        }
    }
}

/// Where the server runs, seen from the CPUs.
fn neighbour(job: &Job) -> Neighbour {
    if job.embedded.is_some() {
        return Neighbour::Embedded;
    }
    let host = job.access.endpoint_url.as_deref().and_then(|url| url.parse::<http::Uri>().ok()).and_then(|uri| uri.host().map(str::to_owned));
    let host = host.unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if local { Neighbour::ThisMachine } else { Neighbour::None }
}

async fn start(job: &Job, (executable, results_dir): (&std::path::Path, PathBuf)) -> Result<Option<Embedded>, Failure> {
    let Some(options) = &job.embedded else { return Ok(None) };
    let server = Embedded::start(executable, &ProcessConfig::new(options.clone(), results_dir)).await;
    server.map(Some).map_err(|error| Failure::new(Exit::SetUp, error.to_string()))
}

fn reached(job: &Job, server: Option<&Embedded>) -> (Access, Option<StaticKeys>) {
    let Some(ready) = server.map(Embedded::ready) else { return (job.access.clone(), None) };
    let access = Access { endpoint_url: Some(ready.endpoint_url.clone()), ..Access::default() };
    let keys = StaticKeys { access_key: ready.credentials.access_key.clone(), secret_key: ready.credentials.secret_key.clone() };
    (access, Some(keys))
}

/// Lists the keys, and writes down what the sweep is.
async fn begin(
    job: &Job,
    (folder, plan, definition): (&Folder, &str, Option<String>),
    bucket: &mut Bucket,
    on_event: &mut dyn FnMut(&SweepEvent),
) -> Result<(SweepFacts, u64), Failure> {
    let wanted = Wanted { source: job.source.clone(), prefix: job.plan.prefix.clone() };
    let frozen = freeze(bucket, &wanted, &folder.keys_path(), |keys| on_event(&SweepEvent::Listing { keys })).await?;
    if frozen.keys == 0 {
        return Err(Failure::new(Exit::SetUp, format!("there are no keys under {}", bucket.uri(&job.plan.prefix)))
            .hint("a sweep needs something to fetch: check the bucket and --prefix"));
    }
    let pages = frozen.pages;
    let facts = SweepFacts { task_definition: definition, ..facts(job, (frozen, plan), bucket) };
    folder.begin(&facts, plan)?;
    Ok((facts, pages))
}

fn facts(job: &Job, (frozen, plan): (Frozen, &str), bucket: &Bucket) -> SweepFacts {
    let duration = job.plan.duration.as_deref().and_then(|text| units::parse_duration(text).ok());
    SweepFacts {
        id: job.id.clone(),
        plan_sha256: sha256_hex(plan.as_bytes()),
        keys_sha256: frozen.sha256,
        on: on(job).to_owned(),
        task_definition: None,
        seed: job.plan.seed,
        repetitions: job.plan.repeat,
        bucket: bucket.name().to_owned(),
        prefix: job.plan.prefix.clone(),
        limit: job.plan.limit,
        duration_ns: duration.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        region: Some(bucket.session().region().to_owned()),
        endpoint: if job.embedded.is_some() { None } else { job.access.shown_endpoint() },
        embedded: job.plan.embedded.clone(),
        keys: frozen.keys,
        bytes: frozen.bytes,
        storage_classes: frozen.storage_classes,
        listing_ns: Some(frozen.listing_ns),
    }
}

/// Where the cells run.
const fn on(job: &Job) -> &'static str {
    if job.fleet.is_some() { "ecs" } else { "local" }
}

/// A sweep that goes on has to be the same sweep.
fn goes_on(job: &Job, folder: &Folder, facts: SweepFacts) -> Result<SweepFacts, Failure> {
    let refuse =
        |what: String| Failure::new(Exit::Usage, format!("the sweep {} cannot go on: {what}", job.id)).hint("take another --id for another sweep");
    if job.embedded.is_none() && facts.endpoint != job.access.shown_endpoint() {
        return Err(refuse("its endpoint is another".to_owned()));
    }
    if facts.on != on(job) {
        return Err(refuse(format!("it was begun with --on {}", facts.on)));
    }
    match folder.keys_checksum()? {
        Some(sum) if sum == facts.keys_sha256 => Ok(facts),
        _ => Err(refuse(format!("its key list {} was changed", folder.keys_path().display()))),
    }
}

fn same_plan(before: &str, now: &str, id: &str) -> Result<(), Failure> {
    if before == now {
        return Ok(());
    }
    let (mut old, mut new) = (before.lines(), now.lines());
    let differing = loop {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => break (a.unwrap_or("nothing"), b.unwrap_or("nothing")),
        }
    };
    let message = format!("the sweep {id} was begun with another plan: it had `{}`, and now there is `{}`", differing.0, differing.1);
    Err(Failure::new(Exit::Usage, message)
        .hint(format!("take another --id, or go on as it was begun: parfetch sweep --id {id} --plan OUT/sweeps/{id}/plan.toml")))
}

/// What a repetition that goes through its keys once has to find.
fn expected(job: &Job, (folder, facts): (&Folder, &SweepFacts)) -> Result<Expected, Failure> {
    let has_contenders = !job.plan.contender.is_empty();
    let keys = has_contenders.then(|| KeySum::of(&folder.keys_path(), job.plan.limit)).transpose()?;
    Ok(match job.plan.limit {
        Some(limit) if limit < facts.keys => Expected { objects: limit, bytes: None, keys },
        _ => Expected { objects: facts.keys, bytes: facts.bytes, keys },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_when_its_repetitions_are_too_few() {
        // 6 repetitions serve 23 comparisons, 7 serve 85.
        assert_eq!(cannot_tell(23, 6), None);
        assert_eq!(
            cannot_tell(24, 6).unwrap(),
            "6 repetitions cannot tell two sweeps of 24 cells apart at 5 %, however much they differ; 7 can (--repeat)"
        );
        assert!(cannot_tell(86, 7).unwrap().contains("; 8 can"));
    }

    #[test]
    fn another_plan_is_refused_with_what_differs() {
        assert!(same_plan("a = 1\n", "a = 1\n", "s").is_ok());
        let error = same_plan("a = 1\nseed = 1\n", "a = 1\nseed = 2\n", "s").unwrap_err();
        assert_eq!(error.message, "the sweep s was begun with another plan: it had `seed = 1`, and now there is `seed = 2`");
        assert!(same_plan("a = 1\n", "a = 1\nb = 2\n", "s").unwrap_err().message.ends_with("it had `nothing`, and now there is `b = 2`"));
    }
}
