//! From what was typed to a tune.

use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::shown::{FORMATS, Format};
use super::sweep::{Handling, PlannedJob, job as sweep_job};
use super::tune_plan::{PlanTexts, plan};
use crate::cell::Program;
use crate::cli::Raw;
use crate::exit::Failure;
use crate::plan::{KeySample, SampleSize};
use crate::sweep::factors::count;
use crate::sweep::plan::SweepPlan;
use crate::sweep::{KeyOrder, MOST_KEYS, Oversize, SweepJob, TuneJob, TuneLimits};

/// Runs of a program at most, where nothing is given.
const MOST_RUNS: u64 = 150;
/// How `--on` names a model.
const MODEL: &str = "model=";

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
    /// The text of the file of `--plan`.
    pub plan: Option<&'a str>,
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
    let texts = PlanTexts {
        file: input.plan,
        urls: input.urls,
    };
    let mut plan = plan(raw, texts, notes)?;
    if input.model.is_some() {
        refuse_beside_a_model(raw, &plan)?;
        (plan.bucket, plan.embedded) = (String::new(), None);
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
    use crate::results::tune::GoalWord;

    fn read(words: &str) -> Result<TuneSettings, Failure> {
        of_plan(words, None)
    }

    fn of_plan(words: &str, plan: Option<&str>) -> Result<TuneSettings, Failure> {
        let words = std::iter::once("parfetch").chain(words.split(' '));
        of_words(words.map(std::ffi::OsString::from), plan)
    }

    fn of_words(
        words: impl IntoIterator<Item = std::ffi::OsString>,
        plan: Option<&str>,
    ) -> Result<TuneSettings, Failure> {
        let Ok(Invocation::Tune(raw)) = parse(words, Variables::default()) else {
            panic!("not a tune");
        };
        let input = TuneInput {
            model: model_file(&raw).map(|_| ""),
            plan,
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
    fn a_plan_stands_between_the_defaults_and_what_is_typed() {
        let words = "tune --plan power.toml --within 10%";
        let text = "bucket = 'images'\nvcpu = [1, 2]\nrepeat = 6\nsample = 'auto'\n[tune]\ngoal = 'fastest'\nwithin = 0.2\n\
                    [[contender]]\nname = 'app'\ncommand = 'app {concurrency}'\n";
        let settings = of_plan(words, Some(text)).unwrap();
        let plan = &settings.job.sweep.plan;
        let tune = plan.tune.clone().unwrap();
        assert_eq!((plan.bucket.as_str(), plan.repeat), ("images", 1));
        assert_eq!(
            (&plan.vcpu[..], plan.concurrency.len()),
            (&[1.0, 2.0][..], 10)
        );
        assert_eq!((tune.goal, tune.run.as_str()), (GoalWord::Fastest, "5s"));
        assert_eq!((tune.within, settings.job.limits.runs), (0.1, 300));
        assert_eq!(
            settings.handling.warnings[0],
            "the plan's repeat is not used: a tune chooses how often each configuration runs (power.toml)"
        );
        // Whoever goes on with the plan that was written down goes on with the same tune.
        let again = of_plan("tune --plan plan.toml", Some(&plan.to_toml())).unwrap();
        assert_eq!(
            (&again.job.sweep.plan, again.handling.warnings.len()),
            (plan, 1)
        );
        // A model has a bucket of its own.
        let on_model = of_plan("tune --plan plan.toml --on model=x.toml", Some(text)).unwrap();
        assert_eq!(on_model.job.sweep.plan.bucket, "");
    }

    #[test]
    fn servers_and_factors_of_a_plan_are_those_that_are_typed() {
        const PORT: &str = "http://127.0.0.1:{port}/{path}";
        let text = format!(
            "urls = '{PORT}'\nserver_ready = '/ok'\n[factor]\nworkers = [1, 3]\npath = 'a,b'\n\
             [[server]]\nname = 'app'\ncommand = 'app -p {{port}} -w {{workers}}'\n"
        );
        let of_file = of_plan("tune --plan web.toml -c 1..8", Some(&text))
            .unwrap()
            .job;
        let raw = [
            "parfetch",
            "tune",
            PORT,
            "-c",
            "1..8",
            "--server-ready",
            "/ok",
            "--factor",
            "workers=1,3",
            "--factor",
            "path=a,b",
            "--server",
            "app=app -p {port} -w {workers}",
        ];
        let typed = of_words(raw.map(std::ffi::OsString::from), None)
            .unwrap()
            .job;
        assert_eq!(of_file.sweep.plan, typed.sweep.plan);
        assert_eq!((of_file.limits.runs, typed.limits.runs), (600, 600));
        let tune = of_file.sweep.plan.tune.clone().unwrap();
        assert_eq!(
            (tune.goal, of_file.sweep.plan.vcpu),
            (GoalWord::Fastest, vec![1.0])
        );
        // Whoever continues with the plan that was written has the same tune.
        let written = typed.sweep.plan.to_toml();
        let again = of_plan("tune --plan plan.toml", Some(&written))
            .unwrap()
            .job;
        assert_eq!(again.sweep.plan, typed.sweep.plan);
        for goal in ["goal = 'cheapest'", "goal = 'balanced'", "deadline = '5m'"] {
            let priced = format!("{text}[tune]\n{goal}\n");
            let failure = of_plan("tune --plan p.toml", Some(&priced)).unwrap_err();
            let name = goal.split(' ').next().unwrap();
            assert_eq!(
                failure.message,
                format!(
                    "the plan p.toml: {name} is for a price, and what the machine of a web server costs is not known"
                )
            );
        }
    }

    #[test]
    fn what_a_tune_cannot_take_of_a_plan_is_refused() {
        let wrong = |text: &str| {
            let failure = of_plan("tune s3://b --plan p.toml", Some(text)).unwrap_err();
            (failure.message, failure.hint.unwrap())
        };
        for (text, name, why) in [
            ("shards = [2]", "shards", "each run of a tune is one task"),
            (
                "limit = 5",
                "limit",
                "a tune chooses by itself how much each run fetches",
            ),
            (
                "sample = '500'",
                "sample",
                "a tune chooses by itself how much each run fetches",
            ),
            (
                "duration = '5s'",
                "duration",
                "a tune chooses by itself how much each run fetches",
            ),
            (
                "urls = 'http://h/'\nrequests = 9",
                "requests",
                "a tune chooses by itself how much each run fetches",
            ),
        ] {
            assert_eq!(
                wrong(text),
                (
                    format!("the plan p.toml has `{name}`, which does not go with a tune: {why}"),
                    "remove it from the file, or measure the plan with `parfetch sweep --plan p.toml`".to_owned()
                )
            );
        }
        let said = |text: &str| wrong(text).0;
        assert_eq!(
            said("[tune]\nwithin = 5"),
            "the plan p.toml: within is 5, and a share from 0.005 to 0.5 is meant"
        );
        assert_eq!(
            said("[tune]\nrun = 'long'"),
            "the plan p.toml: run is `long`, which is not a length of time above 0"
        );
        assert_eq!(
            said("[tune]\ngoal = 'fastest'\ndeadline = '5m'"),
            "deadline does not go with --goal fastest"
        );
        assert!(said("\nvcpus = 1").starts_with("the plan p.toml: line 2: unknown field `vcpus`"));
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
        // The hint is a value that is taken.
        let hint = |words: &str| read(words).unwrap_err().hint.unwrap();
        assert_eq!(hint("tune s3://b --within 70%"), "write it like 5%");
        assert_eq!(hint("tune s3://b --confidence 5%"), "write it like 95%");
        for word in ["model", "modell=x.toml"] {
            assert_eq!(
                wrong(&format!("tune s3://b --on {word}")),
                format!("--on is `{word}`, which is not one of local, ecs, model=FILE")
            );
        }
        assert_eq!(hint("tune s3://b --on model"), "did you mean `model=FILE`?");
        assert_eq!(wrong("tune"), "no source bucket is given");
        assert_eq!(
            wrong("tune s3://b --on model=x.toml"),
            "SOURCE does not go with a model, which has a bucket of its own"
        );
    }
}
