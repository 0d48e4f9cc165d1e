//! What the terminal shows, as a whole.

use super::*;
use crate::analysis::advice::{Edge, FirstLook, Recommendation};
use crate::analysis::metric::Metric;
use crate::analysis::model::{OtherSweep, Place};
use crate::analysis::notes::{CellNote, Note};
use crate::cell::{Cell, Program};
use crate::output::Style;
use crate::plan::{Factors, Mode};
use crate::render::fixture::{HOSTILE, LEAN, brought, cell, hostile, sketch};
use crate::render::markdown::render_markdown;
use crate::render::page::page_of;
use crate::render::wording::sections::answer_mark;
use crate::render::wording::served::WebAnswer;
use crate::results::tune::{ProgramAnswer, TuneDocument, TunedConfiguration};

fn rendered(study: Study, (width, style, extent): (usize, Style, Extent)) -> String {
    let paint = |role, text: &str| match role {
        Role::Best | Role::Heading => style.strong(text),
        Role::Failed => style.bad(text),
    };
    let in_full = "parfetch report ./out --all";
    render_text(
        &[study],
        &View {
            width,
            metrics: &[Metric::Throughput],
            paint: &paint,
            extent,
            in_full,
        },
    )
}

fn too_wide(text: &str) -> Vec<&str> {
    let wide = |line: &&str| {
        line.chars().count() > 80
            && !line.contains("--overrides")
            && !line.contains("s3://results/sweeps")
    };
    text.lines().filter(wide).collect()
}

/// The lines before the matrix and the empty one above it.
fn answer(text: &str) -> Vec<&str> {
    text.split_once("\n\nThroughput, MB/s:")
        .unwrap()
        .0
        .lines()
        .collect()
}

#[test]
fn a_report_of_80_columns() {
    let text = rendered(sketch(), (80, Style::Plain, Extent::Answer));
    insta::assert_snapshot!(text);
    assert_eq!(too_wide(&text), Vec::<&str>::new());
    assert!(answer(&text).len() <= 25, "{text}");
}

#[test]
fn a_time_that_is_hardly_possible_is_said_below_the_answer_once_for_each_program() {
    let mut study = sketch();
    for cell in [0, 1] {
        let (own_s, wall_s) = (0.001, 1.61);
        study.cells[cell].notes = vec![CellNote::OwnTime { own_s, wall_s }];
    }
    let said = ": it says that it took 1.0 ms, and its process ran for 1.61 s";
    let page = page_of(&study, &|_| Err(std::io::Error::other("gone")));
    let on_page = page.caveats.iter().filter(|text| text.contains(said));
    assert_eq!(on_page.count(), 1);
    let text = rendered(study, (400, Style::Plain, Extent::Answer));
    assert_eq!(text.matches(said).count(), 1, "{text}");
}

#[test]
fn that_modes_share_the_cpus_with_the_server_stands_below_the_answer() {
    let says = |notes| {
        let mut study = sketch();
        study.notes = notes;
        rendered(study, (80, Style::Plain, Extent::Answer))
            .contains("Note: The client shared its CPUs with the server: threads and processes")
    };
    assert!(says(vec![Note::NoContrast { is_shared: true }]));
    assert!(!says(vec![]));
}

#[test]
fn everything_in_80_columns() {
    let text = rendered(sketch(), (80, Style::Plain, Extent::All));
    insta::assert_snapshot!(text);
    assert_eq!(too_wide(&text), Vec::<&str>::new());
}

#[test]
fn a_report_of_140_columns_with_colours() {
    insta::assert_snapshot!(rendered(sketch(), (140, Style::Coloured, Extent::Answer)));
}

