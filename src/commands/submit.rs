//! `parfetch submit`.

use std::io::{self, Write};
use std::path::Path;

use tokio::sync::watch;

use super::console::{display, style_of, warn};
use super::name::name_of_now;
use super::process::{block_on, note, start_log};
use super::signals::{First, Signals};
use super::sources::{deliver, prices};
use super::stack;
use crate::analysis::Study;
use crate::cli::Raw;
use crate::cloud::{Batch, ChildSeen, Cloud};
use crate::event::JobEvent;
use crate::exit::{ChildExit, Exit, Failure, Signal, same_command};
use crate::output::Style;
use crate::plan::S3Uri;
use crate::progress::JobProgress;
use crate::settings::{self, ResultSource, SourceSettings, SubmitSettings};
use crate::submit::{
    BatchJob, Division, JobEnd, JobForecast, ShardKeys, SubmitContext, SubmitOutcome, forecast,
    submit,
};
use crate::units;

/// Which output of a stack stands for which flag.
const OUTPUTS: &stack::OutputFlags = &[
    ("SourceBucket", "bucket"),
    ("SourcePrefix", "prefix"),
    ("ResultsBucket", "result-bucket"),
    ("ResultsPrefix", "result-prefix"),
    ("JobQueueArn", "queue"),
    ("JobDefinitionArn", "job-definition"),
    ("BatchMaxVcpus", "max-vcpus"),
    ("Architecture", "arch"),
    ("Region", "region"),
];
/// Failed children that are named; how many there are is said anyway.
const NAMED: usize = 10;

pub(super) fn main(mut raw: Raw) -> Result<Exit, Failure> {
    // Until the job has begun there is nothing to store.
    let signals = Signals::listen(First::EndsAtOnce, None)?;
    let id = name_of_now();
    // What is wrong is said before the stack is asked.
    settings::check_submit(&raw, &id)?;
    stack::fill(&mut raw, OUTPUTS, &signals)?;
    let settings = settings::submit(&raw, &id)?;
    start_log(settings.log);
    let style = style_of(&io::stderr());
    let hint = format!(
        "a job that was submitted still runs; {} waits for it",
        same_command(&settings.job.id)
    );
    signals.set_meaning(First::EndsInOrder, Some(&hint));
    let ended = block_on(signals.or(to_its_end(&settings, style, signals.asked())))?;
    // The report stores nothing that is not stored already.
    signals.set_meaning(First::EndsAtOnce, Some(&hint));
    match ended {
        SubmitOutcome::Forecast(forecast) if settings.dry_run => say(&forecast),
        SubmitOutcome::Forecast(forecast) => {
            say(&forecast)?;
            Err(
                Failure::new(Exit::Usage, "nothing was submitted: nothing may be spent")
                    .hint("--yes submits it, --max-cost USD up to a price"),
            )
        }
        SubmitOutcome::Left(id) => {
            let _closed = writeln!(
                io::stderr(),
                "not waited for: {id}\nits results: {}",
                again(&settings.job, &sources(&raw, &settings))
            );
            Ok(Exit::Good)
        }
        SubmitOutcome::Over { end, keys, shards } => conclude(
            (&raw, &signals),
            &settings,
            (&end, &JobContent { keys, shards }),
        ),
    }
}

fn say(forecast: &JobForecast) -> Result<Exit, Failure> {
    deliver(&forecast.in_words(), None).map(|()| Exit::Good)
}

async fn to_its_end(
    settings: &SubmitSettings,
    style: Style,
    signal: watch::Receiver<Option<Signal>>,
) -> Result<SubmitOutcome, Failure> {
    let SubmitSettings {
        job,
        dry_run,
        progress,
        prices: file,
        warnings,
        ..
    } = settings;
    let mut progress = JobProgress::new(display(*progress), io::stderr(), style);
    for warning in warnings {
        progress.handle(&JobEvent::Warning(warning.clone()));
    }
    let mut on_event = |event: &JobEvent| progress.handle(event);
    let context = SubmitContext {
        executable: super::run::executable()?,
        prices: prices(file.as_deref())?,
        signal,
        on_event: &mut on_event,
    };
    if *dry_run {
        return Box::pin(forecast(job, context))
            .await
            .map(|forecast| SubmitOutcome::Forecast(Box::new(forecast)));
    }
    let cloud = Cloud::load(&job.run.access).await?;
    Box::pin(submit(job, &Batch::new(&cloud), context)).await
}

/// How its results are read.
fn sources(raw: &Raw, SubmitSettings { job, prices, .. }: &SubmitSettings) -> SourceSettings {
    SourceSettings {
        access: job.run.access.clone(),
        inherited: settings::inherited(raw),
        prices: prices.clone(),
        egress: job.run.egress,
        results: None,
    }
}

