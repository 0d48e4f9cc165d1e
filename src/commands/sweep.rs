//! `parfetch sweep`, and the hidden way in which it starts its repetitions.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use tokio::sync::watch;

use super::console::{display, fitted, print, style_of};
use super::ended::{interrupted, not_agreed, not_stored, spent, warn_of_failed};
use super::name::name_of_now;
use super::process::{block_on, note, start_log};
use super::signals::{First, Signals};
use super::sources::above_sweeps;
use crate::cli::{self, Confined, Given, Raw, Variables};
use crate::estimate::CostConsent;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure, Signal, same_command};
use crate::plan::Access;
use crate::platform::bounded;
use crate::price::PriceList;
use crate::progress::SweepProgress;
use crate::settings::{self, Intent, ResultSource, SourceSettings, SweepInput, SweepSettings};
use crate::shell;
use crate::sweep::{
    Confinement, Mend, PlaceFacts, RunsLeft, SweepContext, SweepEnd, SweepForecast, SweepJob,
    become_program, dry_run, sweep,
};
use crate::units;

/// Numbers of workers that go further than the default, which are those of the study.
const WIDE: &str = "1..64";

/// The largest file of URLs: they are copied into the plan, which has to be readable itself.
const URLS_BYTES: u64 = bounded::TEXT_BYTES / 2;

/// What the outputs of a stack are for a sweep.
pub(super) const STACK: &super::stack::OutputFlags = &[
    ("SourceBucket", "bucket"),
    ("SourcePrefix", "prefix"),
    ("ResultsBucket", "result-bucket"),
    ("ResultsPrefix", "result-prefix"),
    ("ClusterArn", "cluster"),
    // The ARN of the output has no revision, and ECS is asked for the latest by the family.
    ("TaskFamily", "task-definition"),
    ("ContainerName", "container"),
    ("SubnetIds", "subnets"),
    ("SecurityGroupIds", "security-groups"),
    ("AssignPublicIp", "assign-public-ip"),
    ("LogGroup", "log-group"),
];

pub(super) fn main(mut raw: Raw) -> Result<Exit, Failure> {
    // Until the sweep has begun there is nothing to store.
    let signals = Signals::listen(First::EndsAtOnce, None)?;
    let plan = read_plan(&raw)?;
    let urls = read_urls(&raw)?;
    let id = name_of_now();
    let input = SweepInput {
        plan: plan.as_deref(),
        urls: urls.as_deref(),
        id: &id,
    };
    // What is wrong is said before the stack is asked.
    settings::check_sweep(&raw, input)?;
    super::stack::fill(&mut raw, STACK, &signals)?;
    let raw = &raw;
    let settings = settings::sweep(raw, input)?;
    start_log(settings.handling.log);
    if settings.handling.intent == Intent::PrintPlan {
        return print(&settings.job.plan.to_toml());
    }
    let sources = SourceSettings {
        access: settings.job.access.clone(),
        inherited: settings::inherited(raw),
        prices: settings.handling.prices.clone(),
        egress: settings.handling.egress,
        results: None,
    };
    let place = settings.job.place.facts();
    let again = same_command(&settings.job.id);
    let to_continue = format!("to continue, run {again}");
    let hint = match place.left_running {
        Some(left) => format!("{left}; {again} finds them"),
        None => to_continue.clone(),
    };
    signals.set_meaning(First::EndsInOrder, Some(&hint));
    let Some(ended) = block_on(signals.or(to_its_end(raw, settings, signals.asked())))? else {
        return Ok(Exit::Good);
    };
    // The report stores nothing that is not stored already.
    signals.set_meaning(First::EndsAtOnce, Some(&hint));
    if [Exit::Good, Exit::NotStored].contains(&ended.exit) {
        let sources = SourceSettings {
            results: ended.target.as_deref().map(above_sweeps),
            ..sources.clone()
        };
        let page = super::report::of_folder(&ended.folder, &sources, &signals)?;
        let again = super::report::command(&[ResultSource::Path(ended.folder.clone())], &sources);
        note(
            raw,
            &format!("\npage: {}\nagain, in any form: {again}", page.display()),
        );
    }
    spent(&ended, &place);
    finish(&ended, &sources.access, &to_continue)
}

