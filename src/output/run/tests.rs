//! What a person sees at the end of a run, of every kind.

use super::price::dollars;
use super::said::Tone;
use super::*;
use crate::output::Style;
use crate::results::summary::{Distributions, Limit, Outcomes, State, Totals, Verdict, fixture};
use crate::sample::FailedKey;
use crate::units::SECOND_NS;

fn view(style: Style, width: usize) -> RunView<'static> {
    RunView {
        style,
        width,
        exit_code: 0,
        first_failure: None,
        embedded: None,
        inherited: &[],
    }
}

fn plain(summary: &Summary, width: usize) -> String {
    render_run(summary, &view(Style::Plain, width))
}

/// The sentences, as one line.
fn said(summary: &Summary) -> String {
    answer::answer(summary, &view(Style::Plain, 80))
        .into_iter()
        .map(|said| said.text)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A run of 10 s that shows nothing, with a change.
fn calm(change: impl FnOnce(&mut Summary)) -> Summary {
    let mut summary = fixture::complete();
    summary.phases.fetch_ns = Some(10 * SECOND_NS);
    change(&mut summary);
    summary
}

fn with_word(word: Limit, because: &str) -> impl FnOnce(&mut Summary) {
    move |summary| {
        summary.verdict = Some(Verdict {
            word,
            because: vec![because.to_owned()],
        });
    }
}

fn longest(text: &str) -> usize {
    text.lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0)
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
    let first = FailedKey {
        key: "b".to_owned(),
        codes: "SlowDown*5".to_owned(),
    };
    let view = RunView {
        exit_code: 130,
        first_failure: Some(&first),
        ..view(Style::Plain, 80)
    };
    insta::assert_snapshot!(render_run(&fixture::with_failures(), &view));
}

#[test]
fn the_key_of_a_failure_is_cut_and_says_nothing_to_the_terminal() {
    let sentence = |key: &str, codes: &str| {
        let first = FailedKey {
            key: key.to_owned(),
            codes: codes.to_owned(),
        };
        let view = RunView {
            exit_code: 3,
            first_failure: Some(&first),
            ..view(Style::Plain, 80)
        };
        let said = answer::answer(&fixture::with_failures(), &view)
            .into_iter()
            .map(|said| said.text);
        said.filter(|text| text.contains("could not be fetched"))
            .collect::<String>()
    };
    assert!(
        sentence("a/b c", "AccessDenied")
            .contains(" objects could not be fetched (AccessDenied: a/b c)."),
        "{}",
        sentence("a/b c", "")
    );
    assert!(sentence("k", "").contains("could not be fetched (k)."));
    let long = sentence(
        &format!("images/\u{1b}[2J\u{202e}{}", "x".repeat(900)),
        "SlowDown*5",
    );
    assert!(
        long.contains(r"(SlowDown*5: images/\u{1b}[2J\u{202e}xxx") && long.contains("xxx…)."),
        "{long}"
    );
    assert!(
        !long.contains('\u{1b}') && long.chars().count() < 130,
        "{long}"
    );
}

