//! The notes of a study, of its cells, curves and predictions, in words: sentences without a full stop.

use super::change::{FACTOR, as_fast_as, factor};
use super::number::{plural, time, vcpus};
use super::sentence::sentence;
use crate::analysis::model::{CellReport, Study};
use crate::analysis::notes::{
    CellNote, CurveNote, Note, PredictedPhase, PredictionNote, PriceNote, ShortRuns, Unlisted,
};
use crate::analysis::thresholds::SETTLED_S;
use crate::cell::memory_gb;
use crate::units;

/// Those of a study, in their order.
pub(crate) fn of_study(study: &Study) -> Vec<String> {
    study.notes.iter().map(note).collect()
}

/// Those of a cell.
pub(crate) fn of_cell(report: &CellReport) -> Vec<String> {
    report.notes.iter().map(of_one_cell).collect()
}

/// Those that say how tests are made, as sentences.
pub(crate) fn of_tests(study: &Study) -> Vec<String> {
    sentences(study, is_of_tests)
}

/// Those that say what prices are, or why there are none, as sentences.
pub(crate) fn of_prices(study: &Study) -> Vec<String> {
    sentences(study, is_of_prices)
}

/// Those that limit what the numbers say, as sentences.
pub(crate) fn cautions(study: &Study) -> Vec<String> {
    // A tune does not go by tests, and repeats what it needs.
    if study.facts.tune.is_some() {
        return sentences(study, |note| {
            is_caution(note) && !matches!(note, Note::TooFew { .. })
        });
    }
    sentences(study, is_caution)
}

fn is_caution(note: &Note) -> bool {
    !is_of_tests(note) && !is_of_prices(note)
}

/// What was asked for and not measured, as sentences.
pub(crate) fn left_out(study: &Study) -> Vec<String> {
    sentences(study, |note| matches!(note, Note::LeftOut(_)))
}

/// That modes cannot be compared here, where the answer chose one of several.
pub(crate) fn no_contrast(study: &Study) -> Vec<String> {
    sentences(study, |note| matches!(note, Note::NoContrast { .. }))
}

/// Programs whose own time is hardly possible, a sentence each: all their rates stand on it.
pub(crate) fn own_times(study: &Study) -> Vec<String> {
    let mut said: Vec<(&str, String)> = Vec::new();
    for report in &study.cells {
        let name = report.cell.program.name();
        let mut notes = report.notes.iter();
        let found = notes.find(|note| matches!(note, CellNote::OwnTime { .. }));
        if let Some(found) = found.filter(|_| said.iter().all(|(other, _)| *other != name)) {
            said.push((name, sentence(&format!("{name}: {}", of_one_cell(found)))));
        }
    }
    said.into_iter().map(|(_, sentence)| sentence).collect()
}

fn sentences(study: &Study, which: fn(&Note) -> bool) -> Vec<String> {
    let found = study.notes.iter().filter(|found| which(found));
    found.map(|found| sentence(&note(found))).collect()
}

const fn is_of_tests(note: &Note) -> bool {
    matches!(note, Note::Tests(_))
}

const fn is_of_prices(note: &Note) -> bool {
    match note {
        Note::Price(PriceNote::Are { .. } | PriceNote::RequestsOf { .. } | PriceNote::Nat(_)) => {
            true
        }
        Note::Price(price) => price.is_lack(),
        _ => false,
    }
}

