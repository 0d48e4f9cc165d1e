//! From documents to studies, with figures computed by hand.

mod answers;
mod asked;
mod comparisons;
mod of_time;
mod samples;
mod scenarios;
mod scores;
mod timed;
mod tuned;

use super::advice::{Basis, Edge, Lack};
use super::fixture::{BYTES, OBJECTS, Sweep, contender, histogram, lean, own_run, shard};
use super::model::{Against, FailedRepetition};
use super::notes::{CellNote, CurveNote, Note, PredictedPhase};
use super::read::ReadResults;
use super::*;
use crate::cell::{Cell, Program};
use crate::fuzz::Target;
use crate::plan::{ClientKind, Mode};
use crate::price::PriceList;
use crate::render::csv::render_csv;
use crate::render::markdown::render_markdown;
use crate::render::text::{View, render_text};
use crate::render::wording::{advice, notes, number, sections, verdict};
use crate::render::{Extent, Json, ReportForm, ReportScope, Role, page};
use crate::results::record::{self, ServerUse};
use crate::results::summary::{Series, State, Summary, Totals};

fn close(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!(
        (found - expected).abs() <= expected.abs() * 1e-6,
        "{found} is not {expected}"
    );
}

/// Six repetitions around a rate, 0.1 % apart.
fn six(mb_per_s: f64) -> [f64; 6] {
    [-2.0, 3.0, -1.0, 1.0, 2.0, -3.0].map(|off| mb_per_s * (1.0 + off / 1_000.0))
}

fn lean_curve(rates: &[(u32, f64)]) -> Sweep {
    rates
        .iter()
        .fold(Sweep::new("s1"), |sweep, (concurrency, rate)| {
            sweep.cell(&lean(1_024, Mode::Async, *concurrency), &six(*rate))
        })
}

fn limits(study: &Study) -> Vec<&str> {
    study
        .cells
        .iter()
        .map(|cell| cell.verdict.word.as_str())
        .collect()
}

/// Reads files and folders.
fn read(paths: &[std::path::PathBuf]) -> ReadResults {
    let mut reader = Reader::default();
    for path in paths {
        reader.path(path);
    }
    reader.finish()
}

fn read_all(documents: &[(&str, String)]) -> ReadResults {
    let mut reader = Reader::default();
    for (name, text) in documents {
        reader.document(name, text);
    }
    reader.finish()
}

fn own(documents: &[(&str, &Summary)]) -> ReadResults {
    read_all(
        &documents
            .iter()
            .map(|(name, summary)| (*name, summary.to_json().unwrap()))
            .collect::<Vec<_>>(),
    )
}

fn lines(reading: &ReadResults) -> Vec<String> {
    reading
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.document, problem.what))
        .collect()
}

/// What is said of a study.
fn said(study: &Study) -> Vec<String> {
    notes::of_study(study)
}

fn says(study: &Study, part: &str) -> bool {
    said(study).iter().any(|note| note.contains(part))
}

/// What the verdict of a cell was judged by.
fn because(study: &Study, cell: usize) -> Vec<String> {
    verdict::because(&study.cells[cell].verdict)
}

fn json(studies: &[Study]) -> String {
    let asked = ReportScope {
        metrics: &[],
        extent: Extent::All,
        in_full: "",
    };
    Json.report(studies, &asked)
}

fn words_of_fastest(study: &Study) -> String {
    let goals = sections::choices(&study.recommendations[0]);
    advice::choice(study, *goals.last().unwrap())
}

#[test]
fn figures_of_a_cell_are_medians_over_its_repetitions() {
    let study = Sweep::new("s1")
        .cell(&lean(1_024, Mode::Async, 16), &[100.0, 125.0, 80.0])
        .study();
    let cell = &study.cells[0];
    let median = |metric| cell.figure(metric).map(|figure| figure.median);
    close(median(Metric::Throughput), 100e6);
    close(median(Metric::Goodput), 100e6);
    close(median(Metric::ActiveWindow), 101e6);
    close(median(Metric::FetchTime), 80.0);
    close(median(Metric::StartAndFetchTime), 80.3);
    close(median(Metric::TtfbP50), 0.01);
    close(median(Metric::LatencyP99), 0.02);
    // A quarter of a vCPU for 80 s over 8 GB; outside alike.
    close(median(Metric::CpuPerGb), 2.5);
    close(median(Metric::WholeCpuPerGb), 2.5);
    close(median(Metric::CpuShare), 0.25);
    close(median(Metric::TailShare), 0.01);
    close(median(Metric::PeakMemory), 40_000_000.0);
    close(median(Metric::AttemptsPerObject), 1.0);
    assert_eq!(
        (median(Metric::FailedObjects), median(Metric::Throttles)),
        (Some(0.0), Some(0.0))
    );
    let throughput = cell.figure(Metric::Throughput).unwrap();
    assert_eq!((throughput.n, throughput.interval), (3, None));
    assert_eq!(
        number::no_interval(throughput).as_deref(),
        Some("the range of 3 repetitions covers the median with 75.0 % confidence at most")
    );
    assert_eq!(study.facts.observations, 3);
}

#[test]
fn cells_stand_in_the_order_of_tables() {
    let python = contender("python", &lean(1_024, Mode::Thread, 1));
    let cells = [
        python,
        lean(2_048, Mode::Async, 1),
        lean(1_024, Mode::Process, 2),
        lean(1_024, Mode::Async, 16),
        lean(1_024, Mode::Async, 2),
    ];
    let study = cells
        .iter()
        .fold(Sweep::new("s1"), |sweep, cell| sweep.cell(cell, &[100.0]))
        .study();
    let slugs: Vec<String> = study.cells.iter().map(|cell| cell.cell.slug()).collect();
    assert_eq!(
        slugs,
        [
            "lean-1vcpu-2048mib-async-x2",
            "lean-1vcpu-2048mib-async-x16",
            "lean-1vcpu-2048mib-process-x2",
            "lean-2vcpu-4096mib-async-x1",
            "python-1vcpu-2048mib-thread-x1"
        ]
    );
    assert_eq!(
        study
            .curves
            .iter()
            .map(|curve| curve.cells.clone())
            .collect::<Vec<_>>(),
        [vec![0, 1], vec![2], vec![3], vec![4]]
    );
}

#[test]
fn below_the_knee_the_connection_limits_and_past_it_the_network() {
    let study = lean_curve(&[(1, 60.0), (2, 120.0), (4, 200.0), (8, 200.1)]).study();
    assert_eq!(
        limits(&study),
        [
            "per-connection-bound",
            "per-connection-bound",
            "network-bound",
            "network-bound"
        ]
    );
    assert_eq!(study.curves[0].knee, Some(4));
    assert_eq!(
        study
            .cells
            .iter()
            .map(|cell| cell.is_knee)
            .collect::<Vec<_>>(),
        [false, false, true, false]
    );
    assert_eq!(because(&study, 0)[0], "8 workers are 3.3 times as fast");
    assert!(
        because(&study, 0)[1].contains("25.0 % of 1 vCPU"),
        "{:?}",
        study.cells[0].verdict
    );
    assert_eq!(
        because(&study, 2)[0],
        "from 4 to 8 workers the rate changes by less than 5 %, and the CPU is not full"
    );
    assert!(matches!(study.cells[3].standing, Standing::Best));
    assert!(matches!(study.cells[0].standing, Standing::Worse { p } if p < 0.05));
}

