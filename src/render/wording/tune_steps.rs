//! The way of a tune in words: each step in a line, and what all of them took.

use std::str::FromStr as _;

use super::change::{FACTOR, as_fast, as_fast_as, factor};
use super::number::{plural, span, time, usd, vcpus};
use super::tune_served::{configuration, cpu_units, factors, named};
use crate::cell::memory_gb;
use crate::plan::ClientKind;
use crate::results::tune::{
    GoalWord, ProgramAnswer, StepFigures, StepReason, StoppedBecause, TuneDocument, TuneStep,
    TunedChoice, TunedConfiguration,
};
use crate::units;

/// ` 12/150  0.5 vCPU, 1 GB, async × 32: 1.79 GB/s; 16 → 32 workers: 41 % faster`
pub(crate) fn step(step: &TuneStep, document: &TuneDocument) -> String {
    let most = units::count(document.most_runs);
    let head = format!(
        "{:>width$}/{most}  {}",
        units::count(step.run),
        named((&step.configuration, &step.factors), document),
        width = most.len(),
    );
    // Parfetch's own clients are the usual; a program that somebody brought is named.
    let head = match ClientKind::from_str(&step.program) {
        Ok(_) => head,
        Err(_) => format!("{head}, {}", step.program),
    };
    let Some(seen) = &step.seen else {
        let why = step.failure.as_deref().unwrap_or("nothing is known of it");
        return format!("{head} failed: {why}");
    };
    let objects = || match seen.objects_per_s {
        Some(rate) => format!("{} {}s/s", units::three_digits(rate), noun(document)),
        None => format!("{} a run", time(seen.fetch_s)),
    };
    let rate = of_bytes(seen, document).map_or_else(objects, units::rate);
    let mut parts = vec![format!("{head}: {rate}")];
    parts.extend(compared(step, seen, document));
    parts.extend(because(step));
    if let Some(seconds) = seen.drop_at_s {
        parts.push(format!("the rate dropped after {}", time(seconds)));
    }
    if let Some(share) = seen.throttled.filter(|share| *share >= THROTTLED) {
        parts.push(format!("{} throttled", units::percent(share)));
    }
    parts.join("; ")
}

/// From this share of throttled attempts on it is said.
const THROTTLED: f64 = 0.01;

/// The way of a tune: every step in a line, with what was expected of it.
pub(crate) fn way(document: &TuneDocument) -> Vec<String> {
    let line = |one: &TuneStep| {
        let rate = one.expected_objects_per_s.map(units::three_digits);
        let rate = rate.map(|rate| format!("{rate} {}s/s", noun(document)));
        let expected = rate.or_else(|| one.expected_s.map(time));
        let expected = expected.map_or_else(String::new, |what| format!("; expected {what}"));
        format!("{}{expected}", step(one, document))
    };
    document.steps.iter().map(line).collect()
}

/// Of each configuration that ran more than once: by how many times its slowest run is slower than its fastest, by what its lines show and by the rate
/// while every worker was busy, whichever says less.
fn spreads<'a>(
    answer: &'a ProgramAnswer,
    document: &'a TuneDocument,
) -> impl Iterator<Item = (&'a TunedConfiguration, f64)> {
    let own = || document.steps.iter().filter(|one| one.is_of(answer));
    let first = own().filter(|one| one.repetition == 1);
    first.map(move |first| {
        let same = || own().filter(|one| one.configuration == first.configuration);
        let times = |rate: fn(&StepFigures) -> Option<f64>| {
            let rates = same().filter_map(|one| rate(&one.seen?));
            let (low, high) = rates.fold((f64::INFINITY, 0.0_f64), |(low, high), rate| {
                (low.min(rate), high.max(rate))
            });
            high / low
        };
        let busy = times(|seen| Some(seen.objects_per_s.unwrap_or(1.0 / seen.fetch_s)));
        let shown = times(|seen| seen.bytes_per_s);
        (
            &first.configuration,
            if shown > 0.0 { busy.min(shown) } else { busy },
        )
    })
}