/// One of a study.
pub(crate) fn note(note: &Note) -> String {
    match note {
        Note::WarmUp(change) => format!(
            "the first round was {}, as things had to warm up; with more repetitions it counts less",
            as_fast_as(1.0 + *change, "the others")
        ),
        Note::Drift(change) => format!(
            "the last runs of the sweep were {} (drift); each round has every configuration, so all of them are affected alike",
            as_fast_as(1.0 + *change, "its first")
        ),
        Note::OfTime(share) => format!(
            "runs close in time are alike: {} of the variation of repetitions goes with the time; it is removed before configurations are compared",
            units::percent(*share)
        ),
        Note::Failed { failed, of } => format!(
            "{failed} of {of} repetitions failed: their configurations are marked and never recommended"
        ),
        Note::Versions(versions) => format!(
            "runs of different versions of parfetch are put together: {}",
            versions.join(", ")
        ),
        Note::Sweeps(sweeps) => {
            format!("repetitions of {sweeps} sweeps over the same keys are put together")
        }
        Note::Limits(means) => {
            format!("sizes were limited in different ways: {}", means.join(", "))
        }
        Note::NoContrast { is_shared } => {
            let (why, sizes) = if *is_shared {
                (
                    "the client shared its CPUs with the server",
                    ", nor can sizes: a larger one takes CPU from the server",
                )
            } else {
                ("the client had one CPU", "")
            };
            format!("{why}: threads and processes cannot be compared here, as they differ only on several CPUs{sizes}")
        }
        Note::ContendersTime => {
            "rates of contenders use their own time, which includes the start of their workers; rates of parfetch use the fetch time; speed-ups add the start of parfetch's workers".to_owned()
        }
        Note::TimedAlone(programs) => format!(
            "no CSV says what these programs read: {}. So they have no rate in bytes and no price of requests. Their time is that of the whole program, on ECS exact to a second or two",
            programs.join(", ")
        ),
        Note::FewerThanPlanned { cells, of, planned } => format!(
            "{cells} of {of} configurations {} fewer repetitions than the {planned} that were planned",
            if *cells == 1 { "has" } else { "have" }
        ),
        Note::LeftOut(left_out) => left_out.in_words(),
        Note::ShortRuns(short) => format!(
            "fetching {}; more keys or `--duration` make them longer",
            short_runs(short)
        ),
        Note::ShortPrograms(short) => format!(
            "a run {}; more work for the program makes them longer",
            short_runs(short)
        ),
        Note::TooFew {
            program,
            cells,
            fewest,
            needed,
        } => too_few(program, *cells, *fewest, *needed),
        Note::Tests(curves) => {
            let families = if *curves == 1 {
                "one curve".to_owned()
            } else {
                format!("each of {curves} curves")
            };
            format!(
                "tests hold at 5 % within a family, corrected by Holm: for knees and `~` {families}; across families they are not corrected"
            )
        }
        Note::Price(note) => price(note),
    }
}

/// `took less than 1 s in 3 of 6 configurations, 0.24 s in the shortest: …`
fn short_runs(short: &ShortRuns) -> String {
    let ShortRuns {
        cells,
        of,
        shortest_s,
    } = short;
    format!(
        "took less than {SETTLED_S} s in {cells} of {of} configurations, {shortest_s:.2} s in the shortest: such short runs say little, above all under a CPU quota, \
         which is given out in periods of 0.1 s"
    )
}

fn too_few(program: &str, cells: usize, fewest: usize, needed: Option<usize>) -> String {
    let repetitions = if fewest == 1 {
        "single repetitions".to_owned()
    } else {
        format!("{fewest} repetitions")
    };
    let cure = needed.map_or_else(String::new, |needed| format!(" ({needed} would do)"));
    format!(
        "{repetitions} are too few to test the {cells} configurations of one size of {program} against each other{cure}: what is slower in every run has no `~`, and whether \
         that is chance is not known"
    )
}

/// What is said where configurations have an order and no price.
const RELATIVE_ORDER: &str =
    "cheapest goes by vCPU and memory, whose prices have the same proportion everywhere";

fn price(note: &PriceNote) -> String {
    match note {
        PriceNote::NoRegion => {
            format!("no price: the region is not known; {RELATIVE_ORDER}")
        }
        PriceNote::NotListed {
            dated,
            what,
            region,
        } => {
            let (what, order) = match what {
                Unlisted::Fargate(arch) => (
                    format!("Fargate on {arch}"),
                    format!("; {RELATIVE_ORDER}"),
                ),
                Unlisted::Classes => ("every storage class of the bucket".to_owned(), String::new()),
                Unlisted::Egress(egress) => (egress.in_words().to_owned(), String::new()),
            };
            format!("no price: the price list of {dated} has none for {what} in {region} (--prices FILE gives one){order}")
        }
        PriceNote::AddressNotListed => {
            "no price: each task had a public IPv4 address, of which the list has no price (--prices FILE gives one)".to_owned()
        }
        PriceNote::RequestsOf { of, region } => {
            format!("prices of requests are those of {of}: the list has none of {region}")
        }
        PriceNote::Are {
            region,
            dated,
            is_hypothetical,
            with_pull,
        } => {
            let what = if *is_hypothetical {
                "as Fargate tasks in"
            } else {
                "of"
            };
            let billed = if *with_pull {
                "tasks from the pull of the image to their stop"
            } else {
                "the pull of the image is not in them"
            };
            format!("prices {what} {region} by the list of {dated}; {billed}")
        }
        PriceNote::Nat(usd) => format!(
            "through a NAT gateway each TB costs ${usd:.0} more; through a gateway endpoint for S3 nothing"
        ),
        PriceNote::SpotNotListed => {
            "the tasks ran on Spot capacity, whose price is not known: they have the prices of On-Demand, and less was paid".to_owned()
        }
        PriceNote::Spot => {
            "the tasks that ran on Spot capacity have its prices of the list".to_owned()
        }
        PriceNote::SpotInPart => {
            "where only a part of the repetitions ran on Spot, all have the prices of On-Demand, and less was paid".to_owned()
        }
        PriceNote::Address(usd) => format!(
            "each task had a public IPv4 address, for ${usd} an hour, which is in the price of the task"
        ),
    }
}

