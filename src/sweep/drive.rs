//! Drives a sweep: sets up, goes through the order, leaves out what is done, ends in order when told to.

use tokio::sync::watch::Receiver;

use super::added::{among, to_a_tune};
use super::attempt::Todo;
use super::begin::keep_repetitions;
use super::driver::Driver;
use super::folder::Folder;
use super::job::{SweepContext, SweepEnd, SweepForecast, SweepJob};
use super::keep::store_begun;
use super::launcher::{Abandon, EarlierSweep, Spent};
use super::matrix::{Planned, cells, order};
use super::remaining::{Remaining, what_is_left};
use super::setup::{self, ReadySweep};
use super::time_left::TimeLeft;
use crate::cell::Cell;
use crate::estimate::CostConsent;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure, Signal};
use crate::platform::wait::comes;
use crate::units::three_digits;

/// Says what [`sweep`] would do, or what is left of it: lists the keys of a new one, starts and writes nothing.
///
/// # Errors
/// What would end the sweep before its first run.
pub async fn dry_run(job: &SweepJob, context: SweepContext<'_>) -> Result<SweepForecast, Failure> {
    let folder = Folder::look_at(job.folder())?;
    let added = to_a_tune(job, &folder)?;
    let job = added.as_ref().unwrap_or(job);
    let mut ready = set_up(job, &folder, context).await?;
    let mut clock = TimeLeft::default();
    let (_, remaining) = planned(job, (&folder, &ready), &mut clock)?;
    let forecast = ready.forecast_of(job, (&remaining, clock));
    let is_left = !remaining.todo.is_empty();
    for too_little in forecast.too_little.iter().filter(|_| is_left) {
        ready.event(&SweepEvent::Warning(too_little.in_words()));
    }
    ready.end().await;
    Ok(forecast)
}

/// Does the sweep, or what is left of it.
///
/// # Errors
/// What ends it before its first run, or makes it senseless to go on. What was done stays done.
pub async fn sweep(job: &SweepJob, context: SweepContext<'_>) -> Result<SweepEnd, Failure> {
    let folder = Folder::open(job.folder())?;
    let ended = Box::pin(in_folder(job, &folder, context)).await;
    if ended.is_err() {
        folder.unmake();
    }
    ended
}

async fn in_folder(
    job: &SweepJob,
    folder: &Folder,
    context: SweepContext<'_>,
) -> Result<SweepEnd, Failure> {
    let added = to_a_tune(job, folder)?;
    let job = added.as_ref().unwrap_or(job);
    let signal = context.signal.clone();
    let mut ready = set_up(job, folder, context).await?;
    let ended = Box::pin(go_through(job, (folder, &mut ready), signal)).await;
    ready.end().await;
    ended
}

/// Sets up, unless a signal comes: nothing has been measured by then.
pub(super) async fn set_up<'a>(
    job: &SweepJob,
    folder: &Folder,
    context: SweepContext<'a>,
) -> Result<ReadySweep<'a>, Failure> {
    let signal = context.signal.clone();
    unless_told_to_end(&signal, Box::pin(setup::set_up(job, folder, context))).await
}

/// Before the first run a signal ends everything at once.
pub(super) async fn unless_told_to_end<T>(
    signal: &Receiver<Option<Signal>>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut signal = signal.clone();
    tokio::select! {
        done = work => done,
        signal = comes(&mut signal) => Err(Failure::new(signal.exit(), "interrupted before the first run").hint("the same command begins again")),
    }
}