/// The text of the file of `--plan`.
pub(super) fn read_plan(raw: &Raw) -> Result<Option<String>, Failure> {
    let Some(given) = raw.get("plan") else {
        return Ok(None);
    };
    let text = bounded::read_text(Path::new(&given.value), bounded::TEXT_BYTES);
    text.map(Some).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot read the plan {}: {error}", given.value),
        )
        .hint("`parfetch sweep --print-plan` writes one")
    })
}

/// The text of the file of `--urls`; none where URLs are typed.
pub(super) fn read_urls(raw: &Raw) -> Result<Option<String>, Failure> {
    let named = raw.get("urls").map(|given| given.value.as_str());
    let Some(path) = named.filter(|value| !cli::is_web_address(value) && !value.contains("://"))
    else {
        return Ok(None);
    };
    let text = match path {
        "-" => bounded::text_of(&mut io::stdin(), URLS_BYTES),
        path => bounded::read_text(Path::new(path), URLS_BYTES),
    };
    text.map(Some).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot read the URLs in {path}: {error}"),
        )
        .hint("--urls names a file with one URL per line, or - for standard input")
    })
}

async fn to_its_end(
    raw: &Raw,
    settings: SweepSettings,
    signal: watch::Receiver<Option<Signal>>,
) -> Result<Option<SweepEnd>, Failure> {
    let SweepSettings { job, handling } = settings;
    let variables = &raw.variables;
    let mut progress = SweepProgress::new(
        display(handling.progress),
        io::stderr(),
        style_of(&io::stderr()),
    );
    for warning in handling.warnings {
        progress.handle(&SweepEvent::Warning(warning));
    }
    let mut on_event = |event: &SweepEvent| progress.handle(event);
    let prices = super::sources::prices(handling.prices.as_deref())?;
    let context = SweepContext {
        executable: super::run::executable()?,
        environment: environment(variables),
        prices: &prices,
        signal,
        on_event: &mut on_event,
        ask: &mut super::ask::ask,
    };
    let place = job.place.facts();
    let is_asked = place.consent == Some(CostConsent::NotGiven);
    if handling.intent == Intent::DryRun || is_asked {
        let forecast = Box::pin(dry_run(&job, context)).await?;
        drop(progress);
        let is_done = forecast.left.as_ref().is_some_and(|left| left.runs == 0);
        let [tasks, next] = if is_done {
            Default::default()
        } else {
            [
                of_tasks(&forecast, &place, &prices),
                next_lines(raw, (&job, &forecast)),
            ]
        };
        print(&(fitted(&(plan_in_words(&forecast, &job.id) + &tasks)) + &next))?;
        if handling.intent == Intent::DryRun {
            return Ok(None);
        }
        return Err(not_agreed("sweep"));
    }
    Box::pin(sweep(&job, context)).await.map(Some)
}

