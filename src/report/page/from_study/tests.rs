//! The mapping, with numbers known by hand.

use super::super::render;
use super::super::types::{Cell, Fact, Standing};
use super::fixture::{known, open, rich, six};
use super::*;
use crate::plan::Mode;
use crate::report::fixture::{Sweep, lean};
use std::io;

fn page() -> PageData {
    let sweep = known();
    page_of(&sweep.study(), &open(&sweep))
}

fn found<'a>(client: &'a Client, at: (usize, &str, u64)) -> &'a Cell {
    client.cells.iter().find(|cell| (cell.size, cell.mode.as_str(), cell.concurrency) == at).unwrap()
}

fn fact(label: &str, value: &str) -> Fact {
    Fact { label: label.to_owned(), value: value.to_owned() }
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= expected.abs() * 1e-6, "{found} is not {expected}");
}

#[test]
fn a_cell_s_numbers_are_the_model_s_in_the_page_s_units() {
    let page = page();
    assert_eq!(page.sizes.iter().map(super::super::text::size_label).collect::<Vec<_>>(), ["1 vCPU, 2 GB", "2 vCPU, 4 GB"]);
    let lean = &page.clients[0];
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
    assert_eq!((cell.repetitions, cell.attempts, cell.errors), (6, Some(6 * 3_200), Some(0)));
    assert!((cell.seconds.unwrap().median - 50.0).abs() < 0.01);
}

#[test]
fn best_knee_and_front_are_those_of_the_model() {
    let page = page();
    let lean = &page.clients[0];
    let best: Vec<_> =
        lean.cells.iter().filter(|cell| cell.standing == Standing::Best).map(|cell| (cell.size, cell.mode.as_str(), cell.concurrency)).collect();
    assert_eq!(best, [(0, "async", 16), (1, "async", 16)]);
    assert_eq!(found(lean, (0, "async", 16)).share_of_best, Some(1.0));
    let of_mode: Vec<_> = lean.cells.iter().filter(|cell| cell.best_of_mode).map(|cell| (cell.size, cell.mode.as_str(), cell.concurrency)).collect();
    assert_eq!(of_mode, [(0, "async", 16), (0, "thread", 16), (1, "async", 16), (1, "thread", 16)]);
    let knees: Vec<_> = lean.cells.iter().filter(|cell| cell.knee).map(|cell| (cell.size, cell.mode.as_str(), cell.concurrency)).collect();
    assert_eq!(knees, [(0, "async", 16), (0, "thread", 16), (1, "async", 16)]);
    let front: Vec<_> = lean.front.iter().map(|place| (lean.cells[*place].size, lean.cells[*place].concurrency)).collect();
    assert_eq!(front, [(0, 16), (1, 16)], "cheapest first");
    assert_eq!(lean.price_note, "dollars per TB read");
}

#[test]
fn failed_cells_say_why() {
    let page = page();
    let failed = found(&page.clients[0], (0, "process", 16));
    assert_eq!((failed.standing, failed.failures, failed.throughput, failed.attempts), (Standing::Failed, 6, None, None));
    assert_eq!((failed.verdict.as_str(), failed.verdict_figures.as_str()), ("failed", "6 of 6 repetitions failed: out of memory"));
    let once = found(&page.clients[0], (1, "thread", 16));
    assert_eq!((once.standing, once.failures), (Standing::Behind, 1));
    assert!(once.verdict_figures.ends_with("; 1 of 7 repetitions failed: exit code 9"), "{}", once.verdict_figures);
    assert!(page.cautions.iter().any(|caution| caution.starts_with("7 of 55 repetitions failed")), "{:?}", page.cautions);
}

#[test]
fn a_contender_is_a_client_of_its_own_behind_the_others() {
    let page = page();
    let names: Vec<_> = page.clients.iter().map(|client| (client.name.as_str(), client.role)).collect();
    assert_eq!(names, [("lean", Role::Own), ("python", Role::Contender)]);
    let python = &page.clients[1];
    assert_eq!(python.cells.len(), 1);
    close(python.cells[0].throughput.unwrap().median, 50.0);
    assert_eq!((python.cells[0].size, python.cells[0].ttfb_p50_ms, python.cells[0].attempts), (0, None, None));
    assert_eq!((&python.histograms, &python.series, &python.timeline, python.left_out.len()), (&None, &None, &None, 1));
}

#[test]
fn the_recommendation_is_the_model_s_words_and_what_to_paste() {
    let sweep = known();
    let study = sweep.study();
    let page = page_of(&study, &open(&sweep));
    let advice = &page.clients[0].recommendation;
    assert_eq!(advice.headline, "1 vCPU, 2 GB, async × 16");
    // 80 GB at 200 MB/s, and 4.9 s for the rest.
    assert!(
        advice.sentences[0].starts_with(
            "The cheapest cell. 80.0 GB in 6 min 41 s (one run: 6 min 39 s to 6 min 44 s), $0.0185 (one run: $0.0184 to $0.0185) if it ran on Fargate"
        ),
        "{}",
        advice.sentences[0]
    );
    assert!(advice.sentences[1].starts_with("Fastest: 2 vCPUs, 4 GB, async × 16. 80.0 GB in 3 min 51 s"), "{}", advice.sentences[1]);
    let words = &study.recommendations[0].cheapest.as_ref().unwrap().words;
    assert!(words.ends_with(advice.sentences[0].trim_start_matches("The cheapest cell. ")));
    assert_eq!(advice.snippets[0].text, "MODE=async\nCONCURRENCY=16\nPARFETCH_CLIENT=lean");
    assert!(advice.snippets[1].text.contains("\"cpu\":\"1024\""));
    assert_eq!(page.clients[1].recommendation.snippets, [], "the overrides are of a task of parfetch");
    assert_eq!(page.clients[0].predictions.len(), 2);
    assert!(
        page.clients[0].predictions[0].rests_on.starts_with("If the burst rate holds for 6 min 36 s: runs of this configuration held it for 40 s")
    );
    assert!(page.clients[0].predictions[0].rests_on.contains("fetch 396 s"));
}

