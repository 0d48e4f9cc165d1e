//! What of two sets is not compared, and whether the test can say anything at all, in words.

use super::number::plural;
use crate::analysis::{Comparison, FailedRuns, LostFetches, Power};
use crate::cell::Cell;
use crate::units;

/// Cells named one by one.
const NAMED: usize = 3;

/// Everything to be known, the most important first; sentences without a full stop.
pub(crate) fn warnings(comparison: &Comparison) -> Vec<String> {
    let gaps = &comparison.gaps;
    let [base_alone, new_alone] = &gaps.alone;
    let [base_failed, new_failed] = &gaps.failed;
    let metric = comparison.metric.name();
    let without = format!("without {metric} in one of the sets");
    let [base_lost, new_lost] = &gaps.lost;
    let all = [
        lost("base", base_lost),
        lost("new", new_lost),
        gaps.power.map(power),
        cells("in base alone", base_alone),
        cells("in new alone", new_alone),
        cells(&without, &gaps.unmeasured),
        failed("base", base_failed),
        failed("new", new_failed),
    ];
    all.into_iter().flatten().collect()
}

fn power(power: Power) -> String {
    let Power { poor, of, needed } = power;
    let who = if poor == of {
        "no configuration has enough".to_owned()
    } else {
        format!("{poor} of {of} configurations have too few")
    };
    format!(
        "{who} repetitions to show a difference: {} of each in each set would do",
        plural(needed as u64, "repetition")
    )
}

fn cells(what: &str, cells: &[Cell]) -> Option<String> {
    (!cells.is_empty()).then(|| {
        format!(
            "{} {what}: {}",
            plural(cells.len() as u64, "configuration"),
            named(cells)
        )
    })
}

fn named(cells: &[Cell]) -> String {
    let mut names: Vec<String> = cells.iter().take(NAMED).map(ToString::to_string).collect();
    if cells.len() > NAMED {
        names.push(format!("and {} more", cells.len() - NAMED));
    }
    names.join(", ")
}

fn failed(name: &str, failed: &FailedRuns) -> Option<String> {
    (failed.runs > 0).then(|| {
        format!(
            "{} that failed in {name}, left out: {}",
            plural(failed.runs as u64, "repetition"),
            named(&failed.cells)
        )
    })
}

fn lost(name: &str, lost: &LostFetches) -> Option<String> {
    let noun = if lost.are_requests {
        "requests"
    } else {
        "objects"
    };
    (lost.failed > 0).then(|| {
        format!(
            "{} of {} {noun} failed in {name}, and its rates count the others alone: {}",
            units::count(lost.failed),
            units::count(lost.tried),
            named(&lost.cells)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare;
    use crate::analysis::metric::Metric;
    use crate::analysis::model::{FailedRepetition, Study};
    use crate::render::fixture::curve;
    use crate::render::wording::caveats::caveats;

    fn set(cells: usize, values: &[f64]) -> Study {
        curve(vec![values.to_vec(); cells])
    }

    #[test]
    fn too_few_repetitions_are_said_with_how_many_would_do() {
        let three = [set(18, &[1.0, 2.0, 3.0])];
        let said = warnings(&compare(&three, &three, Metric::Throughput));
        let expected = "no configuration has enough repetitions to show a difference: 4 repetitions of each in each set would do";
        assert_eq!(said, [expected]);
        // However many configurations there are.
        let four = [set(300, &[1.0, 2.0, 3.0, 4.0])];
        assert_eq!(
            warnings(&compare(&four, &four, Metric::Throughput)),
            Vec::<String>::new()
        );
        // Three against six: 2 / C(9, 3) = 0.024.
        let six = [set(18, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])];
        let said = warnings(&compare(&six, &three, Metric::Throughput));
        assert_eq!(said, Vec::<String>::new());
    }

    #[test]
    fn what_else_changed_is_named() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let base = set(2, &values);
        let mut new = set(3, &values);
        new.cells.remove(0);
        new.workload.keys_sha256 = Some("fedcba9876543210".to_owned());
        new.facts.tool_versions = vec!["0.2.0".to_owned()];
        new.cells[0].failures = vec![FailedRepetition {
            reason: "x".to_owned(),
            ..FailedRepetition::default()
        }];
        let found = compare(&[base], &[new], Metric::Throughput);
        assert_eq!(
            caveats(&found)[..2],
            [
                "key lists differ: 0123456789ab in base, fedcba987654 in new",
                "versions of parfetch differ: 0.1.0 in base, 0.2.0 in new"
            ]
        );
        assert_eq!(
            warnings(&found),
            [
                "1 configuration in base alone: 1 vCPU · 2 GB · async × 1 · lean",
                "1 configuration in new alone: 1 vCPU · 2 GB · async × 3 · lean",
                "1 repetition that failed in new, left out: 1 vCPU · 2 GB · async × 2 · lean",
            ]
        );
    }

    #[test]
    fn what_is_not_known_of_one_set_does_not_differ() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut base = set(2, &values);
        base.workload.limit = None;
        let mut new = base.clone();
        new.workload.keys_sha256 = None;
        (new.workload.work, new.workload.layout) = (None, None);
        new.workload.limit = Some(7);
        (new.workload.place.arch, new.workload.place.machine) = (None, None);
        (new.facts.cpu_model, new.facts.system) = (None, None);
        new.facts.tool_versions = Vec::new();
        let said = |base: &Study, new: &Study| {
            let [base, new] = [base, new].map(std::slice::from_ref);
            let caveats = caveats(&compare(base, new, Metric::Throughput));
            caveats
                .into_iter()
                .filter(|one| one.contains("differ: "))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            said(&base, &new),
            ["limits of keys differ: none in base, 7 in new"],
            "that no limit was set is known"
        );
        assert_eq!(
            said(&new, &base),
            ["limits of keys differ: 7 in base, none in new"]
        );
    }

    #[test]
    fn what_failed_in_runs_that_count_is_said_before_all_else() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut new = set(2, &values);
        for observation in &mut new.cells[1].observations {
            observation.counts.failed = Some(200);
            observation.counts.tried = Some(400);
        }
        let said = |new: &Study| {
            let found = compare(
                &[set(2, &values)],
                std::slice::from_ref(new),
                Metric::Throughput,
            );
            warnings(&found)
        };
        let of = |noun| {
            format!(
                "1,200 of 2,400 {noun} failed in new, and its rates count the others alone: 1 vCPU · 2 GB · async × 2 · lean"
            )
        };
        assert_eq!(said(&new), [of("objects")]);
        new.workload.http = Some(crate::sweep::fixture::requests());
        assert_eq!(said(&new).last(), Some(&of("requests")));
    }
}