#[test]
fn a_plateau_is_one_though_quiet_repetitions_tell_its_cells_apart() {
    // Half a per cent more at 8 is significant, and nobody notices it.
    let study = lean_curve(&[(1, 60.0), (4, 200.0), (8, 201.0)]).study();
    assert_eq!(
        (study.curves[0].knee, limits(&study)),
        (
            Some(4),
            vec!["per-connection-bound", "network-bound", "network-bound"]
        )
    );
    // From 60 to 62 connections 3 % more are what each connection adds.
    let narrow = lean_curve(&[(1, 10.0), (60, 600.0), (62, 620.0)]).study();
    assert_eq!(
        limits(&narrow),
        ["per-connection-bound", "unclear", "unclear"]
    );
}

#[test]
fn a_rate_that_still_rises_at_the_last_concurrency_has_no_verdict_there() {
    let study = lean_curve(&[(1, 60.0), (2, 120.0)]).study();
    assert_eq!(limits(&study), ["per-connection-bound", "unclear"]);
    assert_eq!(study.curves[0].knee, Some(2));
    assert_eq!(study.curves[0].note, Some(CurveNote::KneeAtEnd));
    let alone = lean_curve(&[(1, 60.0)]).study();
    assert_eq!(
        (limits(&alone), alone.curves[0].knee),
        (vec!["unclear"], None)
    );
}

#[test]
fn the_best_of_a_curve_that_falls_after_it_is_not_its_end() {
    let study = lean_curve(&[(1, 60.0), (2, 120.0), (4, 80.0)]).study();
    let falls = "with more workers than the best the rate falls, and the CPU is not full";
    assert_eq!(
        [because(&study, 1)[0].as_str(), &because(&study, 2)[0]],
        [falls; 2]
    );
    let rises = lean_curve(&[(1, 60.0), (2, 120.0)]).study();
    assert!(because(&rises, 1)[0].ends_with("the rate was still rising"));
}

#[test]
fn three_repetitions_cannot_tell_a_difference_and_the_study_says_so() {
    let cell = |concurrency| lean(1_024, Mode::Async, concurrency);
    let study = Sweep::new("s1")
        .cell(&cell(1), &[60.0, 61.0, 62.0])
        .cell(&cell(2), &[120.0, 121.0, 122.0])
        .study();
    assert_eq!(limits(&study)[0], "unclear");
    assert!(
        because(&study, 0)[0]
            == "2 workers are 98 % faster in all 3 runs of each; 6 runs of each would show whether that is chance",
        "{:?}",
        study.cells[0].verdict
    );
    assert_eq!(study.cells[0].standing, Standing::Apart);
    let expected = "3 repetitions are too few to test the 2 configurations of one size of lean against each other (4 would do): what is slower in every run has no `~`, and \
                    whether that is chance is not known";
    assert!(
        said(&study).iter().any(|note| note == expected),
        "{:?}",
        study.notes
    );
    assert!(!says(
        &lean_curve(&[(1, 60.0), (2, 120.0)]).study(),
        "too few to test"
    ));
}

#[test]
fn a_contender_held_by_its_own_lock_is_not_network_bound() {
    let shape = |concurrency| contender("python", &lean(1_024, Mode::Thread, concurrency));
    let flat = || {
        Sweep::new("s1")
            .cell(&shape(1), &six(50.0))
            .cell(&shape(2), &six(70.0))
            .cell(&shape(4), &six(70.1))
    };
    assert_eq!(
        limits(&flat().study()),
        ["per-connection-bound", "network-bound", "network-bound"]
    );
    let study = flat()
        .cell(&lean(1_024, Mode::Async, 16), &six(400.0))
        .study();
    assert_eq!(limits(&study)[2..], ["unclear", "unclear"]);
    assert!(
        because(&study, 2)[0].contains("lean async × 16 is"),
        "{:?}",
        study.cells[2].verdict
    );
}

#[test]
fn what_a_cell_shows_alone_wins_in_order_and_from_its_threshold_on() {
    type Change = fn(&mut crate::results::record::Record, &mut Summary);
    let limit = |change: Change| {
        Sweep::new("s1")
            .tuned(&lean(1_024, Mode::Async, 16), &six(80.0), change)
            .study()
            .cells[0]
            .verdict
            .word
    };
    // 100 s of fetching, 101 s from outside on 4 CPUs, 3,200 attempts.
    let cases: [(Change, Limit); 10] = [
        (
            |_, summary| {
                summary.cpu.fetch_user_ns = summary.phases.fetch_ns.map(|ns| ns / 1_000 * 826);
            },
            Limit::CpuBound,
        ),
        (
            |_, summary| {
                summary.cpu.fetch_user_ns = summary.phases.fetch_ns.map(|ns| ns / 1_000 * 824);
            },
            Limit::Unclear,
        ),
        (
            |record, _| record.outside.as_mut().unwrap().throttled_ns = Some(40_800_000_000),
            Limit::QuotaThrottled,
        ),
        (
            |record, _| record.outside.as_mut().unwrap().throttled_ns = Some(39_600_000_000),
            Limit::Unclear,
        ),
        (
            |_, summary| summary.attempts.as_mut().unwrap().throttles = 32,
            Limit::S3Throttled,
        ),
        (
            |_, summary| summary.attempts.as_mut().unwrap().throttles = 31,
            Limit::Unclear,
        ),
        (
            |_, summary| summary.rates.tail_share = Some(0.2),
            Limit::TailBound,
        ),
        (
            |_, summary| summary.rates.tail_share = Some(0.199),
            Limit::Unclear,
        ),
        (
            |record, _| {
                record.server = Some(ServerUse {
                    cpu_ns: 161_000_000_000,
                    threads: 2,
                    gets: 1,
                    service_mean_ns: None,
                });
            },
            Limit::ServerBound,
        ),
        (
            |record, _| {
                record.server = Some(ServerUse {
                    cpu_ns: 159_000_000_000,
                    threads: 2,
                    gets: 1,
                    service_mean_ns: None,
                });
            },
            Limit::Unclear,
        ),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        assert_eq!(limit(change), expected, "case {number}");
    }
}

#[test]
fn a_server_bound_best_has_no_knee_and_nothing_is_recommended() {
    let bound = |record: &mut crate::results::record::Record, _: &mut Summary| {
        record.server = Some(ServerUse {
            cpu_ns: 10_000_000_000_000,
            threads: 1,
            gets: 1,
            service_mean_ns: None,
        });
    };
    let cell = |concurrency| lean(1_024, Mode::Async, concurrency);
    let study = Sweep::new("s1")
        .tuned(&cell(1), &six(60.0), bound)
        .tuned(&cell(2), &six(61.0), bound)
        .study();
    assert_eq!(
        (limits(&study), study.curves[0].knee),
        (vec!["server-bound", "server-bound"], None)
    );
    let recommendation = &study.recommendations[0];
    assert_eq!(
        (&recommendation.cheapest, &recommendation.fastest),
        (&None, &None)
    );
    assert_eq!(
        recommendation.because,
        Some(Lack::NoCell {
            of: 2,
            failed: 0,
            server_bound: 2
        })
    );
}

