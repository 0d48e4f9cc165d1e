//! What a person sees at the end of a run, of every kind.

use super::figures::dollars;
use super::*;
use crate::results::summary::{Distributions, Limit, Outcomes, State, Totals, Verdict, fixture};
use crate::units::SECOND_NS;

fn view(style: Style, width: usize) -> RunView<'static> {
    RunView { style, width, exit_code: 0, first_failure: None }
}

fn plain(summary: &Summary, width: usize) -> String {
    render_run(summary, &view(Style::Plain, width))
}

/// The sentences, as one line.
fn said(summary: &Summary) -> String {
    answer::answer(summary, &view(Style::Plain, 80)).into_iter().map(|said| said.text).collect::<Vec<_>>().join(" ")
}

/// A run of 10 s that shows nothing, with a change.
fn calm(change: impl FnOnce(&mut Summary)) -> Summary {
    let mut summary = fixture::complete();
    summary.phases.fetch_ns = Some(10 * SECOND_NS);
    change(&mut summary);
    summary
}

fn with_word(word: Limit, because: &str) -> impl FnOnce(&mut Summary) {
    move |summary| summary.verdict = Some(Verdict { word, because: vec![because.to_owned()] })
}

fn longest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn a_complete_run() {
    insta::assert_snapshot!(plain(&fixture::complete(), 80));
}

#[test]
fn a_complete_run_on_a_wide_terminal() {
    insta::assert_snapshot!(plain(&fixture::complete(), 140));
}

#[test]
fn a_run_with_failures() {
    let first = FirstFailure { key: "b".to_owned(), codes: "SlowDown*5".to_owned() };
    let view = RunView { exit_code: 130, first_failure: Some(&first), ..view(Style::Plain, 80) };
    insta::assert_snapshot!(render_run(&fixture::with_failures(), &view));
}

#[test]
fn a_run_that_measured_nothing() {
    let text = plain(&Summary::running(fixture::header()), 80);
    assert!(!text.contains('–') && !text.contains(" 0 "), "missing is never 0, nor a line: {text}");
    insta::assert_snapshot!(text);
}

#[test]
fn an_empty_run_is_three_lines_at_the_most() {
    let mut summary = fixture::complete();
    summary.totals = summary.totals.map(|totals| Totals { keys_listed: 0, rows: Outcomes::default(), ..totals });
    summary.settings.selection.prefix = "2024/".to_owned();
    assert_eq!(
        plain(&summary, 80),
        "Nothing to fetch: there are no keys under s3://images/2024/.\n  Results: s3://results/result_run_async_32.csv and .json\n"
    );
    summary.state = State::Interrupted;
    assert!(plain(&summary, 80).starts_with("Interrupted before the first fetch: nothing was fetched.\n  Results: "));
}

#[test]
fn what_limits_a_run_is_one_sentence() {
    let first = "Fetched 2,000 objects, 4.81 GB, in 10.0 s: 1.17 GB/s. ";
    let burst = "This is a burst rate: 10.0 s of fetching say nothing about hours.";
    let more = "More workers may be faster: parfetch sweep s3://images -c 32,64,128";
    let cases: Vec<(Summary, String)> = vec![
        (
            calm(|_| ()),
            format!(
                "No limit reached at 32 workers: they received for 31 % of the time and waited 7.2 % for S3's first byte; CPU 19 % of 2 vCPUs, 3 of 2,004 requests throttled. \
                 {burst} {more}"
            ),
        ),
        (
            calm(|s| (s.cpu.used_vcpu, s.distributions.ttfb.sum_ns) = (Some(1.7), Some(300 * SECOND_NS))),
            format!(
                "No limit reached at 32 workers, but the CPU is near its limit: they waited 94 % of the time for S3's first byte; CPU 85 % of 2 vCPUs, 3 of 2,004 requests \
                 throttled. {burst} {more}"
            ),
        ),
        (
            calm(|s| {
                s.cpu.used_vcpu = Some(1.96);
                with_word(Limit::CpuBound, "")(s);
            }),
            format!("The CPU is the limit: 98 % of 2 vCPUs. More vCPUs will be faster. {burst}"),
        ),
        (
            calm(|s| {
                s.cpu.throttled_ns = Some(SECOND_NS);
                with_word(Limit::QuotaThrottled, "")(s);
            }),
            format!("The CPU quota is the limit: it held the run back for 10 % of the time. More vCPUs will be faster. {burst}"),
        ),
        (
            calm(with_word(Limit::S3Throttled, "")),
            format!("S3 throttled 0.1 % of the requests at 32 workers: use fewer workers (-c), or spread the keys over more prefixes. {burst}"),
        ),
        (
            calm(|s| {
                s.rates.tail_share = Some(0.34);
                with_word(Limit::TailBound, "")(s);
            }),
            format!(
                "The largest objects decide: for the last 34 % of the time some workers had nothing left to do. Try --order largest-first --part-size 8MiB. {burst}"
            ),
        ),
        (
            calm(|s| {
                s.server = Some(serde_json::Value::Null);
                s.endpoint = Some("http://127.0.0.1:1".to_owned());
                with_word(Limit::ServerBound, "the server used 92 % of its thread's time")(s);
            }),
            "The embedded server is the limit, not parfetch or this machine: the server used 92 % of its thread's time. Use fewer workers (-c), or a server that answers \
             like S3 (--embedded=network=s3)."
                .to_owned(),
        ),
    ];
    for (summary, expected) in cases {
        assert_eq!(said(&summary), format!("{first}{expected}"));
    }
}

