//! The mapping, with numbers known by hand.

use super::super::render;
use super::super::types::{PageCell, PageStanding};
use super::fixture::{Noise, known, open, rich, six};
use super::*;
use crate::analysis::fixture::{Sweep, lean};
use crate::plan::Mode;
use std::io;

fn page() -> PageData {
    let sweep = known();
    page_of(&sweep.study(), &open(&sweep))
}

/// The client of this name: the first is the one that somebody brought.
fn client<'a>(page: &'a PageData, name: &str) -> &'a Client {
    page.clients
        .iter()
        .find(|client| client.name == name)
        .unwrap()
}

fn found<'a>(client: &'a Client, at: (usize, &str, u64)) -> &'a PageCell {
    client
        .cells
        .iter()
        .find(|cell| (cell.size, cell.mode.as_str(), cell.concurrency) == at)
        .unwrap()
}

fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= expected.abs() * 1e-6,
        "{found} is not {expected}"
    );
}

#[test]
fn a_cell_s_numbers_are_the_model_s_in_the_page_s_units() {
    let page = page();
    assert_eq!(
        page.sizes
            .iter()
            .map(super::super::text::size_label)
            .collect::<Vec<_>>(),
        ["1 vCPU, 2 GB", "2 vCPUs, 4 GB"]
    );
    let lean = client(&page, "lean");
    let cell = found(lean, (0, "thread", 16));
    let rate = cell.throughput.unwrap();
    close(rate.median, 160.0);
    // Six repetitions: their range.
    close(rate.range.unwrap().0, 160.0 * 0.997);
    close(rate.range.unwrap().1, 160.0 * 1.003);
    close(cell.share_of_best.unwrap(), 0.8);
    close(cell.ttfb_p50_ms.unwrap(), 10.0);
    close(cell.latency_p99_ms.unwrap(), 20.0);
    // A quarter of a vCPU for 50 s over 8 GB.
    assert!((cell.cpu_s_per_gb.unwrap() - 0.25 * 50.0 / 8.0).abs() < 1e-3);
    close(cell.memory_mb.unwrap(), 40.0);
    assert_eq!(
        (cell.repetitions, cell.attempts, cell.errors),
        (6, Some(6 * 3_200), Some(0))
    );
    assert!((cell.seconds.unwrap().median - 50.0).abs() < 0.01);
}

#[test]
fn best_knee_and_front_are_those_of_the_model() {
    let page = page();
    let lean = client(&page, "lean");
    let best: Vec<_> = lean
        .cells
        .iter()
        .filter(|cell| cell.standing == PageStanding::Highest)
        .map(|cell| (cell.size, cell.mode.as_str(), cell.concurrency))
        .collect();
    assert_eq!(best, [(0, "async", 16), (1, "async", 16)]);
    assert_eq!(found(lean, (0, "async", 16)).share_of_best, Some(1.0));
    let of_mode: Vec<_> = lean
        .cells
        .iter()
        .filter(|cell| cell.best_of_mode)
        .map(|cell| (cell.size, cell.mode.as_str(), cell.concurrency))
        .collect();
    assert_eq!(
        of_mode,
        [
            (0, "async", 16),
            (0, "thread", 16),
            (1, "async", 16),
            (1, "thread", 16)
        ]
    );
    let knees: Vec<_> = lean
        .cells
        .iter()
        .filter(|cell| cell.knee)
        .map(|cell| (cell.size, cell.mode.as_str(), cell.concurrency))
        .collect();
    assert_eq!(
        knees,
        [(0, "async", 16), (0, "thread", 16), (1, "async", 16)]
    );
    let front: Vec<_> = lean
        .front
        .iter()
        .map(|place| (lean.cells[*place].size, lean.cells[*place].concurrency))
        .collect();
    assert_eq!(front, [(0, 16), (1, 16)], "cheapest first");
    assert_eq!(
        (lean.no_price.as_deref(), lean.price_unit.as_str()),
        (None, "million objects")
    );
    let chosen: Vec<_> = lean
        .cells
        .iter()
        .filter(|cell| !cell.chosen.is_empty())
        .map(|cell| (cell.size, cell.concurrency, cell.chosen.as_str()))
        .collect();
    assert_eq!(chosen, [(0, 16, "Cheapest"), (1, 16, "Fastest")]);
}