/// Four programs, both choices tied, at the edge, without a sustained rate and billed for a minute.
#[test]
fn the_longest_answer_is_seen_as_a_whole() {
    let mut study = sketch();
    let mut first = study.recommendations[0].clone();
    for choice in [&mut first.cheapest, &mut first.fastest]
        .into_iter()
        .flatten()
    {
        choice.tied_with = vec![9, 14, 24, 3, 2, 20, 21];
        choice.at_edge = vec![Edge::MostWorkers, Edge::LargestTask];
        (choice.confidence, choice.confidence_with_ties) = (Some(0.5), Some(0.97));
    }
    study.workload.place = Place::default();
    let other = |name: &str| Recommendation {
        program: Program::Contender(name.to_owned()),
        factors: crate::plan::Factors::default(),
        ..study.recommendations[0].clone()
    };
    study.recommendations = vec![
        first,
        other("python"),
        other("go"),
        other("rust"),
        other("java"),
    ];
    for cell in [4, 19] {
        let prediction = study.cells[cell].prediction.as_mut().unwrap();
        prediction.cost.as_mut().unwrap().is_minimum = true;
        prediction.seconds = 44.0;
        let interval = prediction.interval.as_mut().unwrap();
        (interval.low, interval.high) = (43.0, 45.0);
    }
    let text = rendered(study, (80, Style::Plain, Extent::Answer));
    assert!(
        answer(&text).len() <= 25,
        "{} lines:\n{text}",
        answer(&text).len()
    );
    assert!(
        text.contains("Other programs (--all for all, and 2 more):"),
        "{text}"
    );
}

#[test]
fn a_program_that_somebody_brought_is_answered_first_by_its_name() {
    let text = rendered(brought(), (80, Style::Plain, Extent::Answer));
    insta::assert_snapshot!(text);
    assert_eq!(too_wide(&text), Vec::<&str>::new());
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(
        at("Cheapest and fastest for python-thr: 1 vCPU, 2 GB, thread × 2\n")
            < at("For comparison, what this platform gives to other programs")
            && at("For comparison") < at("  lean client, cheapest: 1 vCPU, 2 GB, async × 16"),
        "{text}"
    );
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("–")).collect();
    let of = |row: &str| rows.iter().position(|line| line.contains(row)).unwrap();
    assert!(of("python-thr") < of("async "), "{text}");
}

/// The marks of the table are exactly what the sentences name, and `best from` is where `~` begins.
#[test]
fn marks_say_what_the_sentences_say() {
    let text = rendered(sketch(), (80, Style::Plain, Extent::Answer));
    // Rows by their sizes and names: the column of the mark is that of the configuration.
    for row in [
        "    1  python-thr  49–53    71–77~",
        "       async       62–64  125–127   249–253   481–491     582–598~C",
        "       async       62–64  126–128   251–255   497–507   991–1,015~F",
    ] {
        assert!(text.contains(row), "{row}: {text}");
    }
    let marked = |mark: char| {
        let table = text.split_once("vCPUs  mode").unwrap().1;
        let table = table.split_once("\n\n").unwrap().0;
        table.chars().filter(|letter| *letter == mark).count()
    };
    assert_eq!((marked('C'), marked('F')), (1, 1), "{text}");
}

/// A configuration that the answer calls as good has a mark, also where its row has a faster one.
#[test]
fn what_the_answer_calls_as_good_is_marked() {
    let mut study = sketch();
    let found = &mut study.recommendations[0];
    found.cheapest.as_mut().unwrap().tied_with = vec![9];
    found.fastest.as_mut().unwrap().tied_with = vec![9, 14];
    let letters = |place| answer_mark(&study, place).letters;
    assert_eq!([9, 14, 3].map(letters), ["cf", "f", ""]);
    let text = rendered(study.clone(), (80, Style::Plain, Extent::Answer));
    let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = in_one_line(&text);
    assert!(
        words.contains("1 other is as cheap: 1 vCPU, 2 GB, thread × 16. ")
            && words.contains("C cheapest · c as good as C · F fastest · f as good as F · ~ as fast as the fastest of its row (no measurable difference; c and f compare the whole bucket, in all rows)"),
        "{text}"
    );
    let larger = study
        .cells
        .iter()
        .position(|report| report.cell.cpu_units == 4_096);
    study.recommendations[0]
        .cheapest
        .as_mut()
        .unwrap()
        .tied_with = vec![9, larger.unwrap()];
    let text = in_one_line(&rendered(study, (80, Style::Plain, Extent::Answer)));
    assert!(
        text.contains("2 others are as cheap: ") && text.contains("; this is the smallest. "),
        "{text}"
    );
}

