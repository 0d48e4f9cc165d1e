//! The plan of a sweep: lists of factors, a plan file below them, and the rules between them.

use super::lists::{count_cells, given_twice, list, no_such_pair};
use super::notes::Notes;
use super::reader::{SettingReader, part_size, usage};
use super::source::{bucket_name, embedded_text};
use super::{contender, factors, ready_contenders, requests, selection};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::ranges::{ListForm, VCPU, WHOLE};
use crate::plan::{ClientKind, KeySample, Layout, Mode};
use crate::price;
use crate::sweep::factors::names;
use crate::sweep::plan::{Contender, MEMORY, MemoryChoice, SweepPlan, cpu_units};
use crate::units;

/// The plan: defaults, the file over them, flags over both.
pub(super) fn plan(
    raw: &Raw,
    (file, urls): (Option<&str>, Option<&str>),
    notes: &mut Notes,
) -> Result<SweepPlan, Failure> {
    let plan = match (file, raw.get("plan")) {
        (Some(text), Some(Given { value, .. })) => SweepPlan::from_toml(text).map_err(|error| {
            usage(
                format!("the plan {value}: {error}"),
                "`parfetch sweep --print-plan` writes one",
            )
        })?,
        _ => SweepPlan::default(),
    };
    if plan.tune.is_some() {
        return Err(usage(
            "this plan is of a tune, which chooses its runs itself",
            "measure it with `parfetch tune --plan FILE`, or remove the table [tune] for a sweep of all configurations",
        ));
    }
    over(raw, plan, urls, notes)
}

/// What was typed over a plan; `urls` is the text of a file of URLs.
pub(super) fn over(
    raw: &Raw,
    mut plan: SweepPlan,
    urls: Option<&str>,
    notes: &mut Notes,
) -> Result<SweepPlan, Failure> {
    set_factors(raw, &mut plan)?;
    factors::set(raw, &mut plan)?;
    keys(raw, &mut plan)?;
    set_work(raw, &mut plan)?;
    requests::set(raw, &mut plan, urls)?;
    if plan.is_web() {
        requests::of_a_web_server(raw, &mut plan, notes)?;
    } else {
        set_source(raw, &mut plan, notes)?;
    }
    if plan.limit.is_none() && plan.sample.is_none() && !plan.is_web() {
        // What reads every key by itself, and what time ends, needs no smaller work.
        let is_all = plan.duration.is_some() || !plan.contender.is_empty();
        plan.sample = Some(if is_all { "all" } else { "auto" }.to_owned());
    }
    check(&plan)?;
    Ok(plan)
}

/// What is varied, and how often.
fn set_factors(raw: &Raw, plan: &mut SweepPlan) -> Result<(), Failure> {
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
            "auto, or MiB or GB: a list like 512,2GB, or a range like 2GB..8GB, which doubles",
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
        let each = given.value.lines().map(|line| {
            if line.starts_with('@') {
                ready_contenders::named(line, raw)
            } else {
                contender::parse(line).map(|one| vec![one])
            }
        });
        each.collect::<Result<Vec<_>, _>>()
    });
    set(
        &mut plan.contender,
        contenders.transpose()?.map(|several| several.concat()),
    );
    let reader = SettingReader(raw);
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
    Ok(())
}

/// What a repetition does with its keys.
fn set_work(raw: &Raw, plan: &mut SweepPlan) -> Result<(), Failure> {
    let reader = SettingReader(raw);
    if let (Some(_), Some(given)) = (reader.time("duration")?, raw.get("duration")) {
        plan.duration = Some(given.value.clone());
    }
    set(&mut plan.work, reader.word("work")?);
    set(&mut plan.order, reader.word("order")?);
    if let (Some(_), Some(given)) = (reader.part_size()?, raw.get("part-size")) {
        plan.part_size = Some(given.value.clone());
    }
    Ok(())
}

