//! Among which configurations a tune looks, and for what: its defaults, a plan file over them, what was typed over both.

use super::http::typed_urls;
use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::sweep_plan::over;
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::ClientKind;
use crate::plan::ranges::doubling;
use crate::results::tune::GoalWord;
use crate::sweep::plan::{PlanError, SweepPlan, TunePlan};
use crate::units;

/// Workers that are looked at, where nothing is given.
const MOST_WORKERS: u32 = 512;
/// vCPUs that are looked at, where nothing is given.
const VCPU: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
/// vCPUs of the client of a web server, where nothing is given: a server is looked at.
const VCPU_OF_A_CLIENT: [f64; 1] = [1.0];
/// How long a run is to last: on Fargate, and on a machine of one's own.
const RUN: (&str, &str) = ("30s", "5s");
/// What `--within` and `--confidence` can be.
const WITHIN: (f64, f64) = (0.005, 0.5);
const CONFIDENCE: (f64, f64) = (0.5, 0.999);

/// The texts that a plan is read from.
#[derive(Clone, Copy)]
pub(super) struct PlanTexts<'a> {
    /// Of the file of `--plan`.
    pub(super) file: Option<&'a str>,
    /// Of the file of `--urls`.
    pub(super) urls: Option<&'a str>,
}

/// What is read: a web server has no price, and no objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceSort {
    Bucket,
    WebServer,
}

/// Among which configurations the answer is, and what it is to be.
pub(super) fn plan(
    raw: &Raw,
    texts: PlanTexts<'_>,
    notes: &mut Notes,
) -> Result<SweepPlan, Failure> {
    let file = texts.file.zip(raw.get("plan"));
    let wrong = |error: PlanError| {
        let name = file.map_or("", |(_, given)| given.value.as_str());
        usage(
            format!("the plan {name}: {error}"),
            "`parfetch sweep --print-plan` writes one",
        )
    };
    let has_urls = file.map(|(text, _)| SweepPlan::from_toml(text)).transpose();
    let has_urls = has_urls.map_err(wrong)?.is_some_and(|plan| plan.is_web());
    let source = if has_urls || texts.urls.is_some() || typed_urls(raw)?.is_some() {
        SourceSort::WebServer
    } else {
        SourceSort::Bucket
    };
    let is_web = source == SourceSort::WebServer;
    let below = defaults(raw, source);
    let mut plan = match file {
        Some((text, given)) => {
            let plan = SweepPlan::from_toml_over(text, &below).map_err(wrong)?;
            of_file((plan, source), &given.value, notes)?
        }
        None => below,
    };
    let asked = plan.tune.take().unwrap_or_default();
    if is_web {
        without_price(raw, (&asked, file.map(|(_, given)| given)))?;
    }
    plan.tune = Some(typed_over(raw, asked)?);
    let plan = over(raw, plan, texts.urls, notes)?;
    // It is the tune's own: how much a run fetches is chosen for each.
    Ok(SweepPlan {
        duration: None,
        sample: plan.sample.filter(|_| !is_web),
        ..plan
    })
}

/// What a server's machine costs is not known.
fn without_price(raw: &Raw, (asked, file): (&TunePlan, Option<&Given>)) -> Result<(), Failure> {
    let goal = raw.get("goal");
    let typed = goal.filter(|given| given.value != "fastest");
    let has_goal = goal.is_none() && asked.goal != GoalWord::Fastest;
    let name = match (typed.or(raw.get("deadline")), file) {
        (Some(given), _) => given.name.to_owned(),
        (None, Some(file)) if has_goal => format!("the plan {}: goal", file.value),
        (None, Some(file)) if asked.deadline.is_some() => {
            format!("the plan {}: deadline", file.value)
        }
        (None, _) => return Ok(()),
    };
    Err(usage(
        format!("{name} is for a price, and what the machine of a web server costs is not known"),
        "leave it out: with URLs the most requests/s are looked for",
    ))
}

fn defaults(raw: &Raw, source: SourceSort) -> SweepPlan {
    let is_web = source == SourceSort::WebServer;
    let is_on_fargate = raw.get("on").is_some_and(|on| on.value != "local");
    let vcpu: &[f64] = if is_web { &VCPU_OF_A_CLIENT } else { &VCPU };
    SweepPlan {
        vcpu: vcpu.to_vec(),
        client: vec![ClientKind::Lean],
        concurrency: doubling(1, MOST_WORKERS),
        repeat: 1,
        sample: sample_of(source),
        tune: Some(TunePlan {
            goal: if is_web {
                GoalWord::Fastest
            } else {
                GoalWord::Cheapest
            },
            run: (if is_on_fargate { RUN.0 } else { RUN.1 }).to_owned(),
            ..TunePlan::default()
        }),
        ..SweepPlan::default()
    }
}

