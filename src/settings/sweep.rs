//! From what was typed to a sweep: lists of factors, a plan file below them, and the rules between them.

use std::collections::HashSet;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use super::contender;
use super::lists::{count_cells, list};
use super::reader::{Reader, part_size, usage};
use super::{Log, Notes, ProgressWhen};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::ranges::{Listed, VCPU, WHOLE};
use crate::plan::{Access, ClientKind, KeySample, Layout, Mode, S3Uri};
use crate::price::{self, Egress};
use crate::sweep::plan::{MEMORY, MemoryChoice, SweepPlan, cpu_units};
use crate::sweep::{Failed, Job, Oversize};
use crate::units;

/// Longest name of a sweep: it is part of tags, which have 64 characters.
const MAX_ID: usize = 40;
/// How long a repetition may take, where nothing is given.
const RUN_TIMEOUT: Duration = Duration::from_hours(1);

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
    pub job: Job,
    /// What to do with it.
    pub intent: Intent,
    /// Progress.
    pub progress: ProgressWhen,
    /// Another price list.
    pub prices: Option<PathBuf>,
    /// Where the bytes go that are read.
    pub egress: Egress,
    /// Log lines.
    pub log: Log,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
}

/// What settings cannot know of themselves.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// The text of the file of `--plan`.
    pub plan: Option<&'a str>,
    /// The name of a sweep that was given none.
    pub id: &'a str,
}

/// The settings of `sweep`.
pub fn sweep(raw: &Raw, beside: Beside<'_>) -> Result<SweepSettings, Failure> {
    let (settings, notes) = given(raw, beside)?;
    Ok(SweepSettings {
        warnings: notes.settled()?,
        ..settings
    })
}

/// Whether what was given is right, while a stack that is to be asked may bring what is missing.
pub fn check_sweep(raw: &Raw, beside: Beside<'_>) -> Result<(), Failure> {
    given(raw, beside).map(|_incomplete| ())
}

/// The settings as they were given, without the warnings.
fn given(raw: &Raw, beside: Beside<'_>) -> Result<(SweepSettings, Notes), Failure> {
    let reader = Reader(raw);
    let mut notes = Notes::default();
    let plan = plan(raw, beside.plan)?;
    if plan.bucket.is_empty() && plan.embedded.is_none() {
        notes.lacks(usage(
            "no source bucket is given",
            "name it, like `parfetch sweep s3://images`, or set BUCKET_NAME; --embedded needs none",
        ));
    }
    let typed_sizes = raw.get("vcpu").is_some() || beside.plan.is_some();
    let embedded = plan
        .embedded
        .as_deref()
        .map(|text| {
            text.parse()
                .map_err(|error| usage(format!("embedded: {error}"), super::SERVE_HINT))
        })
        .transpose()?;
    let access = super::access(raw)?;
    let access = if embedded.is_some() {
        super::for_embedded(raw, &access, &mut notes)
    } else {
        access
    };
    let results = results(raw, (&plan, &access), &mut notes)?;
    let duration = plan.time().unwrap_or_default();
    let time_limit = reader.time("run-timeout")?.unwrap_or(RUN_TIMEOUT) + duration;
    let fleet = super::fleet::fleet(raw, &plan, (time_limit, duration, &mut notes))?;
    let spending = super::spending::spending(raw)?;
    let job = Job {
        id: id(raw, beside.id)?,
        sizes: sizes(&plan)?,
        oversize: if typed_sizes {
            Oversize::Refuse
        } else {
            Oversize::LeaveOut
        },
        source: super::selection::one_source(raw)?,
        sample: sample(&plan)?,
        agreement: spending.agreement,
        asked_egress: if fleet.is_some() {
            Egress::None
        } else {
            spending.egress
        },
        store: super::store(embedded.as_ref(), &access),
        access,
        limits: super::limits(raw)?,
        embedded,
        out: reader
            .path("out")
            .unwrap_or_else(|| PathBuf::from("./parfetch-results")),
        results,
        time_limit,
        fleet,
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
        progress: super::progress_when(&reader)?,
        prices: reader.path("prices"),
        egress: super::egress(&reader)?,
        log: super::log(raw)?,
        warnings: Vec::new(),
    };
    Ok((settings, notes))
}