#[test]
fn failed_cells_say_why() {
    let page = page();
    let failed = found(client(&page, "lean"), (0, "process", 16));
    assert_eq!(
        (
            failed.standing,
            failed.failures,
            failed.throughput,
            failed.attempts
        ),
        (PageStanding::Failed, 6, None, None)
    );
    assert_eq!(failed.limit, "failed");
    assert!(
        page.failures[0].because.contains("out of memory")
            && page.failures[0].word == "6 of 6 failed",
        "{:?}",
        page.failures[0]
    );
    let once = found(client(&page, "lean"), (1, "thread", 16));
    assert_eq!((once.standing, once.failures), (PageStanding::Measured, 1));
    assert!(
        page.failures[1].because.contains("exit code 9")
            && page.failures[1].word == "1 of 7 failed",
        "{:?}",
        page.failures[1]
    );
    assert!(
        page.cautions
            .iter()
            .any(|caution| caution.starts_with("7 of 55 repetitions failed")),
        "{:?}",
        page.cautions
    );
}

#[test]
fn a_contender_is_a_client_of_its_own_before_the_others() {
    let page = page();
    let names: Vec<_> = page
        .clients
        .iter()
        .map(|client| (client.name.as_str(), client.role))
        .collect();
    assert_eq!(
        names,
        [("python", ClientRole::Contender), ("lean", ClientRole::Own)]
    );
    let python = client(&page, "python");
    assert_eq!(python.cells.len(), 1);
    close(python.cells[0].throughput.unwrap().median, 50.0);
    assert_eq!(
        (
            python.cells[0].size,
            python.cells[0].ttfb_p50_ms,
            python.cells[0].attempts
        ),
        (0, None, None)
    );
    assert_eq!(
        (
            &python.histograms,
            &python.series,
            &python.timeline,
            python.left_out.len()
        ),
        (&None, &None, &None, 1)
    );
}

#[test]
fn the_answer_is_that_of_the_text_report() {
    let sweep = known();
    let study = sweep.study();
    let page = page_of(&study, &open(&sweep));
    let choices = &client(&page, "lean").choices;
    assert_eq!(
        (page.label.as_str(), page.headline.as_str()),
        (
            "Cheapest and fastest for python · s3://images",
            "1 vCPU, 2 GB, thread × 16"
        )
    );
    assert_eq!(
        page.title,
        "Cheapest and fastest for python · s3://images: 1 vCPU, 2 GB, thread × 16"
    );
    assert_eq!(
        choices
            .iter()
            .map(|choice| choice.label.as_str())
            .collect::<Vec<_>>(),
        ["Cheapest", "Fastest"]
    );
    // 80 GB at 200 MB/s, and 4.9 s for the rest.
    let takes = "The whole bucket, 80.0 GB, takes 6 min 41 s (6 min 39 s to 6 min 44 s) and would cost $0.0185 on Fargate ($0.0184 to $0.0185; requests $0.0130).";
    assert_eq!(choices[0].takes, takes);
    assert!(choices[0].sure.starts_with("Sure: "), "{}", choices[0].sure);
    assert_eq!(
        choices[0].snippets[0].text,
        "MODE=async CONCURRENCY=16 PARFETCH_CLIENT=lean"
    );
    assert!(
        choices[0].snippets[1].text.starts_with("--overrides '{")
            && choices[0].snippets[1].text.contains("\"cpu\":\"1024\"")
    );
    assert!(
        client(&page, "python")
            .choices
            .iter()
            .flat_map(|choice| &choice.snippets)
            .all(|snippet| snippet.label == "Environment"),
        "the overrides are of a task of parfetch"
    );
    assert_eq!(client(&page, "lean").predictions.len(), 2);
    assert!(client(&page, "lean").predictions[0].rests_on.starts_with(
        "If the burst rate holds for 6 min 36 s: runs of this configuration held it for 40 s"
    ));
    assert!(
        client(&page, "lean").predictions[0]
            .rests_on
            .contains("fetch 396 s")
    );
    // Every sentence of the answer stands in the text report too.
    let paint = |_, text: &str| text.to_owned();
    let view = crate::render::text::View {
        width: 10_000,
        metrics: &[],
        paint: &paint,
        extent: crate::render::Extent::Answer,
        in_full: "",
    };
    let text = crate::render::text::render_text(&[study], &view);
    for said in client(&page, "python")
        .choices
        .iter()
        .flat_map(|choice| [&choice.takes, &choice.sure, &choice.headline])
        .chain(&page.others)
        .chain(&page.caveats)
    {
        assert!(text.contains(said.trim_matches('`')), "{said}: {text}");
    }
}

