//! A program that writes no CSV: what it read is not known, so nothing that counts it is said of it, in any form.

use super::*;
use crate::render::page::page_of;
use crate::results::record::ContenderResult;

/// At as many MB/s as if it read what the others read.
fn timed(sweep: Sweep, cell: &Cell, mb_per_s: f64) -> Sweep {
    sweep.tuned(cell, &six(mb_per_s), |record, _| {
        let fetch_ns = record.contender.unwrap().fetch_ns;
        record.contender = Some(ContenderResult::timed(fetch_ns));
    })
}

fn app(cpu_units: u32, workers: u32) -> Cell {
    contender("app", &lean(cpu_units, Mode::Process, workers))
}

/// The fastest has 2 vCPUs and 4 workers, the cheapest 1 vCPU.
fn alone() -> Sweep {
    let mut sweep = Sweep::new("s1").with(|facts| facts.limit = None);
    for (cpu_units, workers, rate) in [(1_024, 1, 50.0), (1_024, 4, 90.0), (2_048, 4, 160.0)] {
        sweep = timed(sweep, &app(cpu_units, workers), rate);
    }
    sweep
}

fn forms(study: &Study) -> Vec<String> {
    let studies = std::slice::from_ref(study);
    let paint = |_: Role, text: &str| text.to_owned();
    let text = |extent, metrics| {
        let view = View {
            width: 500,
            metrics,
            paint: &paint,
            extent,
            in_full: "",
        };
        render_text(studies, &view)
    };
    let page = page::render(&page_of(study, &|_| Err(std::io::Error::other("none"))));
    vec![
        text(Extent::Answer, &[Metric::Throughput]),
        text(Extent::All, &Metric::ALL),
        render_markdown(studies, &[Metric::Throughput]),
        page.replace('\u{a0}', " "),
    ]
}

#[test]
fn what_a_timed_program_read_is_said_in_no_form() {
    let study = alone().study();
    let found = &study.recommendations[0];
    let chosen = |choice: &Option<Choice>| {
        let cell = &study.cells[choice.as_ref().unwrap().cell].cell;
        (cell.cpu_units, cell.concurrency)
    };
    assert_eq!(
        (chosen(&found.cheapest), chosen(&found.fastest)),
        ((1_024, 4), (2_048, 4))
    );
    assert_eq!(study.curves[0].knee, Some(4));
    for form in forms(&study) {
        assert!(form.contains("One run takes"), "{form}");
        let counted = ["MB/s of", "The whole bucket", "80.0 GB in", "requests $"];
        let said: Vec<&str> = counted.into_iter().filter(|it| form.contains(it)).collect();
        assert_eq!(said, Vec::<&str>::new(), "{form}");
    }
}

#[test]
fn figures_that_count_what_was_read_are_missing() {
    let study = alone().study();
    for report in &study.cells {
        let of_bytes = Metric::ALL.into_iter().filter(|metric| {
            metric.is_of_bytes() || matches!(metric, Metric::RequestsPerS | Metric::FailedObjects)
        });
        let known: Vec<Metric> = of_bytes
            .filter(|metric| report.figure(*metric).is_some())
            .collect();
        assert_eq!(known, []);
        let prediction = report.prediction.as_ref().unwrap();
        assert_eq!(prediction.bucket, None);
        for cost in [&report.cost, &prediction.cost] {
            let cost = cost.as_ref().unwrap();
            assert_eq!((cost.usd_requests, cost.usd_retrieval), (None, None));
            close(Some(cost.usd_total()), cost.usd_task);
        }
    }
}

/// A rate of runs is no rate of bytes: neither stands in the table, nor on the scale, of the other, and no speed-up compares them.
#[test]
fn beside_parfetch_it_has_a_table_of_its_own() {
    let own = lean(1_024, Mode::Process, 4);
    let study = alone().cell(&own, &six(500.0)).study();
    let place = |cell: &Cell| {
        study
            .cells
            .iter()
            .position(|one| one.cell == *cell)
            .unwrap()
    };
    assert!(study.cells[place(&own)].speed_ups.is_empty());
    let against: Vec<Against> = study.cells[place(&app(1_024, 4))]
        .speed_ups
        .iter()
        .map(|found| found.kind)
        .collect();
    assert_eq!(
        against,
        [Against::First],
        "its runs compare with each other"
    );
    let [text, ..] = &forms(&study)[..] else {
        panic!("forms")
    };
    let heads: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(", lean client") || line.contains(", app"))
        .collect();
    assert!(
        heads
            .iter()
            .any(|head| head.starts_with("Time of a run, s:")
                && head.ends_with("app, lower is better"))
            && heads
                .iter()
                .any(|head| head.starts_with("Throughput, MB/s:") && head.ends_with("lean client")),
        "{text}"
    );
    let said = "each run: every key once, one run of app · ";
    assert!(text.contains(said), "{text}");
    let page = page_of(&study, &|_| Err(std::io::Error::other("none")));
    let units: Vec<(&str, &str)> = page
        .clients
        .iter()
        .map(|client| (client.rate_unit.as_str(), client.price_unit.as_str()))
        .collect();
    assert_eq!(units, [("runs/h", "run"), ("MB/s", "million objects")]);
}

/// Bytes a second are no runs an hour: neither is faster than the other, and a program that may read nothing is not held back by a network.
#[test]
fn a_flat_time_is_compared_with_no_rate_of_bytes() {
    let mut sweep = alone().cell(&lean(1_024, Mode::Process, 4), &six(500.0));
    sweep = timed(sweep, &app(1_024, 8), 90.5);
    let study = sweep.study();
    let place = |workers| {
        let mut cells = study.cells.iter();
        cells
            .position(|one| one.cell == app(1_024, workers))
            .unwrap()
    };
    for workers in [4, 8] {
        assert_eq!(
            because(&study, place(workers))[0],
            "from 4 to 8 workers the rate changes by less than 5 %, and what the program reads is not known"
        );
    }
}

#[test]
fn short_runs_of_it_need_more_work_and_not_more_keys() {
    let sweep = Sweep::new("s1").cell(&lean(1_024, Mode::Process, 1), &six(500.0));
    let study = timed(sweep, &app(1_024, 1), 20_000.0).study();
    let said = said(&study);
    let short: Vec<&String> = said
        .iter()
        .filter(|one| one.contains("took less"))
        .collect();
    assert!(
        matches!(short[..], [only] if only.starts_with("a run took less than 1 s in 1 of 1 configurations, 0.40 s in")
            && only.ends_with("more work for the program makes them longer")),
        "{short:?}"
    );
}

/// The same program with a CSV in another sweep: what is known of some of its runs compares with none of the others.
#[test]
fn where_some_runs_have_their_time_alone_all_have() {
    let mut sweep = alone().cell(&app(1_024, 8), &six(90.0));
    sweep = timed(sweep, &app(1_024, 16), 90.0);
    let study = sweep.study();
    assert!(study.cells.iter().all(CellReport::is_timed_alone));
    assert!(
        study
            .cells
            .iter()
            .all(|report| report.figure(Metric::Throughput).is_none())
    );
}
