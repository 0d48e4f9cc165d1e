//! `parfetch compare`.

use std::io;

use super::console::style_of;
use super::process::{block_on, start_log};
use super::signals::{First, Signals};
use super::sources::{Look, deliver, form, name, studies};
use crate::analysis::{Comparison, compare, compare_programs};
use crate::cli::Raw;
use crate::exit::{Exit, Failure};
use crate::output::warning;
use crate::render::{Names, comparison_warnings};
use crate::settings::{self, CompareSettings, ReportFormat, ResultSource};
use crate::units;

pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let settings = settings::compare(raw)?;
    start_log(settings::log(raw)?);
    let signals = Signals::listen(First::EndsAtOnce, None)?;
    let read =
        |place| block_on(signals.or(studies(std::slice::from_ref(place), &settings.sources)));
    let (base_name, new_name) = names(&settings);
    let names = Names {
        base: &base_name,
        new: &new_name,
    };
    let base = read(&settings.base)?;
    let other = settings.new.as_ref().map(read).transpose()?;
    let new = other.as_ref().unwrap_or(&base);
    let comparison = match &settings.programs {
        Some((before, after)) => compare_programs((&base, new), (before, after), settings.metric),
        None => compare(&base, new, settings.metric),
    };
    if comparison.cells.is_empty() {
        let message = format!(
            "{} and {} have no configuration with {} in common",
            names.base,
            names.new,
            settings.metric.name()
        );
        return Err(Failure::new(Exit::Usage, message)
            .hint("configurations match when program (or --programs), vCPU, memory, mode, concurrency and shards are the same"));
    }
    deliver(
        &rendered(&comparison, &settings, names),
        settings.out.as_deref(),
    )?;
    if settings.format != ReportFormat::Text || settings.out.is_some() {
        say(&comparison);
    }
    settings
        .fail_over
        .map_or(Ok(Exit::Good), |percent| judge(&comparison, percent))
}

/// How base and new are called.
fn names(settings: &CompareSettings) -> (String, String) {
    let place = |place: &ResultSource, program: Option<&String>| {
        program.map_or_else(
            || name(place),
            |program| format!("{program} in {}", name(place)),
        )
    };
    let (base, new) = settings
        .programs
        .as_ref()
        .map_or((None, None), |(base, new)| (Some(base), Some(new)));
    (
        place(&settings.base, base),
        place(settings.new.as_ref().unwrap_or(&settings.base), new),
    )
}

fn rendered(comparison: &Comparison, settings: &CompareSettings, names: Names<'_>) -> String {
    let look = Look::of(settings.out.as_deref());
    let paint = |role, text: &str| look.paint(role, text);
    form(settings.format, &look, &paint).comparison(comparison, names)
}

/// Warnings for whoever sees the terminal alone: a CSV file holds none.
fn say(comparison: &Comparison) {
    let style = style_of(&io::stderr());
    for text in &comparison_warnings(comparison) {
        // Nobody to tell.
        let _closed = warning(&mut io::stderr(), style, text);
    }
}

/// Exit code 6 when a significant loss is larger than allowed.
fn judge(comparison: &Comparison, percent: f64) -> Result<Exit, Failure> {
    let losses = comparison.losses_over(percent);
    let worst = losses.iter().max_by(|one, other| {
        let loss = |cell: &crate::analysis::Compared| cell.loss(comparison.better).unwrap_or(0.0);
        loss(one).total_cmp(&loss(other))
    });
    let Some(worst) = worst else {
        return Ok(Exit::Good);
    };
    let loss = worst
        .loss(comparison.better)
        .filter(|loss| loss.is_finite())
        .map_or_else(|| "from or to 0".to_owned(), units::percent);
    let message = format!(
        "{} of {} configurations are significantly worse by more than {percent} %; the worst is {} ({loss}, p {:.4} after Holm)",
        losses.len(),
        comparison.comparisons,
        worst.cell,
        worst.adjusted_p
    );
    Err(Failure::new(Exit::Worse, message)
        .hint("the ratio itself is compared with --fail-over, not an end of its interval"))
}