#[test]
fn the_highest_rate_that_is_not_the_fastest_has_its_reason() {
    let cell = |concurrency| lean(2_048, Mode::Async, concurrency);
    let sweep = Sweep::new("s1")
        .cell(&cell(4), &six(100.0))
        .cell(&cell(16), &six(350.0))
        .failed(&cell(16), 7, "gone");
    let page = page_of(&sweep.study(), &open(&sweep));
    assert_eq!(page.headline, "2 vCPUs, 4 GB, async × 4");
    let reason = "The highest rate is 350 MB/s, with 2 vCPUs, 4 GB, async × 16: it has failed runs and is not recommended.";
    assert_eq!(page.clients[0].notes, [reason]);
    assert_eq!(
        page_of(&known().study(), &|_| Err(io::Error::other("gone"))).clients[0].notes,
        Vec::<String>::new()
    );
}

#[test]
fn one_configuration_is_a_page_of_one_run() {
    let sweep = Sweep::new("s1").cell(&lean(1_024, Mode::Async, 4), &six(100.0));
    let page = page_of(&sweep.study(), &open(&sweep));
    assert_eq!(
        (page.label.as_str(), page.headline.as_str()),
        ("s3://images", "100 MB/s with async × 4")
    );
    assert!(
        page.sentences[0].starts_with("Each run fetched 8.00 GB in"),
        "{:?}",
        page.sentences
    );
    let html = render(&page);
    assert!(
        !html.contains("pf-matrix\"")
            && html.contains("<h2 class=\"pf-heading\">Figures")
            && html.contains("<dt>MB/s</dt>"),
        "no matrix of one"
    );
    // What its figures say is not said again as an answer.
    assert!(client(&page, "lean").choices.is_empty());
}

#[test]
fn charts_are_of_the_recommended_cell_and_its_siblings() {
    let page = page();
    let lean = client(&page, "lean");
    let histograms = lean.histograms.as_ref().unwrap();
    assert_eq!(
        histograms
            .panels
            .iter()
            .map(|panel| panel.mode.as_str())
            .collect::<Vec<_>>(),
        ["async", "thread"]
    );
    let panel = &histograms.panels[0];
    assert_eq!(
        (
            panel.bins.iter().map(|bin| bin.count).sum::<u64>(),
            panel.summary.as_str()
        ),
        (60, "p50 10.0 · p99 10.0 ms")
    );
    assert!(
        panel.bins[0].from_ms < 10.0 && 10.0 <= panel.bins[0].to_ms * 1.000_001,
        "{:?}",
        panel.bins
    );
    close(panel.bins.iter().map(|bin| bin.percent).sum(), 100.0);
    let series = lean.series.as_ref().unwrap();
    assert_eq!(series.lines.len(), 2);
    assert!(
        (series.lines[1].mb_per_s[0] - 160.0).abs() < 1.0,
        "{:?}",
        series.lines[1].mb_per_s[0]
    );
    let timeline = lean.timeline.as_ref().unwrap();
    assert_eq!(timeline.fetches.len(), 96);
    assert!(
        timeline
            .caption
            .starts_with("1 vCPU, 2 GB, async × 16, repetition "),
        "{}",
        timeline.caption
    );
    assert!(timeline.caption.ends_with(": all 96 fetches."));
    assert_eq!(lean.left_out, Vec::<String>::new());
}