#[test]
fn a_cell_with_a_failed_repetition_keeps_its_figures_is_marked_and_not_recommended() {
    let (good, bad) = (lean(1_024, Mode::Async, 1), lean(1_024, Mode::Async, 16));
    let study = Sweep::new("s1")
        .cell(&good, &six(50.0))
        .cell(&bad, &six(100.0))
        .failed(&bad, 7, "out of memory")
        .study();
    assert_eq!(
        (
            study.cells[1].observations.len(),
            study.cells[1].has_failures()
        ),
        (6, true)
    );
    assert_eq!(study.cells[1].failures[0].reason, "out of memory");
    assert_eq!(study.recommendations[0].fastest.as_ref().unwrap().cell, 0);
    assert!(
        said(&study)[0].starts_with("1 of 13 repetitions failed"),
        "{:?}",
        study.notes
    );
    let none = Sweep::new("s1").failed(&bad, 1, "out of memory").study();
    assert_eq!(
        (limits(&none), because(&none, 0).as_slice()),
        (vec!["failed"], ["out of memory".to_owned()].as_slice())
    );
    assert!(none.cells[0].figures.is_empty());
}

#[test]
fn speed_ups_are_against_the_first_cell_and_the_contender_s_own() {
    let (one, sixteen) = (lean(1_024, Mode::Async, 1), lean(1_024, Mode::Async, 16));
    let python = contender("python", &sixteen);
    let study = Sweep::new("s1")
        .cell(&one, &six(50.0))
        .cell(&sixteen, &six(200.0))
        .cell(&python, &six(100.0))
        .study();
    let found: Vec<(Against, &str)> = study.cells[1]
        .speed_ups
        .iter()
        .map(|up| (up.kind, up.against.program.name()))
        .collect();
    assert_eq!(
        found,
        [(Against::First, "lean"), (Against::Contender, "python")]
    );
    let [first, versus] = study.cells[1].speed_ups.as_slice() else {
        panic!("two")
    };
    // 160.3 s against 40.3 s, and the contender's 80 s against 40.3 s: its own time holds the start of its workers.
    assert!((first.ratio - 160.3 / 40.3).abs() < 0.02, "{}", first.ratio);
    assert!(
        (versus.ratio - 80.0 / 40.3).abs() < 0.01,
        "{}",
        versus.ratio
    );
    let interval = versus.interval.unwrap();
    assert!(interval.low < versus.ratio && versus.ratio < interval.high && interval.level >= 0.95);
    assert!(study.cells[0].speed_ups.is_empty());
    assert_eq!(
        study
            .recommendations
            .iter()
            .map(|found| found.program.name())
            .collect::<Vec<_>>(),
        ["python", "lean"]
    );
}

#[test]
fn what_a_contender_does_not_say_is_missing_and_not_zero() {
    let study = Sweep::new("s1")
        .cell(
            &contender("python", &lean(1_024, Mode::Thread, 4)),
            &[100.0],
        )
        .study();
    let cell = &study.cells[0];
    for metric in [
        Metric::ActiveWindow,
        Metric::TtfbP50,
        Metric::LatencyP99,
        Metric::CpuPerGb,
        Metric::TailShare,
        Metric::AttemptsPerObject,
        Metric::Throttles,
    ] {
        assert_eq!(cell.figure(metric), None, "{metric:?}");
    }
    close(
        cell.figure(Metric::Throughput).map(|figure| figure.median),
        100e6,
    );
    close(
        cell.figure(Metric::StartAndFetchTime)
            .map(|figure| figure.median),
        80.0,
    );
    // A quarter of a vCPU for 80 s, in 81 s.
    close(
        cell.figure(Metric::CpuShare).map(|figure| figure.median),
        20.0 / 81.0,
    );
    let prediction = cell.prediction.as_ref().unwrap();
    close(Some(prediction.seconds), 1.0 + 800.0);
}

#[test]
fn workloads_that_differ_in_anything_are_studies_apart() {
    let cell = lean(1_024, Mode::Async, 1);
    let mut sweep = Sweep::new("s1").cell(&cell, &[50.0]);
    for (id, change) in [
        (
            "s2",
            (|facts| facts.bucket = "other".to_owned())
                as fn(&mut crate::results::record::SweepFacts),
        ),
        ("s3", |facts| facts.prefix = "a/".to_owned()),
        ("s4", |facts| facts.limit = None),
        ("s5", |facts| facts.duration_ns = Some(1)),
        ("s6", |facts| facts.keys_sha256 = "other".to_owned()),
        ("s7", |facts| facts.region = Some("eu-west-1".to_owned())),
        ("s8", |facts| facts.embedded = Some("network=s3".to_owned())),
        ("s9", |facts| facts.on = "ecs".to_owned()),
    ] {
        let other = Sweep::new(id).with(change).cell(&cell, &[70.0]);
        sweep.documents.extend(other.documents);
    }
    let work = Sweep::new("s10").tuned(&cell, &[70.0], |_, summary| {
        summary.settings.work = crate::plan::Work::Md5;
    });
    let parts = Sweep::new("s13").tuned(&cell, &[70.0], |_, summary| {
        summary.settings.part_size_bytes = std::num::NonZeroU64::new(1 << 23);
    });
    let order = Sweep::new("s14").tuned(&cell, &[70.0], |_, summary| {
        summary.settings.order = crate::plan::Order::LargestFirst;
    });
    let machine = Sweep::new("s11").tuned(&cell, &[70.0], |_, summary| {
        summary.environment.cpu.model = Some("Other CPU".to_owned());
    });
    let same = Sweep::new("s12").cell(&cell, &[60.0]);
    for other in [work, parts, order, machine, same] {
        sweep.documents.extend(other.documents);
    }
    let studies = sweep.studies();
    assert_eq!(studies.len(), 13);
    let joined = studies
        .iter()
        .find(|study| study.facts.sweeps == ["s1", "s12"])
        .unwrap();
    assert_eq!(joined.cells[0].observations.len(), 2);
}

#[test]
fn the_last_attempt_counts_and_the_number_of_attempts_is_kept() {
    let cell = lean(1_024, Mode::Async, 1);
    let mut sweep = Sweep::new("s1").failed(&cell, 1, "cut off");
    let mut record = sweep.record(&cell, 1, 100.0);
    record.attempt = 2;
    sweep.put(&record, Some(&fixture::summary(&cell, 100.0)));
    let mut warm_up = sweep.record(&cell, 0, 10.0);
    warm_up.position = 0;
    sweep.put(&warm_up, Some(&fixture::summary(&cell, 10.0)));
    let study = sweep.study();
    assert_eq!(
        (
            study.cells[0].observations.len(),
            study.cells[0].observations[0].attempts,
            study.facts.failures
        ),
        (1, 2, 0)
    );
    assert_eq!(study.cells[0].notes, [CellNote::Tries(1)]);
}

#[test]
fn a_contender_whose_time_is_hardly_that_of_its_process_has_a_note() {
    let notes = |fetch_ns: u64, on: &str| {
        let cell = contender("python", &lean(1_024, Mode::Thread, 1));
        let mut sweep = Sweep::new("s1").with(|facts| on.clone_into(&mut facts.on));
        let mut record = sweep.record(&cell, 1, 100.0);
        record.contender.as_mut().unwrap().fetch_ns = fetch_ns;
        record.outside.as_mut().unwrap().wall_ns = 1_610_000_000;
        sweep.put(&record, None);
        let right = sweep.record(&cell, 2, 100.0);
        sweep.put(&right, None);
        sweep.study().cells.remove(0)
    };
    let found = notes(1_000_000, "local");
    let (own_s, wall_s) = (0.001, 1.61);
    assert_eq!(found.notes, [CellNote::OwnTime { own_s, wall_s }]);
    assert_eq!(
        crate::render::wording::notes::of_cell(&found),
        [
            "it says that it took 1.0 ms, and its process ran for 1.61 s: check that it writes its time in seconds"
        ]
    );
    assert_eq!(notes(170_000_000, "local").notes, []);
    assert_eq!(
        notes(1_000_000, "ecs").notes,
        [],
        "a container starts in that time too"
    );
}

