//! `parfetch compare`.

use super::console::warn;
use super::process::{block_on, start_log};
use super::signals::{First, Signals};
use super::sources::{Look, WantedSweeps, deliver, form, name, studies};
use crate::analysis::{CellReport, Comparison, Metric, Study, compare, compare_programs};
use crate::cli::Raw;
use crate::exit::{Exit, Failure};
use crate::render::{Names, comparison_warnings, loss};
use crate::settings::{self, CompareSettings, ReportFormat, ResultSource};

pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let mut settings = settings::compare(raw)?;
    start_log(settings::log(raw)?);
    let signals = Signals::listen(First::EndsAtOnce, None)?;
    let read = |place| {
        let places = std::slice::from_ref(place);
        let wanted = (&settings.sources, WantedSweeps::All);
        block_on(signals.or(studies(places, wanted)))
    };
    let (base_name, new_name) = names(&settings);
    let base = read(&settings.base)?;
    if settings.programs.is_none()
        && let Some(new) = &settings.new
        && is_one_place(&settings.base, new)
    {
        let message = format!("{base_name} and {new_name} are the same results: nothing differs");
        return Err(Failure::new(Exit::Usage, message).hint(TWO_SETS));
    }
    let other = settings.new.as_ref().map(read).transpose()?;
    let new = other.as_ref().unwrap_or(&base);
    let is_web = |study: &Study| study.workload.http.is_some();
    if settings.metric == Metric::Throughput && base.iter().chain(new).all(is_web) {
        // What web servers are compared by.
        settings.metric = Metric::RequestsPerS;
    }
    let are_timed_alone = |study: &Study| study.cells.iter().all(CellReport::is_timed_alone);
    if settings.metric == Metric::Throughput && base.iter().chain(new).all(are_timed_alone) {
        settings.metric = Metric::FetchTime;
    }
    let names = Names {
        base: &base_name,
        new: &new_name,
        extent: settings.extent,
    };
    let comparison = match &settings.programs {
        Some((before, after)) => compare_programs((&base, new), (before, after), settings.metric),
        None => compare(&base, new, settings.metric),
    };
    if comparison.cells.is_empty() {
        say(&comparison);
        return Err(nothing_to_compare(&comparison, &settings, names));
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

/// What can be compared.
const TWO_SETS: &str =
    "name two sweeps, or two programs of one sweep: parfetch compare SWEEP --programs OLD,NEW";

/// Whether both are the same, also by other names.
fn is_one_place(base: &ResultSource, new: &ResultSource) -> bool {
    match (base, new) {
        (ResultSource::Path(base), ResultSource::Path(new)) => {
            let [base, new] = [base, new].map(|path| path.canonicalize().ok());
            base.is_some() && base == new
        }
        (base, new) => base == new,
    }
}

/// Why there is nothing to compare: the sets have no configuration in common, or fetched other objects.
fn nothing_to_compare(
    comparison: &Comparison,
    settings: &CompareSettings,
    names: Names<'_>,
) -> Failure {
    if let Some([base, new]) = &comparison.gaps.other_objects {
        let message = format!(
            "{} and {} fetched different objects, which cannot be compared: {base} and {new}",
            names.base, names.new
        );
        return Failure::new(Exit::Usage, message).hint(
            "compare two sweeps of one bucket, or of a copy with as many keys and bytes; `parfetch report` shows each set by itself",
        );
    }
    let message = format!(
        "{} and {} have no configuration with {} in common",
        names.base,
        names.new,
        settings.metric.name()
    );
    Failure::new(Exit::Usage, message)
        .hint("configurations match when program (or --programs), vCPU, memory, mode, concurrency and shards are the same")
}

/// How base and new are called: two programs of one place by their names.
fn names(settings: &CompareSettings) -> (String, String) {
    match (&settings.programs, &settings.new) {
        (Some((base, new)), None) => (base.clone(), new.clone()),
        (Some((base, new)), Some(place)) => (
            format!("{base} in {}", name(&settings.base)),
            format!("{new} in {}", name(place)),
        ),
        (None, place) => (
            name(&settings.base),
            name(place.as_ref().unwrap_or(&settings.base)),
        ),
    }
}

fn rendered(comparison: &Comparison, settings: &CompareSettings, names: Names<'_>) -> String {
    let look = Look::of(settings.out.as_deref());
    let paint = |role, text: &str| look.paint(role, text);
    form(settings.format, &look, &paint).comparison(comparison, names)
}

/// Warnings for whoever sees the terminal alone: a CSV file holds none.
fn say(comparison: &Comparison) {
    for text in &comparison_warnings(comparison) {
        warn(text);
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
    let most = worst
        .loss(comparison.better)
        .filter(|loss| loss.is_finite())
        .map_or_else(|| "from or to 0".to_owned(), loss);
    let message = format!(
        "{} of {} configurations lost more than {percent} %; the worst is {} ({most})",
        losses.len(),
        comparison.comparisons,
        worst.cell
    );
    Err(Failure::new(Exit::Worse, message)
        .hint("the ratio itself is compared with --fail-over, not an end of its interval"))
}