#[test]
fn documents_that_cannot_be_opened_leave_their_charts_out_with_a_line() {
    let page = page_of(&known().study(), &|_| Err(io::Error::other("gone")));
    let lean = client(&page, "lean");
    assert_eq!(
        (&lean.histograms, &lean.series, &lean.timeline),
        (&None, &None, &None)
    );
    assert!(
        lean.left_out[0].starts_with("A document for the charts could not be read: ")
            && lean.left_out[0].ends_with(": gone."),
        "{:?}",
        lean.left_out
    );
    assert!(render(&page).contains("could not be read"));
}

#[test]
fn the_head_says_what_where_and_what_limits_it() {
    let page = page();
    let measured = "s3://images · 32,000 keys, 80.0 GB · us-east-1 · each run: the first 3,200 keys of the listing · 9 configurations, 55 runs on this machine, 7 failed";
    assert_eq!(page.measured, measured);
    assert_eq!(
        page.caveats[1..],
        ["`parfetch sweep s3://images --on ecs --stack parfetch --dry-run`"]
    );
    assert!(page.caveats[0].starts_with("Measured on this machine"));
    let value = |label: &str| {
        page.facts
            .iter()
            .find(|fact| fact.label == label)
            .map(|fact| fact.value.as_str())
    };
    assert_eq!(value("Limited by"), Some("cgroup v2 quota"));
    assert!(
        page.price_notes
            .iter()
            .any(|note| note.contains("would cost: these runs were elsewhere")),
        "{:?}",
        page.price_notes
    );
    assert!(
        page.method.iter().any(|paragraph| paragraph
            .contains("With 6 repetitions it covers the median with 96.9 % confidence")),
        "{:?}",
        page.method
    );
    assert!(
        page.method
            .iter()
            .any(|paragraph| paragraph.starts_with("Tests hold at 5 %"))
    );
    assert!(
        !page
            .cautions
            .iter()
            .any(|caution| caution.starts_with("Tests hold") || caution.starts_with("Prices "))
    );
    assert!(page.csv.starts_with("study,source,") && page.csv.lines().count() == 10);
}

#[test]
fn no_text_of_the_page_has_words_that_nobody_knows() {
    let sweep = rich(Noise {
        share: 0.15,
        seed: 2,
    });
    let page = page_of(&sweep.study(), &open(&sweep));
    let mut words = PageData {
        csv: String::new(),
        ..page
    };
    words
        .clients
        .iter_mut()
        .for_each(|client| client.cells.clear());
    let text = format!("{words:?}").replace("cells: []", "");
    for not in [" cell", "cells", "not told apart", "attempts again"] {
        assert!(!text.contains(not), "{not}: {text}");
    }
}

#[test]
fn an_embedded_server_and_shared_cpus_are_said() {
    let sweep = Sweep::new("s1").with(|facts| facts.embedded = Some("network=s3".to_owned()));
    let sweep = sweep.tuned(&lean(1_024, Mode::Async, 4), &six(100.0), |record, _| {
        record.limited.shared_with_server = Some(true);
    });
    let page = page_of(&sweep.study(), &open(&sweep));
    let value = |label: &str| {
        page.facts
            .iter()
            .find(|fact| fact.label == label)
            .map_or("", |fact| fact.value.as_str())
    };
    assert!(
        value("Where").contains("CPUs shared with the embedded server"),
        "{:?}",
        page.facts
    );
    assert!(
        value("Source").contains("embedded server: network=s3"),
        "{:?}",
        page.facts
    );
}

#[test]
fn markup_in_a_reason_stays_text() {
    let sweep = rich(Noise {
        share: 0.005,
        seed: 1,
    });
    let html = render(&page_of(&sweep.study(), &open(&sweep)));
    assert!(
        html.contains("&lt;b&gt;out of memory&lt;/b&gt;") && !html.contains("<b>out of memory")
    );
}