#[test]
fn few_objects_say_nothing_whatever_the_figures_are() {
    let few = calm(|s| {
        let totals = s.totals.as_mut().unwrap();
        (totals.rows.ok, totals.keys_listed) = (20, 20);
        s.distributions = Distributions::default();
        s.settings.concurrency = 16;
        s.rates.tail_share = Some(0.86);
        with_word(Limit::TailBound, "the tail took 86 % of the fetch time")(s);
    });
    let text = said(&few);
    assert!(text.contains("Only 20 objects for 16 workers: too few to say anything about speed. Fetch 800 or more"), "{text}");
    assert!(!text.contains("86"), "{text}");
}

#[test]
fn a_short_run_says_that_it_is_one() {
    let text = said(&calm(|s| s.phases.fetch_ns = Some(95_000_000)));
    assert!(text.contains("Fetching took only 95.0 ms, too short to rely on: --duration 10s fetches for longer."), "{text}");
    assert!(!text.contains("burst"), "{text}");
}

#[test]
fn another_store_is_named_and_given_to_the_sweep() {
    let text = said(&calm(|s| {
        s.endpoint = Some("http://127.0.0.1:9000".to_owned());
        s.settings.selection.prefix = "a b/".to_owned();
    }));
    assert!(text.contains("for the store's first byte"), "{text}");
    assert!(text.ends_with("parfetch sweep 's3://images/a b/' --endpoint-url http://127.0.0.1:9000 -c 32,64,128"), "{text}");
}

#[test]
fn no_word_of_the_files_stands_where_a_person_reads() {
    for word in Limit::ALL {
        let text = plain(&calm(with_word(word, "x")), 80);
        for not in ["unclear", "inconclusive", "-bound", "throttled –", "goodput", "Verdict"] {
            assert!(!text.contains(not), "{not}: {text}");
        }
    }
}

#[test]
fn eighty_columns_suffice_and_no_unit_is_parted_from_its_number() {
    for summary in [fixture::complete(), fixture::with_failures(), Summary::running(fixture::header())] {
        let text = plain(&summary, 80);
        assert!(longest(&text) <= 80, "{text}");
        assert!(text.lines().all(|line| !line.trim_start().starts_with(['%', '·'])), "{text}");
    }
}

#[test]
fn colour_is_never_the_only_sign() {
    let summary = fixture::with_failures();
    let coloured = render_run(&summary, &view(Style::Coloured, 80));
    assert!(coloured.contains("\x1b[31;1m1 failed\x1b[0m"));
    assert_eq!(console::strip_ansi_codes(&coloured), plain(&summary, 80));
}

#[test]
fn wider_terminals_get_the_same_facts_and_the_histogram() {
    let (narrow, wide) = (plain(&fixture::complete(), 80), plain(&fixture::complete(), 140));
    let (facts, histogram) = wide.split_once("\n\n  Requests by latency\n").unwrap();
    let words = |text: &str| text.split_whitespace().filter(|word| *word != "·").map(str::to_owned).collect::<Vec<_>>();
    let results = words("Results: s3://results/result_run_async_32.csv and .json");
    assert_eq!(words(&narrow), [words(facts), results].concat());
    assert!(histogram.contains('█'));
}

#[test]
fn where_results_are_not_stored_the_summary_does_not_say_so() {
    let view = RunView { exit_code: 5, ..view(Style::Plain, 80) };
    assert!(!render_run(&fixture::complete(), &view).contains("Results: s3://"));
}

#[test]
fn dollars_keep_what_small_runs_cost() {
    let found: Vec<String> = [0.0, 0.000_01, 0.0018, 0.171, 12.5, 1_234.0].into_iter().map(dollars).collect();
    assert_eq!(found, ["$0.0000", "< $0.0001", "$0.0018", "$0.17", "$12.50", "$1,234"]);
}
