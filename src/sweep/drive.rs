//! Drives a sweep: sets up, goes through the order, leaves out what is done, ends in order when told to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::folder::{Folder, FolderError, SWEEP_FILE, store_record};
use super::local::{Attempt, Scene};
use super::matrix::{Planned, order};
use super::plan::SweepPlan;
use super::setup::{self, Stage};
use crate::cell::{Cell, Program};
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::plan::{Access, KeySource, Layout, Limits, S3Uri};
use crate::platform::clock::utc_now;
use crate::results::record::{FILE_NAME, Record};
use crate::results::summary::Summary;
use crate::run::Signal;
use crate::server::Options;
use crate::store::Replace;

/// A sweep to be done, every setting resolved.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name: also that of its folder.
    pub id: String,
    /// What is varied, and the work of a repetition.
    pub plan: SweepPlan,
    /// Sizes of the cells: CPU units and MiB.
    pub sizes: Vec<(u32, u32)>,
    /// What happens to sizes that this machine does not have.
    pub oversize: Oversize,
    /// Where the keys come from.
    pub source: KeySource,
    /// How S3 is reached.
    pub access: Access,
    /// Time limits of a fetch.
    pub limits: Limits,
    /// Order and parts of a repetition.
    pub layout: Layout,
    /// The embedded server.
    pub embedded: Option<Options>,
    /// Folder of `sweeps/ID`.
    pub out: PathBuf,
    /// Where results are stored as well.
    pub results: Option<S3Uri>,
    /// How long a repetition may take.
    pub time_limit: Duration,
    /// Whether repetitions that failed before are run again.
    pub failed: Failed,
}

/// What happens to sizes that this machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// They were asked for: refuse.
    Refuse,
    /// They come from the default plan: leave them out, and say so.
    LeaveOut,
}

/// What happens to repetitions that failed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// They stay as they are.
    Keep,
    /// They are run again.
    Redo,
}

/// What a sweep gets from outside.
pub struct World<'a> {
    /// This program.
    pub executable: PathBuf,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Set once a signal has come.
    pub signal: Receiver<Option<Signal>>,
    /// Hears every event.
    pub on_event: &'a mut dyn FnMut(&SweepEvent),
}

/// What a sweep would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The cells, in the order of tables.
    pub cells: Vec<Cell>,
    /// Runs, without warm-ups.
    pub runs: u64,
    /// Warm-ups.
    pub warm_ups: u64,
    /// Keys that a run fetches.
    pub keys: u64,
    /// Their bytes; none with a limit, or where sizes are not known.
    pub bytes: Option<u64>,
    /// GETs of all runs, warm-ups too; none where time ends a run.
    pub gets: Option<u64>,
    /// LIST requests: of the one listing, and of what contenders list themselves.
    pub lists: u64,
    /// How long each run lasts, when time ends it.
    pub duration: Option<String>,
    /// Region and storage class of all keys, where AWS bills the requests and there is one class.
    pub billed: Option<(String, String)>,
    /// How the cells would be held, in words.
    pub limited: String,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its folder.
    pub folder: PathBuf,
    /// Runs with a record, warm-ups apart.
    pub done: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Where its folder is stored as well: `s3://bucket/prefix`.
    pub target: Option<String>,
    /// Exit code.
    pub exit: Exit,
}

/// Says what [`sweep`] would do: lists the keys, starts and writes nothing.
///
/// # Errors
/// What would end the sweep before its first run.
pub async fn dry_run(job: &Job, world: World<'_>) -> Result<Forecast, Failure> {
    let scratch = tempfile::tempdir().map_err(|error| Failure::new(Exit::SetUp, error.to_string()))?;
    let folder = Folder::open(scratch.path().to_owned())?;
    let stage = setup::set_up(job, &folder, world).await?;
    let forecast = stage.forecast(job);
    stage.end().await;
    Ok(forecast)
}

/// Does the sweep, or what is left of it.
///
/// # Errors
/// What ends it before its first run, or makes it senseless to go on. What was done stays done.
pub async fn sweep(job: &Job, world: World<'_>) -> Result<Ended, Failure> {
    let folder = Folder::open(job.out.join("sweeps").join(&job.id))?;
    let signal = world.signal.clone();
    let mut stage = Box::pin(setup::set_up(job, &folder, world)).await?;
    let ended = Box::pin(go_through(job, (&folder, &mut stage), signal)).await;
    stage.end().await;
    ended
}

/// A run that is still to be done.
struct Todo {
    planned: Planned,
    attempt: u32,
    number: Option<u64>,
}

