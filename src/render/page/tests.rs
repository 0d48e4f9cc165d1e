//! What holds of every page, whatever is on it.

use super::fixture::{HOSTILE, alike, rich, small};
use super::types::{Client, PageInterval};
use super::*;
use std::fs;
use std::path::Path;

/// The records that the script reads.
fn specs(html: &str) -> Vec<serde_json::Value> {
    let json = html
        .split("id=\"pf-charts\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    serde_json::from_str(json).unwrap()
}

fn kinds(html: &str, kind: &str) -> usize {
    specs(html)
        .iter()
        .filter(|spec| spec["kind"] == kind)
        .count()
}

/// The page without its style and scripts.
fn shown(html: &str) -> String {
    let head = html.split("<body>").nth(1).unwrap();
    head.split("<script type=\"application/json\"")
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn names_from_a_bucket_are_text() {
    let html = render(&rich());
    let body = shown(&html);
    assert!(body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(
        !body.contains("<script") && !body.contains("<img") && !body.contains("<!--"),
        "{}",
        body.len()
    );
    assert_eq!(
        html.matches("<script").count(),
        4,
        "first, data, library, script"
    );
    assert_eq!(html.matches("</script").count(), 4);
    assert!(HOSTILE.contains('\n'));
}

#[test]
fn every_chart_has_its_record_and_its_place() {
    let html = render(&rich());
    let places = html.matches("data-pf-chart=\"").count();
    assert_eq!(places, specs(&html).len());
    // Two clients with five sizes and the best of each, a contender with as much; the contender has no price and no runs.
    assert_eq!(kinds(&html, "lines"), 18);
    assert_eq!(kinds(&html, "price"), 2);
    assert_eq!(kinds(&html, "histogram"), 6);
    assert_eq!(kinds(&html, "series"), 2);
    assert_eq!(kinds(&html, "timeline"), 2);
    for place in 0..places {
        assert!(
            html.contains(&format!("data-pf-chart=\"{place}\"")),
            "{place}"
        );
    }
}

#[test]
fn a_contender_is_a_grey_line_of_the_others_and_a_client_of_its_own() {
    let html = render(&rich());
    let lines = |spec: &serde_json::Value| -> Vec<(String, String)> {
        let lines = spec["lines"].as_array().unwrap();
        lines
            .iter()
            .map(|line| {
                (
                    line["label"].as_str().unwrap().to_owned(),
                    line["style"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let pairs = |texts: &[(&str, &str)]| -> Vec<(String, String)> {
        texts
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    let all = specs(&html);
    let first = all.iter().find(|spec| spec["kind"] == "lines").unwrap();
    assert_eq!(
        lines(first),
        pairs(&[
            ("async", "async"),
            ("thread", "thread"),
            ("process", "process"),
            ("python threads", "g0")
        ])
    );
    let last = all.iter().rfind(|spec| spec["kind"] == "lines").unwrap();
    assert_eq!(lines(last), pairs(&[("threads", "g0")]));
}

/// The first of these clients with one size, of which a minute is billed.
fn of_one_size(clients: &[usize]) -> PageData {
    let mut page = rich();
    page.sizes.truncate(1);
    page.clients = clients.iter().map(|at| page.clients[*at].clone()).collect();
    for client in &mut page.clients {
        client.cells.retain(|cell| cell.size == 0);
    }
    (page.clients[0].answer_size, page.clients[0].is_minimum) = (Some(0), true);
    page
}

#[test]
fn the_only_size_is_drawn_once() {
    let mut page = of_one_size(&[0]);
    let html = render(&page);
    assert_eq!(kinds(&html, "lines"), 1);
    let body = shown(&html);
    assert!(body.contains("95 % interval") && body.contains(&page.cautions[0]));
    // Its price is another picture.
    page.clients[0].is_minimum = false;
    assert_eq!(kinds(&render(&page), "lines"), 1);
}

#[test]
fn what_is_far_above_a_contender_does_not_press_its_lines_flat() {
    let mut page = of_one_size(&[2, 0]);
    let mut labels = |rate: f64| -> Vec<String> {
        for cell in &mut page.clients[1].cells {
            cell.throughput = Some(PageInterval {
                median: rate,
                range: None,
            });
        }
        for cell in &mut page.clients[0].cells {
            cell.throughput = Some(PageInterval {
                median: 100.0,
                range: None,
            });
        }
        let first = specs(&render(&page)).swap_remove(0);
        let lines = first["lines"].as_array().unwrap();
        lines
            .iter()
            .map(|line| line["label"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        labels(299.0),
        ["threads", "lean async", "lean thread", "lean process"]
    );
    assert_eq!(labels(301.0), ["threads"]);
}

#[test]
fn the_table_says_in_words_what_the_matrix_marks() {
    let mut page = rich();
    for (cell, mark) in page.clients[0].cells.iter_mut().zip(["c", "f", "cf"]) {
        cell.chosen = String::new();
        cell.mark = mark.to_owned();
    }
    let html = render(&page);
    let table = html
        .split("<table class=\"pf-data pf-every\"")
        .nth(1)
        .unwrap();
    assert!(table.contains("<td>as cheap, as fast"), "{table}");
}

#[test]
fn the_matrix_has_a_cell_for_each_place_and_marks_what_is_not_there() {
    let html = render(&rich());
    let first = html
        .split("<table class=\"pf-matrix\"")
        .nth(1)
        .unwrap()
        .split("</table>")
        .next()
        .unwrap();
    assert_eq!(first.matches("<td class=\"pf-cell").count(), 5 * 3 * 7);
    assert_eq!(
        first.matches("pf-best").count(),
        2,
        "the cheapest and the fastest, as the answer names them"
    );
    assert_eq!(
        first.matches("not run").count(),
        2,
        "one said to be missing, one not there"
    );
    assert_eq!(first.matches("failed runs").count(), 2);
    let rows = first.matches("<th scope=\"row\"").count();
    let mut less = rich();
    less.clients[0]
        .cells
        .retain(|cell| cell.size != 0 || cell.mode != "process");
    let html = render(&less);
    let first = html.split("<table class=\"pf-matrix\"").nth(1).unwrap();
    let first = first.split("</table>").next().unwrap();
    assert_eq!(
        first.matches("<th scope=\"row\"").count(),
        rows - 1,
        "a row that nothing was measured of"
    );
}

#[test]
fn the_numbers_on_the_page_are_the_numbers_given() {
    let mut page = small();
    let cell = &mut page.clients[0].cells[0];
    cell.throughput = Some(PageInterval {
        median: 1973.4,
        range: Some((1950.0, 1990.0)),
    });
    (cell.seconds, cell.ttfb_p50_ms, cell.ttfb_p99_ms) = (
        Some(PageInterval {
            median: 64.2,
            range: None,
        }),
        Some(11.0),
        Some(81.3),
    );
    (cell.latency_p50_ms, cell.latency_p99_ms, cell.cpu_s_per_gb) = (Some(36.04), None, Some(0.31));
    (
        cell.memory_mb,
        cell.usd,
        cell.repetitions,
        cell.attempts,
        cell.errors,
    ) = (Some(41.0), Some(0.17), 6, Some(46_012), Some(9));
    let html = render(&page);
    let expected = [
        "1,973",
        "1,950 to 1,990",
        "64.2",
        "11.0",
        "81.3",
        "36.0",
        "0.310",
        "41.0",
        "$0.170",
        "6",
        "46,012",
        "9",
    ];
    let shown = |html: &str, end: &str| -> Vec<String> {
        let cells = html
            .split(end)
            .map(|cell| cell.rsplit('>').next().unwrap().to_owned());
        cells.filter(|text| !text.is_empty()).collect()
    };
    let one = html
        .split("id=\"configurations\"")
        .nth(1)
        .unwrap()
        .split("</dl>")
        .next()
        .unwrap();
    assert_eq!(
        shown(one, "</dd>")[1..],
        expected,
        "the only configuration, below each other"
    );
    // Another one makes it a table and a line.
    let mut other = page.clients[0].cells[0].clone();
    other.concurrency = 32;
    page.clients[0].cells.push(other);
    let html = render(&page);
    assert!(
        html.contains("</b> failed runs or objects") && html.contains("failed objects"),
        "9 objects failed in runs that count"
    );
    let row = html
        .split("<tbody><tr><td>0.25 vCPU, 0.5 GB</td>")
        .nth(1)
        .unwrap()
        .split("</tr>")
        .next()
        .unwrap();
    let cells = shown(row, "</td>");
    assert_eq!(
        (&cells[..2], &cells[2..7]),
        (
            &["async".to_owned(), "16".to_owned()][..],
            &["1,973", "1,950 to 1,990", "64.2", "11.0", "81.3"].map(str::to_owned)[..]
        )
    );
    assert_eq!(cells[8..10], ["–", "0.310"], "what is not known is not 0");
    let specs = specs(&html);
    let lines = specs.iter().find(|spec| spec["kind"] == "lines").unwrap();
    assert_eq!(
        lines["lines"][0]["points"][0],
        serde_json::json!([1973.4, 1950.0, 1990.0])
    );
}

#[test]
fn what_was_not_measured_is_left_out_or_said() {
    let html = render(&small());
    let body = shown(&html);
    assert_eq!(specs(&html).len(), 0, "a dot is no chart");
    assert!(body.contains("No price: local runs."));
    assert!(
        !body.contains("Time to first byte")
            && !body.contains("Worker timeline")
            && !body.contains("Best of each size")
    );
    let empty = shown(&render(&PageData::default()));
    assert!(empty.contains("nothing to recommend"));
    let bare = PageData {
        clients: vec![Client {
            name: "lean".to_owned(),
            ..Client::default()
        }],
        ..PageData::default()
    };
    assert!(shown(&render(&bare)).contains("No configuration of this client was measured."));
}

#[test]
fn a_cell_of_an_unknown_size_or_without_a_number_breaks_nothing() {
    let mut page = rich();
    page.clients[0].cells[3].size = 99;
    page.clients[0].cells[4].throughput = Some(PageInterval {
        median: f64::NAN,
        range: None,
    });
    page.clients[0].front = vec![100_000, 3];
    let html = render(&page);
    assert_eq!(html.matches("data-pf-chart=\"").count(), specs(&html).len());
}

#[test]
fn the_page_is_light_enough_and_reaches_for_nothing() {
    let html = render(&rich());
    assert!(html.len() < 1_258_291, "{} bytes", html.len());
    let body = shown(&html);
    for outside in ["src=\"", "http:", "https:", "url("] {
        assert!(!body.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'") && !html.contains("unsafe-eval"));
}

/// Seconds, bars and points that are too few to be seen are no chart.
#[test]
fn empty_charts_are_hidden() {
    let mut page = rich();
    page.clients.truncate(1);
    let client = &mut page.clients[0];
    for line in &mut client.series.as_mut().unwrap().lines {
        line.mb_per_s.truncate(4);
    }
    for panel in &mut client.histograms.as_mut().unwrap().panels {
        panel.bins.truncate(2);
    }
    client.timeline.as_mut().unwrap().fetches.truncate(1);
    for cell in &mut client.cells[1..] {
        cell.usd = None;
    }
    let html = render(&page);
    assert_eq!(
        ["series", "histogram", "timeline", "price"].map(|kind| kinds(&html, kind)),
        [0; 4]
    );
    for gone in ["Second by second", "Time to first byte", "Worker timeline"] {
        assert!(!shown(&html).contains(gone), "{gone}");
    }
}

/// The answer, its confidence and what to paste come before everything else; what qualifies it stands beside it.
#[test]
fn the_answer_stands_first() {
    let body = shown(&render(&rich()));
    let at = |text: &str| body.find(text).unwrap_or_else(|| panic!("{text}"));
    let order = [
        "Cheapest for s3://images",
        "The whole bucket, 118",
        "<b>Likely</b>",
        "Measured on this machine",
        "<span class=\"pf-word\">MODE=async</span> <span class=\"pf-word\">CONCURRENCY=32",
        "Why: speed against price",
        "Throughput against workers",
        "Every configuration",
        "id=\"details\"",
        "id=\"limits\"",
        "id=\"method\"",
    ];
    assert!(
        order.windows(2).all(|pair| at(pair[0]) < at(pair[1])),
        "{:?}",
        order.map(at)
    );
    assert!(
        render(&rich())
            .contains("<title>Cheapest for s3://images: 1 vCPU, 2 GB, async × 32</title>")
    );
    assert!(
        body.contains("<code class=\"pf-code pf-short\">--duration 20m</code>"),
        "flags are not broken"
    );
}

#[test]
fn every_section_has_an_anchor_of_its_own() {
    let body = shown(&render(&rich()));
    let mut ids: Vec<&str> = body
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let all = ids.len();
    for link in body
        .split("href=\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(ids.contains(&link), "{link}");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
    for id in [
        "answer",
        "why",
        "throughput",
        "configurations",
        "details",
        "first-byte",
        "client-1",
        "throughput-1",
        "timeline-1",
        "method",
    ] {
        assert!(ids.contains(&id), "{id}");
    }
}

/// For the browser test: `cargo test --lib write_the_sample_pages -- --ignored`.
#[test]
#[ignore = "writes files that the browser test opens"]
fn write_the_sample_pages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/page");
    fs::create_dir_all(&folder).unwrap();
    let mut one = rich();
    one.clients.truncate(1);
    let of_sweep = |noise: build::fixture::Noise| {
        let sweep = build::fixture::rich(noise);
        page_of(&sweep.study(), &build::fixture::open(&sweep))
    };
    let quiet = |seed| build::fixture::Noise { share: 0.005, seed };
    let noisy = |seed| build::fixture::Noise { share: 0.15, seed };
    let mut pages = vec![
        ("sample".to_owned(), rich()),
        ("one".to_owned(), one),
        ("small".to_owned(), small()),
        ("alike".to_owned(), alike()),
    ];
    pages.push(("study".to_owned(), of_sweep(noisy(1))));
    pages.extend((1..=6).flat_map(|seed| {
        [
            (format!("quiet-{seed}"), of_sweep(quiet(seed))),
            (format!("noisy-{seed}"), of_sweep(noisy(seed))),
        ]
    }));
    for (name, page) in pages {
        fs::write(folder.join(name).with_extension("html"), render(&page)).unwrap();
    }
}