/// Why a program has no answer.
pub(super) fn nothing(answer: &ProgramAnswer, document: &TuneDocument) -> &'static str {
    let own = || document.steps.iter().filter(|step| step.is_of(answer));
    if own().any(|step| step.seen.is_some()) {
        "Each configuration that was measured failed in a later run."
    } else if own().next().is_some() {
        "No run gave figures."
    } else {
        "The tune measured nothing of it: it ended before its first run."
    }
}

/// From so many runs on they are held against the time that the law of all runs gives.
const HELD_AGAINST: usize = 3;

/// Seconds of the whole bucket at the rate that each run of a configuration had while every worker was busy, the fastest first.
fn busy_s(
    answer: &ProgramAnswer,
    (of, document): (&TunedConfiguration, &TuneDocument),
) -> Vec<f64> {
    let own = document.steps.iter().filter(|one| one.is_of(answer));
    let same = own.filter(|one| one.configuration == *of);
    let seconds = same.filter_map(|one| {
        let seen = one.seen?;
        let keys = one.keys.map(|keys| keys as f64 / seen.fetch_s);
        Some(document.objects as f64 / seen.objects_per_s.or(keys)?)
    });
    let mut seconds: Vec<f64> = seconds.collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

/// Seconds of the answer besides those at its rate: for listing, for starting, and for the tail.
fn around_s(answer: &ProgramAnswer, document: &TuneDocument) -> Option<f64> {
    let choice = answer.choice(document.goal)?;
    let mut curve = answer.curve.iter();
    let own = curve.find(|one| one.configuration == choice.configuration)?;
    let busy_s = document.objects as f64 / own.objects_per_s?;
    Some((choice.seconds[1] - busy_s).max(0.0))
}

/// That each run of a configuration was slower, or faster, than the range of its time: the law of all runs can be pulled elsewhere by the others.
pub(super) fn contradicted(
    answer: &ProgramAnswer,
    (choice, document): (&TunedChoice, &TuneDocument),
) -> Option<String> {
    if document.urls.is_some() {
        return None;
    }
    let seconds = busy_s(answer, (&choice.configuration, document));
    let (least, most) = (*seconds.first()?, *seconds.last()?);
    let [low, _, high] = choice.seconds;
    if seconds.len() >= HELD_AGAINST && least > high {
        return Some(format!(
            "Each of its {} runs was slower, at {} to {} for the whole bucket: the runs of this tune contradict each other. Measure it with a sweep.",
            seconds.len(),
            time(least),
            time(most)
        ));
    }
    let around_s = around_s(answer, document)?;
    let [least, most] = [least, most].map(|busy_s| busy_s + around_s);
    (most < low).then(|| match seconds.len() {
        1 => format!(
            "Its only run was faster, at {} for the whole bucket: the other runs of this tune say that it is slower.",
            time(least)
        ),
        runs => format!(
            "Each of its {runs} runs was faster, at {} for the whole bucket: the other runs of this tune say that it is slower.",
            span(time(least), &time(most))
        ),
    })
}

/// `about 21 % slower`, `about 4.0 times as expensive`
fn how_much_worse(share: f64, document: &TuneDocument) -> String {
    let has_deadline = document.deadline_s.is_some();
    let (worse, times) = match document.goal {
        // What is too late counts as so much worse that its factor says nothing.
        GoalWord::Cheapest if has_deadline && 1.0 + share >= FACTOR => {
            return "too late, or far more expensive".to_owned();
        }
        GoalWord::Cheapest if has_deadline => ("worse in price and time", ""),
        // Below the minimum of a minute, the faster of two at about one price is the answer.
        GoalWord::Cheapest if share < 0.005 => {
            return "slower, and at most a little cheaper".to_owned();
        }
        GoalWord::Cheapest => ("more expensive", "times as expensive"),
        GoalWord::Fastest => ("slower", "times as slow"),
        GoalWord::Balanced => ("worse in price × time", "times as high in price × time"),
    };
    if 1.0 + share >= FACTOR {
        format!("about {} {times}", factor(1.0 + share))
    } else {
        format!("about {:.0} % {worse}", share.max(0.0) * 100.0)
    }
}

/// What was left out, and why, a line each: `4 vCPUs, 8 GB: at best 21 % slower (async × 64; not measured)`.
pub(crate) fn left_out(answer: &ProgramAnswer, document: &TuneDocument) -> Vec<String> {
    let by_how_much = |share| how_much_worse(share, document);
    let sizes = answer.dropped.iter().map(|one| {
        let of = &one.configuration;
        let runs = match one.runs {
            0 => "not measured, expected from other runs".to_owned(),
            runs => units::plural(runs, "run"),
        };
        format!(
            "{}, {} GB: even its best configuration is {} ({} × {}; {runs})",
            vcpus(cpu_units(of)),
            memory_gb(of.memory_mib),
            by_how_much(one.worse),
            of.mode,
            of.concurrency
        )
    });
    let failed = document
        .steps
        .iter()
        .filter(|step| step.is_of(answer))
        .filter_map(|step| {
            let why = step.failure.as_deref()?;
            let of = configuration(&step.configuration, document);
            Some(format!(
                "{of}, and more workers of this size and mode that were not measured: it failed ({why})"
            ))
        });
    sizes.chain(failed).collect()
}

/// What is counted.
fn noun(document: &TuneDocument) -> &'static str {
    if document.urls.is_some() {
        "request"
    } else {
        "object"
    }
}