#[test]
fn a_first_look_names_the_next_command() {
    let mut study = sketch();
    let first = &mut study.recommendations[0];
    for choice in [&mut first.cheapest, &mut first.fastest] {
        choice.as_mut().unwrap().first_look = Some(FirstLook::Repetitions(3));
    }
    let text = rendered(study, (80, Style::Plain, Extent::Answer));
    assert!(
        text.contains("\nA first look: cheapest with the lean client: 1 vCPU")
            && text.contains("Not a recommendation yet (3 of 6\n  repetitions).")
            && text.matches("first look").count() == 2
            && text.contains("\n    parfetch sweep s3://images --on ecs --client lean --vcpu 1,4 -m async,thread,process -c 1,2,4,8,16 --repeat 6\n"),
        "{text}"
    );
    assert!(!text.contains("MODE="), "{text}");
}

#[test]
fn every_form_says_once_that_a_tune_is_a_first_look_and_why() {
    let mut study = sketch();
    let first = &mut study.recommendations[0];
    let program = first.program.clone();
    for choice in [&mut first.cheapest, &mut first.fastest] {
        choice.as_mut().unwrap().first_look = Some(FirstLook::Short(0.4));
    }
    let cheapest = study.cells[first.cheapest.as_ref().unwrap().cell]
        .cell
        .clone();
    let mut choice = serde_json::to_value(TunedConfiguration::of(&cheapest)).unwrap();
    choice["seconds"] = serde_json::json!([0.5, 0.6, 0.7]);
    choice["is_minimum"] = false.into();
    choice["runs"] = 6.into();
    let answer = ProgramAnswer {
        cheapest: serde_json::from_value(choice).unwrap(),
        first_look_s: Some(0.4),
        ..ProgramAnswer::nothing(&program)
    };
    study.facts.tune = Some(
        TuneDocument {
            answers: vec![answer],
            ..crate::render::wording::tune::tests::document(Vec::new())
        }
        .into(),
    );
    let page =
        crate::render::page::render(&page_of(&study, &|_| Err(std::io::Error::other("gone"))));
    let markdown = render_markdown(std::slice::from_ref(&study), &[Metric::Throughput]);
    let text = rendered(study, (4_000, Style::Plain, Extent::Answer));
    for form in [&text, &markdown, &page] {
        let count = |what: &str| form.matches(what).count();
        assert!(count("A first look: cheapest") >= 1, "{form}");
        assert_eq!(
            (
                count("Not a recommendation yet: its runs fetched for only"),
                count("larger bucket"),
                count("first look,")
            ),
            (1, 1, 0),
            "{form}"
        );
    }
}

#[test]
fn other_sweeps_of_the_place_are_named() {
    let mut study = sketch();
    study.facts.other_sweeps = vec![OtherSweep {
        id: "first".to_owned(),
        last_start: "2026-11-19T10:00:00Z".to_owned(),
        folder: "s3://results/sweeps/first".to_owned(),
        is_without_figures: false,
    }];
    let text = rendered(study.clone(), (140, Style::Plain, Extent::Answer));
    assert!(
        text.contains("This is study-1, the newest of 2 sweeps here. The others: `parfetch report s3://results/sweeps/first` (2026-11-19T10:00:00Z)."),
        "{text}"
    );
    study.facts.other_sweeps[0].is_without_figures = true;
    let text = rendered(study, (160, Style::Plain, Extent::Answer));
    assert!(
        text.contains("This is study-1, the newest that has figures, of 2 sweeps here.")
            && text.contains("(2026-11-19T10:00:00Z, no figures)."),
        "{text}"
    );
}

#[test]
fn the_embedded_server_has_no_name_of_a_bucket() {
    let mut study = sketch();
    study.workload.embedded = Some("objects=300".to_owned());
    let text = rendered(study, (80, Style::Plain, Extent::Answer));
    assert!(
        text.starts_with("embedded server\n") && !text.contains("s3://images"),
        "{text}"
    );
}

