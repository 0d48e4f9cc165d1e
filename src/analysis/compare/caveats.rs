//! What to know before a comparison is read: what else differs between the sets, and that time does.

use super::warnings::differences;
use super::{Comparison, Overall};
use crate::analysis::metric::Metric;
use crate::analysis::model::Study;
use crate::cell::Cell;
use crate::render::compare::text::{percent, range};
use crate::render::wording::number::plural;
use crate::shell;

/// In the order in which they matter.
pub(super) fn caveats(comparison: &Comparison, pairs: &[(&Study, &Study)]) -> Vec<String> {
    let mut caveats = Vec::new();
    for (before, after) in pairs {
        for (what, one, other) in differences(before, after) {
            caveats.push(format!("{what} differ: {one} in base, {other} in new"));
        }
    }
    caveats.extend(
        pairs
            .iter()
            .find_map(|pair| timed_otherwise(*pair, comparison.metric)),
    );
    if !comparison.same_time && !comparison.cells.is_empty() {
        caveats.push(time(comparison));
        caveats.extend(pairs.first().map(|pair| in_one_sweep(comparison, *pair)));
    }
    caveats
}

/// A contender's own time holds the start of its workers, parfetch's fetch time does not.
fn timed_otherwise((base, new): (&Study, &Study), metric: Metric) -> Option<String> {
    let is_contender = |study: &Study| {
        study
            .cells
            .iter()
            .flat_map(|cell| &cell.observations)
            .map(|observation| observation.is_contender)
            .next()
            .unwrap_or(false)
    };
    let by_time = matches!(
        metric,
        Metric::Throughput | Metric::Goodput | Metric::ActiveWindow | Metric::FetchTime
    );
    (by_time && is_contender(base) != is_contender(new)).then(|| {
        "the time of a contender includes the start of its workers, and parfetch's fetch time does not: --metric start_and_fetch_time compares like with like"
            .to_owned()
    })
}

/// Two sets at two times differ by the time too.
fn time(comparison: &Comparison) -> String {
    let together = |overall: &Overall| {
        let interval = overall.interval.map_or_else(String::new, |found| {
            format!(" (95 % interval {})", range(found.low, found.high))
        });
        format!("by {}{interval}", percent(overall.common_factor))
    };
    let cells = comparison.cells.len();
    match &comparison.overall {
        Some(overall) if overall.moved_alike => format!(
            "all {} moved alike, {}: base and new ran at different times, which makes a difference by itself, so this may be the time alone",
            plural(cells as u64, "configuration"),
            together(overall)
        ),
        Some(overall) if overall.interval.is_some_and(|found| found.low > 1.0 || found.high < 1.0) && has_own(comparison) => format!(
            "base and new ran at different times, which makes a difference by itself: all configurations together moved {}; better or worse are those that \
             moved against the others as well",
            together(overall)
        ),
        _ if has_own(comparison) => "base and new ran at different times, which makes a difference by itself: better or worse are configurations that moved \
                                     against the others as well"
            .to_owned(),
        _ if cells == 1 => {
            "base and new ran at different times, which makes a difference by itself: with one configuration, a change and the time cannot be separated".to_owned()
        }
        _ => "base and new ran at different times, which makes a difference by itself: their runs are not in the rounds of a sweep, so a change and the time \
              cannot be separated"
            .to_owned(),
    }
}

fn has_own(comparison: &Comparison) -> bool {
    comparison.cells.iter().any(|cell| cell.own_p.is_some())
}

/// The lines that measure both at one time.
fn in_one_sweep(comparison: &Comparison, (base, _): (&Study, &Study)) -> String {
    let workload = &base.workload;
    let source = workload.embedded.as_ref().map_or_else(
        || {
            let slash = if workload.prefix.is_empty() { "" } else { "/" };
            let source = format!("s3://{}{slash}{}", workload.bucket, workload.prefix);
            let endpoint = workload
                .endpoint
                .iter()
                .flat_map(|endpoint| ["--endpoint-url", endpoint.as_str()]);
            shell::line(
                [source.as_str()]
                    .into_iter()
                    .chain(endpoint)
                    .chain(["-r", "s3://BUCKET"]),
            )
        },
        |settings| {
            shell::word(&if settings.is_empty() {
                "--embedded".to_owned()
            } else {
                format!("--embedded={settings}")
            })
        },
    );
    let list = |of: &dyn Fn(&Cell) -> String| {
        let mut values: Vec<String> = Vec::new();
        for cell in &comparison.cells {
            let value = of(&cell.cell);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values.join(",")
    };
    format!(
        "to compare at one time, run both in the same rounds of one sweep: `parfetch sweep {source} --client lean --vcpu {} --mode {} --concurrency {} \
         --contender base='COMMAND' --contender new='COMMAND'`, then `parfetch compare FOLDER --programs base,new` (COMMAND: for example the path of each parfetch)",
        list(&|cell| cell.vcpu().to_string()),
        list(&|cell| cell.mode.to_string()),
        list(&|cell| cell.concurrency.to_string())
    )
}
