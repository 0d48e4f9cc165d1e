//! From what was typed to a tune.

use super::http::typed_urls;
use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::shown::{FORMATS, Format};
use super::sweep::{Handling, PlannedJob, job as sweep_job};
use super::sweep_plan::over;
use crate::cell::Program;
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::ranges::doubling;
use crate::plan::{ClientKind, KeySample, SampleSize};
use crate::results::tune::GoalWord;
use crate::sweep::factors::count;
use crate::sweep::plan::{SweepPlan, TunePlan};
use crate::sweep::{KeyOrder, MOST_KEYS, Oversize, SweepJob, TuneJob, TuneLimits};

/// Runs of a program at most, where nothing is given.
const MOST_RUNS: u64 = 150;
/// Workers that are looked at, where nothing is given.
const MOST_WORKERS: u32 = 512;
/// vCPUs that are looked at, where nothing is given.
const VCPU: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
/// vCPUs of the client of a web server, where nothing is given: a server is looked at.
const VCPU_OF_A_CLIENT: [f64; 1] = [1.0];
/// How `--on` names a model.
const MODEL: &str = "model=";
/// How long a run is to last: on Fargate, and on a machine of one's own.
const RUN: (&str, &str) = ("30s", "5s");

/// Everything `tune` was asked for.
#[derive(Clone, Debug)]
pub struct TuneSettings {
    pub job: TuneJob,
    pub handling: Handling,
    /// The answer on stdout.
    pub output: Format,
}

/// What settings cannot know of themselves.
#[derive(Clone, Copy, Debug)]
pub struct TuneInput<'a> {
    /// The text of the model's file.
    pub model: Option<&'a str>,
    /// The text of the file of `--urls`.
    pub urls: Option<&'a str>,
    /// The name of a tune that was given none.
    pub id: &'a str,
}

/// The file of the model that a tune is to run on.
pub fn model_file(raw: &Raw) -> Option<&str> {
    raw.get("on")?.value.strip_prefix(MODEL)
}

/// The settings of `tune`.
pub fn tune(raw: &Raw, input: TuneInput<'_>) -> Result<TuneSettings, Failure> {
    let (settings, notes) = given(raw, input)?;
    Ok(TuneSettings {
        handling: settings.handling.with_warnings(notes)?,
        ..settings
    })
}

/// Whether what was given is right, while a stack that is to be asked may bring what is missing.
pub fn check_tune(raw: &Raw, input: TuneInput<'_>) -> Result<(), Failure> {
    given(raw, input).map(|_incomplete| ())
}

fn given(raw: &Raw, input: TuneInput<'_>) -> Result<(TuneSettings, Notes), Failure> {
    let output = SettingReader(raw).one_of("output", FORMATS)?;
    let mut notes = Notes::default();
    let settings = TuneSettings {
        job: job(raw, input, &mut notes)?,
        handling: Handling::of(raw)?,
        output: output.unwrap_or_default(),
    };
    Ok((settings, notes))
}

fn job(raw: &Raw, input: TuneInput<'_>, notes: &mut Notes) -> Result<TuneJob, Failure> {
    let reader = SettingReader(raw);
    let plan = plan(raw, input.urls, notes)?;
    if input.model.is_some() {
        refuse_beside_a_model(raw, &plan)?;
    }
    let runs = reader.number("max-runs", 1..=10_000, "runs of the whole tune")?;
    let runs = runs.unwrap_or_else(|| MOST_RUNS * tuned_apart(&plan));
    let planned = PlannedJob {
        plan,
        id: input.id,
        model: input.model,
        oversize: if raw.get("vcpu").is_some() {
            Oversize::Refuse
        } else {
            Oversize::LeaveOut
        },
        without_source: "--embedded and URLs need none",
    };
    let sweep = sweep_job(raw, planned, notes)?;
    Ok(TuneJob {
        limits: TuneLimits {
            runs,
            time: reader.time("max-time")?,
            bytes: sweep.approval.max_bytes,
        },
        sweep: SweepJob {
            sample: sample(&sweep.plan),
            key_order: KeyOrder::Shuffled(sweep.plan.seed),
            ..sweep
        },
    })
}