fn of_one_cell(note: &CellNote) -> String {
    match note {
        CellNote::NoSize => "its vCPU or memory limit is not known: no price".to_owned(),
        CellNote::PricedAs {
            cpu_units,
            memory_mib,
            by_peak,
        } => {
            let why = if *by_peak {
                "which hold twice its measured peak of memory"
            } else {
                "the nearest size that Fargate has"
            };
            format!(
                "priced as {} and {} GB, {why}",
                vcpus(*cpu_units),
                memory_gb(*memory_mib)
            )
        }
        CellNote::Tries(cells) => {
            format!("{cells} of its repetitions took more than one try")
        }
        CellNote::Overlapped(cells) => format!(
            "{cells} of its repetitions ran at the same time as others of the sweep (`--max-tasks`): they shared what S3 gives"
        ),
        CellNote::Clocks => {
            "shards are put together by UTC; by how much clocks of different machines differ is not known".to_owned()
        }
        CellNote::OwnTime { own_s, wall_s } => format!(
            "it says that it took {}, and its process ran for {}: check that it writes its time in seconds",
            time(*own_s),
            time(*wall_s)
        ),
    }
}

/// Why a curve has no knee, or what its knee lacks.
pub(crate) const fn of_curve(note: CurveNote) -> &'static str {
    match note {
        CurveNote::OnePoint => "a knee takes at least two numbers of workers",
        CurveNote::ServerBound => "the fastest configuration measured the server: no knee",
        CurveNote::KneeAtEnd => {
            "the knee is the largest number of workers that was measured, so it may be larger"
        }
    }
}

pub(crate) fn of_prediction(note: &PredictionNote) -> String {
    match note {
        PredictionNote::OtherSizes(ratio) => {
            let (less, more) = if *ratio > 1.0 {
                ("bytes", "objects")
            } else {
                ("objects", "bytes")
            };
            let times = ratio.max(1.0 / ratio);
            let longer = if times >= FACTOR {
                format!("{} times as much time as", factor(times))
            } else {
                format!("{:.0} % more time than", (times - 1.0) * 100.0)
            };
            format!(
                "objects of the bucket are not as large as those measured: by {more} it would take {longer} by {less}, and the interval holds both"
            )
        }
        PredictionNote::Without(phases) => {
            let names: Vec<&str> = phases
                .iter()
                .map(|missing| match missing {
                    PredictedPhase::Outside => "start, listing and write-back",
                    other => phase(*other),
                })
                .collect();
            format!("not known, and not in it: {}", names.join(", "))
        }
        PredictionNote::HeldToKeys => {
            "the runs were limited to a number of keys: this is what they fetched, not the bucket"
                .to_owned()
        }
        PredictionNote::FailedObjects(failed) => format!(
            "{} failed in the repetitions that it rests on",
            plural(*failed, "object")
        ),
        PredictionNote::BilledMore(seconds) => format!(
            "a task is billed for {} s more than it runs: the pull of its image, and until it has stopped",
            units::three_digits(*seconds)
        ),
    }
}

/// What a phase of a task is called.
pub(crate) const fn phase(phase: PredictedPhase) -> &'static str {
    match phase {
        PredictedPhase::StartUp => "start-up",
        PredictedPhase::Listing => "listing",
        PredictedPhase::WorkerStart => "worker start",
        PredictedPhase::WriteBack => "write-back",
        PredictedPhase::Outside => "start, listing and write-back, as seen from outside",
        PredictedPhase::Fetch => "fetch",
        PredictedPhase::WholeProgram => "the whole program",
    }
}
