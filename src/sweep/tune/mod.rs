//! A tune: a sweep whose repetitions are chosen from run to run, until the best configuration is known.
//!
//! Owns the limits, the steps and the document; `crate::tune` decides what to measure, and the sweep's driver measures it like any other repetition.

mod answer;
mod chooser;
mod fit;
mod forecast;
mod job;
mod program;
mod question;
mod seen;

use self::answer::take_prices;
use self::chooser::Chooser;
pub use self::chooser::OnStep;
pub use self::fit::{FittedModel, fit};
pub use self::forecast::{TuneForecast, dry_run_tune};
use self::forecast::{estimate, runs_of, title};
pub use self::job::{MOST_KEYS, TuneEnd, TuneJob, TuneLimits};
use self::question::chooser;
use super::drive::{remember, set_up, to_its_end, unless_told_to_end};
use super::driver::Driver;
use super::folder::Folder;
use super::job::{SweepContext, SweepEnd};
use super::keep::{store_begun, store_document};
use super::remaining::{Remaining, what_is_left};
use super::setup::ReadySweep;
use super::time_left::TimeLeft;
use crate::analysis::{self, Reader};
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::results::tune::{FILE_NAME, StoppedBecause, TuneDocument};

/// Does the tune, or what is left of it.
///
/// # Errors
/// What ends it before its first run, or makes it senseless to go on. What was done stays done.
pub async fn tune(
    job: &TuneJob,
    context: SweepContext<'_>,
    on_step: &mut OnStep<'_>,
) -> Result<TuneEnd, Failure> {
    let folder = Folder::open(job.sweep.folder())?;
    let ended = Box::pin(in_folder(job, &folder, context, on_step)).await;
    if ended.is_err() {
        folder.unmake();
    }
    ended
}

async fn in_folder(
    job: &TuneJob,
    folder: &Folder,
    context: SweepContext<'_>,
    on_step: &mut OnStep<'_>,
) -> Result<TuneEnd, Failure> {
    let signal = context.signal.clone();
    let mut ready = set_up(&job.sweep, folder, context).await?;
    let mut chooser = match chooser(job, (folder, &ready), on_step) {
        Ok(chooser) => chooser,
        Err(failure) => {
            ready.end().await;
            return Err(failure);
        }
    };
    let ended = Box::pin(go_through(job, (folder, &mut ready), &mut chooser, signal)).await;
    let ended = match ended {
        Ok(ended) => finish(job, (folder, &mut ready), chooser, ended).await,
        Err(failure) => Err(failure),
    };
    ready.end().await;
    ended
}

async fn go_through(
    job: &TuneJob,
    (folder, ready): (&Folder, &mut ReadySweep<'_>),
    chooser: &mut Chooser<'_>,
    signal: tokio::sync::watch::Receiver<Option<crate::exit::Signal>>,
) -> Result<SweepEnd, Failure> {
    let sweep = &job.sweep;
    let mut clock = TimeLeft::default();
    // What was measured before is found run by run, as it is asked for again.
    let Remaining { mut ended, .. } = what_is_left(sweep, (folder, &[]), &mut clock)?;
    remember(ready, (sweep, folder))?;
    // Nobody agrees to what was made before, nor to nothing.
    let runs = runs_of(job, (folder, ready))?;
    if runs.left > 0 {
        let estimate = estimate(job, ready, &runs);
        if estimate.needs_asking(sweep.approval)? {
            ready.event(&SweepEvent::Asking);
        }
        unless_told_to_end(&signal, estimate.agree(sweep.approval, &mut *ready.ask)).await?;
    }
    store_begun(ready, (sweep, folder), &[], &mut ended).await?;
    let title = title(job, ready)?;
    ready.event(&SweepEvent::Planned {
        title,
        runs: job.limits.runs,
        done: 0,
    });
    ready.launcher.find().await?;
    let run = Driver {
        job: sweep,
        folder,
        clock,
        todo: std::collections::VecDeque::new(),
        warming_up: 0,
        fetched: 0,
        said_short: Vec::new(),
        ended,
        next: Some(chooser),
        good: Vec::new(),
    };
    to_its_end(run, ready, Vec::new(), &signal).await
}

/// Writes the answer down.
async fn finish(
    job: &TuneJob,
    (folder, ready): (&Folder, &mut ReadySweep<'_>),
    mut chooser: Chooser<'_>,
    mut ended: SweepEnd,
) -> Result<TuneEnd, Failure> {
    let why = match ended.exit {
        _ if ended.is_broke => StoppedBecause::MaxCost,
        _ if ended.is_out_of_bytes => StoppedBecause::MaxBytes,
        Exit::Interrupted | Exit::Terminated => StoppedBecause::Interrupted,
        _ => StoppedBecause::Nothing,
    };
    chooser.document.usd_spent = ended.spent.and_then(|spent| spent.usd);
    chooser.end(why)?;
    limits(folder, ready, &mut chooser.document);
    chooser.write()?;
    store_document(ready, (&job.sweep, folder), FILE_NAME, &mut ended).await;
    Ok(TuneEnd {
        ended,
        document: chooser.document,
    })
}

/// What limits each answer and what it costs, by the rules of the report, what its program gets, and which CPUs the client had.
fn limits(folder: &Folder, ready: &ReadySweep<'_>, document: &mut TuneDocument) {
    let mut reader = Reader::default();
    reader.path(folder.root());
    let studies = analysis::studies(reader.finish(), ready.prices);
    document.client_cpus = studies
        .iter()
        .filter_map(|study| study.facts.client_cpus)
        .max();
    for priced in studies.iter().filter_map(|study| study.facts.tune.as_ref()) {
        for (answer, priced) in document.answers.iter_mut().zip(&priced.answers) {
            take_prices(answer, priced);
        }
    }
    let goal = document.goal;
    for answer in &mut document.answers {
        let Some(choice) = answer.choice(goal).copied() else {
            continue;
        };
        let mut cells = studies.iter().flat_map(|study| &study.cells);
        let found = cells.find(|report| choice.configuration.is_of(&report.cell, answer));
        answer.limit = found.map(|report| report.verdict.word);
        let told = found.and_then(|report| {
            report
                .observations
                .iter()
                .find_map(|one| one.told.as_deref())
        });
        answer.settings = told.map(|told| told.settings.clone());
        answer.container = told.and_then(|told| told.container.clone());
    }
}