#[test]
fn the_same_repetition_twice_is_refused_and_both_files_are_named() {
    let sweep = Sweep::new("s1").cell(&lean(1_024, Mode::Async, 1), &[100.0]);
    let mut documents: Vec<(String, String)> = sweep.documents.clone().into_iter().collect();
    documents.extend(
        sweep
            .documents
            .into_iter()
            .map(|(name, text)| (format!("copy/{name}"), text)),
    );
    let reading = read_all(
        &documents
            .iter()
            .map(|(name, text)| (name.as_str(), text.clone()))
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        lines(&reading),
        [
            "sweeps/s1/lean-1vcpu-2048mib-async-x1/r01-a1/repetition.json: repetition 1 of lean-1vcpu-2048mib-async-x1 is given twice: also in \
             copy/sweeps/s1/lean-1vcpu-2048mib-async-x1/r01-a1/repetition.json"
        ]
    );
    assert_eq!(reading.repetitions(), 1);
}

#[test]
fn the_same_run_of_its_own_twice_is_refused() {
    let run = own_run("2026-11-20T10:00:00.000Z", 100.0);
    let reading = own(&[
        ("a/x.json", &run),
        ("b/x.json", &run),
        ("c.json", &own_run("2026-11-20T10:05:00.000Z", 100.0)),
    ]);
    assert_eq!(
        lines(&reading),
        ["b/x.json: the same run is given twice: also in a/x.json"]
    );
    let studies = studies(reading, &PriceList::built_in());
    assert_eq!(
        (studies.len(), studies[0].cells[0].observations.len()),
        (1, 2)
    );
    let repetitions: Vec<u32> = studies[0].cells[0]
        .observations
        .iter()
        .map(|run| run.repetition)
        .collect();
    assert_eq!(
        (repetitions, studies[0].cells[0].cell.slug()),
        (vec![1, 2], "lean-2vcpu-4096mib-async-x32".to_owned())
    );
}

#[test]
fn damaged_newer_and_missing_documents_are_lines_and_reading_goes_on() {
    let mut sweep = Sweep::new("s1").cell(&lean(1_024, Mode::Async, 1), &[100.0, 101.0]);
    let lost = "sweeps/s1/lean-1vcpu-2048mib-async-x1/r02-a1/result_run.json";
    sweep.documents.remove(lost);
    let newer = own_run("x", 1.0)
        .to_json()
        .unwrap()
        .replace("\"version\": 1", "\"version\": 2");
    let mut documents: Vec<(&str, String)> = sweep
        .documents
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    documents.extend([
        ("torn.json", "{\"schema\": \"parf".to_owned()),
        ("newer.json", newer),
    ]);
    documents.extend([
        ("list.json", "[1]".to_owned()),
        ("other.json", "{\"schema\": \"x\"}".to_owned()),
        ("no.json", "{\"schema\": 1}".to_owned()),
    ]);
    let left = "sweeps/s9/c/r01-a1/result_run.json";
    documents.push((left, own_run("y", 1.0).to_json().unwrap()));
    let reading = read_all(&documents);
    let found = lines(&reading);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("torn.json: not JSON: "), "{found:?}");
    assert_eq!(
        found[1],
        "newer.json: the summary has version 2, and this parfetch reads up to version 1"
    );
    assert!(
        found[2].starts_with(&format!("{lost}: missing, although ")),
        "{found:?}"
    );
    assert!(
        found[3].starts_with(&format!("{left}: part of a repetition without its record")),
        "{found:?}"
    );
    assert_eq!((reading.passed_over, reading.repetitions()), (3, 2));
    let study = &studies(reading, &PriceList::built_in())[0];
    assert_eq!(
        study.cells[0].failures[0].reason,
        "1 of its 1 summaries cannot be read"
    );
}

#[test]
fn a_run_whose_account_does_not_close_is_a_failed_repetition_whatever_it_says_of_itself() {
    let with = |change: &dyn Fn(&mut Totals)| {
        let mut summary = own_run("2026-11-20T10:00:00.000Z", 100.0);
        change(summary.totals.as_mut().unwrap());
        let studies = studies(own(&[("a.json", &summary)]), &PriceList::built_in());
        let cell = &studies[0].cells[0];
        (
            cell.observations.len(),
            cell.failures
                .first()
                .map(|failure| failure.reason.clone())
                .unwrap_or_default(),
        )
    };
    let old = |totals: &mut Totals| {
        (totals.asked_objects, totals.asked_bytes, totals.row_bytes) = (None, None, None);
    };
    let left =
        |totals: &mut Totals| (totals.rows.ok, totals.rows.not_attempted) = (OBJECTS - 768, 768);
    let says = |why: &str| (0, why.to_owned());
    assert_eq!(with(&old), (1, String::new()));
    let why = "768 of 3,200 objects were not attempted, although nothing ended the run early";
    assert_eq!(with(&left), says(why));
    assert_eq!(
        with(&|totals| (old(totals), left(totals)).1),
        says(why),
        "a summary of 0.1.0 says «complete»"
    );
    let why = "the account does not add up: 3,200 objects were asked for, and the rows hold 3,199 objects; this is an error in parfetch";
    assert_eq!(with(&|totals| totals.rows.ok -= 1), says(why));
    assert_eq!(
        with(&|totals| (old(totals), totals.rows.ok -= 1).1),
        says(why)
    );
    let gone = |count| {
        move |totals: &mut Totals| (totals.rows.ok, totals.rows.vanished) = (OBJECTS - count, count)
    };
    assert_eq!(with(&gone(32)), (1, String::new()), "1 %");
    assert_eq!(
        with(&gone(33)),
        says("33 of 3,200 objects were missing when fetched, which is more than 1 %")
    );
    assert_eq!(
        with(&gone(OBJECTS)),
        says("nothing was fetched: 3,200 missing")
    );
    let none = with(&|totals| {
        *totals = Totals {
            asked_objects: Some(0),
            ..Totals::default()
        }
    });
    assert_eq!(none, says("nothing was fetched"));
}

#[test]
fn runs_of_other_keys_than_the_sweeps_are_failed_repetitions() {
    let study = Sweep::new("s1")
        .with(|facts| facts.keys = OBJECTS + 1)
        .with(|facts| facts.limit = None)
        .cell(&lean(1_024, Mode::Async, 1), &[100.0])
        .study();
    assert_eq!(
        study.cells[0].failures[0].reason,
        "its runs had 3,200 keys, and the sweep's key list has 3,201"
    );
}

#[test]
fn a_run_that_did_not_end_is_a_failed_repetition_of_its_study() {
    let mut died = own_run("2026-11-20T09:00:00.000Z", 100.0);
    died.state = State::Running;
    (died.totals, died.phases.fetch_ns, died.cpu.limit_vcpu) = (None, None, None);
    let mut cut = own_run("2026-11-20T09:30:00.000Z", 100.0);
    cut.state = State::Interrupted;
    let reading = own(&[
        ("a.json", &own_run("2026-11-20T10:00:00.000Z", 100.0)),
        ("b.json", &died),
        ("c.json", &cut),
    ]);
    let studies = studies(reading, &PriceList::built_in());
    assert_eq!((studies.len(), studies[0].cells.len()), (1, 1));
    let mut reasons: Vec<&str> = studies[0].cells[0]
        .failures
        .iter()
        .map(|failure| failure.reason.as_str())
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["it was interrupted", "still running, or died"]);
}