async fn go_through(
    job: &SweepJob,
    (folder, ready): (&Folder, &mut ReadySweep<'_>),
    signal: Receiver<Option<Signal>>,
) -> Result<SweepEnd, Failure> {
    let mut clock = TimeLeft::default();
    let (order, remaining) = planned(job, (folder, ready), &mut clock)?;
    let Remaining {
        todo,
        mut ended,
        done,
        before,
    } = remaining;
    remember(ready, (job, folder))?;
    if done.is_empty() {
        affordable(job, ready.forecast(job).tasks_usd)?;
    }
    let left: Vec<&Cell> = todo.iter().map(|next| &next.planned.cell).collect();
    unless_told_to_end(
        &signal,
        ready.agree(
            job,
            if todo.iter().all(|next| next.number.is_none()) {
                &[]
            } else {
                &left
            },
        ),
    )
    .await?;
    keep_repetitions(job, folder)?;
    store_begun(ready, (job, folder), &done, &mut ended).await?;
    let forecast = ready.forecast(job);
    let is_left = !todo.is_empty();
    for too_little in forecast.too_little.iter().filter(|_| is_left) {
        ready.event(&SweepEvent::Warning(too_little.in_words()));
    }
    ready.event(&SweepEvent::Planned {
        title: forecast.title(&job.id),
        runs: order
            .iter()
            .filter(|planned| planned.repetition > 0)
            .count() as u64,
        done: ended.done,
    });
    for event in &before {
        ready.event(event);
    }
    if !todo.is_empty() {
        ready.launcher.find().await?;
    }
    // What an earlier part started goes on, whatever the order says: it is taken up first, all of it.
    let (going, mut waiting): (Vec<_>, Vec<_>) = todo
        .into_iter()
        .partition(|next| folder.is_going_on(&next.planned, next.attempt));
    if waiting.iter().all(|next| next.number.is_none()) {
        waiting.clear();
    }
    let run = Driver {
        job,
        folder,
        clock,
        todo: waiting.into(),
        warming_up: 0,
        fetched: 0,
        // What was said of all runs is not said again of one.
        said_short: forecast.short_programs(),
        ended,
        next: None,
        good: Vec::new(),
    };
    to_its_end(run, ready, going, &signal).await
}

/// All runs in their order, and which of them are left.
fn planned(
    job: &SweepJob,
    (folder, ready): (&Folder, &ReadySweep<'_>),
    clock: &mut TimeLeft,
) -> Result<(Vec<Planned>, Remaining), Failure> {
    let all = cells(&job.plan, &job.sizes);
    let order = order((&all, &ready.cells), job.plan.repeat, job.plan.seed);
    let order = among(job, order);
    let remaining = what_is_left(job, (folder, &order), clock)?;
    Ok((order, remaining))
}

/// Says to what costs money what an earlier part of the sweep has cost.
pub(super) fn remember(
    ready: &mut ReadySweep<'_>,
    (job, folder): (&SweepJob, &Folder),
) -> Result<(), Failure> {
    if job.place.facts().consent.is_some() {
        ready.launcher.remember(&EarlierSweep {
            records: folder.records()?,
            stopped: folder.stopped()?,
        });
    }
    Ok(())
}

/// Goes through all that is left, and cleans up.
pub(super) async fn to_its_end(
    mut run: Driver<'_>,
    ready: &mut ReadySweep<'_>,
    going: Vec<Todo>,
    signal: &Receiver<Option<Signal>>,
) -> Result<SweepEnd, Failure> {
    let (job, folder) = (run.job, run.folder);
    let result = run.all(ready, going, signal).await;
    let why = match result {
        Ok(Exit::Good) => None,
        _ if run.ended.is_broke => Some(Abandon::Broke),
        _ => Some(Abandon::Interrupted),
    };
    let spent = close(ready, folder, &mut run.ended, why).await?;
    if let (Err(_), Some(warning)) = (&result, cost(spent, job)) {
        ready.event(&warning);
    }
    // What could not be stored is told, unless something worse is.
    let exit = match result? {
        Exit::Good => run.ended.exit,
        worse => worse,
    };
    Ok(SweepEnd {
        spent,
        exit,
        ..run.ended
    })
}

/// Cleans up after a whole sweep, or ends what still runs of one that is abandoned; what was spent.
async fn close(
    ready: &mut ReadySweep<'_>,
    folder: &Folder,
    ended: &mut SweepEnd,
    why: Option<Abandon>,
) -> Result<Option<Spent>, Failure> {
    let ReadySweep {
        launcher, on_event, ..
    } = ready;
    match why {
        None => launcher.clean_up(*on_event).await,
        Some(why) => ended.going_on = launcher.abandon(why, *on_event).await,
    }
    let spent = launcher.spent();
    if spent.is_some() {
        folder.add_stopped(launcher.take_stopped())?;
    }
    Ok(spent)
}

/// An error must not hide what tasks have cost.
fn cost(spent: Option<Spent>, job: &SweepJob) -> Option<SweepEvent> {
    let words = spent?.in_words(job.place.facts().prices)?;
    Some(SweepEvent::Warning(format!(
        "the sweep ends by an error, and has cost money: {words}"
    )))
}

/// A sweep that cannot come to its end with its money is not begun.
fn affordable(job: &SweepJob, tasks_usd: Option<(f64, f64)>) -> Result<(), Failure> {
    match (job.place.facts().consent, tasks_usd) {
        (Some(CostConsent::UpTo(most)), Some((least, _))) if least > most => {
            let message = format!(
                "the tasks of this sweep cost ${} at least, and --max-cost is ${most}",
                three_digits(least)
            );
            Err(Failure::new(Exit::Usage, message).hint("fewer configurations or repetitions cost less; --dry-run says what each plan costs"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Law, Model};
    use crate::price::PriceList;
    use crate::sweep::environment::RunTemplate;
    use crate::sweep::fixture;
    use crate::sweep::keys::ExpectedKeys;

    const LAW: &str =
        "[bucket]\nobjects = 5\nsigma = 0.0\nmean_bytes = 1e6\n[corner]\npower = inf\n";

    #[tokio::test]
    async fn a_place_that_is_a_model_goes_through_the_same_sweep() {
        let out = tempfile::tempdir().unwrap();
        let law = Law::new(Model::parse(LAW).unwrap());
        let job = fixture::job(out.path(), law);
        let folder = Folder::open(out.path().join("sweeps/s")).unwrap();
        folder
            .begin(&fixture::facts(), &job.plan.to_toml())
            .unwrap();
        let prices = PriceList::built_in();
        let (_send, signal) = tokio::sync::watch::channel(None);
        for done_before in [0, 4] {
            let mut events = Vec::new();
            let ended = {
                let mut on_event = |event: &SweepEvent| events.push(event.clone());
                let mut ask = |_: &str| None;
                let mut sweep = ready(&job, &prices, &mut on_event, &mut ask).await;
                Box::pin(go_through(&job, (&folder, &mut sweep), signal.clone()))
                    .await
                    .unwrap()
            };
            assert_eq!(
                (ended.done, ended.failed, ended.exit, ended.spent),
                (4, 0, Exit::Good, None)
            );
            let started = events
                .iter()
                .filter(|event| matches!(event, SweepEvent::RunStarted { .. }));
            // Two configurations twice, and a warm-up; then nothing is left.
            assert_eq!(started.count(), if done_before == 0 { 5 } else { 0 });
        }
        assert_eq!(folder.records().unwrap().len(), 5);
    }

    async fn ready<'a>(
        job: &SweepJob,
        prices: &'a PriceList,
        on_event: &'a mut dyn FnMut(&SweepEvent),
        ask: crate::estimate::Ask<'a>,
    ) -> ReadySweep<'a> {
        let setup = crate::sweep::launcher::LauncherSetup {
            folder: &job.out,
            executable: &job.out,
            access: &job.access,
            prices,
            time_limit: job.time_limit,
            is_embedded: false,
            is_source_here: false,
            server_units: None,
            definition: None,
            contender_definitions: std::collections::BTreeMap::new(),
            plan: &job.plan,
        };
        ReadySweep {
            launcher: job.place.open(&setup).await.unwrap(),
            cells: cells(&job.plan, &job.sizes),
            facts: fixture::facts(),
            template: RunTemplate {
                id: job.id.clone(),
                inherited: Vec::new(),
                plan: crate::plan::variables::example(),
                prefix: String::new(),
                contenders: Vec::new(),
                requests: None,
                results_bucket: None,
                embedded: None,
                expected: ExpectedKeys {
                    objects: 5,
                    bytes: Some(5_000),
                    keys: None,
                },
                max_bytes: None,
                time_limit: job.time_limit,
            },
            server: None,
            contender_results: None,
            results: None,
            stored: None,
            lists: 0,
            gets: 5,
            warnings: Vec::new(),
            on_event,
            prices,
            ask,
        }
    }
}
