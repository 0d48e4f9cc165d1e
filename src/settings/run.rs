//! The settings of `run`.

use std::path::PathBuf;
use std::time::Duration;

use super::fetching::{PlanParts, run_plan};
use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::shown::{FORMATS, Format, LogSettings, ProgressWhen, log, progress_when};
use super::source::{access_of, bucket, bucket_name, embedded_options, store};
use super::{cost_policy, emf, http, proxy, selection};
use crate::cli::{Given, Raw};
use crate::estimate::CostPolicy;
use crate::exit::Failure;
use crate::plan::{
    Destination, KeySource, Limits, Mode, ObjectSource, RESULTS_ELSEWHERE, RunPlan, S3Uri,
    Selection,
};
use crate::server;
use crate::speed::Store;

/// Set in every task of ECS and Batch.
const TASK_VARIABLE: &str = "ECS_CONTAINER_METADATA_URI_V4";

/// Everything `run` was asked for.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The run. With the embedded server, its endpoint and buckets are put in once it runs.
    pub plan: RunPlan,
    /// The embedded server, when asked for.
    pub embedded: Option<server::Options>,
    /// What serves the objects.
    pub store: Store,
    /// Progress.
    pub progress: ProgressWhen,
    /// Summary on stdout.
    pub output: Format,
    /// Log lines.
    pub log: LogSettings,
    /// Namespace of the metrics that are written at the end.
    pub emf: Option<String>,
    /// A price list instead of the built-in one.
    pub prices: Option<PathBuf>,
    /// The run ends in order when it has taken so long.
    pub time_limit: Option<Duration>,
    /// What may be fetched without a question.
    pub cost_policy: CostPolicy,
    /// Whether it is only said what would be done.
    pub dry_run: bool,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
}

/// The settings of `run`.
pub fn run(raw: &Raw) -> Result<RunSettings, Failure> {
    let reader = SettingReader(raw);
    let mut notes = Notes::default();
    let http = http::http_source(raw, &mut notes)?;
    let embedded = match http {
        Some(_) => None,
        None => embedded_options(raw)?,
    };
    let (source, selection, limits) = match http {
        Some(http) => (
            ObjectSource::Http(Box::new(http)),
            Selection::of(KeySource::Listing),
            Limits::OF_A_WEB_SERVER,
        ),
        None => (
            ObjectSource::Bucket(bucket(raw, embedded.as_ref(), &mut notes)?),
            selection::selection(raw)?,
            Limits::default(),
        ),
    };
    let parts = PlanParts {
        source,
        selection,
        mode: mode(&reader)?,
        access: access_of(raw, embedded.as_ref(), &mut notes)?,
        destination: destination(raw, embedded.as_ref(), &mut notes)?,
        limits,
    };
    let plan = run_plan(raw, parts)?;
    proxy::check_lean(raw, &plan)?;
    results_outside_source(raw, &plan, &mut notes)?;
    if let (Some(seed), None, None) = (raw.get("seed"), plan.selection.sample, plan.source.http()) {
        notes.warn(format!(
            "{} is not used: it is the seed of --sample",
            seed.name
        ));
    }
    Ok(RunSettings {
        store: store(embedded.as_ref(), &plan.access),
        plan,
        embedded,
        progress: progress_when(&reader)?,
        output: reader.one_of("output", FORMATS)?.unwrap_or_default(),
        log: log(raw)?,
        emf: emf::namespace(&reader)?,
        prices: reader.path("prices"),
        time_limit: reader.time("run-timeout")?,
        cost_policy: cost_policy::cost_policy(raw)?,
        dry_run: reader.switch("dry-run")?,
        // Last: what is missing is said when nothing else is wrong.
        warnings: notes.settled()?,
    })
}

fn mode(reader: &SettingReader<'_>) -> Result<Mode, Failure> {
    let mode = reader.word::<Mode>("mode").map_err(|failure| {
        let meant = reader
            .text("mode")
            .and_then(|value| http::method_hint(&value));
        match meant {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    });
    Ok(mode?.unwrap_or(Mode::Async))
}

fn destination(
    raw: &Raw,
    embedded: Option<&server::Options>,
    notes: &mut Notes,
) -> Result<Destination, Failure> {
    let reader = SettingReader(raw);
    let bucket = raw.get("result-bucket").map(|given| {
        bucket_name(
            given,
            "--result-prefix goes in front of the results' names, and --out keeps them in a folder",
        )
    });
    let mut destination = Destination {
        bucket: bucket.transpose()?,
        prefix: reader.text("result-prefix").unwrap_or_default(),
        out: reader.path("out"),
        spool_dir: reader.path("spool-dir"),
        no_overwrite: reader.switch("no-overwrite")?,
    };
    if embedded.is_some() {
        // The embedded server's results bucket is a folder anyway: write there directly.
        destination.bucket = None;
        let out = destination
            .out
            .get_or_insert_with(|| PathBuf::from("./parfetch-results"));
        if let Some(Given { value, name }) = raw.get("result-bucket") {
            notes.warn(format!(
                "{name} `{value}` is not used: with --embedded results go to {}",
                out.display()
            ));
        }
    } else if destination.bucket.is_none()
        && destination.out.is_none()
        && !reader.switch("dry-run")?
    {
        // A person who types a source finds them here; with a container they would be lost.
        let is_flag = |flag: &str| raw.get(flag).is_some_and(Given::is_flag);
        let is_typed = !raw.words.is_empty() || is_flag("bucket") || raw.get("urls").is_some();
        if is_typed && raw.variables.get(TASK_VARIABLE).is_none() {
            destination.out = Some(PathBuf::from("./parfetch-results"));
        } else {
            notes.lacks(usage(
                "no place for the results is given",
                "-r s3://results or --out DIR names one, or set RESULT_BUCKET_NAME",
            ));
        }
    }
    Ok(destination)
}

/// The source bucket is never written; even a results bucket that is the source must not put results where they would be listed.
fn results_outside_source(raw: &Raw, plan: &RunPlan, notes: &mut Notes) -> Result<(), Failure> {
    let allowed = SettingReader(raw).switch("allow-results-in-source")?;
    let Some(bucket) = plan.destination.bucket.clone() else {
        return Ok(());
    };
    let results = S3Uri {
        bucket,
        key: plan.destination.prefix.clone(),
    };
    let source = S3Uri {
        bucket: plan.source.bucket().to_owned(),
        key: plan.selection.prefix.clone(),
    };
    let name = plan.result_stem();
    if !results.is_listed_with(&name, &source) {
        return Ok(());
    }
    let message = format!(
        "results would go to {results}{name}.csv, which is under the listed prefix of the source"
    );
    if !allowed {
        return Err(usage(
            message,
            format!("{RESULTS_ELSEWHERE}; --allow-results-in-source overrides"),
        ));
    }
    notes.warn(message);
    Ok(())
}