/// A plan file without what a tune decides by itself; what it has no way to measure is refused.
fn of_file(
    (plan, source): (SweepPlan, SourceSort),
    file: &str,
    notes: &mut Notes,
) -> Result<SweepPlan, Failure> {
    const AMOUNT: &str = "a tune chooses by itself how much each run fetches";
    let is_sampled = plan
        .sample
        .as_deref()
        .is_some_and(|sample| !["all", "auto"].contains(&sample));
    let cannot = [
        (
            "shards",
            plan.shards != [1],
            "each run of a tune is one task",
        ),
        ("limit", plan.limit.is_some(), AMOUNT),
        ("sample", is_sampled, AMOUNT),
        ("duration", plan.duration.is_some(), AMOUNT),
        ("requests", plan.requests.is_some(), AMOUNT),
    ];
    if let Some((name, _, why)) = cannot.into_iter().find(|(_, is_given, _)| *is_given) {
        return Err(usage(
            format!("the plan {file} has `{name}`, which does not go with a tune: {why}"),
            format!(
                "remove it from the file, or measure the plan with `parfetch sweep --plan {file}`"
            ),
        ));
    }
    if plan.repeat != 1 {
        notes.warn(format!(
            "the plan's repeat is not used: a tune chooses how often each configuration runs ({file})"
        ));
    }
    check(plan.tune.as_ref(), file)?;
    Ok(SweepPlan {
        repeat: 1,
        sample: match source {
            SourceSort::Bucket => sample_of(source),
            SourceSort::WebServer => plan.sample,
        },
        ..plan
    })
}

/// Every key of a bucket.
fn sample_of(source: SourceSort) -> Option<String> {
    (source == SourceSort::Bucket).then(|| "all".to_owned())
}

/// What holds for the table `[tune]` of a file, as for what is typed.
fn check(tune: Option<&TunePlan>, file: &str) -> Result<(), Failure> {
    let Some(tune) = tune else { return Ok(()) };
    let wrong = |name: &str, what: String, hint: &str| {
        Err(usage(format!("the plan {file}: {name} {what}"), hint))
    };
    for (name, value, (least, most)) in [
        ("within", tune.within, WITHIN),
        ("confidence", tune.confidence, CONFIDENCE),
    ] {
        if !(least..=most).contains(&value) {
            return wrong(
                name,
                format!("is {value}, and a share from {least} to {most} is meant"),
                "0.05 is 5 %",
            );
        }
    }
    let times = [
        ("deadline", tune.deadline.as_ref()),
        ("run", Some(&tune.run)),
    ];
    for (name, text) in times {
        let is_time = |text: &String| units::parse_duration(text).is_ok_and(|time| !time.is_zero());
        if let Some(text) = text.filter(|text| !is_time(text)) {
            return wrong(
                name,
                format!("is `{text}`, which is not a length of time above 0"),
                "write it like 30s or 20m",
            );
        }
    }
    Ok(())
}

/// What was asked, with what was typed over it.
fn typed_over(raw: &Raw, asked: TunePlan) -> Result<TunePlan, Failure> {
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
    let run = reader.time("duration")?.and(raw.get("duration"));
    let name = deadline.map_or("deadline", |given| given.name);
    let tune = TunePlan {
        goal: goal.unwrap_or(asked.goal),
        deadline: deadline.map(|given| given.value.clone()).or(asked.deadline),
        within: share(raw, "within", asked.within, WITHIN)?,
        confidence: share(raw, "confidence", asked.confidence, CONFIDENCE)?,
        run: run.map_or(asked.run, |given| given.value.clone()),
    };
    match (&tune.deadline, tune.goal) {
        (Some(_), goal @ (GoalWord::Fastest | GoalWord::Balanced)) => {
            let word = match goal {
                GoalWord::Balanced => "balanced",
                GoalWord::Cheapest | GoalWord::Fastest => "fastest",
            };
            Err(usage(
                format!("{name} does not go with --goal {word}"),
                "with a time limit the cheapest configuration is looked for that keeps to it: leave --goal out",
            ))
        }
        _ => Ok(tune),
    }
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
            format!("write it like {}%", default * 100.0),
        )),
    }
}