/// The report of all shards, and which children failed.
fn conclude(
    (raw, signals): (&Raw, &Signals),
    settings: &SubmitSettings,
    (end, asked): (&JobEnd, &JobContent),
) -> Result<Exit, Failure> {
    let SubmitSettings { job, out, .. } = settings;
    let reported = report((raw, signals), (job, out), &sources(raw, settings));
    if end.is_good {
        return account(&reported?, asked, job).map_or(Ok(Exit::Good), Err);
    }
    let told = match &reported {
        Ok(_) => String::new(),
        Err(failure) => format!("; there is no report: {}", failure.message),
    };
    for child in end.failed.iter().take(NAMED) {
        let keys = asked.shard(child.index).map_or_else(String::new, |part| {
            format!("; it had {}", units::plural(part.keys, "key"))
        });
        warn(&format!(
            "child {} of {} failed: {}{keys}",
            child.index,
            end.children,
            why(child)
        ));
    }
    let failed = match end.children {
        1 => "the child".to_owned(),
        children => format!(
            "{} of {} children",
            units::count(end.failed.len() as u64),
            units::count(u64::from(children))
        ),
    };
    let reason = end
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" ({reason})"));
    let message = format!("{failed} of the job {} failed{reason}{told}", end.id);
    // Where no child has an exit code none of them ran.
    let ran = end.failed.iter().any(|child| child.exit_code.is_some())
        || end.failed.len() < usize::try_from(end.children).unwrap_or(usize::MAX);
    let exit = if ran {
        Exit::FetchesFailed
    } else {
        Exit::SetUp
    };
    Err(Failure::new(exit, message).hint(format!(
        "results of those that ended well are in {}; another try wants another --id",
        job.uri("results/")
    )))
}

fn why(child: &ChildSeen) -> String {
    let code = child.exit_code.map(|code| ChildExit::of(code).to_string());
    let parts: Vec<String> = code.into_iter().chain(child.reason.clone()).collect();
    if parts.is_empty() {
        "Batch does not say why".to_owned()
    } else {
        parts.join(": ")
    }
}

/// What a job had to fetch, as its document says.
struct JobContent {
    keys: u64,
    shards: Vec<ShardKeys>,
}

impl JobContent {
    fn shard(&self, index: u32) -> Option<&ShardKeys> {
        self.shards.get(usize::try_from(index).ok()?)
    }
}

/// All children say that all is well: whether what they stored adds up to the keys of the job.
fn account(studies: &[Study], asked: &JobContent, job: &BatchJob) -> Option<Failure> {
    let mut failures = studies
        .iter()
        .flat_map(|study| &study.cells)
        .flat_map(|cell| &cell.failures);
    if let Some(failed) = failures.next() {
        let named = failed
            .missing_shards
            .iter()
            .take(NAMED)
            .filter_map(|index| Some((index, asked.shard(*index)?)));
        let named: Vec<String> = named
            .map(|(index, part)| format!("shard {index} has {}", units::plural(part.keys, "key")))
            .collect();
        let named = if named.is_empty() {
            String::new()
        } else {
            format!(" ({})", named.join(", "))
        };
        let message = format!(
            "every child ended well, and their account does not close: {}{named}",
            failed.reason
        );
        return Some(
            Failure::new(Exit::FetchesFailed, message)
                .hint(format!("look at what is in {}", job.uri("results/"))),
        );
    }
    let found: Option<u64> = studies.iter().map(|study| study.workload.keys).sum();
    (found != Some(asked.keys)).then(|| other_keys((found, asked.keys), job))
}

/// All children say that all is well, and together they had other keys than they were given: the figures are of something else.
fn other_keys((found, keys): (Option<u64>, u64), job: &BatchJob) -> Failure {
    let found = found.map_or_else(|| "an unknown number of".to_owned(), units::count);
    let message = format!(
        "the children had {found} keys, and the job has {}: the report is not of this job",
        units::count(keys)
    );
    Failure::new(Exit::FetchesFailed, message).hint(match job.division {
        Division::Manifest => "check that the image is of this version of parfetch, and that nothing else writes to the job's folder",
        Division::Hash => "the bucket was listed by each child: did it change meanwhile?",
    })
}

/// Where the children store.
fn results(job: &BatchJob) -> ResultSource {
    ResultSource::S3(S3Uri {
        bucket: job.results_bucket().to_owned(),
        key: job.key("results/"),
    })
}

/// The command that shows the report again.
fn again(job: &BatchJob, sources: &SourceSettings) -> String {
    super::report::command(&[results(job)], sources)
}

/// Shows the report, and returns what it shows.
fn report(
    (raw, signals): (&Raw, &Signals),
    (job, out): (&BatchJob, &Path),
    sources: &SourceSettings,
) -> Result<Vec<Study>, Failure> {
    let place = results(job);
    let folder = out.join("jobs").join(&job.id);
    let (page, studies) = super::report::of_place(place, (&folder, sources), signals)?;
    note(
        raw,
        &format!(
            "\npage: {}\nagain, in any form: {}",
            page.display(),
            again(job, sources)
        ),
    );
    Ok(studies)
}