#[test]
fn four_numbers_stand_at_the_top() {
    let page = page();
    let numbers = &page.clients[0].key_numbers;
    let labels: Vec<_> = numbers.iter().map(|number| (number.label.as_str(), number.value.as_str(), number.unit.as_str())).collect();
    assert_eq!(labels[0], ("Fastest cell", "350", "MB/s"));
    assert_eq!(numbers[0].note, "2 vCPU, 4 GB, async × 16; 349 to 351");
    assert_eq!((labels[1].0, labels[1].2), ("Cheapest cell", "for 80.0 GB"));
    assert!(numbers[1].note.ends_with("if it ran on Fargate"));
    // Six values within ±0.3 % each: the 6th and the 31st of the 36 ratios are 1.25 × (1 ∓ 0.004).
    assert_eq!(labels[2], ("async over thread", "1.25", "×"));
    assert_eq!(numbers[2].note, "1 vCPU, 2 GB, 16 workers; 95 %: 1.25 to 1.26");
    assert_eq!(labels[3], ("Fetches that ended well", "134,400", ""));
    assert_eq!(numbers[3].note, "0 attempts again · 0 failed · 7 repetitions without figures");
}

#[test]
fn charts_are_of_the_recommended_cell_and_its_siblings() {
    let page = page();
    let lean = &page.clients[0];
    let histograms = lean.histograms.as_ref().unwrap();
    assert_eq!(histograms.panels.iter().map(|panel| panel.mode.as_str()).collect::<Vec<_>>(), ["async", "thread"]);
    let panel = &histograms.panels[0];
    assert_eq!((panel.bins.iter().map(|bin| bin.count).sum::<u64>(), panel.summary.as_str()), (60, "p50 10.0 · p99 10.0 ms"));
    assert!(panel.bins[0].from_ms < 10.0 && 10.0 <= panel.bins[0].to_ms * 1.000_001, "{:?}", panel.bins);
    close(panel.bins.iter().map(|bin| bin.percent).sum(), 100.0);
    let series = lean.series.as_ref().unwrap();
    assert_eq!(series.lines.len(), 2);
    assert!((series.lines[1].mb_per_s[0] - 160.0).abs() < 1.0, "{:?}", series.lines[1].mb_per_s[0]);
    let timeline = lean.timeline.as_ref().unwrap();
    assert_eq!(timeline.fetches.len(), 96);
    assert!(timeline.caption.starts_with("1 vCPU, 2 GB, async × 16, repetition "), "{}", timeline.caption);
    assert!(timeline.caption.ends_with(": all 96 fetches."));
    assert_eq!(lean.left_out, Vec::<String>::new());
}

#[test]
fn documents_that_cannot_be_opened_leave_their_charts_out_with_a_line() {
    let page = page_of(&known().study(), &|_| Err(io::Error::other("gone")));
    let lean = &page.clients[0];
    assert_eq!((&lean.histograms, &lean.series, &lean.timeline), (&None, &None, &None));
    assert_eq!(lean.left_out[0], "Left out, since the documents do not give it: Time to first byte, Second by second, Worker timeline.");
    assert!(lean.left_out[1].ends_with(": gone."), "{:?}", lean.left_out);
    assert!(render(&page).contains("Left out, since the documents"));
}

#[test]
fn the_head_says_what_where_and_what_limits_it() {
    let page = page();
    assert_eq!(page.subtitle, ["s3://images", "3,200 of 32,000 keys, 80.0 GB in all", "6 repetitions a cell", "9 cells", "us-east-1", "2026-11-20"]);
    // The contender took longest: 160 s at 50 MB/s.
    assert!(page.cautions[0].starts_with("Burst rates: no cell was seen to hold its rate for longer than 2 min 40 s"), "{:?}", page.cautions);
    let value = |label: &str| page.facts.iter().find(|fact| fact.label == label).map(|fact| fact.value.as_str());
    assert_eq!(value("Sizes held by"), Some("cgroup v2 quota"));
    assert!(value("Prices").unwrap().contains("hypothetical"));
    assert!(
        page.method.iter().any(|paragraph| paragraph.contains("With 6 repetitions it covers the median with 96.9 % confidence")),
        "{:?}",
        page.method
    );
    assert!(page.method.iter().any(|paragraph| paragraph.starts_with("Tests hold at 5 %")));
    assert!(!page.cautions.iter().any(|caution| caution.starts_with("Tests hold") || caution.starts_with("Prices ")));
}

#[test]
fn an_embedded_server_and_shared_cpus_are_said_before_any_number() {
    let sweep = Sweep::new("s1").with(|facts| facts.embedded = Some("network=s3".to_owned()));
    let sweep = sweep.tuned(&lean(1_024, Mode::Async, 4), &six(100.0), |record, _| record.limited.shared_with_server = Some(true));
    let page = page_of(&sweep.study(), &open(&sweep));
    assert!(page.cautions[0].starts_with("Client and server shared CPUs"));
    assert!(page.facts.contains(&fact("Client and server", "shared the same CPUs")));
    assert!(page.facts.contains(&fact("Embedded server", "network=s3")));
}

#[test]
fn markup_in_a_reason_stays_text() {
    let sweep = rich();
    let html = render(&page_of(&sweep.study(), &open(&sweep)));
    assert!(html.contains("&lt;b&gt;out of memory&lt;/b&gt;") && !html.contains("<b>out of memory"));
}
