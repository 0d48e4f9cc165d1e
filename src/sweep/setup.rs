//! Before the first run of a sweep: what fits on this machine, the server, the key list, and whether an earlier part of the same sweep agrees.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::environment::{Expected, RunTemplate, Stored};
use super::fitting::fitting;
use super::fleet::{Fleet, FleetPlan};
use super::folder::{Folder, PLAN_FILE};
use super::job::{Job, World};
use super::keys::{Frozen, KeySum, Wanted, freeze, requests};
use super::local::{Local, Neighbour};
use super::place::Place;
use crate::cell::Cell;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::lister::sha256_hex;
use crate::outlook::Ask;
use crate::pace::{Configuration, Pace};
use crate::plan::{
    Access, ClientKind, Destination, FetchOptions, KeySource, Mode, RunPlan, Selection,
};
use crate::price::{Egress, PriceList};
use crate::results::record::SweepFacts;
use crate::server::{Embedded, ProcessConfig};
use crate::shell;
use crate::store::{Bucket, Session, StaticCredentials};

/// Folder of the embedded server's results bucket, below the sweep's.
const RESULTS_DIR: &str = "contender-results";

/// A sweep that is ready to run.
pub(super) struct Stage<'a> {
    pub(super) place: Place,
    pub(super) cells: Vec<Cell>,
    pub(super) facts: SweepFacts,
    pub(super) template: RunTemplate,
    pub(super) server: Option<Embedded>,
    /// Where contenders store their results, when that is a bucket.
    pub(super) contender_results: Option<Bucket>,
    /// Where the sweep stores its results as well.
    pub(super) results: Option<Bucket>,
    /// Where tasks find their keys and leave their results; none on this machine.
    pub(super) stored: Option<Stored>,
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
    job: &Job,
    folder: &Folder,
    world: World<'a>,
) -> Result<Stage<'a>, Failure> {
    let World {
        executable,
        environment,
        prices,
        on_event,
        ask,
        ..
    } = world;
    let begun = folder.begun()?;
    let kept = begun
        .as_ref()
        .and_then(|(facts, _)| facts.task_definition.clone());
    let mut place = place(job, (folder, &executable), (prices, kept)).await?;
    let (cells, warnings) = fitting(job, &place)?;
    for warning in &warnings {
        on_event(&SweepEvent::Warning(warning.clone()));
    }
    let plan = job.plan.to_toml();
    if let Some((_, before)) = &begun {
        same_plan((before, &plan), &job.id, folder.root())?;
    }
    let results_dir = folder.root().join(RESULTS_DIR);
    let server = start(job, (&executable, results_dir.clone())).await?;
    let (access, keys) = reached(job, server.as_ref());
    let session = Session::load(&access, job.limits, keys).await?;
    let bucket_name = server
        .as_ref()
        .map_or(&job.plan.bucket, |server| &server.ready().source_bucket)
        .clone();
    let mut bucket = Bucket::new(&session, &bucket_name);
    let (facts, lists) = match begun {
        Some((facts, _)) => (goes_on(job, folder, facts)?, 0),
        None => {
            begin(
                (job, &cells),
                (folder, &plan, place.definition()),
                &mut bucket,
                on_event,
            )
            .await?
        }
    };
    let expected = expected(job, (folder, &facts))?;
    let gets = match job.layout.part_size {
        Some(_) => requests(&folder.keys_path(), job.layout, job.plan.limit)?,
        None => expected.objects,
    };
    let results = job
        .results
        .as_ref()
        .map(|uri| Bucket::new(&session, &uri.bucket));
    let results_bucket = server
        .as_ref()
        .map(|server| server.ready().results_bucket.clone());
    let template = RunTemplate {
        id: job.id.clone(),
        inherited: environment,
        plan: run_plan(job, bucket_name, folder),
        results_bucket: results_bucket
            .or_else(|| job.results.as_ref().map(|uri| uri.bucket.clone())),
        embedded: server
            .as_ref()
            .map(|server| (server.ready().clone(), results_dir)),
        expected,
        max_bytes: None,
    };
    let contender_results = if server.is_none() {
        results.clone()
    } else {
        None
    };
    let results = if server.is_none() { results } else { None };
    let stored = job
        .results
        .as_ref()
        .filter(|_| job.fleet.is_some())
        .map(|uri| Stored {
            bucket: uri.bucket.clone(),
            prefix: format!("{}sweeps/{}/", uri.key, job.id),
            keys_sha256: facts.keys_sha256.clone(),
        });
    if let (Place::Ecs(fleet), Some(stored), Some(results)) = (&mut place, &stored, &results) {
        fleet.belong(&facts, (stored.clone(), Box::new(results.clone())));
    }
    Ok(Stage {
        place,
        cells,
        facts,
        template,
        server,
        contender_results,
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

/// Where the cells run. `kept` is the task definition with which the sweep was begun: a stack that was updated since must not change what the rest is
/// measured with.
async fn place(
    job: &Job,
    (folder, executable): (&Folder, &std::path::Path),
    (prices, kept): (&PriceList, Option<String>),
) -> Result<Place, Failure> {
    let Some(plan) = &job.fleet else {
        let local = Local::new(
            folder.root(),
            executable.to_owned(),
            (job.time_limit, neighbour(job)),
        );
        return Ok(Place::Local(Box::new(local), None));
    };
    let plan = FleetPlan {
        definition: kept.unwrap_or_else(|| plan.definition.clone()),
        ..plan.clone()
    };
    Ok(Place::Ecs(Box::new(
        Fleet::prepare(&plan, (&job.access, prices)).await?,
    )))
}

impl Stage<'_> {
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
fn run_plan(job: &Job, bucket: String, folder: &Folder) -> RunPlan {
    let keys = std::path::absolute(folder.keys_path()).unwrap_or_else(|_| folder.keys_path());
    RunPlan {
        bucket,
        selection: Selection {
            source: KeySource::File(keys),
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

/// Where the server runs, seen from the CPUs.
fn neighbour(job: &Job) -> Neighbour {
    if job.embedded.is_some() {
        return Neighbour::Embedded;
    }
    if job.access.is_on_this_machine() {
        Neighbour::ThisMachine
    } else {
        Neighbour::None
    }
}

async fn start(
    job: &Job,
    (executable, results_dir): (&std::path::Path, PathBuf),
) -> Result<Option<Embedded>, Failure> {
    let Some(options) = &job.embedded else {
        return Ok(None);
    };
    let server = Embedded::start(
        executable,
        &ProcessConfig::new(options.clone(), results_dir),
    )
    .await;
    server
        .map(Some)
        .map_err(|error| Failure::new(Exit::SetUp, error.to_string()))
}

fn reached(job: &Job, server: Option<&Embedded>) -> (Access, Option<StaticCredentials>) {
    let Some(ready) = server.map(Embedded::ready) else {
        return (job.access.clone(), None);
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

/// Lists the keys, and writes down what the sweep is.
async fn begin(
    (job, cells): (&Job, &[Cell]),
    (folder, plan, definition): (&Folder, &str, Option<String>),
    bucket: &mut Bucket,
    on_event: &mut dyn FnMut(&SweepEvent),
) -> Result<(SweepFacts, u64), Failure> {
    let sample = job.sample.map(|sample| (sample, pace(job, cells)));
    let wanted = Wanted {
        source: job.source.clone(),
        prefix: job.plan.prefix.clone(),
        sample,
    };
    let frozen = freeze(bucket, &wanted, &folder.keys_path(), |keys| {
        on_event(&SweepEvent::Listing { keys });
    })
    .await?;
    if frozen.keys == 0 {
        return Err(Failure::new(
            Exit::SetUp,
            format!("there are no keys under {}", bucket.uri(&job.plan.prefix)),
        )
        .hint("a sweep needs something to fetch: check the bucket and --prefix"));
    }
    if let Some(note) = &frozen.note {
        on_event(&SweepEvent::Warning(note.clone()));
    }
    let pages = frozen.pages;
    let facts = SweepFacts {
        task_definition: definition,
        ..facts(job, (frozen, plan), bucket)
    };
    folder.begin(&facts, plan)?;
    Ok((facts, pages))
}

/// How fast the cells are thought to be.
pub(super) fn pace(job: &Job, cells: &[Cell]) -> Pace {
    Pace {
        store: job.store,
        configurations: cells.iter().map(configuration).collect(),
    }
}

/// A cell as what sets the pace.
pub(super) fn configuration(cell: &Cell) -> Configuration {
    Configuration {
        vcpu: cell.vcpu(),
        concurrency: f64::from(cell.concurrency),
        shards: f64::from(cell.shards.max(1)),
    }
}

fn facts(job: &Job, (frozen, plan): (Frozen, &str), bucket: &Bucket) -> SweepFacts {
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
        sample: frozen.sample,
        duration_ns: job
            .plan
            .time()
            .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        region: Some(bucket.session().region().to_owned()),
        endpoint: if job.embedded.is_some() {
            None
        } else {
            job.access.shown_endpoint()
        },
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
    let refuse = |what: String| {
        Failure::new(
            Exit::Usage,
            format!("the sweep {} cannot go on: {what}", job.id),
        )
        .hint("take another --id for another sweep")
    };
    if job.embedded.is_none() && facts.endpoint != job.access.shown_endpoint() {
        return Err(refuse("its endpoint is another".to_owned()));
    }
    if facts.on != on(job) {
        return Err(refuse(format!("it was begun with --on {}", facts.on)));
    }
    match folder.keys_checksum()? {
        Some(sum) if sum == facts.keys_sha256 => Ok(facts),
        _ => Err(refuse(format!(
            "its key list {} was changed",
            folder.keys_path().display()
        ))),
    }
}

fn same_plan((before, now): (&str, &str), id: &str, folder: &Path) -> Result<(), Failure> {
    const EVERY_KEY: &str = "sample = \"all\"\n";
    // A plan of before there were samples says nothing of one, and meant every key.
    let is_older = !before
        .lines()
        .any(|line| line.starts_with("sample = ") || line.starts_with("limit = "));
    let now = if is_older {
        now.replace(EVERY_KEY, "")
    } else {
        now.to_owned()
    };
    if before == now {
        return Ok(());
    }
    if is_older && now.lines().any(|line| line.starts_with("sample = ")) {
        let message = format!("the sweep {id} was begun with every key, and now there is a sample");
        return Err(Failure::new(Exit::Usage, message)
            .hint("continue it as it was begun, with --sample all, or take another --id"));
    }
    let (mut old, mut new) = (before.lines(), now.lines());
    let differing = loop {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => break (a.unwrap_or("nothing"), b.unwrap_or("nothing")),
        }
    };
    let message = format!(
        "the sweep {id} was begun with another plan: it had `{}`, and now there is `{}`",
        differing.0, differing.1
    );
    let plan = shell::line(["--plan", &folder.join(PLAN_FILE).to_string_lossy()]);
    Err(Failure::new(Exit::Usage, message)
        .hint(format!("take another --id, or continue it as it was begun: {plan} instead of the settings that differ")))
}

/// What a repetition that goes through its keys once has to find.
fn expected(job: &Job, (folder, facts): (&Folder, &SweepFacts)) -> Result<Expected, Failure> {
    let has_contenders = !job.plan.contender.is_empty();
    let keys = has_contenders
        .then(|| KeySum::of(&folder.keys_path(), job.plan.limit))
        .transpose()?;
    Ok(match job.plan.limit {
        Some(limit) if limit < facts.frozen().0 => Expected {
            objects: limit,
            bytes: None,
            keys,
        },
        _ => Expected {
            objects: facts.frozen().0,
            bytes: facts.frozen().1,
            keys,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_plan_is_refused_with_what_differs() {
        let same_plan =
            |before, now| super::same_plan((before, now), "s", Path::new("./my results/sweeps/s"));
        assert!(same_plan("a = 1\n", "a = 1\n").is_ok());
        let error = same_plan("a = 1\nseed = 1\n", "a = 1\nseed = 2\n").unwrap_err();
        assert_eq!(
            error.message,
            "the sweep s was begun with another plan: it had `seed = 1`, and now there is `seed = 2`"
        );
        let hint = "take another --id, or continue it as it was begun: --plan './my results/sweeps/s/plan.toml' instead of the settings that differ";
        assert_eq!(error.hint.as_deref(), Some(hint));
        assert!(
            same_plan("a = 1\n", "a = 1\nb = 2\n")
                .unwrap_err()
                .message
                .ends_with("it had `nothing`, and now there is `b = 2`")
        );
        assert!(
            same_plan("a = 1\n", "a = 1\nsample = \"all\"\n").is_ok(),
            "before there were samples every key was fetched"
        );
        let error = same_plan("a = 1\n", "a = 1\nsample = \"auto\"\n").unwrap_err();
        assert_eq!(
            error.message,
            "the sweep s was begun with every key, and now there is a sample"
        );
    }
}