/// What is fetched from.
fn set_source(raw: &Raw, plan: &mut SweepPlan, notes: &mut Notes) -> Result<(), Failure> {
    for (flag, planned) in [("bucket", &plan.bucket), ("prefix", &plan.prefix)] {
        notes.over_the_plan(raw.get(flag), planned);
    }
    let reader = SettingReader(raw);
    set(&mut plan.prefix, reader.text("prefix"));
    if raw.get("embedded").is_some() {
        plan.embedded = embedded_text(raw).map(str::to_owned);
    }
    if plan.embedded.is_none() {
        set(
            &mut plan.bucket,
            raw.get("bucket")
                .map(|given| bucket_name(given, "--prefix says which of its keys"))
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
    Ok(())
}

/// Which keys a repetition fetches: flags over the file, and a sample or a limit but not both of them from one place.
fn keys(raw: &Raw, plan: &mut SweepPlan) -> Result<(), Failure> {
    if plan.sample.is_some() && plan.limit.is_some() {
        return Err(selection::both("the plan's sample", "its limit"));
    }
    let limit = SettingReader(raw).number("limit", 1..=u64::from(u32::MAX), "keys")?;
    match (raw.get("sample"), raw.get("limit")) {
        (Some(sample), Some(limit)) => return Err(selection::both(sample.name, limit.name)),
        (Some(sample), None) => (plan.sample, plan.limit) = (Some(sample.value.clone()), None),
        (None, Some(_)) => (plan.sample, plan.limit) = (None, limit),
        (None, None) => {}
    }
    Ok(())
}

/// What to do where a contender would read other keys than the sweep.
const OTHER_KEYS: &str = "leave --sample out, so that every key is read; or copy a sample to a bucket of its own (parfetch fill s3://bench/ --from s3://images --sample 2000) and sweep that; or name the key file, {keys}, in its command";

/// The random sample that every repetition fetches.
pub(super) fn sample(plan: &SweepPlan) -> Result<Option<KeySample>, Failure> {
    let size = plan
        .sample
        .as_deref()
        .map(selection::sample_size)
        .transpose();
    let size = size
        .map_err(|wrong| usage(format!("the sample {wrong}"), selection::SAMPLE_HINT))?
        .flatten();
    let lists_itself = |contender: &&Contender| !names(contender, "keys");
    if size.is_some()
        && let Some(contender) = plan.contender.iter().find(lists_itself)
    {
        let message = format!(
            "the contender {} lists the bucket by itself: a sample does not reach it",
            contender.name
        );
        return Err(usage(message, OTHER_KEYS));
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
pub(super) fn layout(plan: &SweepPlan) -> Result<Layout, Failure> {
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
const MODE: ListForm<Mode> = ListForm {
    value: |word| word.parse().ok(),
    between: |_, _| None,
};
const CLIENT: ListForm<ClientKind> = ListForm {
    value: |word| word.parse().ok(),
    between: |_, _| None,
};

/// Most runs of a sweep: more would take weeks, and are a slip of the pen.
pub(super) const MOST_RUNS: u64 = 100_000;

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
            "--repeat 6, or repeat = 6 of the plan file, are the fewest that give a 95 % interval",
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
                "name others with -c, or as concurrency of the plan file",
            ));
        }
    }
    if let Some(text) = plan.duration.as_deref().filter(|text| {
        units::parse_duration(text).is_ok_and(|time| time.is_zero())
            || units::parse_duration(text).is_err()
    }) {
        return Err(usage(
            format!("duration is `{text}`, which is not a length of time above 0"),
            "write it like 500ms, 10s, 20m or 1h 30m",
        ));
    }
    plan.contender
        .iter()
        .try_for_each(|one| contender::check(one, plan))?;
    factors::check(plan)
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

/// The sizes of the cells, each one that Fargate has.
pub(super) fn sizes(plan: &SweepPlan) -> Result<Vec<(u32, u32)>, Failure> {
    let mut sizes = Vec::new();
    for vcpu in &plan.vcpu {
        let known =
            cpu_units(*vcpu).and_then(|units| Some((units, price::fargate_memories(units)?)));
        let (units, memories) = known.ok_or_else(|| {
            usage(
                format!("Fargate has no size of {}", units::vcpus(*vcpu)),
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
