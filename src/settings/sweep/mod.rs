//! From what was typed to a sweep.

use super::notes::Notes;
use super::reader::SettingReader;
use super::sweep_plan::{plan, sample};
use crate::cli::Raw;
use crate::exit::Failure;
use crate::sweep::{Failed, Oversize, SweepJob};

mod job;

pub use self::job::{Handling, Intent};
pub(super) use self::job::{PlannedJob, id, job};

/// Everything `sweep` was asked for.
#[derive(Clone, Debug)]
pub struct SweepSettings {
    /// The sweep.
    pub job: SweepJob,
    pub handling: Handling,
}

/// What settings cannot know of themselves.
#[derive(Clone, Copy, Debug)]
pub struct SweepInput<'a> {
    /// The text of the file of `--plan`.
    pub plan: Option<&'a str>,
    /// The text of the file of `--urls`.
    pub urls: Option<&'a str>,
    /// The name of a sweep that was given none.
    pub id: &'a str,
}

/// The settings of `sweep`.
pub fn sweep(raw: &Raw, input: SweepInput<'_>) -> Result<SweepSettings, Failure> {
    let (settings, notes) = given(raw, input)?;
    Ok(SweepSettings {
        handling: settings.handling.with_warnings(notes)?,
        ..settings
    })
}

/// Whether what was given is right, while a stack that is to be asked may bring what is missing.
pub fn check_sweep(raw: &Raw, input: SweepInput<'_>) -> Result<(), Failure> {
    given(raw, input).map(|_incomplete| ())
}

/// The settings as they were given, without the warnings.
fn given(raw: &Raw, input: SweepInput<'_>) -> Result<(SweepSettings, Notes), Failure> {
    let mut notes = Notes::default();
    let plan = plan(raw, (input.plan, input.urls), &mut notes)?;
    let oversize = if raw.get("vcpu").is_some() || input.plan.is_some() {
        Oversize::Refuse
    } else {
        Oversize::LeaveOut
    };
    let sample = sample(&plan)?;
    let planned = PlannedJob {
        plan,
        id: input.id,
        model: None,
        oversize,
        without_source: "--embedded and URLs need none",
    };
    let job = SweepJob {
        sample,
        failed: if SettingReader(raw).switch("redo-failed")? {
            Failed::Redo
        } else {
            Failed::Keep
        },
        ..job(raw, planned, &mut notes)?
    };
    let handling = Handling::of(raw)?;
    Ok((SweepSettings { job, handling }, notes))
}

#[cfg(test)]
mod tests;
