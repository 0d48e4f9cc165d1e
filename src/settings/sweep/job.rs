//! What a sweep and a tune are asked for alike.

use std::path::PathBuf;
use std::time::Duration;

use super::super::fetching::{egress, limits};
use super::super::notes::Notes;
use super::super::reader::{SettingReader, usage};
use super::super::shown::{LogSettings, ProgressWhen, log, progress_when};
use super::super::source::{SERVE_HINT, access_of, bucket_name, store};
use super::super::sweep_plan::{layout, sizes};
use super::super::{contender, cost_policy, place, requests, selection};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::{Limits, S3Uri};
use crate::price::Egress;
use crate::results::DEFAULT_OUT;
use crate::sweep::plan::SweepPlan;
use crate::sweep::{Failed, KeyOrder, Oversize, SweepJob, SweepPlace};

/// Longest name of a sweep: it is part of tags, which have 64 characters.
const MAX_ID: usize = 40;
/// How long a repetition may take, where nothing is given.
const RUN_TIMEOUT: Duration = Duration::from_hours(1);

/// What to do with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Run it.
    Measure,
    /// Say what would be done.
    DryRun,
    /// Print the plan.
    PrintPlan,
}

/// What is done with a job, and what a person sees of it.
#[derive(Clone, Debug)]
pub struct Handling {
    pub intent: Intent,
    pub progress: ProgressWhen,
    /// Another price list.
    pub prices: Option<PathBuf>,
    /// Where the bytes go that are read.
    pub egress: Egress,
    pub log: LogSettings,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
}

impl Handling {
    /// As it was given, without the warnings.
    pub(in crate::settings) fn of(raw: &Raw) -> Result<Self, Failure> {
        let reader = SettingReader(raw);
        let (dry, print) = (reader.switch("dry-run")?, reader.switch("print-plan")?);
        Ok(Self {
            intent: if print {
                Intent::PrintPlan
            } else if dry {
                Intent::DryRun
            } else {
                Intent::Measure
            },
            progress: progress_when(&reader)?,
            prices: reader.path("prices"),
            egress: egress(&reader)?,
            log: log(raw)?,
            warnings: Vec::new(),
        })
    }

    /// With the warnings; an error where something is missing.
    pub(in crate::settings) fn with_warnings(self, notes: Notes) -> Result<Self, Failure> {
        Ok(Self {
            warnings: notes.settled()?,
            ..self
        })
    }
}

/// What a job is made of, beside what was typed.
pub(in crate::settings) struct PlannedJob<'a> {
    pub plan: SweepPlan,
    /// The name of one that was given none.
    pub id: &'a str,
    /// The text of a model, on which nothing is fetched.
    pub model: Option<&'a str>,
    pub oversize: Oversize,
    /// What needs no source bucket, in words.
    pub without_source: &'static str,
}

/// The job of a plan: every key of it in the listed order.
pub(in crate::settings) fn job(
    raw: &Raw,
    planned: PlannedJob<'_>,
    notes: &mut Notes,
) -> Result<SweepJob, Failure> {
    let reader = SettingReader(raw);
    let plan = planned.plan;
    let requests = requests::template(&plan, notes)?;
    let needs_bucket = plan.embedded.is_none() && requests.is_none() && planned.model.is_none();
    if plan.bucket.is_empty() && needs_bucket {
        notes.lacks(usage(
            "no source bucket is given",
            format!(
                "name it, like `parfetch {} s3://images`, or set BUCKET_NAME; {}",
                raw.command, planned.without_source
            ),
        ));
    }
    let embedded = plan.embedded.as_deref().map(|text| {
        text.parse()
            .map_err(|error| usage(format!("embedded: {error}"), SERVE_HINT))
    });
    let embedded = embedded.transpose()?;
    let access = access_of(raw, embedded.as_ref(), notes)?;
    let results = results(raw, &plan, notes)?.filter(|_| planned.model.is_none());
    let time_limit =
        reader.time("run-timeout")?.unwrap_or(RUN_TIMEOUT) + plan.time().unwrap_or_default();
    let place = match planned.model {
        Some(text) => SweepPlace::of_model(text, plan.seed)?,
        None => place::place(raw, &plan, time_limit, notes)?,
    };
    let cost_policy = cost_policy::cost_policy(raw)?;
    let job = SweepJob {
        id: id(raw, planned.id)?,
        sizes: sizes(&plan)?,
        oversize: planned.oversize,
        source: selection::one_source(raw)?,
        sample: None,
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
            .unwrap_or_else(|| PathBuf::from(DEFAULT_OUT)),
        results,
        time_limit,
        place,
        layout: layout(&plan)?,
        adds_to: None,
        failed: Failed::Keep,
        plan,
    };
    contender::beyond(&job, notes);
    Ok(job)
}

pub(in crate::settings) fn id(raw: &Raw, default: &str) -> Result<String, Failure> {
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
fn results(raw: &Raw, plan: &SweepPlan, notes: &mut Notes) -> Result<Option<S3Uri>, Failure> {
    let reader = SettingReader(raw);
    let Some(given) = raw.get("result-bucket") else {
        let writes_csv = plan.contender.iter().any(|contender| !contender.is_timed());
        if plan.embedded.is_none() && !plan.is_web() && writes_csv {
            notes.warn("no results bucket is given: contenders have to write their CSV to the file that PARFETCH_OUT names".to_owned());
        }
        return Ok(None);
    };
    let bucket = bucket_name(
        given,
        "--result-prefix goes in front of the results' names, and --out keeps them in a folder",
    )?;
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
