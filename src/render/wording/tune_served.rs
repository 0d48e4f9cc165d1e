//! How configurations of a tune are named, and what is said of a tune of a web server: it looks for the most requests a second, and each server and factor
//! has an answer of its own.

use super::number::{share, span, vcpus};
use crate::cell::{UNITS_PER_VCPU, memory_gb};
use crate::plan::Factors;
use crate::plan::factors::SERVER;
use crate::results::tune::{ProgramAnswer, TuneDocument, TunedConfiguration};
use crate::units;

/// Other servers that are named with the best.
const NAMED: usize = 3;

/// `0.5 vCPU, 1 GB, async`
fn size_and_mode(of: &TunedConfiguration) -> String {
    format!(
        "{}, {} GB, {}",
        vcpus(cpu_units(of)),
        memory_gb(of.memory_mib),
        of.mode
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and vCPUs are not negative"
)]
pub(super) fn cpu_units(of: &TunedConfiguration) -> u32 {
    (of.vcpu * f64::from(UNITS_PER_VCPU)).round() as u32
}

/// `gunicorn, workers 3`; empty without factors.
pub(super) fn factors(factors: &Factors) -> String {
    let parts: Vec<String> = factors
        .iter()
        .map(|(name, value)| match name {
            SERVER => value.to_owned(),
            name => format!("{name} {value}"),
        })
        .collect();
    parts.join(", ")
}

/// A configuration without its workers. The size of the client is said where there are several.
pub(super) fn without_workers(of: &TunedConfiguration, document: &TuneDocument) -> String {
    let size = |of: &TunedConfiguration| (of.vcpu.to_bits(), of.memory_mib);
    let mut sizes = document.steps.iter().map(|step| size(&step.configuration));
    if document.urls.is_some() && sizes.all(|other| other == size(of)) {
        of.mode.to_string()
    } else {
        size_and_mode(of)
    }
}

/// `async × 32`
pub(super) fn configuration(of: &TunedConfiguration, document: &TuneDocument) -> String {
    format!("{} × {}", without_workers(of, document), of.concurrency)
}

/// `gunicorn, workers 3, async × 32`
pub(super) fn named((of, own): (&TunedConfiguration, &Factors), document: &TuneDocument) -> String {
    let configuration = configuration(of, document);
    if own.is_empty() {
        return configuration;
    }
    format!("{}, {configuration}", factors(own))
}

/// `812 requests/s (801 to 820)`
pub(super) fn rate([low, middle, high]: [f64; 3]) -> String {
    let [low, middle, high] = [low, middle, high].map(units::three_digits);
    format!("{middle} requests/s ({})", span(low, &high))
}

/// Good answers a second of an answer; none for a bucket.
fn served(answer: &ProgramAnswer, document: &TuneDocument) -> Option<f64> {
    let [_, middle, _] = answer.choice(document.goal)?.requests_per_s?;
    Some(middle)
}

/// The answer that comes first: of a web server the fastest one, else that of the first program.
pub(crate) fn first(document: &TuneDocument) -> Option<&ProgramAnswer> {
    let rate = |answer: &&ProgramAnswer| served(answer, document).unwrap_or(0.0);
    let fastest = document
        .answers
        .iter()
        .max_by(|one, other| rate(one).total_cmp(&rate(other)));
    fastest
        .filter(|answer| rate(answer) > 0.0)
        .or(document.answers.first())
}

/// Which server is best, where there are several: `gunicorn, workers 3, async × 50: 812 requests/s. uvicorn, workers 1, async × 50 is within 5.0 %.`
pub(crate) fn best(document: &TuneDocument) -> Option<String> {
    let best = first(document).filter(|_| document.answers.len() > 1)?;
    let most = served(best, document)?;
    let name = |answer: &ProgramAnswer| {
        let choice = answer.choice(document.goal)?;
        Some(named((&choice.configuration, &answer.factors), document))
    };
    let is_near = |answer: &&ProgramAnswer| {
        let rate = served(answer, document).unwrap_or(0.0);
        *answer != best && rate * (1.0 + document.within) >= most
    };
    let near: Vec<String> = document
        .answers
        .iter()
        .filter(is_near)
        .filter_map(name)
        .collect();
    let more = match near.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let within = match near.len() {
        0 => String::new(),
        count => format!(
            " {}{more} {} within {}.",
            near[..count.min(NAMED)].join("; "),
            if count == 1 { "is" } else { "are" },
            share(document.within)
        ),
    };
    Some(format!(
        "{}: {} requests/s.{within}",
        name(best)?,
        units::three_digits(most)
    ))
}
