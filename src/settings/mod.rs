//! From what was typed to what is done: raw values become a validated plan. All rules between settings live here.
//!
//! Pure: no I/O, no environment, no clock. Every error names the flag or variable under which a person gave the value.

mod contender;
mod doctor;
mod emf;
mod fill;
mod fleet;
mod lists;
mod notes;
mod proxy;
mod reader;
mod reports;
mod selection;
mod spending;
mod submit;
mod sweep;
mod upload;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::outlook::Spending;
use crate::pace::Store;
use crate::plan::names::{self, Wrong};
use crate::plan::{
    Access, ClientKind, Destination, FetchOptions, Layout, Limits, MAX_ATTEMPTS, Mode, RunPlan,
    S3Uri,
};
use crate::price::Egress;
use crate::server;
pub use doctor::doctor;
pub use fill::fill;
use notes::Notes;
use reader::{Reader, usage};
pub use reports::{
    CompareSettings, ReportFormat, ReportSettings, ResultSource, SourceSettings, compare, report,
};
pub use submit::{SubmitSettings, check_submit, submit};
pub use sweep::{Beside, Intent, SweepSettings, check_sweep, sweep};
pub use upload::{UploadSettings, upload};

/// When progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressWhen {
    /// A bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// Warnings only.
    Never,
}

/// A form of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// How log lines look and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// The least important level that is shown.
    pub level: Level,
    /// Text or JSON.
    pub format: Format,
}

/// A log level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    Error,
    #[default]
    Warn,
    Info,
    Debug,
    Trace,
}

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
    pub log: Log,
    /// Namespace of the metrics that are written at the end.
    pub emf: Option<String>,
    /// A price list instead of the built-in one.
    pub prices: Option<PathBuf>,
    /// What may be fetched without a question.
    pub spending: Spending,
    /// Whether it is only said what would be done.
    pub dry_run: bool,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
}

/// The settings of `run`.
pub fn run(raw: &Raw) -> Result<RunSettings, Failure> {
    let reader = Reader(raw);
    let mut notes = Notes::default();
    let embedded = embedded_options(raw)?;
    let mode = reader.word::<Mode>("mode")?.unwrap_or(Mode::Async);
    let client = reader
        .word::<ClientKind>("client")?
        .unwrap_or(ClientKind::Lean);
    let access = access(raw)?;
    let plan = RunPlan {
        bucket: bucket(raw, embedded.is_some(), &mut notes)?,
        selection: selection::selection(raw)?,
        concurrency: concurrency(raw, mode)?,
        mode,
        client,
        tag: tag(raw)?,
        access: if embedded.is_some() {
            for_embedded(raw, &access, &mut notes)
        } else {
            access
        },
        fetch: FetchOptions {
            limits: limits(raw)?,
            work: reader.word("work")?.unwrap_or_default(),
        },
        duration: reader.time("duration")?,
        layout: layout(&reader)?,
        destination: destination(raw, embedded.is_some(), &mut notes)?,
        egress: egress(&reader)?,
    };
    check_lean(raw, &plan)?;
    results_outside_source(raw, &plan, &mut notes)?;
    if let (Some(seed), None) = (raw.get("seed"), plan.selection.sample) {
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
        spending: spending::spending(raw)?,
        dry_run: reader.switch("dry-run")?,
        // Last: what is missing is said when nothing else is wrong.
        warnings: notes.settled()?,
    })
}

fn progress_when(reader: &Reader<'_>) -> Result<ProgressWhen, Failure> {
    Ok(reader
        .one_of(
            "progress",
            &[("auto", ProgressWhen::Auto), ("never", ProgressWhen::Never)],
        )?
        .unwrap_or_default())
}

/// Set in every task of ECS and Batch.
const TASK_VARIABLE: &str = "ECS_CONTAINER_METADATA_URI_V4";
/// What to try without a source.
const NO_SOURCE: &str = "name it, like `parfetch s3://images`, or set BUCKET_NAME; `parfetch run --embedded` needs none";
const SERVE_HINT: &str = "`parfetch serve --help` lists the keys";
const FORMATS: &[(&str, Format)] = &[("text", Format::Text), ("json", Format::Json)];

/// What stands in the log, for every subcommand.
pub fn log(raw: &Raw) -> Result<Log, Failure> {
    let levels = [
        ("error", Level::Error),
        ("warn", Level::Warn),
        ("info", Level::Info),
        ("debug", Level::Debug),
        ("trace", Level::Trace),
    ];
    Ok(Log {
        level: Reader(raw)
            .one_of("log-level", &levels)?
            .unwrap_or_default(),
        format: Reader(raw)
            .one_of("log-format", FORMATS)?
            .unwrap_or_default(),
    })
}