/// What gets an answer of its own: each program, with each server and each value of its factors.
fn tuned_apart(plan: &SweepPlan) -> u64 {
    let clients = plan.client.iter().copied().map(Program::Client);
    let contenders = plan.contender.iter();
    let contenders = contenders.map(|contender| Program::Contender(contender.name.clone()));
    let apart = clients.chain(contenders);
    apart
        .map(|program| count(plan, &program))
        .sum::<u64>()
        .max(1)
}

/// No more keys than any tune needs. A contender lists the bucket by itself, and has to find what the list has.
fn sample(plan: &SweepPlan) -> Option<KeySample> {
    let most = std::num::NonZeroU64::new(MOST_KEYS)?;
    (plan.contender.is_empty() && !plan.is_web()).then_some(KeySample {
        size: SampleSize::Keys(most),
        seed: plan.seed,
    })
}

/// Among which configurations the answer is, and what it is to be.
fn plan(raw: &Raw, urls: Option<&str>, notes: &mut Notes) -> Result<SweepPlan, Failure> {
    let reader = SettingReader(raw);
    let is_web = urls.is_some() || typed_urls(raw)?.is_some();
    let is_on_fargate = raw.get("on").is_some_and(|on| on.value != "local");
    let run = reader.time("duration")?.and(raw.get("duration"));
    let tune = TunePlan {
        goal: if is_web {
            goal_of_a_server(raw)?
        } else {
            goal(raw)?
        },
        deadline: raw.get("deadline").map(|given| given.value.clone()),
        within: share(raw, "within", 0.05, (0.005, 0.5))?,
        confidence: share(raw, "confidence", 0.95, (0.5, 0.999))?,
        run: run.map_or_else(
            || (if is_on_fargate { RUN.0 } else { RUN.1 }).to_owned(),
            |given| given.value.clone(),
        ),
    };
    let vcpu: &[f64] = if is_web { &VCPU_OF_A_CLIENT } else { &VCPU };
    let plan = SweepPlan {
        vcpu: vcpu.to_vec(),
        client: vec![ClientKind::Lean],
        concurrency: doubling(1, MOST_WORKERS),
        repeat: 1,
        sample: (!is_web).then(|| "all".to_owned()),
        tune: Some(tune),
        ..SweepPlan::default()
    };
    let plan = over(raw, plan, urls, notes)?;
    // It is the tune's own: how much a run fetches is chosen for each.
    Ok(SweepPlan {
        duration: None,
        ..plan
    })
}

/// What a server's machine costs is not known.
fn goal_of_a_server(raw: &Raw) -> Result<GoalWord, Failure> {
    let goal = raw.get("goal").filter(|given| given.value != "fastest");
    match goal.or(raw.get("deadline")) {
        Some(given) => Err(usage(
            format!(
                "{} is for a price, and what the machine of a web server costs is not known",
                given.name
            ),
            "leave it out: with URLs the most requests/s are looked for",
        )),
        None => Ok(GoalWord::Fastest),
    }
}

/// What the answer is to be.
fn goal(raw: &Raw) -> Result<GoalWord, Failure> {
    let reader = SettingReader(raw);
    let goal = reader.one_of(
        "goal",
        &[
            ("cheapest", GoalWord::Cheapest),
            ("fastest", GoalWord::Fastest),
            ("balanced", GoalWord::Balanced),
        ],
    )?;
    let deadline = reader.time("deadline")?.and(raw.get("deadline"));
    if let (Some(given), Some(goal)) = (deadline, goal.filter(|goal| *goal != GoalWord::Cheapest)) {
        let word = match goal {
            GoalWord::Balanced => "balanced",
            GoalWord::Cheapest | GoalWord::Fastest => "fastest",
        };
        return Err(usage(
            format!("{} does not go with --goal {word}", given.name),
            "with a time limit the cheapest configuration is looked for that keeps to it: leave --goal out",
        ));
    }
    Ok(goal.unwrap_or(GoalWord::Cheapest))
}