/// `lean, 0.5 vCPU, 1 GB: objects per second against workers`
pub(crate) fn curve_title(
    (answer, of): (&ProgramAnswer, &TunedConfiguration),
    document: &TuneDocument,
) -> String {
    let what = if answer.is_timed_alone {
        "seconds of a run".to_owned()
    } else {
        format!("{}s per second", noun(document))
    };
    let factors = factors(&answer.factors);
    if !factors.is_empty() {
        return format!("{factors}: {what} against workers");
    }
    format!(
        "{}, {}, {} GB: {what} against workers",
        answer.program,
        vcpus(cpu_units(of)),
        memory_gb(of.memory_mib)
    )
}

/// Bytes a second, where its line shows them: not where objects are empty, as every rate is 0 then.
fn of_bytes(seen: &StepFigures, document: &TuneDocument) -> Option<f64> {
    let mut runs = document.steps.iter().filter_map(|step| step.seen);
    let has_bytes = document.urls.is_none() && runs.all(|run| run.bytes_per_s != Some(0.0));
    seen.bytes_per_s.filter(|rate| has_bytes && *rate > 0.0)
}

/// The rate that its line shows, or that of runs.
fn shown(seen: &StepFigures, document: &TuneDocument) -> f64 {
    of_bytes(seen, document)
        .or(seen.objects_per_s)
        .unwrap_or(1.0 / seen.fetch_s)
}