async fn go_through(job: &Job, (folder, stage): (&Folder, &mut Stage<'_>), signal: Receiver<Option<Signal>>) -> Result<Ended, Failure> {
    let order = order(&stage.cells, job.plan.repeat, job.plan.seed);
    let mut clock = Clock::default();
    let (todo, mut ended, done) = what_is_left(job, (folder, &order), &mut clock)?;
    store_begun(stage, (job, folder), &done, &mut ended).await?;
    let runs = order.iter().filter(|planned| planned.repetition > 0).count() as u64;
    stage.event(&SweepEvent::Planned { title: stage.forecast(job).title(&job.id), runs, done: ended.done });
    for (index, next) in todo.iter().enumerate() {
        if let Some(signal) = *signal.borrow() {
            return Ok(interrupted(ended, (signal, stage)));
        }
        let cell = next.planned.cell.to_string();
        let left_ns = clock.left_ns(&todo[index..]);
        stage.event(&SweepEvent::RunStarted { number: next.number, cell: cell.clone(), left_ns });
        let dir = folder.prepare(&next.planned, next.attempt)?;
        let attempt = Attempt { planned: &next.planned, number: next.attempt, dir: &dir, started_at: utc_now() };
        let Stage { local, facts, telling, server, contender_results, .. } = &mut *stage;
        let scene = Scene { facts, contenders: &job.plan.contender, telling, server: server.as_mut(), results: contender_results.as_mut() };
        let record = local.attempt(&attempt, scene, signal.clone()).await;
        let Some(record) = record.map_err(|error| Failure::new(Exit::SetUp, format!("cannot run {cell}: {error}")))? else {
            // Nothing of it counts; the next attempt gets a folder of its own either way.
            let _kept = std::fs::remove_dir_all(&dir);
            let signal = signal.borrow().unwrap_or(Signal::Interrupt);
            return Ok(interrupted(ended, (signal, stage)));
        };
        store_record(&dir, &record)?;
        clock.ran(&record);
        let failure = record.failure.as_ref().map(|failure| failure.reason.clone());
        stage.event(&SweepEvent::RunEnded { number: next.number, cell, bytes_per_s: rate(&record, &dir), failure });
        if next.number.is_some() {
            ended.done += 1;
            ended.failed += u64::from(record.failure.is_some());
        } else {
            check_warm_up(&record)?;
        }
        store(stage, (job, folder), &dir, &mut ended).await;
    }
    stage.event(&SweepEvent::Done);
    Ok(ended)
}

fn interrupted(ended: Ended, (signal, stage): (Signal, &mut Stage<'_>)) -> Ended {
    stage.event(&SweepEvent::Interrupted);
    Ended { exit: signal.exit(), ..ended }
}

/// What has no record. Warm-ups are done again as long as anything is left of a sweep.
fn what_is_left(job: &Job, (folder, order): (&Folder, &[Planned]), clock: &mut Clock) -> Result<(Vec<Todo>, Ended, Vec<PathBuf>), FolderError> {
    let target = job.results.as_ref().map(|uri| format!("s3://{}/{}sweeps/{}", uri.bucket, uri.key, job.id));
    let mut ended = Ended { folder: folder.root().to_owned(), done: 0, failed: 0, target, exit: Exit::Good };
    let (mut todo, mut done) = (Vec::new(), Vec::new());
    let mut number = 0;
    for planned in order {
        let (record, attempt) = folder.look(planned)?;
        if planned.repetition == 0 {
            todo.push(Todo { planned: planned.clone(), attempt, number: None });
            continue;
        }
        number += 1;
        match record.filter(|record| record.failure.is_none() || job.failed == Failed::Keep) {
            Some(record) => {
                clock.ran(&record);
                done.push(folder.repetition(planned, record.attempt));
                ended.done += 1;
                ended.failed += u64::from(record.failure.is_some());
            }
            None => todo.push(Todo { planned: planned.clone(), attempt, number: Some(number) }),
        }
    }
    let left: Vec<&Program> = todo.iter().filter(|todo| todo.number.is_some()).map(|todo| &todo.planned.cell.program).collect();
    let wanted: Vec<bool> = todo.iter().map(|todo| todo.number.is_some() || left.contains(&&todo.planned.cell.program)).collect();
    let todo = todo.into_iter().zip(wanted).filter_map(|(todo, wanted)| wanted.then_some(todo)).collect();
    Ok((todo, ended, done))
}

/// A warm-up of parfetch that fails says why every run would fail.
fn check_warm_up(record: &Record) -> Result<(), Failure> {
    match &record.failure {
        Some(failure) if record.cell.program.is_parfetch() => {
            let said = failure.stderr.iter().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            let hint = failure.stderr.iter().find_map(|line| line.strip_prefix("hint: "));
            let failed = Failure::new(Exit::SetUp, format!("the warm-up ({}) {}{said}", record.cell, failure.reason));
            Err(match hint {
                Some(hint) => failed.hint(hint),
                None => failed,
            })
        }
        _ => Ok(()),
    }
}

/// Proves that the results bucket can be written, before hours go by, and stores what an earlier part of the sweep could not.
async fn store_begun(stage: &mut Stage<'_>, (job, folder): (&Job, &Folder), done: &[PathBuf], ended: &mut Ended) -> Result<(), Failure> {
    let Some(uri) = &job.results else { return Ok(()) };
    let key = |relative: &str| format!("{}sweeps/{}/{relative}", uri.key, job.id);
    match &mut stage.results {
        Some(bucket) => bucket.store_file(&key(SWEEP_FILE), &folder.root().join(SWEEP_FILE), Replace::Yes).await?,
        None => return Ok(()),
    }
    for dir in done {
        let relative = dir.strip_prefix(folder.root()).unwrap_or(dir).join(FILE_NAME);
        let Some(bucket) = &mut stage.results else { return Ok(()) };
        if bucket.exists(&key(&relative.to_string_lossy())).await? == Some(false) {
            store(stage, (job, folder), dir, ended).await;
        }
    }
    Ok(())
}

/// Stores a repetition in the results bucket, if there is one. What is not stored stays in the folder.
async fn store(stage: &mut Stage<'_>, (job, folder): (&Job, &Folder), dir: &Path, ended: &mut Ended) {
    let (Some(bucket), Some(uri)) = (&mut stage.results, &job.results) else { return };
    let relative = dir.strip_prefix(folder.root()).unwrap_or(dir).display();
    let files = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.is_file()).collect();
    // The record last: where it stands, the rest stands.
    files.sort_by_key(|path| path.ends_with(FILE_NAME));
    let mut left = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let key = format!("{}sweeps/{}/{relative}/{name}", uri.key, job.id);
        if let Err(error) = bucket.store_file(&key, &path, Replace::No).await {
            left.push(format!("not stored: {}; it is kept in {}", error.message, path.display()));
        }
    }
    if !left.is_empty() {
        ended.exit = Exit::NotStored;
    }
    for message in left {
        stage.event(&SweepEvent::Warning(message));
    }
}