/// What is suggested is taken as it stands, by a shell and by the command line.
#[test]
fn a_suggested_line_is_a_sweep_of_the_same_objects() {
    let suggested = |change: &dyn Fn(&mut Summary), embedded: Option<&'static str>| {
        let summary = calm(change);
        let said = answer::answer(
            &summary,
            &RunView {
                embedded,
                ..view(Style::Plain, 80)
            },
        );
        let line = said
            .into_iter()
            .find(|said| said.tone == Tone::Command)?
            .text;
        let words = shlex::split(&line).unwrap_or_else(|| panic!("{line}"));
        let parsed = crate::cli::parse(
            words.into_iter().map(Into::into),
            crate::cli::Variables::default(),
        );
        let Ok(crate::cli::Invocation::Sweep(raw)) = parsed else {
            panic!("{line}: {parsed:?}")
        };
        crate::settings::check_sweep(
            &raw,
            crate::settings::SweepInput {
                urls: None,
                plan: None,
                id: "s",
            },
        )
        .unwrap_or_else(|wrong| panic!("{line}: {wrong:?}"));
        Some((line, raw))
    };
    let value = |change: &dyn Fn(&mut Summary), flag: &str| {
        suggested(change, None)
            .unwrap()
            .1
            .get(flag)
            .map(|given| given.value.clone())
    };
    let odd = "it's a \"b\"; rm -rf $HOME/";
    assert_eq!(
        value(
            &|s| odd.clone_into(&mut s.settings.selection.prefix),
            "prefix"
        )
        .as_deref(),
        Some(odd)
    );
    let with_access = |s: &mut Summary| {
        s.endpoint = Some("https://minio.example:9000".to_owned());
        s.settings.access = crate::plan::Access {
            endpoint_url: s.endpoint.clone(),
            region: Some("eu-west-1".to_owned()),
            profile: Some("at work".to_owned()),
            virtual_host: true,
            no_sign_request: false,
            request_payer: true,
            ca_bundle: Some("/etc/my ca.pem".into()),
        };
    };
    for (flag, expected) in [
        ("profile", "at work"),
        ("region", "eu-west-1"),
        ("ca-bundle", "/etc/my ca.pem"),
        ("request-payer", "true"),
        ("virtual-host", "true"),
    ] {
        assert_eq!(value(&with_access, flag).as_deref(), Some(expected));
    }
    let laid_out = |s: &mut Summary| {
        (s.settings.order, s.settings.part_size_bytes) = (
            crate::plan::Order::LargestFirst,
            std::num::NonZeroU64::new(8 << 20),
        );
    };
    assert_eq!(
        (
            value(&laid_out, "order").as_deref(),
            value(&laid_out, "part-size").as_deref()
        ),
        (Some("largest-first"), Some("8388608"))
    );
    let of_file = |s: &mut Summary| {
        s.settings.selection.source = crate::plan::KeySource::File("my keys.tsv".into());
    };
    assert_eq!(value(&of_file, "keys").as_deref(), Some("my keys.tsv"));
    assert!(
        suggested(&|s| s.settings.selection.shard = "0/4".parse().ok(), None).is_none(),
        "a shard is part of a job"
    );
    let of_server = |s: &mut Summary| s.server = Some(serde_json::Value::Null);
    assert!(suggested(&of_server, None).is_none());
    assert_eq!(
        suggested(&of_server, Some("")).unwrap().0,
        "parfetch sweep --embedded -c 32,64,128"
    );
    assert_eq!(
        suggested(&of_server, Some("objects=5,network=s3"))
            .unwrap()
            .0,
        "parfetch sweep --embedded=objects=5,network=s3 -c 32,64,128"
    );
    let many = |s: &mut Summary| {
        (s.settings.mode, s.settings.concurrency) = (crate::plan::Mode::Thread, 2_000);
    };
    assert_eq!(
        suggested(&many, None).map(|found| found.0),
        None,
        "few objects for so many"
    );
    let most = |s: &mut Summary| {
        many(s);
        s.distributions.latency.count = 1_000_000;
    };
    assert_eq!(
        suggested(&most, None).unwrap().0,
        "parfetch sweep s3://images -m thread -c 2000,4000",
        "the other modes take fewer"
    );
    let of_task = |s: &mut Summary| {
        (s.environment.ecs, s.cpu.limit_vcpu, s.cpu.used_vcpu) = (
            Some(crate::platform::ecs::TaskMetadata::default()),
            Some(0.25),
            Some(0.25),
        );
        with_word(Limit::CpuBound, "")(s);
    };
    assert_eq!(
        suggested(&of_task, None).unwrap().0,
        "parfetch sweep s3://images -c 32 --vcpu 0.25,0.5 --on ecs --stack parfetch"
    );
}