/// Against the run that it is most alike: `16 → 32 workers: 41 % faster`. In words, as a line that shows a time would have its sign turned round.
fn compared(step: &TuneStep, seen: &StepFigures, document: &TuneDocument) -> Option<String> {
    let own = &step.configuration;
    let before: Vec<(&TunedConfiguration, f64)> = document
        .steps
        .iter()
        .filter(|other| other.program == step.program && other.factors == step.factors)
        .filter(|other| other.run < step.run)
        .filter_map(|other| Some((&other.configuration, shown(&other.seen?, document))))
        .collect();
    let mean = |of: &TunedConfiguration| {
        let rates: Vec<f64> = before
            .iter()
            .filter(|(other, _)| *other == of)
            .map(|(_, rate)| *rate)
            .collect();
        rates.iter().sum::<f64>() / rates.len().max(1) as f64
    };
    let ratio = |of: &TunedConfiguration| shown(seen, document) / mean(of);
    if before.iter().any(|(other, _)| *other == own) {
        return Some(format!("again: {}", as_fast_as(ratio(own), "before")));
    }
    let same_size =
        |other: &TunedConfiguration| (other.vcpu, other.memory_mib) == (own.vcpu, own.memory_mib);
    let alike = |other: &&TunedConfiguration| other.mode == own.mode && same_size(other);
    let near = before.iter().map(|(other, _)| *other).filter(alike);
    let fewer = near
        .clone()
        .filter(|other| other.concurrency < own.concurrency)
        .max_by_key(|other| other.concurrency);
    let more = near
        .filter(|other| other.concurrency > own.concurrency)
        .min_by_key(|other| other.concurrency);
    if let Some(other) = fewer.or(more) {
        let (from, to) = (other.concurrency, own.concurrency);
        let by = as_fast(ratio(other));
        return Some(format!("{from} → {to} workers: {by}"));
    }
    // Another size of the same mode, else another mode.
    let apart = |other: &TunedConfiguration| {
        let of_mode = if other.mode == own.mode { 0.0 } else { 100.0 };
        of_mode + (other.vcpu / own.vcpu).log2().abs()
    };
    let other = before
        .iter()
        .map(|(other, _)| *other)
        .filter(|other| other.concurrency == own.concurrency)
        // Where both differ, the words would have to name both.
        .filter(|other| other.mode == own.mode || same_size(other))
        .min_by(|one, other| apart(one).total_cmp(&apart(other)))?;
    let against = if other.mode == own.mode {
        vcpus(cpu_units(other))
    } else {
        other.mode.to_string()
    };
    Some(as_fast_as(ratio(other), &format!("with {against}")))
}

/// Why a run was made, where that says more than the run.
fn because(step: &TuneStep) -> Option<String> {
    match step.why {
        StepReason::Start | StepReason::Best | StepReason::MayBeBetter => None,
        StepReason::Confirm => Some("to be sure of it".to_owned()),
        StepReason::Neighbour => Some("next to the best".to_owned()),
        StepReason::Burst => {
            let long = step
                .duration_s
                .map_or_else(|| "all objects".to_owned(), time);
            Some(format!("{long} to see whether the rate drops"))
        }
    }
}

/// `31 runs, 158 GB, 6 min 40 s. It stopped because more runs would not change the answer.`
pub(crate) fn effort(document: &TuneDocument) -> String {
    let spent = document
        .usd_spent
        .map_or_else(String::new, |spent| format!(", {} for tasks", usd(spent)));
    let because = match document.stopped_because {
        None => "it is still running",
        Some(StoppedBecause::Sure) => "more runs would not change the answer",
        Some(StoppedBecause::MaxRuns) => "`--max-runs` is used up",
        Some(StoppedBecause::MaxTime) => "`--max-time` is used up",
        Some(StoppedBecause::MaxBytes) => "`--max-bytes` is used up",
        Some(StoppedBecause::MaxCost) => "`--max-cost` is used up",
        Some(StoppedBecause::Interrupted) => "it was interrupted",
        Some(StoppedBecause::Nothing) => "no run gave figures",
    };
    // A program whose time alone is known says nothing of its bytes.
    let bytes = if document.urls.is_some() || document.bytes == 0 {
        String::new()
    } else {
        format!(", {}", units::bytes(document.bytes))
    };
    if document.runs == 0 {
        let because = because.replace("is used up", "is less than one run takes");
        return format!("No run was made. Stopped: {because}.");
    }
    format!(
        "{}{bytes}, {}{spent}. Stopped: {because}.",
        plural(document.runs, "run"),
        time(document.seconds)
    )
}

/// From so many times on it is said by how much runs of one configuration differ.
const UNSTEADY: f64 = 2.0;

/// What the confidence does not show: a law that fits the others takes one slow run for an accident.
pub(super) fn unsteady(answer: &ProgramAnswer, document: &TuneDocument) -> Option<String> {
    let (of, times) = spreads(answer, document)
        .filter(|(_, times)| times.is_finite() && *times >= UNSTEADY)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let why = if document.on == "local" {
        ": was there other work on this machine?"
    } else {
        "."
    };
    Some(format!(
        "Runs of {} differ by a factor of {}{why}",
        configuration(of, document),
        factor(times)
    ))
}