/// Bytes of complete objects ÷ fetch time, over all shards.
fn rate(record: &Record, dir: &Path) -> Option<f64> {
    if let Some(contender) = &record.contender {
        return Some(contender.goodput_bytes as f64 * 1e9 / contender.fetch_ns as f64);
    }
    let rates = record.summaries.iter().map(|name| {
        let text = std::fs::read_to_string(dir.join(name)).ok()?;
        Summary::from_json(&text).ok()?.rates.goodput_bytes_per_s
    });
    rates.sum::<Option<f64>>().filter(|_| !record.summaries.is_empty())
}

/// How long runs took, and so how long the rest will take.
#[derive(Default)]
struct Clock {
    cells: HashMap<Cell, (u64, u64)>,
    all: (u64, u64),
}

impl Clock {
    fn ran(&mut self, record: &Record) {
        let Some(outside) = &record.outside else { return };
        let of_cell = self.cells.entry(record.cell.clone()).or_default();
        for (sum, count) in [of_cell, &mut self.all] {
            *sum += outside.wall_ns;
            *count += 1;
        }
    }

    /// Each run as long as those of its cell, or as all so far; none before the first.
    fn left_ns(&self, todo: &[Todo]) -> Option<u64> {
        let mean = |(sum, count): &(u64, u64)| sum.checked_div(*count);
        let overall = mean(&self.all)?;
        Some(todo.iter().map(|next| self.cells.get(&next.planned.cell).and_then(mean).unwrap_or(overall)).sum())
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let hint = match &error {
            FolderError::Io { .. } => "name a folder with room in --out",
            FolderError::Busy(_) => "wait for its end, or take another --id",
            FolderError::Damaged { .. } => "take another --id, or move that folder away",
        };
        Self::new(Exit::SetUp, error.to_string()).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ClientKind, Mode};
    use crate::results::record::Outside;
    use crate::sweep::fixture;

    fn cell(concurrency: u32) -> Cell {
        Cell { program: Program::Client(ClientKind::Lean), cpu_units: 1024, memory_mib: 2048, mode: Mode::Async, concurrency, shards: 1 }
    }

    fn todo(concurrency: u32) -> Todo {
        Todo { planned: Planned { cell: cell(concurrency), repetition: 1, position: 0 }, attempt: 1, number: Some(1) }
    }

    #[test]
    fn the_rest_takes_as_long_as_runs_of_its_cells_took() {
        let mut clock = Clock::default();
        assert_eq!(clock.left_ns(&[todo(1)]), None);
        for (concurrency, wall_ns) in [(1, 10), (1, 20), (4, 6)] {
            let mut record = fixture::record(&cell(concurrency), 1);
            record.outside = Some(Outside { wall_ns, ..Outside::default() });
            clock.ran(&record);
        }
        // 15 for the first cell, 6 for the second, 36 / 3 = 12 for one that never ran.
        assert_eq!(clock.left_ns(&[todo(1), todo(4), todo(16)]), Some(15 + 6 + 12));
    }

    #[test]
    fn a_contenders_rate_is_of_its_own_time() {
        let mut record = fixture::record(&cell(1), 1);
        record.contender = Some(crate::results::record::ContenderResult { fetch_ns: 2_000_000_000, objects: 4, ok: 4, goodput_bytes: 500 });
        assert_eq!(rate(&record, Path::new("/nowhere")), Some(250.0));
        assert_eq!(rate(&fixture::record(&cell(1), 1), Path::new("/nowhere")), None);
    }
}
