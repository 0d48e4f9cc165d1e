//! `parfetch compare`.

use std::collections::BTreeSet;

use super::console::warn;
use super::process::{block_on, start_log};
use super::signals::{First, Signals};
use super::sources::{Look, WantedSweeps, deliver, form, name, studies};
use crate::analysis::{CellReport, Comparison, Metric, Study, compare, compare_programs};
use crate::cell::Program;
use crate::cli::Raw;
use crate::exit::{Exit, Failure};
use crate::guess;
use crate::render::{Names, comparison_warnings, median_change};
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
    if let Some((before, after)) = &settings.programs {
        check_program(before, &base)?;
        check_program(after, new)?;
    }
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
    let after = settings.programs.as_ref().map(|(_, after)| after.as_str());
    settings
        .fail_over
        .map_or(Ok(Exit::Good), |percent| judge(&comparison, percent, after))
}

/// What can be compared.
const TWO_SETS: &str =
    "name two sweeps, or two programs of one sweep: parfetch compare SWEEP --programs OLD,NEW";

/// A program that is named has to be in the set.
fn check_program(name: &str, studies: &[Study]) -> Result<(), Failure> {
    let cells = studies.iter().flat_map(|study| &study.cells);
    let known: BTreeSet<&str> = cells.map(|cell| cell.cell.program.name()).collect();
    if known.is_empty() || known.contains(name) {
        return Ok(());
    }
    let names: Vec<&str> = known.iter().copied().collect();
    let message = format!(
        "--programs: there is no program {name}; the programs are {}",
        names.join(", ")
    );
    let hint = guess::hint(name, known).unwrap_or_else(|| TWO_SETS.to_owned());
    Err(Failure::new(Exit::Usage, message).hint(hint))
}

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

/// Exit code 6 when a significant loss is larger than allowed. `after` is the program that lost, where two programs are compared.
fn judge(comparison: &Comparison, percent: f64, after: Option<&str>) -> Result<Exit, Failure> {
    let losses = comparison.losses_over(percent);
    let worst = losses.iter().max_by(|one, other| {
        let loss = |cell: &crate::analysis::Compared| cell.loss(comparison.better).unwrap_or(0.0);
        loss(one).total_cmp(&loss(other))
    });
    let Some(worst) = worst else {
        return Ok(Exit::Good);
    };
    let mut cell = worst.cell.clone();
    if let Some(after) = after {
        // Compared cells have the name of the program before.
        cell.program = Program::Contender(after.to_owned());
    }
    let message = format!(
        "{} of {} configurations lost more than {percent} %; the worst is {cell} ({})",
        losses.len(),
        comparison.comparisons,
        median_change(comparison, worst)
    );
    Err(Failure::new(Exit::Worse, message)
        .hint("the change of the median is compared with --fail-over, not an end of its interval"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Study;
    use crate::render::fixture::curve;

    #[test]
    fn a_program_that_is_not_there_is_said_with_those_that_are() {
        let mut studies = [curve(vec![vec![1.0]; 2])];
        studies[0].cells[1].cell.program = Program::Contender("my".to_owned());
        assert_eq!(check_program("my", &studies), Ok(()));
        let said = |name| {
            let failure = check_program(name, &studies).unwrap_err();
            (failure.message, failure.hint.unwrap())
        };
        assert_eq!(
            said("nope"),
            (
                "--programs: there is no program nope; the programs are lean, my".to_owned(),
                TWO_SETS.to_owned()
            )
        );
        assert_eq!(said("laen").1, "did you mean `lean`?");
    }

    #[test]
    fn the_worst_is_the_program_that_lost_by_the_figure_of_the_table() {
        let base: [Study; 1] = [curve([vec![100.0, 101.0, 102.0, 130.0, 140.0, 150.0]])];
        let mut new = [curve([vec![38.0, 39.0, 40.0, 60.0, 61.0, 62.0]])];
        let lean = new[0].cells[0].clone();
        let my = Program::Contender("my".to_owned());
        new[0].cells[0].cell.program = my;
        new[0].cells.insert(0, lean.clone());
        let said = |new: &[Study], programs: Option<[&str; 2]>| {
            let found = programs.map_or_else(
                || compare(&base, new, Metric::Throughput),
                |[before, after]| {
                    compare_programs((&base, new), (before, after), Metric::Throughput)
                },
            );
            let cell = &found.cells[0];
            assert!(
                (cell.ratio.unwrap() - 50.0 / 116.0).abs() > 0.001,
                "another figure"
            );
            judge(&found, 5.0, programs.map(|[_, after]| after))
                .unwrap_err()
                .message
        };
        let expected = |name: &str| {
            format!(
                "1 of 1 configurations lost more than 5 %; the worst is 1 vCPU · 2 GB · async × 1 · {name} (-56.9 %)"
            )
        };
        assert_eq!(said(&new, Some(["lean", "my"])), expected("my"));
        assert_eq!(said(&new, None), expected("lean"));
    }
}