#[test]
fn a_run_that_measured_nothing() {
    let text = plain(&Summary::running(fixture::header()), 80);
    assert!(
        !text.contains('–') && !text.contains(" 0 "),
        "missing is never 0, nor a line: {text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn an_empty_run_is_three_lines_at_the_most() {
    let mut summary = fixture::complete();
    summary.totals = summary.totals.map(|totals| Totals {
        keys_listed: 0,
        rows: Outcomes::default(),
        ..totals
    });
    summary.settings.selection.prefix = "2024/".to_owned();
    assert_eq!(
        plain(&summary, 80),
        "Nothing to fetch: there are no keys under s3://images/2024/. Check the bucket\nand the prefix, or make objects with `parfetch fill`.\n  Results: s3://results/result_run_async_32.csv and .json\n"
    );
    summary.state = State::Interrupted;
    assert!(
        plain(&summary, 80)
            .starts_with("Interrupted before the first fetch: nothing was fetched.\n  Results: ")
    );
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
                "The last objects decide: for the last 34 % of the time some workers had nothing left to do. If a few objects are much larger, try --order largest-first --part-size 8MiB. {burst}"
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
fn rounds_that_are_not_complete_are_said_to_be_so() {
    let of = |fetched: u64| {
        let summary = calm(|s| {
            let totals = s.totals.as_mut().unwrap();
            (totals.keys_listed, totals.rounds) = (1_000, 4);
            totals.rows = Outcomes {
                ok: fetched,
                ..Outcomes::default()
            };
        });
        plain(&summary, 120)
    };
    let (part, whole) = (of(2_865), of(4_000));
    assert!(part.contains("in 4 rounds, not all complete"), "{part}");
    assert!(
        whole.contains("in 4 rounds") && !whole.contains("not all complete"),
        "{whole}"
    );
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
    assert!(
        text.contains(
            "Only 20 objects for 16 workers: too few to say anything about speed. Fetch 800 or more"
        ),
        "{text}"
    );
    assert!(!text.contains("86"), "{text}");
    assert!(text.contains("use fewer workers (-c)"), "{text}");
    let one = calm(|s| {
        let totals = s.totals.as_mut().unwrap();
        (totals.rows.ok, totals.keys_listed) = (1, 1);
        s.distributions = Distributions::default();
        s.settings.concurrency = 1;
        s.rates.active_window_bytes_per_s = Some(0.0);
    });
    assert!(!said(&one).contains("fewer workers"), "{}", said(&one));
    let whole = plain(&one, 80);
    assert!(!whole.contains("first worker was idle"), "{whole}");
}

#[test]
fn a_short_run_says_that_it_is_one() {
    let text = said(&calm(|s| s.phases.fetch_ns = Some(95_000_000)));
    assert!(
        text.contains(
            "Fetching took only 95.0 ms, too short to rely on: --duration 10s fetches for longer."
        ),
        "{text}"
    );
    assert!(!text.contains("burst"), "{text}");
    let of_time = |fetch_ns| plain(&calm(|s| s.phases.fetch_ns = Some(fetch_ns)), 80);
    assert!(of_time(1_000_000_000).contains("per TB at this rate"));
    assert!(!of_time(999_000_000).contains("at this rate"));
}

#[test]
fn another_store_is_named_and_given_to_the_sweep() {
    let text = said(&calm(|s| {
        s.endpoint = Some("http://127.0.0.1:9000".to_owned());
        s.settings.access.endpoint_url.clone_from(&s.endpoint);
        s.settings.selection.prefix = "a b/".to_owned();
    }));
    assert!(text.contains("for the store's first byte"), "{text}");
    assert!(
        text.contains("The server ran on this machine and used its CPUs too."),
        "{text}"
    );
    let elsewhere = said(&calm(|s| {
        s.endpoint = Some("http://10.0.0.9:9000".to_owned());
    }));
    assert!(!elsewhere.contains("on this machine"), "{elsewhere}");
    assert!(
        text.ends_with(
            "parfetch sweep 's3://images/a b/' --endpoint-url http://127.0.0.1:9000 -c 32,64,128"
        ),
        "{text}"
    );
}

#[test]
fn no_word_of_the_files_stands_where_a_person_reads() {
    for word in Limit::ALL {
        let text = plain(&calm(with_word(word, "x")), 80);
        for not in [
            "unclear",
            "inconclusive",
            "-bound",
            "throttled –",
            "goodput",
            "Verdict",
        ] {
            assert!(!text.contains(not), "{not}: {text}");
        }
    }
}

#[test]
fn eighty_columns_suffice_and_no_unit_is_parted_from_its_number() {
    for summary in [
        fixture::complete(),
        fixture::with_failures(),
        Summary::running(fixture::header()),
    ] {
        let mut summary = summary;
        summary.settings.selection.limit = Some(200);
        let text = plain(&summary, 80);
        assert!(longest(&text) <= 80, "{text}");
        assert!(
            text.lines()
                .all(|line| !line.trim_start().starts_with(['%', '·'])),
            "{text}"
        );
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
    let (narrow, wide) = (
        plain(&fixture::complete(), 80),
        plain(&fixture::complete(), 140),
    );
    let (facts, histogram) = wide.split_once("\n\n  Requests by latency\n").unwrap();
    let words = |text: &str| {
        text.split_whitespace()
            .filter(|word| *word != "·")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let results = words("Results: s3://results/result_run_async_32.csv and .json");
    assert_eq!(words(&narrow), [words(facts), results].concat());
    assert!(histogram.contains('█'));
}

#[test]
fn where_results_are_not_stored_the_summary_does_not_say_so() {
    let view = RunView {
        exit_code: 5,
        ..view(Style::Plain, 80)
    };
    assert!(!render_run(&fixture::complete(), &view).contains("Results: s3://"));
}

#[test]
fn dollars_keep_what_small_runs_cost() {
    let found: Vec<String> = [0.0, 0.000_01, 0.0018, 0.171, 12.5, 1_234.0]
        .into_iter()
        .map(dollars)
        .collect();
    assert_eq!(
        found,
        ["$0", "< $0.0001", "$0.00180", "$0.17", "$12.50", "$1,234"]
    );
}