/// `5%`, `5`: a share between these.
fn share(raw: &Raw, flag: &str, default: f64, (least, most): (f64, f64)) -> Result<f64, Failure> {
    let Some(Given { value, name }) = raw.get(flag) else {
        return Ok(default);
    };
    let number = value.trim().trim_end_matches('%').trim_end().parse::<f64>();
    match number.map(|percent| percent / 100.0) {
        Ok(share) if (least..=most).contains(&share) => Ok(share),
        _ => Err(usage(
            format!(
                "{name} is `{value}`, which is not a percentage from {} to {}",
                least * 100.0,
                most * 100.0
            ),
            "write it like 5%",
        )),
    }
}

/// On a model nothing is fetched.
fn refuse_beside_a_model(raw: &Raw, plan: &SweepPlan) -> Result<(), Failure> {
    if plan.is_web() {
        return Err(usage(
            "URLs do not go with a model, which has a bucket of its own",
            "leave one of them out",
        ));
    }
    for flag in ["bucket", "embedded", "keys"] {
        if let Some(given) = raw
            .get(flag)
            .filter(|given| given.is_flag() || given.name == "SOURCE")
        {
            return Err(usage(
                format!(
                    "{} does not go with a model, which has a bucket of its own",
                    given.name
                ),
                "leave one of them out; the model's table [bucket] says how many objects there are",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::{Invocation, Variables, parse};

    fn read(words: &str) -> Result<TuneSettings, Failure> {
        let arguments = std::iter::once("parfetch")
            .chain(words.split(' '))
            .map(std::ffi::OsString::from);
        let Ok(Invocation::Tune(raw)) = parse(arguments, Variables::default()) else {
            panic!("not a tune: {words}");
        };
        let input = TuneInput {
            model: model_file(&raw).map(|_| ""),
            urls: None,
            id: "first",
        };
        tune(&raw, input)
    }

    #[test]
    fn defaults_are_those_of_the_help() {
        let job = read("tune s3://images").unwrap().job;
        let plan = &job.sweep.plan;
        let tune = plan.tune.clone().unwrap();
        assert_eq!((tune.goal, tune.run.as_str()), (GoalWord::Cheapest, "5s"));
        assert_eq!(
            (tune.within.to_string(), tune.confidence.to_string()),
            ("0.05".into(), "0.95".into())
        );
        assert_eq!(plan.concurrency, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        assert_eq!((job.limits.runs, job.limits.time), (150, None));
        assert_eq!(job.sweep.key_order, KeyOrder::Shuffled(1));
        let on_model = read("tune --on model=world.toml --max-time 2h")
            .unwrap()
            .job;
        assert_eq!(on_model.sweep.plan.tune.unwrap().run, "30s");
        assert_eq!(on_model.limits.time, Some(Duration::from_hours(2)));
        let three = "tune s3://b --client lean,sdk --contender py=x";
        assert_eq!(read(three).unwrap().job.limits.runs, 450);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let wrong = |words: &str| read(words).unwrap_err().message;
        assert_eq!(
            wrong("tune s3://b --goal fastest --deadline 30m"),
            "--deadline does not go with --goal fastest"
        );
        assert_eq!(
            wrong("tune s3://b --within 70%"),
            "--within is `70%`, which is not a percentage from 0.5 to 50"
        );
        assert_eq!(wrong("tune"), "no source bucket is given");
        assert_eq!(
            wrong("tune s3://b --on model=x.toml"),
            "SOURCE does not go with a model, which has a bucket of its own"
        );
    }
}