/// The plan: defaults, the file over them, flags over both.
fn plan(raw: &Raw, file: Option<&str>) -> Result<SweepPlan, Failure> {
    let reader = Reader(raw);
    let mut plan = match (file, raw.get("plan")) {
        (Some(text), Some(Given { value, .. })) => SweepPlan::from_toml(text).map_err(|error| {
            usage(
                format!("the plan {value}: {error}"),
                "`parfetch sweep --print-plan` writes one",
            )
        })?,
        _ => SweepPlan::default(),
    };
    set(
        &mut plan.vcpu,
        list(
            raw,
            "vcpu",
            "a list like 0.25,1,4, or a range like 0.25..4: every Fargate size between",
            &VCPU,
        )?,
    );
    set(
        &mut plan.memory,
        list(
            raw,
            "memory",
            "auto, or MiB: a list like 512,2048, or a range like 2048..8192, which doubles",
            &MEMORY,
        )?,
    );
    set(
        &mut plan.mode,
        list(raw, "mode", "a list like async,thread,process", &MODE)?,
    );
    set(
        &mut plan.client,
        list(raw, "client", "a list like lean,sdk", &CLIENT)?,
    );
    set(
        &mut plan.concurrency,
        list(raw, "concurrency", WORKERS, &WHOLE)?,
    );
    set(
        &mut plan.shards,
        list(
            raw,
            "shards",
            "numbers from 1: a list like 1,2,4, or a range like 1..8, which doubles",
            &WHOLE,
        )?,
    );
    let contenders = raw.get("contender").map(|given| {
        given
            .value
            .lines()
            .map(contender::parse)
            .collect::<Result<Vec<_>, _>>()
    });
    set(&mut plan.contender, contenders.transpose()?);
    let number = |flag, most, what| reader.number(flag, 1..=most, what);
    set(
        &mut plan.repeat,
        number("repeat", 1_000, "repetitions of each configuration")?
            .and_then(|number| u32::try_from(number).ok()),
    );
    set(
        &mut plan.seed,
        reader.number("seed", 0..=u64::from(u32::MAX), "the seed of the order")?,
    );
    keys(raw, &mut plan)?;
    if let (Some(_), Some(given)) = (reader.time("duration")?, raw.get("duration")) {
        plan.duration = Some(given.value.clone());
    }
    set(&mut plan.work, reader.word("work")?);
    set(&mut plan.order, reader.word("order")?);
    if let (Some(_), Some(given)) = (reader.part_size()?, raw.get("part-size")) {
        plan.part_size = Some(given.value.clone());
    }
    set(&mut plan.prefix, reader.text("prefix"));
    if raw.get("embedded").is_some() {
        plan.embedded = super::embedded_text(raw).map(str::to_owned);
    }
    if plan.embedded.is_none() {
        set(
            &mut plan.bucket,
            raw.get("bucket")
                .map(|given| super::bucket_name(given, "--prefix says which of its keys"))
                .transpose()?,
        );
    } else {
        if let (Some(given), Some(prefix)) = (raw.get("bucket"), raw.get("prefix"))
            && given.name == prefix.name
        {
            return Err(usage(
                format!(
                    "{} names a bucket, and --embedded fetches from a server of its own",
                    given.name
                ),
                "leave one of them out",
            ));
        }
        plan.bucket = String::new();
    }
    if plan.limit.is_none() && plan.sample.is_none() {
        // What reads every key by itself, and what time ends, needs no smaller work.
        let is_all = plan.duration.is_some() || !plan.contender.is_empty();
        plan.sample = Some(if is_all { "all" } else { "auto" }.to_owned());
    }
    check(&plan)?;
    Ok(plan)
}

/// Which keys a repetition fetches: flags over the file, and a sample or a limit but not both of them from one place.
fn keys(raw: &Raw, plan: &mut SweepPlan) -> Result<(), Failure> {
    if plan.sample.is_some() && plan.limit.is_some() {
        return Err(super::selection::both("the plan's sample", "its limit"));
    }
    let limit = Reader(raw).number("limit", 1..=u64::from(u32::MAX), "keys")?;
    match (raw.get("sample"), raw.get("limit")) {
        (Some(sample), Some(limit)) => return Err(super::selection::both(sample.name, limit.name)),
        (Some(sample), None) => (plan.sample, plan.limit) = (Some(sample.value.clone()), None),
        (None, Some(_)) => (plan.sample, plan.limit) = (None, limit),
        (None, None) => {}
    }
    Ok(())
}