pub(super) fn environment(variables: &Variables) -> Vec<(String, String)> {
    // Colours in a pipe would hide what a run says of itself.
    let all = variables
        .all()
        .filter(|(name, _)| *name != "CLICOLOR_FORCE");
    all.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What was done, and how to look at it.
fn finish(ended: &SweepEnd, access: &Access, to_continue: &str) -> Result<Exit, Failure> {
    if ended.is_broke {
        let message = format!(
            "--max-cost is used up after {}{}",
            units::plural(ended.done, "run"),
            left_running(ended.going_on)
        );
        return Err(Failure::new(Exit::FetchesFailed, message)
            .hint(format!("{to_continue}, with a higher --max-cost")));
    }
    if ended.is_out_of_bytes {
        let message = format!(
            "--max-bytes is used up after {}: another one would go beyond",
            units::plural(ended.done, "run")
        );
        return Err(Failure::new(Exit::FetchesFailed, message)
            .hint(format!("{to_continue}; it counts its bytes anew")));
    }
    warn_of_failed(ended);
    match ended.exit {
        Exit::Good if ended.failed > 0 => Ok(Exit::FetchesFailed),
        Exit::Good => Ok(Exit::Good),
        Exit::NotStored => Err(not_stored(ended, access)),
        exit => Err(interrupted(exit, ended.done, to_continue)),
    }
}

/// What goes on after the sweep, in words.
fn left_running(tasks: usize) -> String {
    match tasks {
        0 => "; no task is left running".to_owned(),
        1 => "; 1 of its tasks could not be stopped, still runs, and costs money".to_owned(),
        tasks => format!("; {tasks} of its tasks could not be stopped, still run, and cost money"),
    }
}

/// The plan in words: cells, runs, bytes, requests, time, money.
fn plan_in_words(forecast: &SweepForecast, id: &str) -> String {
    let mut text = forecast.title(id);
    if forecast.adds {
        text = text + "\nadds to the tune " + id;
    }
    let done = |left: &RunsLeft| units::plural(left.done, "run");
    let runs = match &forecast.left {
        // The title has their number.
        None => String::new(),
        Some(left) if left.runs == 0 => {
            return text + &format!("\ndone: {}; nothing is left to run\n", done(left));
        }
        Some(left) => {
            text = text + "\ndone: " + &done(left) + "; left:";
            let (runs, warm_ups) = (
                units::count(left.runs),
                units::plural(left.warm_ups, "warm-up"),
            );
            format!("runs: {runs}, and {warm_ups}\n")
        }
    };
    for line in forecast.configurations() {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    format!("{text}\n{runs}{}", forecast.estimate.in_words())
}

/// What to type instead, where the plan measures too little or ends where people find that more is faster.
fn next_lines(raw: &Raw, (job, forecast): (&SweepJob, &SweepForecast)) -> String {
    if raw.get("header").is_some_and(Given::is_flag) {
        // The line would show their values.
        return String::new();
    }
    // Whoever pastes a line wants it to measure.
    let arguments: Vec<OsString> = std::env::args_os()
        .filter(|word| word != "--dry-run")
        .collect();
    let mut text = String::new();
    let mut add = |what: &str, line: &str| text.extend([format!("{what}:\n  {line}\n")]);
    if raw.get("concurrency").is_none() && raw.get("plan").is_none() {
        let widest = job.plan.concurrency.iter().max().unwrap_or(&1);
        add(
            &format!("workers end at {widest}, and more may be faster"),
            &cli::typed_again(&arguments, &[("concurrency", WIDE)]),
        );
    }
    let settings: Vec<(&str, &str)> = forecast
        .too_little
        .iter()
        .filter_map(|too_little| match &too_little.mend {
            Mend::Setting(flag, value) => Some((*flag, value.as_str())),
            Mend::Objects { .. } => None,
        })
        .collect();
    if !settings.is_empty() {
        add(
            "enough for a recommendation",
            &cli::typed_again(&arguments, &settings),
        );
    }
    let access = job.access.without(&settings::inherited(raw));
    for line in forecast
        .too_little
        .iter()
        .filter_map(|too_little| too_little.fill_line(&job.plan.bucket, &access))
    {
        add(
            "a larger bucket for runs that are long enough, to sweep instead",
            &line,
        );
    }
    match raw
        .get("body")
        .filter(|given| given.is_flag() && !text.is_empty())
    {
        Some(Given { value, .. }) => {
            let body = shell::word(value);
            format!(
                "the body of the requests, for the lines below:\n  export PARFETCH_BODY={body}\n{text}"
            )
        }
        None => text,
    }
}

/// What the tasks cost: the least and the most, since nobody knows yet how long they take.
fn of_tasks(forecast: &SweepForecast, place: &PlaceFacts, prices: &PriceList) -> String {
    let Some((least, most)) = forecast.tasks_usd else {
        return if forecast.is_paid {
            "what the tasks cost is not known: the price list has no price for them (--prices FILE)\n".to_owned()
        } else {
            String::new()
        };
    };
    let each = forecast
        .duration
        .as_deref()
        .unwrap_or("a minute, the least that is billed,");
    let [least, most] = [least, most].map(units::three_digits);
    format!(
        "tasks cost ${least} if each takes {each} and ${most} if each takes as long as it may (--run-timeout, --start-timeout), {}, prices of {}; \
         not in it: logs, NAT, images\n",
        place.prices,
        prices.dated()
    )
}

/// Becomes the program that a sweep wants to run; returns only when it cannot.
pub(super) fn confined(confined: Confined) -> Failure {
    let Confined {
        groups,
        cpus,
        parent,
        command,
    } = confined;
    let error = become_program(&Confinement {
        groups,
        cpus,
        parent,
        command,
    });
    Failure::new(Exit::SetUp, error.to_string())
}