/// What `--embedded` was given; none when it was switched off.
pub fn embedded_text(raw: &Raw) -> Option<&str> {
    match raw.get("embedded")?.value.as_str() {
        "0" | "false" | "no" | "off" => None,
        "1" | "true" | "yes" | "on" => Some(""),
        text => Some(text),
    }
}

fn embedded_options(raw: &Raw) -> Result<Option<server::Options>, Failure> {
    let name = raw.get("embedded").map_or("--embedded", |given| given.name);
    let options = embedded_text(raw).map(|text| {
        server::Options::from_str(text)
            .map_err(|error| usage(format!("{name}: {error}"), SERVE_HINT))
    });
    options.transpose()
}

/// The source bucket; empty for the embedded server's, and while it is missing.
fn bucket(raw: &Raw, embedded: bool, notes: &mut Notes) -> Result<String, Failure> {
    match (raw.get("bucket"), embedded) {
        (Some(given), true)
            if raw
                .get("prefix")
                .is_some_and(|prefix| prefix.name == given.name) =>
        {
            let message = format!(
                "{} names a bucket, and --embedded fetches from a server of its own",
                given.name
            );
            Err(usage(message, "leave one of them out"))
        }
        (Some(given), true) => {
            notes.warn(format!(
                "{} `{}` is not used: the embedded server's own bucket is fetched",
                given.name, given.value
            ));
            Ok(String::new())
        }
        (Some(given), false) => bucket_name(given, "--prefix narrows it down"),
        (None, true) => Ok(String::new()),
        (None, false) => {
            notes.lacks(usage("no source bucket is given", NO_SOURCE));
            Ok(String::new())
        }
    }
}

/// A bucket's name and nothing else; `other` says how to give the rest.
fn bucket_name(Given { value, name }: &Given, other: &str) -> Result<String, Failure> {
    match names::check_bucket(value) {
        Ok(()) => Ok(value.clone()),
        Err(Wrong { what, .. }) if value.contains('/') && !value.starts_with("arn:") => Err(usage(
            format!("{name} {what}"),
            format!("{name} takes the name alone; {other}"),
        )),
        Err(wrong) => Err(wrong_value(name, wrong)),
    }
}

fn wrong_value(name: &str, Wrong { what, hint }: Wrong) -> Failure {
    usage(format!("{name} {what}"), hint)
}

fn concurrency(raw: &Raw, mode: Mode) -> Result<NonZeroU32, Failure> {
    let most = u64::from(mode.max_concurrency());
    let number = Reader(raw)
        .number("concurrency", 1..=most, &format!("workers of mode {mode}"))?
        .unwrap_or(16);
    Ok(u32::try_from(number)
        .ok()
        .and_then(NonZeroU32::new)
        .expect("the range was checked"))
}

fn tag(raw: &Raw) -> Result<String, Failure> {
    let Some(Given { value, name }) = raw.get("tag") else {
        return Ok("run".to_owned());
    };
    let fits = value.len() <= 64
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits {
        return Ok(value.clone());
    }
    Err(usage(
        format!("{name} is `{value}`, which cannot be part of a result's name"),
        "a tag has 1 to 64 of A-Z a-z 0-9 . _ -",
    ))
}

/// What serves the objects, as far as that is known before any was fetched.
fn store(embedded: Option<&server::Options>, access: &Access) -> Store {
    let is_distant = embedded.map_or(!access.is_on_this_machine(), server::Options::is_distant);
    if is_distant {
        Store::Distant
    } else {
        Store::OnThisMachine
    }
}

/// How S3 is reached, for `run` and `upload`.
pub fn access(raw: &Raw) -> Result<Access, Failure> {
    let reader = Reader(raw);
    let checked = |flag: &str, check: fn(&str) -> Result<String, Wrong>| {
        let value = raw
            .get(flag)
            .map(|Given { value, name }| check(value).map_err(|wrong| wrong_value(name, wrong)));
        value.transpose()
    };
    Ok(Access {
        endpoint_url: checked("endpoint-url", names::endpoint)?,
        region: checked("region", |text| {
            names::check_region(text).map(|()| text.to_owned())
        })?,
        profile: reader.text("profile"),
        virtual_host: reader.switch("virtual-host")?,
        no_sign_request: reader.switch("no-sign-request")?,
        request_payer: reader.switch("request-payer")?,
        ca_bundle: reader.path("ca-bundle"),
    })
}

/// The embedded server is reached its own way: what was set for another endpoint does not matter, and typing it is worth a warning.
fn for_embedded(raw: &Raw, access: &Access, notes: &mut Notes) -> Access {
    if let Some(given) = raw.get("endpoint-url") {
        notes.warn(format!(
            "{} is not used: --embedded brings its own endpoint",
            given.name
        ));
    }
    Access {
        no_sign_request: access.no_sign_request,
        request_payer: access.request_payer,
        ..Access::default()
    }
}