#[test]
fn shards_are_one_run_bytes_and_histograms_added_and_time_from_first_start_to_last_end() {
    // Epochs at 10:00:00.42 and 10:00:05.42; 80 s and 100 s of fetching: 105 s from the first to the last.
    let mut first = shard("2026-11-20T10:00:00.000Z", 100.0, "0/2");
    let mut second = shard("2026-11-20T10:00:05.000Z", 80.0, "1/2");
    first.distributions.ttfb = histogram(10_000_000).snapshot();
    second.distributions.ttfb = histogram(30_000_000).snapshot();
    let reading = own(&[("a.json", &first), ("b.json", &second)]);
    assert_eq!(lines(&reading), Vec::<String>::new());
    let studies = studies(reading, &PriceList::built_in());
    let cell = &studies[0].cells[0];
    assert_eq!((cell.cell.shards, cell.observations.len()), (2, 1));
    let median = |metric| cell.figure(metric).map(|figure| figure.median);
    close(median(Metric::FetchTime), 105.0);
    close(median(Metric::Goodput), 2.0 * BYTES as f64 / 105.0);
    // The p50 of both is the 10th of 20, the p99 the 20th: averages would be 20 ms.
    assert!(
        (median(Metric::TtfbP50).unwrap() - 0.010).abs() < 1e-5
            && (median(Metric::TtfbP99).unwrap() - 0.030).abs() < 1e-4
    );
    assert_eq!(
        median(Metric::ActiveWindow),
        None,
        "no window is shared by shards"
    );
    let latencies = |summary: &Summary| summary.distributions.latency.count;
    assert_eq!(
        cell.observations[0].counts.timed,
        Some(latencies(&first) + latencies(&second))
    );
    // 20 + 25 CPU seconds of 4 vCPU in 105 s.
    close(median(Metric::CpuShare), 45.0 / 105.0 / 4.0);
    assert_eq!(
        (studies[0].workload.keys, studies[0].workload.bytes),
        (Some(2 * OBJECTS), Some(2 * BYTES))
    );
}

#[test]
fn a_shard_of_archived_objects_alone_takes_nothing_from_the_others() {
    let first = shard("2026-11-20T10:00:00.000Z", 100.0, "0/2");
    let mut archived = shard("2026-11-20T10:00:05.000Z", 80.0, "1/2");
    let totals = archived.totals.as_mut().unwrap();
    (totals.rows.archived, totals.rows.ok, totals.goodput_bytes) = (totals.rows.ok, 0, 0);
    let cell = &studies(
        own(&[("a.json", &first), ("b.json", &archived)]),
        &PriceList::built_in(),
    )[0]
    .cells[0];
    assert_eq!(
        (
            cell.failures.len(),
            cell.observations[0].counts.goodput_bytes
        ),
        (0, Some(BYTES))
    );
    // All of them empty is no result.
    let cell = &studies(own(&[("b.json", &archived)]), &PriceList::built_in())[0].cells[0];
    assert_eq!((cell.failures.len(), cell.observations.len()), (1, 0));
}

#[test]
fn the_worst_clock_of_the_shards_is_told_and_one_that_is_not_known_makes_it_unknown() {
    let of = |errors: [Option<f64>; 2]| {
        let shards = [0, 1].map(|index: u8| {
            let mut summary = shard(
                &format!("2026-11-20T10:00:0{index}.000Z"),
                100.0,
                &format!("{index}/2"),
            );
            let ecs = summary.environment.ecs.get_or_insert_default();
            ecs.clock_error_bound_ms = errors[usize::from(index)];
            summary
        });
        let studies = studies(
            own(&[("a.json", &shards[0]), ("b.json", &shards[1])]),
            &PriceList::built_in(),
        );
        let words = render_markdown(&studies, &[Metric::Throughput]);
        (studies[0].cells[0].observations[0].clock_error_ms, words)
    };
    let (error, words) = of([Some(0.556_966), Some(0.25)]);
    assert_eq!(error, Some(0.556_966));
    assert!(
        words.contains("the error of their clocks is 0.557 ms at the most"),
        "{words}"
    );
    let (error, words) = of([Some(0.556_966), None]);
    assert_eq!(error, None);
    assert!(
        words.contains("the error of their clocks is not known"),
        "{words}"
    );
    let alone = studies(
        own(&[("a.json", &own_run("2026-11-20T10:00:00.000Z", 100.0))]),
        &PriceList::built_in(),
    );
    assert!(
        !render_markdown(&alone, &[Metric::Throughput]).contains("Clocks"),
        "one clock has no error to be told"
    );
}

/// Every child of the largest array job, each with histograms of its own.
#[test]
#[ignore = "takes a minute without optimisation: `cargo test --release --lib ten_thousand_shards -- --ignored --nocapture` says how long it took"]
fn ten_thousand_shards_are_read_in_seconds_and_little_memory() {
    const SHARDS: u32 = 10_000;
    let begin = std::time::Instant::now();
    let mut reader = Reader::default();
    let (mut written, mut bytes) = (std::time::Duration::ZERO, 0);
    for index in 0..SHARDS {
        let writing = std::time::Instant::now();
        let mut summary = shard(
            "2026-11-20T10:00:00.000Z",
            100.0,
            &format!("{index}/{SHARDS}"),
        );
        summary.phases.fetch_ns = Some(60_000_000_000 + u64::from(index));
        let text = summary.to_json().unwrap();
        bytes += text.len();
        written += writing.elapsed();
        reader.document(&format!("s3://results/{index}.json"), &text);
    }
    let reading = reader.finish();
    assert_eq!((reading.repetitions(), lines(&reading)), (1, Vec::new()));
    let studies = studies(reading, &PriceList::built_in());
    let cell = &studies[0].cells[0];
    assert_eq!(
        (cell.cell.shards, cell.observations[0].counts.ok),
        (SHARDS, Some(u64::from(SHARDS) * OBJECTS))
    );
    let took = begin.elapsed().checked_sub(written).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    println!(
        "{SHARDS} summaries of {} bytes: {took:?}; {peak}",
        bytes / 10_000
    );
}

#[test]
fn a_missing_shard_is_a_failure_and_a_second_run_is_not_mixed_in() {
    let shards = [
        ("10:00:00", "0/2"),
        ("10:00:01", "1/2"),
        ("11:00:00", "0/2"),
        ("11:00:01", "1/2"),
        ("12:00:00", "0/2"),
    ];
    let runs: Vec<Summary> = shards
        .iter()
        .map(|(time, part)| shard(&format!("2026-11-20T{time}.000Z"), 100.0, part))
        .collect();
    let names = ["a", "b", "c", "d", "e"];
    let reading = own(&names.into_iter().zip(&runs).collect::<Vec<_>>());
    let studies = studies(reading, &PriceList::built_in());
    let cells: Vec<(usize, usize)> = studies
        .iter()
        .map(|study| {
            (
                study.cells[0].observations.len(),
                study.cells[0].failures.len(),
            )
        })
        .collect();
    let failures: Vec<&FailedRepetition> = studies
        .iter()
        .flat_map(|study| &study.cells[0].failures)
        .collect();
    assert_eq!(
        cells.iter().map(|cell| cell.0).sum::<usize>(),
        2,
        "{cells:?}"
    );
    assert_eq!(
        (
            failures.len(),
            failures[0].reason.as_str(),
            failures[0].missing_shards.as_slice()
        ),
        (1, "shard 1 of 2 is missing", [1].as_slice())
    );
}