#[test]
fn one_run_is_a_report_of_one_run() {
    let one = |rates: &[f64]| {
        let mut study = crate::render::fixture::study(vec![crate::render::fixture::report(
            cell(&LEAN, 2, Mode::Async, 32),
            rates,
        )]);
        study.workload.limit = None;
        rendered(study, (80, Style::Plain, Extent::Answer))
    };
    let text = one(&[1.97e9]);
    insta::assert_snapshot!("one_run", text);
    let two = one(&[1.97e9, 2.05e9]);
    insta::assert_snapshot!("two_runs", two);
    for text in [text, two] {
        for not in ["knee", "Holm", "NAT", "Cheapest", "best from", "±"] {
            assert!(!text.contains(not), "{not}: {text}");
        }
    }
}

#[test]
fn colours_add_nothing_to_the_text_but_their_legend() {
    let plain = rendered(sketch(), (100, Style::Plain, Extent::All));
    let coloured =
        console::strip_ansi_codes(&rendered(sketch(), (100, Style::Coloured, Extent::All)))
            .into_owned();
    let without_legend = |text: &str| {
        let text = text.replace("bold: best of its program and size · ", "");
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(without_legend(&plain), without_legend(&coloured));
}

#[test]
fn other_metrics_have_tables_of_their_own() {
    let study = sketch();
    let paint = |_, text: &str| text.to_owned();
    let metrics = &[Metric::TtfbP99, Metric::PeakMemory];
    let text = render_text(
        &[study],
        &View {
            width: 80,
            metrics,
            paint: &paint,
            extent: Extent::Answer,
            in_full: "parfetch report . --all",
        },
    );
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "TTFB p99, ms: 95 % interval of the median of 6 runs, python-thr and lean client, lower is better"
        ),
        "{text}"
    );
    assert!(text.contains("81.3–81.3"), "{text}");
    assert!(
        text.contains("Peak memory, MB: not known of any configuration"),
        "{text}"
    );
}

#[test]
fn names_are_text() {
    let text = rendered(hostile(), (80, Style::Plain, Extent::All));
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
    assert!(
        text.contains("=a|b<script>") && text.contains("\\n*d*\\u{1b}[2J\\u{202e}"),
        "{text}"
    );
    assert!(!text.contains(HOSTILE));
}

#[test]
fn a_web_server_is_answered_by_the_configuration_with_most_requests_a_second() {
    use crate::analysis::fixture::Sweep;
    let of = |server: &str, workers: &str, concurrency: u32| Cell {
        factors: Factors::default()
            .with("server", server)
            .with("workers", workers),
        ..crate::analysis::fixture::lean(1_024, Mode::Async, concurrency)
    };
    let mut sweep = Sweep::new("s1");
    sweep.facts.http = Some(crate::sweep::fixture::requests());
    let study = sweep
        .cell(&of("uvicorn", "1", 16), &[199.0; 6])
        .cell(&of("gunicorn", "3", 16), &[200.0; 6])
        .cell(&of("gunicorn", "3", 4), &[100.0; 6])
        .study();
    let text = rendered(study.clone(), (80, Style::Plain, Extent::All));
    let said = answer(&text);
    let rate = study.served.as_ref().unwrap().requests_per_s;
    let headline = format!(
        "gunicorn, workers 3, async × 16: {} requests/s",
        crate::units::three_digits(rate)
    );
    assert!(said.contains(&headline.as_str()), "{text}");
    let words: Vec<&str> = said
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect();
    let sentences = words.join(" ");
    assert!(
        sentences.contains("uvicorn, workers 1, async × 16 is within 2 %."),
        "{text}"
    );
    assert!(
        sentences.contains("No price: requests to a web server"),
        "{text}"
    );
    assert!(!text.contains("s3://"), "{text}");
    assert!(
        !text.contains("largest objects") && !text.contains("embedded"),
        "{text}"
    );
    // Every form says the same.
    let most = WebAnswer::of(&study).unwrap().said.ok().unwrap();
    assert_eq!(most.headline, headline);
    assert!(sentences.contains(&most.in_full()), "{text}");
    let markdown = render_markdown(std::slice::from_ref(&study), &[Metric::RequestsPerS]);
    let paragraph = format!("{headline}. {}", most.in_full());
    assert!(
        markdown.contains(&crate::escape::markdown(&paragraph)),
        "{markdown}"
    );
    let page = page_of(&study, &|_| Err(std::io::Error::other("gone")));
    assert_eq!(
        (page.headline, page.sentences),
        (most.headline, most.sentences)
    );
}