/// The random sample that every repetition fetches.
fn sample(plan: &SweepPlan) -> Result<Option<KeySample>, Failure> {
    let size = plan
        .sample
        .as_deref()
        .map(super::selection::sample_size)
        .transpose();
    let size = size
        .map_err(|wrong| usage(format!("the sample {wrong}"), super::selection::SAMPLE_HINT))?
        .flatten();
    if size.is_some() && !plan.contender.is_empty() {
        let message = "contenders list the bucket by themselves: a sample does not reach them";
        return Err(usage(
            message,
            "leave --sample out: every key is fetched; --prefix makes them fewer",
        ));
    }
    Ok(size.map(|size| KeySample {
        size,
        seed: plan.seed,
    }))
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

/// Order and parts of a repetition, from wherever the plan came.
fn layout(plan: &SweepPlan) -> Result<Layout, Failure> {
    let part_size = plan.part_size.as_deref().map(part_size).transpose();
    let part_size = part_size.map_err(|wrong| {
        usage(
            format!("part_size {wrong}"),
            "write it like 8MiB: parts have 1 MiB at least",
        )
    })?;
    Ok(Layout {
        order: plan.order,
        part_size,
    })
}

/// How a list of workers is written.
const WORKERS: &str =
    "numbers from 1: a list like 1,4,16, or a range like 1..64, which doubles (1, 2, 4 … 64)";
const MODE: Listed<Mode> = Listed {
    value: |word| word.parse().ok(),
    between: |_, _| None,
};
const CLIENT: Listed<ClientKind> = Listed {
    value: |word| word.parse().ok(),
    between: |_, _| None,
};

/// Most runs of a sweep: more would take weeks, and are a slip of the pen.
const MOST_RUNS: u64 = 100_000;

/// What holds for a plan from wherever it came.
fn check(plan: &SweepPlan) -> Result<(), Failure> {
    let lists = [
        ("vcpu", plan.vcpu.len()),
        ("memory", plan.memory.len()),
        ("mode", plan.mode.len()),
        ("concurrency", plan.concurrency.len()),
        ("shards", plan.shards.len()),
        (
            "client or contender",
            plan.client.len() + plan.contender.len(),
        ),
    ];
    if let Some((name, _)) = lists.into_iter().find(|(_, length)| *length == 0) {
        return Err(usage(
            format!("the plan has no {name}"),
            "each factor needs a value",
        ));
    }
    if plan.repeat == 0 {
        return Err(usage(
            "the plan has no repetition",
            "--repeat 6 are the fewest that give a 95 % interval",
        ));
    }
    let cells = count_cells(plan);
    let runs = cells.saturating_mul(u64::from(plan.repeat));
    if runs > MOST_RUNS {
        let each = units::count(u64::from(plan.repeat));
        let what = format!(
            "the plan has {} runs ({} configurations × {each} repetitions)",
            units::count(runs),
            units::count(cells)
        );
        return Err(usage(
            format!("{what}; a sweep has at most {}", units::count(MOST_RUNS)),
            "name fewer values of each factor, or fewer repetitions",
        ));
    }
    check_lists(plan)?;
    for mode in plan
        .mode
        .iter()
        .chain(plan.contender.iter().flat_map(|contender| &contender.mode))
    {
        if let Some(concurrency) = plan
            .concurrency
            .iter()
            .find(|concurrency| **concurrency == 0 || **concurrency > mode.max_concurrency())
        {
            return Err(usage(
                format!(
                    "concurrency {concurrency} is outside 1 to {} of mode {mode}",
                    mode.max_concurrency()
                ),
                "name others with -c",
            ));
        }
    }
    if let Some(text) = plan.duration.as_deref().filter(|text| {
        units::parse_duration(text).is_ok_and(|time| time.is_zero())
            || units::parse_duration(text).is_err()
    }) {
        return Err(usage(
            format!("duration is `{text}`, which is not a length of time"),
            "write it like 500ms, 10s, 20m or 1h 30m",
        ));
    }
    plan.contender
        .iter()
        .try_for_each(|one| contender::check(one, plan))
}

/// What a list of flags cannot hold, a plan file must not either: a value twice would be the same cells twice, in the same folders.
fn check_lists(plan: &SweepPlan) -> Result<(), Failure> {
    let twice = [
        ("vcpu", given_twice(&plan.vcpu)),
        ("memory", given_twice(&plan.memory)),
        ("mode", given_twice(&plan.mode)),
        ("client", given_twice(&plan.client)),
        ("concurrency", given_twice(&plan.concurrency)),
        ("shards", given_twice(&plan.shards)),
    ];
    if let Some((name, value)) = twice
        .into_iter()
        .find_map(|(name, value)| Some((name, value?)))
    {
        return Err(usage(
            format!("the plan's {name}: {value} is given twice"),
            "name each value once",
        ));
    }
    if plan.shards.contains(&0) {
        return Err(usage(
            "the plan's shards: 0 is not a number of runs side by side",
            "name numbers from 1",
        ));
    }
    if plan.limit == Some(0) {
        return Err(usage(
            "the plan's limit is 0, so there is nothing to fetch",
            "leave it out to fetch every key",
        ));
    }
    Ok(())
}

pub(super) fn given_twice<T: Display>(values: &[T]) -> Option<String> {
    let mut seen = HashSet::new();
    values
        .iter()
        .map(T::to_string)
        .find(|value| !seen.insert(value.clone()))
}

/// The sizes of the cells, each one that Fargate has.
fn sizes(plan: &SweepPlan) -> Result<Vec<(u32, u32)>, Failure> {
    let mut sizes = Vec::new();
    for vcpu in &plan.vcpu {
        let known =
            cpu_units(*vcpu).and_then(|units| Some((units, price::fargate_memories(units)?)));
        let (units, memories) = known.ok_or_else(|| {
            usage(
                format!("Fargate has no size of {vcpu} vCPU"),
                "it has 0.25, 0.5, 1, 2, 4, 8, 16 and 32",
            )
        })?;
        for memory in &plan.memory {
            let mib = match memory {
                MemoryChoice::Auto(_) => *memories.first().expect("a size has memories"),
                MemoryChoice::Mib(mib) if memories.contains(mib) => *mib,
                MemoryChoice::Mib(mib) => return Err(no_such_pair(*vcpu, (units, *mib))),
            };
            if !sizes.contains(&(units, mib)) {
                sizes.push((units, mib));
            }
        }
    }
    Ok(sizes)
}

pub(super) fn no_such_pair(vcpu: f64, (units, mib): (u32, u32)) -> Failure {
    let near = price::nearest_sizes(units, mib).into_iter();
    let near: Vec<String> = near
        .map(|(units, mib)| format!("{} vCPU with {mib} MiB", f64::from(units) / 1024.0))
        .collect();
    usage(
        format!("Fargate has no {vcpu} vCPU with {mib} MiB"),
        format!("nearest are {}", near.join(", ")),
    )
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
fn results(
    raw: &Raw,
    (plan, _): (&SweepPlan, &Access),
    notes: &mut Notes,
) -> Result<Option<S3Uri>, Failure> {
    let reader = Reader(raw);
    let Some(given) = raw.get("result-bucket") else {
        if plan.embedded.is_none() && !plan.contender.is_empty() {
            notes.lacks(usage(
                "contenders need a results bucket",
                "set RESULT_BUCKET_NAME or --result-bucket: that is where they store their CSV",
            ));
        }
        return Ok(None);
    };
    let bucket = super::bucket_name(given, "--result-prefix goes in front of the results' names")?;
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
mod tests {
    use super::*;
    use crate::cli::{Invocation, Variables, parse};
    use crate::fuzz::Target;
    use crate::sweep::cells;
    use crate::sweep::plan::{Auto, Contender};

    const BESIDE: Beside<'static> = Beside {
        plan: None,
        id: "s",
    };

    fn raw(words: &[String]) -> Option<Raw> {
        let words = ["parfetch", "sweep"]
            .into_iter()
            .map(Into::into)
            .chain(words.iter().map(Into::into));
        match parse(words, Variables::default()).ok()? {
            Invocation::Sweep(raw) => Some(raw),
            other => panic!("{other:?}"),
        }
    }

    /// Words that name a plan file, and where its results go.
    fn with_plan(results: Option<&S3Uri>) -> Raw {
        let results = results.map(|uri| format!("--result-bucket={}", uri.bucket));
        let words: Vec<String> = results.into_iter().chain(["--plan=p".to_owned()]).collect();
        raw(&words).unwrap()
    }

    fn planned(text: &str, raw: &Raw) -> Result<SweepSettings, Failure> {
        sweep(
            raw,
            Beside {
                plan: Some(text),
                ..BESIDE
            },
        )
    }

    /// What holds for every sweep that is taken.
    fn hold(settings: &SweepSettings) {
        let Job {
            plan,
            sizes,
            time_limit,
            results,
            ..
        } = &settings.job;
        let cells = cells(plan, sizes);
        assert!(
            !cells.is_empty()
                && cells.len() as u64 * u64::from(plan.repeat) <= MOST_RUNS
                && plan.repeat > 0
        );
        assert_eq!(
            cells.iter().collect::<HashSet<_>>().len(),
            cells.len(),
            "a cell twice would be two in one folder"
        );
        for cell in &cells {
            assert!(
                price::fargate_memories(cell.cpu_units)
                    .unwrap()
                    .contains(&cell.memory_mib)
                    && cell.shards > 0
            );
            assert!((1..=cell.mode.max_concurrency()).contains(&cell.concurrency));
        }
        assert!(!time_limit.is_zero());
        // Whoever goes on with the plan that was written down goes on with the same sweep.
        let again = planned(&plan.to_toml(), &with_plan(results.as_ref())).unwrap();
        assert_eq!((&again.job.plan, &again.job.sizes), (plan, sizes));
    }

    #[test]
    fn a_plan_of_too_many_runs_is_refused_before_any_is_made() {
        let numbers = (1..=4_000)
            .map(|number: u32| number.to_string())
            .collect::<Vec<_>>()
            .join(",");
        let text = format!(
            "bucket = \"b\"\nconcurrency = [{numbers}]\nshards = [{numbers}]\nrepeat = 4294967295\n"
        );
        let failure = planned(&text, &with_plan(None)).unwrap_err();
        assert!(
            failure.message.starts_with("the plan has "),
            "{}",
            failure.message
        );
        assert!(
            failure.message.ends_with(" runs (288,000,000 configurations × 4,294,967,295 repetitions); a sweep has at most 100,000"),
            "{}",
            failure.message
        );
    }

    #[test]
    fn a_plan_file_holds_what_flags_can_say() {
        let message = |text: &str| {
            planned(&format!("bucket = \"b\"\n{text}\n"), &with_plan(None))
                .unwrap_err()
                .message
        };
        assert_eq!(
            message("concurrency = [1, 4, 1]"),
            "the plan's concurrency: 1 is given twice"
        );
        assert_eq!(
            message("mode = [\"async\", \"async\"]"),
            "the plan's mode: async is given twice"
        );
        assert_eq!(
            message("memory = [2048, 2048]"),
            "the plan's memory: 2048 MiB is given twice"
        );
        assert_eq!(
            message("shards = [0]"),
            "the plan's shards: 0 is not a number of runs side by side"
        );
        assert_eq!(
            message("limit = 0"),
            "the plan's limit is 0, so there is nothing to fetch"
        );
        let contender = "[[contender]]\nname = \"py\"\ncommand = \"x\"\nmode = ";
        assert_eq!(
            message(&format!("{contender}[\"thread\", \"thread\"]")),
            "contender `py`: its mode thread is given twice"
        );
        let alone = format!("mode = [\"async\"]\nconcurrency = [5000]\n{contender}[\"process\"]");
        assert_eq!(
            message(&alone),
            "concurrency 5000 is outside 1 to 1024 of mode process"
        );
    }

    fn typed(words: &[&str]) -> Result<SweepSettings, Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        sweep(&raw(&words).unwrap(), BESIDE)
    }

    #[test]
    fn lists_hold_ranges() {
        let plan = typed(&[
            "s3://b", "-c", "1..8,24", "--vcpu", "0.25..1", "--memory", "auto", "--shards", "1..4",
        ])
        .unwrap()
        .job
        .plan;
        assert_eq!(
            (plan.concurrency, plan.vcpu, plan.shards),
            (vec![1, 2, 4, 8, 24], vec![0.25, 0.5, 1.0], vec![1, 2, 4])
        );
        let plan = typed(&["s3://b", "--vcpu", "1", "--memory", "2048..8192"])
            .unwrap()
            .job
            .plan;
        assert_eq!(plan.memory, [2_048, 4_096, 8_192].map(MemoryChoice::Mib));
    }

    #[test]
    fn a_wrong_list_is_said_in_one_line_with_a_hint() {
        let said = |words: &[&str]| {
            typed(words)
                .map(|_| ())
                .map_err(|failure| (failure.message, failure.hint.unwrap()))
        };
        let workers = "numbers from 1: a list like 1,4,16, or a range like 1..64, which doubles (1, 2, 4 … 64)".to_owned();
        for (list, message) in [
            ("0", "--concurrency: `0` is not a valid value"),
            ("1..0", "--concurrency: `1..0` is not a valid value"),
            (
                "8..1",
                "--concurrency: the range `8..1` ends below its start",
            ),
            ("4,4", "--concurrency: `4` is given twice"),
            ("abc", "--concurrency: `abc` is not a valid value"),
        ] {
            assert_eq!(
                said(&["-c", list]),
                Err((message.to_owned(), workers.clone())),
                "{list}: and not that there is no bucket"
            );
        }
        assert_eq!(
            said(&["-m", "async,treads"]),
            Err((
                "--mode: `treads` is not a valid value".to_owned(),
                "did you mean `thread`?".to_owned()
            ))
        );
        assert_eq!(
            said(&["-m", "async..thread"]).unwrap_err().0,
            "--mode: `async..thread` is not a valid value"
        );
        assert_eq!(
            said(&["s3://b", "--vcpu", "1..3"]).unwrap_err().0,
            "Fargate has no size of 3 vCPU"
        );
        assert_eq!(
            said(&["s3://b", "-c", "1..100000"]).unwrap_err().0,
            "concurrency 65536 is outside 1 to 65535 of mode async"
        );
    }

    #[test]
    fn what_is_typed_wrongly_comes_before_what_is_missing() {
        let said = |words: &[&str]| typed(words).unwrap_err().message;
        for (words, message) in [
            (
                &["--run-timeout", "x"][..],
                "--run-timeout is `x`, which is not a length of time",
            ),
            (
                &["--id", "../x"],
                "--id is `../x`, which cannot be the name of a folder here",
            ),
            (
                &["--on", "ecs", "--max-tasks", "0"],
                "--max-tasks is 0, outside 1 to 100",
            ),
            (
                &["--log-level", "wrn"],
                "--log-level is `wrn`, which is not one of error, warn, info, debug, trace",
            ),
            (
                &["--contender", "py=x", "--order", "listd"],
                "--order: `listd` is not one of listed, largest-first, shuffled",
            ),
            (&["--on", "ecs"], "no source bucket is given"),
            (
                &["--on", "ecs", "s3://b"],
                "tasks on Fargate need a results bucket",
            ),
            (
                &["--on", "ecs", "s3://b", "-r", "s3://r"],
                "no cluster is given",
            ),
            (
                &["--contender", "py=x", "s3://b"],
                "contenders need a results bucket",
            ),
            (
                &["--embedded", "s3://b"],
                "SOURCE names a bucket, and --embedded fetches from a server of its own",
            ),
        ] {
            assert_eq!(said(words), message, "{words:?}");
        }
    }

    #[test]
    fn a_plan_file_holds_ranges_too() {
        let plan = |text: &str| planned(&format!("bucket = \"b\"\n{text}\n"), &with_plan(None));
        let ranges = "concurrency = \"1..8\"\nvcpu = [\"0.25..1\", 4]\nmemory = \"auto\"\nshards = [1, \"2..4\"]";
        let settings = plan(ranges).unwrap();
        hold(&settings);
        let plan_of = settings.job.plan;
        assert_eq!(
            (plan_of.concurrency, plan_of.vcpu, plan_of.shards),
            (vec![1, 2, 4, 8], vec![0.25, 0.5, 1.0, 4.0], vec![1, 2, 4])
        );
        let message = |text: &str| plan(text).unwrap_err().message;
        assert_eq!(
            message("concurrency = \"8..1\""),
            "the plan p: line 2: the range `8..1` ends below its start"
        );
        assert_eq!(
            message("concurrency = [\"x\"]"),
            "the plan p: line 2: `x` is not a valid value"
        );
        assert_eq!(
            message("concurrency = 5"),
            "the plan p: line 2: not a list of values, nor a text like \"1..64\""
        );
        assert_eq!(
            message("concurrency = [4, \"1..8\", 4]"),
            "the plan's concurrency: 4 is given twice"
        );
    }

    #[test]
    fn a_word_wins_over_a_plan_file() {
        let words = ["--plan=p", "s3://typed"].map(str::to_owned);
        let plan = planned("bucket = \"b\"\nprefix = \"x/\"\n", &raw(&words).unwrap())
            .unwrap()
            .job
            .plan;
        assert_eq!((plan.bucket.as_str(), plan.prefix.as_str()), ("typed", ""));
    }

    #[test]
    fn fuzz_sweep_plans() {
        let contender = Contender {
            name: "python".to_owned(),
            command: "python3 'a b.py'".to_owned(),
            mode: vec![Mode::Thread],
        };
        let plan = SweepPlan {
            bucket: "b".to_owned(),
            limit: Some(7),
            duration: Some("20m".to_owned()),
            part_size: Some("8MiB".to_owned()),
            memory: vec![MemoryChoice::Auto(Auto::Auto), MemoryChoice::Mib(8192)],
            ..SweepPlan::default()
        };
        let seeds = vec![
            SweepPlan {
                embedded: Some("objects=5".to_owned()),
                ..SweepPlan::default()
            }
            .to_toml()
            .into_bytes(),
            plan.to_toml().into_bytes(),
            SweepPlan {
                contender: vec![contender],
                embedded: Some(String::new()),
                ..plan
            }
            .to_toml()
            .into_bytes(),
        ];
        let words = &[
            "nan",
            "inf",
            "[",
            "]",
            ",",
            "\"",
            "'",
            "auto",
            "[[contender]]\n",
            "name = \"x\"\n",
            "repeat = ",
            "\n",
            "=",
            "_",
            "0x",
            "\\u0000",
        ];
        let raw = with_plan(None);
        Target {
            name: "sweep-plan",
            seeds,
            words,
            cases: 2_000,
        }
        .run(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            match SweepPlan::from_toml(&text) {
                Ok(plan) => assert_eq!(
                    SweepPlan::from_toml(&plan.to_toml()).unwrap().to_toml(),
                    plan.to_toml()
                ),
                Err(error) => assert!(!error.to_string().contains('\n'), "one line: {error}"),
            }
            match planned(&text, &raw) {
                Ok(settings) => hold(&settings),
                Err(failure) => assert!(!failure.message.is_empty() && failure.hint.is_some()),
            }
        });
    }

    #[test]
    fn fuzz_values_of_a_sweep() {
        let seeds = [
            "--bucket=b\n--vcpu=0.25,1,4\n--memory=auto,2048\n--mode=async,thread\n--concurrency=1,16,64\n--shards=1,2\n--repeat=6\n--limit=5",
            "--embedded=objects=5\n--client=lean\n--duration=1m 30s\n--part-size=8MiB\n--order=shuffled\n--seed=7\n--attempts=3\n--timeout=1h",
            "s3://b/p\n-c1..64,96\n--vcpu=0.25..4\n--shards=1..2\n--limit=9",
            "--bucket=b\n--result-bucket=r\n--contender=py:thread='python3 x.py'\n--run-timeout=2h\n--stall-timeout=1s\n--work=md5\n--id=a.b-c",
        ];
        let words = &[
            ",",
            "..",
            "-",
            "=",
            "'",
            "\u{a0}",
            "\0",
            "\r",
            "auto",
            "process",
            "--vcpu=",
            "--shards=",
            "--repeat=",
            "e3",
            "ms",
            "KiB",
        ];
        Target {
            name: "sweep-values",
            seeds: seeds.map(|seed| seed.as_bytes().to_vec()).to_vec(),
            words,
            cases: 1_000,
        }
        .run(|bytes| {
            let words: Vec<String> = String::from_utf8_lossy(bytes)
                .lines()
                .map(str::to_owned)
                .collect();
            // Help is another thing, and a plan is a file.
            let Some(raw) = raw(&words).filter(|raw| raw.get("plan").is_none()) else {
                return;
            };
            match sweep(&raw, BESIDE) {
                Ok(settings) => hold(&settings),
                Err(failure) => assert!(!failure.message.is_empty() && failure.hint.is_some()),
            }
        });
    }
}