#[test]
fn shards_of_a_sweep_s_repetition_are_merged_with_its_figures_from_outside() {
    let cell = Cell {
        shards: 2,
        ..lean(1_024, Mode::Async, 16)
    };
    let mut sweep = Sweep::new("s1");
    let mut record = sweep.record(&cell, 1, 100.0);
    record.summaries = vec!["one.json".to_owned(), "two.json".to_owned()];
    sweep.put(&record, None);
    for (name, part) in [("one.json", "0/2"), ("two.json", "1/2")] {
        let summary = shard("2026-11-20T10:00:00.000Z", 100.0, part);
        sweep.documents.insert(
            format!("sweeps/s1/{}/r01-a1/{name}", cell.slug()),
            summary.to_json().unwrap(),
        );
    }
    let study = sweep.study();
    let found = &study.cells[0];
    close(
        found.figure(Metric::FetchTime).map(|figure| figure.median),
        80.0,
    );
    close(
        found.figure(Metric::Throughput).map(|figure| figure.median),
        200e6,
    );
    close(
        found.figure(Metric::PeakMemory).map(|figure| figure.median),
        40_000_000.0,
    );
    assert_eq!(found.observations[0].usage.limit_vcpu, Some(2.0));
    assert_eq!(found.observations[0].source.summaries.len(), 2);
}

#[test]
fn the_bucket_is_predicted_from_fixed_parts_and_scaled_fetching() {
    let study = Sweep::new("s1")
        .cell(&lean(1_024, Mode::Async, 16), &six(100.0))
        .study();
    let prediction = study.cells[0].prediction.as_ref().unwrap();
    // Ten times the bytes and the keys; start-up 0.1, the sweep's listing 4, worker start 0.3, write-back 0.5.
    // The tail of 1 % of the time, with 0.01 % of the bytes, comes once; before it a rate of 1.01.
    let once = f64::midpoint(80.0 / 1.001, 80.0 / 0.999);
    let middle = (10.0 - 0.0001) / 1.01 * once + 0.01 * once;
    close(Some(prediction.fetch_s), middle);
    close(Some(prediction.seconds), 4.9 + middle);
    let interval = prediction.interval.unwrap();
    // 2.8 standard deviations of 0.22 % to either side.
    assert!(
        (interval.low / (4.9 + middle) - 0.994).abs() < 0.001
            && (interval.high / (4.9 + middle) - 1.006).abs() < 0.001,
        "{interval:?}"
    );
    let Some(Basis::Burst { held_s, needed_s }) = prediction.basis() else {
        panic!("{:?}", prediction.bucket)
    };
    close(Some(held_s), 80.0 / 0.997);
    close(Some(needed_s), middle);
    let phases: Vec<PredictedPhase> = prediction.parts.iter().map(|part| part.0).collect();
    assert_eq!(
        phases,
        [
            PredictedPhase::StartUp,
            PredictedPhase::Listing,
            PredictedPhase::WorkerStart,
            PredictedPhase::WriteBack,
            PredictedPhase::Fetch
        ]
    );
    let choice = study.recommendations[0].fastest.as_ref().unwrap();
    let words = words_of_fastest(&study);
    assert!(
        words.starts_with(
            "1 vCPU, 2 GB, async × 16. 80.0 GB in 13 min 18 s (one run: 13 min 13 s to 13 min 23 s)"
        ),
        "{words}"
    );
    let burst = "if the burst rate holds for 13 min 13 s: runs of this configuration held it for 80 s; sustained rate not measured (`--duration 20m` would).";
    assert!(words.contains(burst), "{words}");
    let variables: Vec<String> = choice
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        variables,
        ["MODE=async", "CONCURRENCY=16", "PARFETCH_CLIENT=lean"]
    );
    let overrides: serde_json::Value =
        serde_json::from_str(choice.run_task_overrides.as_ref().unwrap()).unwrap();
    assert_eq!(
        (&overrides["cpu"], &overrides["memory"]),
        (&serde_json::json!("1024"), &serde_json::json!("2048"))
    );
    assert_eq!(
        overrides["containerOverrides"][0]["environment"][1],
        serde_json::json!({"name": "CONCURRENCY", "value": "16"})
    );
}

#[test]
fn a_bucket_that_was_fetched_whole_rests_on_what_was_seen() {
    let whole = |facts: &mut crate::results::record::SweepFacts| {
        (facts.keys, facts.bytes, facts.limit) = (OBJECTS, Some(BYTES), None);
    };
    let study = Sweep::new("s1")
        .with(whole)
        .cell(&lean(1_024, Mode::Async, 16), &six(100.0))
        .study();
    assert!(matches!(
        study.cells[0].prediction.as_ref().unwrap().basis(),
        Some(Basis::Seen { .. })
    ));
    assert!(
        words_of_fastest(&study).contains(". Runs of this configuration held the rate for 80 s.")
    );
}

/// 1 GB/s for 30 s, then an eighth of it for 90 s: 41.25 GB.
fn dropping(summary: &mut Summary) {
    let bytes: Vec<u64> = (0..120)
        .map(|second| {
            if second < 30 {
                1_000_000_000 + second % 3
            } else {
                125_000_000 + second % 5
            }
        })
        .collect();
    let all: u64 = bytes.iter().sum();
    summary.phases.fetch_ns = Some(120_000_000_000);
    let totals = summary.totals.as_mut().unwrap();
    (totals.goodput_bytes, totals.received_bytes, totals.rows.ok) =
        (all, Some(all), all / 2_500_000);
    (totals.asked_objects, totals.asked_bytes) = (Some(totals.rows.ok), None);
    summary.series = Some(Series {
        interval_ns: 1_000_000_000,
        bytes,
        fetches: Vec::new(),
    });
}

#[test]
fn a_burst_that_drops_eightfold_is_never_extrapolated() {
    let cell = lean(1_024, Mode::Async, 16);
    let lasting =
        |facts: &mut crate::results::record::SweepFacts| facts.duration_ns = Some(120_000_000_000);
    let duration = Sweep::new("long")
        .with(lasting)
        .tuned(&cell, &[100.0], |_, summary| dropping(summary));
    // Short runs of the same cell saw the burst alone.
    let mut sweep = Sweep::new("short").cell(&cell, &six(1_000.0));
    sweep.documents.extend(duration.documents);
    let studies = sweep.studies();
    assert_eq!(studies.len(), 2);
    for study in &studies {
        let held = study.cells[0].held.unwrap();
        let drop = held.drop.unwrap();
        assert!((29.0..=31.0).contains(&drop.at_s), "{drop:?}");
        let prediction = study.cells[0].prediction.as_ref().unwrap();
        // 80 GB: 30 GB in 30 s, 50 GB at 125 MB/s in 400 s.
        assert!((prediction.fetch_s - 430.0).abs() < 10.0, "{prediction:?}");
        assert!(
            matches!(prediction.basis(), Some(Basis::Sustained { after_drop_bytes, .. }) if after_drop_bytes.abs_diff(50_000_000_000) < 1_100_000_000)
        );
        assert!(words_of_fastest(study).contains("come at the lower rate"));
    }
}

#[test]
fn a_steady_rate_has_no_drop() {
    let study = Sweep::new("s1")
        .cell(&lean(1_024, Mode::Async, 16), &six(100.0))
        .study();
    assert_eq!(study.cells[0].held.unwrap().drop, None);
}

