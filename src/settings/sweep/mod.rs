//! From what was typed to a sweep.

use std::path::PathBuf;
use std::time::Duration;

use super::fetching::{egress, limits};
use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::shown::{LogSettings, ProgressWhen, log, progress_when};
use super::source::{SERVE_HINT, access, bucket_name, for_embedded, store};
use super::sweep_plan::{layout, plan, sample, sizes};
use super::{contender, cost_policy, place, requests, selection};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::{Limits, S3Uri};
use crate::price::Egress;
use crate::sweep::plan::SweepPlan;
use crate::sweep::{Failed, KeyOrder, Oversize, SweepJob};

/// Longest name of a sweep: it is part of tags, which have 64 characters.
const MAX_ID: usize = 40;
/// How long a repetition may take, where nothing is given.
pub(super) const RUN_TIMEOUT: Duration = Duration::from_hours(1);

/// What to do with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Run it.
    Sweep,
    /// Say what would be done.
    DryRun,
    /// Print the plan.
    PrintPlan,
}

/// Everything `sweep` was asked for.
#[derive(Clone, Debug)]
pub struct SweepSettings {
    /// The sweep.
    pub job: SweepJob,
    /// What to do with it.
    pub intent: Intent,
    /// Progress.
    pub progress: ProgressWhen,
    /// Another price list.
    pub prices: Option<PathBuf>,
    /// Where the bytes go that are read.
    pub egress: Egress,
    /// Log lines.
    pub log: LogSettings,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
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
        warnings: notes.settled()?,
        ..settings
    })
}

/// Whether what was given is right, while a stack that is to be asked may bring what is missing.
pub fn check_sweep(raw: &Raw, input: SweepInput<'_>) -> Result<(), Failure> {
    given(raw, input).map(|_incomplete| ())
}

/// The settings as they were given, without the warnings.
fn given(raw: &Raw, input: SweepInput<'_>) -> Result<(SweepSettings, Notes), Failure> {
    let reader = SettingReader(raw);
    let mut notes = Notes::default();
    let plan = plan(raw, (input.plan, input.urls), &mut notes)?;
    let requests = requests::template(&plan, &mut notes)?;
    if plan.bucket.is_empty() && plan.embedded.is_none() && requests.is_none() {
        notes.lacks(usage(
            "no source bucket is given",
            "name it, like `parfetch sweep s3://images`, or set BUCKET_NAME; --embedded and URLs need none",
        ));
    }
    let typed_sizes = raw.get("vcpu").is_some() || input.plan.is_some();
    let embedded = plan
        .embedded
        .as_deref()
        .map(|text| {
            text.parse()
                .map_err(|error| usage(format!("embedded: {error}"), SERVE_HINT))
        })
        .transpose()?;
    let access = access(raw)?;
    let access = if embedded.is_some() {
        for_embedded(raw, &access, &mut notes)
    } else {
        access
    };
    let results = results(raw, &plan, &mut notes)?;
    let duration = plan.time().unwrap_or_default();
    let time_limit = reader.time("run-timeout")?.unwrap_or(RUN_TIMEOUT) + duration;
    let place = place::place(raw, &plan, time_limit, &mut notes)?;
    let cost_policy = cost_policy::cost_policy(raw)?;
    let job = SweepJob {
        id: id(raw, input.id)?,
        sizes: sizes(&plan)?,
        oversize: if typed_sizes {
            Oversize::Refuse
        } else {
            Oversize::LeaveOut
        },
        source: selection::one_source(raw)?,
        sample: sample(&plan)?,
        key_order: KeyOrder::Listed,
        approval: cost_policy.approval,
        asked_egress: if place.facts().is_in_region {
            Egress::None
        } else {
            cost_policy.egress
        },
        store: store(embedded.as_ref(), &access),
        access,
        limits: limits(
            raw,
            if requests.is_some() {
                Limits::OF_A_WEB_SERVER
            } else {
                Limits::default()
            },
        )?,
        requests,
        embedded,
        out: reader
            .path("out")
            .unwrap_or_else(|| PathBuf::from("./parfetch-results")),
        results,
        time_limit,
        place,
        layout: layout(&plan)?,
        failed: if reader.switch("redo-failed")? {
            Failed::Redo
        } else {
            Failed::Keep
        },
        plan,
    };
    contender::beyond(&job, &mut notes);
    let (dry, print) = (reader.switch("dry-run")?, reader.switch("print-plan")?);
    let settings = SweepSettings {
        job,
        intent: if print {
            Intent::PrintPlan
        } else if dry {
            Intent::DryRun
        } else {
            Intent::Sweep
        },
        progress: progress_when(&reader)?,
        prices: reader.path("prices"),
        egress: egress(&reader)?,
        log: log(raw)?,
        warnings: Vec::new(),
    };
    Ok((settings, notes))
}

pub(super) fn id(raw: &Raw, default: &str) -> Result<String, Failure> {
    let Some(Given { value, name }) = raw.get("id") else {
        return Ok(default.to_owned());
    };
    let letters = value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if letters && !value.starts_with('.') && value.len() <= MAX_ID {
        return Ok(value.clone());
    }
    Err(usage(
        format!("{name} is `{value}`, which cannot be the name of a folder here"),
        format!("a name has 1 to {MAX_ID} of A-Z a-z 0-9 . _ -"),
    ))
}

/// Where results are stored beside the folder. The source bucket is never written.
pub(super) fn results(
    raw: &Raw,
    plan: &SweepPlan,
    notes: &mut Notes,
) -> Result<Option<S3Uri>, Failure> {
    let reader = SettingReader(raw);
    let Some(given) = raw.get("result-bucket") else {
        if plan.embedded.is_none() && !plan.is_web() && !plan.contender.is_empty() {
            notes.warn("no results bucket is given: contenders have to write their CSV to the file that PARFETCH_OUT names".to_owned());
        }
        return Ok(None);
    };
    let bucket = bucket_name(given, "--result-prefix goes in front of the results' names")?;
    if plan.embedded.is_some() {
        notes.warn(format!(
            "{} `{bucket}` is not used: with --embedded results stay in the folder",
            given.name
        ));
        return Ok(None);
    }
    if bucket == plan.bucket {
        return Err(usage(
            format!("the results bucket {bucket} is the source bucket"),
            "a sweep writes to another bucket than it reads",
        ));
    }
    Ok(Some(S3Uri {
        bucket,
        key: reader.text("result-prefix").unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests;