fn limits(raw: &Raw) -> Result<Limits, Failure> {
    let reader = Reader(raw);
    let default = Limits::default();
    let attempts = reader.number(
        "attempts",
        1..=u64::from(MAX_ATTEMPTS),
        "HTTP attempts per object",
    )?;
    Ok(Limits {
        attempts: attempts
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(default.attempts),
        connect_timeout: reader
            .time("connect-timeout")?
            .unwrap_or(default.connect_timeout),
        stall_timeout: reader
            .time("stall-timeout")?
            .unwrap_or(default.stall_timeout),
        fetch_timeout: reader.time("timeout")?,
    })
}

/// Where the bytes go that are read.
fn egress(reader: &Reader<'_>) -> Result<Egress, Failure> {
    Ok(reader.word("egress")?.unwrap_or_default())
}

/// In which order objects are fetched, and in which parts.
fn layout(reader: &Reader<'_>) -> Result<Layout, Failure> {
    Ok(Layout {
        order: reader.word("order")?.unwrap_or_default(),
        part_size: reader.part_size()?,
    })
}

fn destination(raw: &Raw, embedded: bool, notes: &mut Notes) -> Result<Destination, Failure> {
    let reader = Reader(raw);
    let bucket = raw
        .get("result-bucket")
        .map(|given| bucket_name(given, "--result-prefix goes in front of the results' names"));
    let mut destination = Destination {
        bucket: bucket.transpose()?,
        prefix: reader.text("result-prefix").unwrap_or_default(),
        out: reader.path("out"),
        spool_dir: reader.path("spool-dir"),
        no_overwrite: reader.switch("no-overwrite")?,
    };
    if embedded {
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
        let is_typed = raw
            .get("bucket")
            .is_some_and(|given| given.is_flag() || !raw.words.is_empty());
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

/// `lean` has no way through a proxy and no session credentials of directory buckets; children have no way through a proxy.
fn check_lean(raw: &Raw, plan: &RunPlan) -> Result<(), Failure> {
    check_directory_bucket(plan)?;
    proxy::check(raw, plan)
}

/// What to try where `lean` does not do.
const USE_SDK: &str = "use --client sdk (PARFETCH_CLIENT=sdk)";

fn check_directory_bucket(plan: &RunPlan) -> Result<(), Failure> {
    if plan.client == ClientKind::Lean
        && (plan.bucket.ends_with("--x-s3") || plan.bucket.ends_with("--xa-s3"))
    {
        return Err(usage(
            format!(
                "the client lean cannot read the directory bucket {}",
                plan.bucket
            ),
            USE_SDK,
        ));
    }
    Ok(())
}

/// The source bucket is never written; even a results bucket that is the source must not put results where they would be listed.
fn results_outside_source(raw: &Raw, plan: &RunPlan, notes: &mut Notes) -> Result<(), Failure> {
    let allowed = Reader(raw).switch("allow-results-in-source")?;
    let Some(bucket) = plan.destination.bucket.clone() else {
        return Ok(());
    };
    let results = S3Uri {
        bucket,
        key: plan.destination.prefix.clone(),
    };
    let source = S3Uri {
        bucket: plan.bucket.clone(),
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
            "use another results bucket, or a --result-prefix outside --prefix; --allow-results-in-source overrides",
        ));
    }
    notes.warn(message);
    Ok(())
}

/// The settings of `serve`.
pub fn serve(raw: &Raw) -> Result<server::ProcessConfig, Failure> {
    let reader = Reader(raw);
    let options = match raw.get("options") {
        None => server::Options::default(),
        Some(Given { value, name }) => value
            .parse()
            .map_err(|error| usage(format!("{name}: {error}"), SERVE_HINT))?,
    };
    let folder = reader
        .path("results-dir")
        .unwrap_or_else(|| PathBuf::from("./parfetch-results"));
    let mut config = server::ProcessConfig::new(options, folder);
    if let Some(address) = reader.text("listen") {
        config.address = address;
    }
    config.threads = reader
        .number("threads", 1..=256, "threads that serve")?
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(1);
    config.anonymous = reader.switch("anonymous")?;
    config.tls = match (reader.path("tls-cert"), reader.path("tls-key")) {
        (Some(certificate), Some(key)) => Some(server::TlsFiles { certificate, key }),
        (None, None) => None,
        _ => {
            return Err(usage(
                "--tls-cert and --tls-key go together",
                "give both, or neither for plain http",
            ));
        }
    };
    if let Some(access_key) = reader.text("access-key") {
        let secret = raw
            .variables
            .get("PARFETCH_SERVE_SECRET_KEY")
            .map(str::to_owned);
        let secret_key = secret.ok_or_else(|| {
            usage(
                "--access-key has no secret",
                "set PARFETCH_SERVE_SECRET_KEY",
            )
        })?;
        config.credentials = Some(server::ServerCredentials {
            access_key,
            secret_key,
            session_token: None,
        });
    }
    Ok(config)
}

#[cfg(test)]
mod tests;