#[test]
fn prices_follow_rate_and_size_and_say_when_they_are_hypothetical() {
    let prices = PriceList::built_in();
    let task = prices.fargate("us-east-1", "x86_64").unwrap();
    let requests = prices.s3("us-east-1", "STANDARD").unwrap();
    let study = Sweep::new("s1")
        .cell(&lean(1_024, Mode::Async, 16), &[100.0])
        .study();
    let cell = &study.cells[0];
    let per_hour = task.usd_per_vcpu_hour + 2.0 * task.usd_per_gb_hour;
    // 3,200 GETs and four listing pages for 8 GB.
    let usd_requests = 3.2 * requests.usd_per_1000_get + 0.004 * requests.usd_per_1000_list;
    close(
        cell.figure(Metric::UsdPerTb).map(|figure| figure.median),
        (per_hour * 80.0 / 3_600.0 + usd_requests) / 0.008,
    );
    close(
        cell.figure(Metric::TaskUsdPerTb)
            .map(|figure| figure.median),
        per_hour * 80.0 / 3_600.0 / 0.008,
    );
    let cost = cell.cost.as_ref().unwrap();
    close(Some(cost.billed_s), 81.0);
    close(Some(cost.usd_task), per_hour * 81.0 / 3_600.0);
    close(cost.usd_requests, usd_requests);
    assert!(cost.is_hypothetical && cost.prices_dated == prices.dated());
    // One minute at least, for each shard.
    let short = Sweep::new("s1")
        .cell(&lean(1_024, Mode::Async, 16), &[1_000.0])
        .study();
    close(
        short.cells[0].cost.as_ref().map(|cost| cost.usd_task),
        per_hour / 60.0,
    );
    let unknown = Sweep::new("s1")
        .with(|facts| facts.region = Some("mars-north-1".to_owned()))
        .cell(&lean(1_024, Mode::Async, 16), &[100.0])
        .study();
    assert_eq!(
        (
            &unknown.cells[0].cost,
            unknown.cells[0].figure(Metric::UsdPerTb)
        ),
        (&None, None)
    );
    assert_eq!(unknown.cells[0].figure(Metric::TaskUsdPerTb), None);
    assert!(says(&unknown, "--prices FILE"), "{:?}", unknown.notes);
    let recommendation = &unknown.recommendations[0];
    assert_eq!(
        (
            recommendation.cheapest.is_some(),
            recommendation.fastest.is_some(),
            &recommendation.because
        ),
        (true, true, &None)
    );
    let on_ecs = Sweep::new("s1")
        .with(|facts| facts.on = "ecs".to_owned())
        .cell(&lean(1_024, Mode::Async, 16), &[100.0])
        .study();
    assert!(!on_ecs.cells[0].cost.as_ref().unwrap().is_hypothetical);
}

/// A sweep on ECS whose tasks were billed for an hour each.
fn on_fargate(task: &record::TaskRun) -> Study {
    let task = record::TaskRun {
        billed_ns: Some(3_600_000_000_000),
        ..task.clone()
    };
    let sweep = Sweep::new("s1").with(|facts| facts.on = "ecs".to_owned());
    sweep
        .tuned(&lean(1_024, Mode::Async, 16), &[100.0], |record, _| {
            record.tasks = vec![task.clone()];
        })
        .study()
}

#[test]
fn a_public_address_is_part_of_the_price_of_its_task() {
    let usd = |public_address| {
        let study = on_fargate(&record::TaskRun {
            public_address,
            ..record::TaskRun::default()
        });
        (
            study.cells[0].cost.as_ref().unwrap().usd_task,
            says(&study, "public IPv4 address"),
        )
    };
    let ((without, _), with) = (usd(Some(false)), usd(Some(true)));
    close(Some(with.0 - without), 0.005);
    assert_eq!(
        (with.1, usd(Some(false)), usd(None)),
        (true, (without, false), (without, false)),
        "a record of before does not say"
    );
}

#[test]
fn what_ran_on_spot_says_that_its_price_is_that_of_on_demand() {
    let of = |capacity: &str| {
        on_fargate(&record::TaskRun {
            capacity: Some(capacity.to_owned()),
            ..record::TaskRun::default()
        })
    };
    let (spot, on_demand) = (of("FARGATE_SPOT"), of("FARGATE"));
    let cost = |study: &Study| study.cells[0].cost.clone().unwrap();
    assert!(cost(&spot).is_of_on_demand && !cost(&on_demand).is_of_on_demand);
    close(Some(cost(&spot).usd_task), cost(&on_demand).usd_task);
    let shows_spot = |study: &Study| {
        render_markdown(std::slice::from_ref(study), &[Metric::Throughput]).contains("Spot")
    };
    assert!(shows_spot(&spot) && !shows_spot(&on_demand));
    assert!(
        says(&spot, "ran on Spot capacity, whose price is not known"),
        "{:?}",
        spot.notes
    );
}

#[test]
fn what_ran_on_spot_in_part_has_no_price_of_spot() {
    let row = |more: &str| {
        format!(
            "[[fargate]]\nregion = \"us-east-1\"\narch = \"x86_64\"\nusd_per_gb_hour = 0.0\nsource = \"x\"\n{more}"
        )
    };
    let requests = "[[s3]]\nregion = \"us-east-1\"\nusd_per_1000_get = 0.0004\nusd_per_1000_list = 0.005\nusd_per_gb_retrieved = 0.0\nsource = \"x\"\nstorage_class = \"STANDARD\"\n";
    let [on_demand, spot] = [
        "usd_per_vcpu_hour = 0.04\n",
        "usd_per_vcpu_hour = 0.01\ncapacity = \"spot\"\n",
    ]
    .map(row);
    let list = format!("dated = \"2026-11-25\"\n{on_demand}{spot}{requests}");
    let prices = PriceList::parse(&list).unwrap();
    let cost = |capacities: [&str; 2]| {
        let of = |number: usize| {
            vec![record::TaskRun {
                capacity: Some(capacities[number].to_owned()),
                ..record::TaskRun::default()
            }]
        };
        let sweep = Sweep::new("s1").with(|facts| facts.on = "ecs".to_owned());
        let change = |record: &mut record::Record, _: &mut Summary| {
            record.tasks = of(usize::try_from(record.repetition).unwrap() - 1);
        };
        let study = studies(
            sweep
                .tuned(&lean(1_024, Mode::Async, 16), &[100.0, 100.0], change)
                .reading(),
            &prices,
        )
        .remove(0);
        study.cells[0].cost.clone().unwrap()
    };
    let (spot, part, on_demand) = (
        cost(["FARGATE_SPOT"; 2]),
        cost(["FARGATE_SPOT", "FARGATE"]),
        cost(["FARGATE"; 2]),
    );
    close(Some(spot.usd_task * 4.0), on_demand.usd_task);
    close(Some(part.usd_task), on_demand.usd_task);
    assert_eq!(
        [spot, part, on_demand].map(|cost| cost.is_of_on_demand),
        [false, true, false]
    );
}

#[test]
fn one_cpu_apart_from_the_server_cannot_tell_threads_from_processes() {
    let cells = |cpus: Vec<u32>, shared: bool| {
        let change = move |record: &mut crate::results::record::Record, _: &mut Summary| {
            record.limited.cpus.clone_from(&cpus);
            record.limited.shared_with_server = Some(shared);
        };
        let sweep = Sweep::new("s1").tuned(&lean(1_024, Mode::Thread, 4), &[50.0], &change);
        sweep
            .tuned(&lean(1_024, Mode::Process, 4), &[50.0], &change)
            .study()
            .notes
    };
    let says = |notes: &[Note]| {
        notes
            .iter()
            .any(|note| matches!(note, Note::NoContrast { .. }))
    };
    assert!(says(&cells(vec![3], false)) && says(&cells(vec![2, 3], true)));
    assert!(!says(&cells(vec![2, 3], false)));
}

#[test]
fn the_json_form_names_its_schema_and_says_null_for_what_is_not_known() {
    let sdk = Cell {
        program: Program::Client(ClientKind::Sdk),
        ..lean(1_024, Mode::Async, 16)
    };
    let studies = Sweep::new("s1")
        .cell(&lean(1_024, Mode::Async, 16), &six(100.0))
        .cell(&sdk, &[50.0])
        .studies();
    let value: serde_json::Value = serde_json::from_str(&json(&studies)).unwrap();
    assert_eq!(
        (&value["schema"], &value["version"]),
        (&serde_json::json!("parfetch.report"), &serde_json::json!(1))
    );
    let cells = &value["studies"][0]["cells"];
    assert_eq!(cells[0]["figures"]["throughput"]["n"], 6);
    assert!(cells[1]["figures"]["throughput"]["interval"].is_null());
    assert_eq!(cells[1]["verdict"]["word"], "unclear");
    assert_eq!(value["metrics"][0]["id"], "throughput");
    assert_eq!(cells[1]["standing"]["is"], "best");
}

#[test]
fn files_and_folders_are_read_whatever_their_depth_and_other_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in Sweep::new("s1")
        .cell(&lean(1_024, Mode::Async, 16), &[100.0])
        .documents
    {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(dir.path().join("notes.txt"), "{").unwrap();
    std::fs::write(dir.path().join(".result.json.partial"), "{").unwrap();
    let single = dir.path().join("sweeps");
    let reading = read(&[dir.path().to_owned(), single]);
    assert_eq!((lines(&reading), reading.repetitions()), (Vec::new(), 1));
    let missing = dir.path().join("missing.json");
    assert_eq!(read(&[missing]).problems.len(), 1);
}

#[test]
#[ignore = "a measurement of reading ten thousand repetitions, not a test: run it optimised, with --nocapture"]
fn ten_thousand_repetitions() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweep = Sweep::new("s1");
    let heavy = crate::results::summary::fixture::complete();
    let mut bytes = 0;
    for concurrency in 1..=100 {
        for mode in Mode::ALL.into_iter().take(2) {
            let cell = lean(1_024, mode, concurrency);
            let rates: Vec<f64> = (0..50)
                .map(|repetition| f64::from(100 * concurrency + repetition % 7))
                .collect();
            // Distributions of 2,000 fetches, and a series of ten minutes.
            sweep = sweep.tuned(&cell, &rates, |_, summary| {
                summary.distributions = heavy.distributions.clone();
                summary.size_classes = heavy.size_classes.clone();
                summary.series = Some(Series {
                    interval_ns: 1_000_000_000,
                    bytes: (0..600)
                        .map(|second| 1_000_000_000 + second * 7_919 % 9_973)
                        .collect(),
                    fetches: Vec::new(),
                });
            });
        }
        for (name, text) in std::mem::take(&mut sweep.documents) {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            bytes += text.len();
            std::fs::write(path, text).unwrap();
        }
    }
    let memory = || {
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap()
            .to_owned()
    };
    println!(
        "before: {}; {} MB of documents",
        memory(),
        bytes / 1_000_000
    );
    let start = std::time::Instant::now();
    let reading = read(&[dir.path().to_owned()]);
    println!(
        "read {} repetitions in {:?}; {}",
        reading.repetitions(),
        start.elapsed(),
        memory()
    );
    let studies = studies(reading, &PriceList::built_in());
    println!(
        "analysed {} cells after {:?}; {}",
        studies[0].cells.len(),
        start.elapsed(),
        memory()
    );
    assert_eq!(studies[0].facts.observations, 10_000);
}

/// Separates the documents of one input.
const NEXT: char = '\u{1e}';

#[test]
fn fuzz_whole_reports() {
    let words = &[
        "null",
        "{}",
        "[]",
        "\"\"",
        "\"failed\"",
        "\"complete\"",
        "1e300",
        "\\u202e",
        "\\n",
        "\u{1e}",
    ];
    let sweep = lean_curve(&[(1, 50.0), (4, 180.0), (16, 200.0)]).cell(
        &contender("python", &lean(1_024, Mode::Thread, 1)),
        &six(20.0),
    );
    let documents: Vec<String> = sweep.documents.values().cloned().collect();
    let own = |summary: Summary| summary.to_json().unwrap();
    let alone = [
        own(crate::results::summary::fixture::complete()),
        own(crate::results::summary::fixture::with_failures()),
    ];
    let seeds = vec![
        alone.join("\u{1e}").into_bytes(),
        documents[..6].join("\u{1e}").into_bytes(),
        documents.join("\u{1e}").into_bytes(),
    ];
    Target {
        name: "report",
        seeds,
        words,
        cases: 40,
    }
    .run(|bytes| {
        let mut reader = Reader::default();
        let names: Vec<&String> = sweep.documents.keys().collect();
        for (number, text) in String::from_utf8_lossy(bytes).split(NEXT).enumerate() {
            let other = format!("{number}.json");
            reader.document(names.get(number).map_or(&other, |name| name), text);
        }
        let studies = studies(reader.finish(), &PriceList::built_in());
        let paint = |_: Role, text: &str| text.to_owned();
        for extent in [Extent::Answer, Extent::All] {
            let view = View {
                width: 80,
                metrics: &[Metric::Throughput],
                paint: &paint,
                extent,
                in_full: "",
            };
            render_text(&studies, &view);
        }
        render_markdown(&studies, &[Metric::LatencyP99]);
        render_csv(&studies);
        json(&studies);
        for study in &studies {
            page::render(&page::page_of(study, &|_| {
                Err(std::io::ErrorKind::NotFound.into())
            }));
        }
    });
}

#[test]
fn the_edge_of_what_was_measured_is_one_of_several_values() {
    let edges = |study: &Study| {
        let fastest = study.recommendations[0].fastest.as_ref().unwrap();
        fastest.at_edge.clone()
    };
    let one = Sweep::new("s1").cell(&lean(1_024, Mode::Async, 16), &six(100.0));
    assert_eq!(edges(&one.study()), []);
    // 80 s at 100 MB/s, 20 s at 400 MB/s: a minute of a smaller task costs less.
    let cheapest = |rate| {
        let study = Sweep::new("s1")
            .with(|facts| {
                facts.limit = None;
                (facts.keys, facts.bytes) = (3_200, Some(8_000_000_000));
            })
            .cell(&lean(1_024, Mode::Async, 16), &six(rate))
            .study();
        let choice = study.recommendations[0].cheapest.as_ref().unwrap();
        choice.at_edge.clone()
    };
    assert_eq!(cheapest(100.0), []);
    assert_eq!(cheapest(400.0), [Edge::SmallestTask]);
    let rising = lean_curve(&[(4, 50.0), (16, 100.0)]);
    assert_eq!(edges(&rising.study()), [Edge::MostWorkers]);
    let larger = lean_curve(&[(4, 50.0), (16, 100.0)])
        .cell(&lean(2_048, Mode::Async, 4), &six(50.0))
        .cell(&lean(2_048, Mode::Async, 16), &six(200.0));
    assert_eq!(
        edges(&larger.study()),
        [Edge::MostWorkers, Edge::LargestTask]
    );
}
