//! A tune and the report of its folder have one answer, with one time and one price.

use super::*;
use crate::render::wording::number::usd;
use crate::render::wording::whole::WholeBucketTime;
use crate::results::tune::{
    GoalWord, ProgramAnswer, SCHEMA, StoppedBecause, TuneDocument, TunedChoice, TunedConfiguration,
    VERSION,
};

fn choice(cell: &Cell) -> TunedChoice {
    TunedChoice {
        configuration: TunedConfiguration::of(cell),
        seconds: [150.0, 157.0, 170.0],
        // Of another price list than the report's.
        usd: Some([0.5, 0.6, 0.7]),
        usd_requests: None,
        usd_retrieval: None,
        usd_egress: None,
        requests_per_s: None,
        is_minimum: true,
        is_of_on_demand: false,
        runs: 6,
    }
}

/// It took this cell, whatever its runs say, and finds the other one as good.
fn document(cell: &Cell, other: &Cell) -> TuneDocument {
    let answer = ProgramAnswer {
        cheapest: Some(choice(cell)),
        fastest: Some(choice(cell)),
        confidence: Some(0.97),
        tied_with: vec![TunedConfiguration::of(other)],
        ..ProgramAnswer::nothing(&cell.program)
    };
    TuneDocument {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        tool_version: "0.1.0".to_owned(),
        id: "s1".to_owned(),
        on: "local".to_owned(),
        urls: None,
        goal: GoalWord::Cheapest,
        deadline_s: None,
        within: 0.05,
        wanted_confidence: 0.95,
        objects: 10 * OBJECTS,
        object_bytes: Some(10 * BYTES),
        left_out: Vec::new(),
        answers: vec![answer],
        runs: 12,
        most_runs: 150,
        bytes: 0,
        seconds: 100.0,
        usd_spent: None,
        client_cpus: None,
        stopped_because: Some(StoppedBecause::Sure),
        steps: Vec::new(),
    }
}

#[test]
fn a_tune_and_its_report_have_the_same_words_for_the_price_of_spot() {
    let cell = lean(1_024, Mode::Async, 16);
    let sweep = Sweep::new("s1").with(|facts| facts.on = "ecs".to_owned());
    let mut sweep = sweep.tuned(&cell, &six(500.0), |record, _| {
        record.tasks = vec![crate::results::record::TaskRun {
            capacity: Some("FARGATE_SPOT".to_owned()),
            ..Default::default()
        }];
    });
    let document = TuneDocument {
        on: "ecs".to_owned(),
        ..document(&cell, &cell)
    };
    let text = document.to_json().unwrap();
    sweep
        .documents
        .insert("sweeps/s1/tune.json".to_owned(), text);
    let study = sweep.study();
    let document = study.facts.tune.as_deref().unwrap();
    let answer = &document.answers[0];
    let choice = answer.cheapest.as_ref().unwrap();
    let said = WholeBucketTime::of_tune(choice, (answer, document)).in_full();
    let prediction = study.cells[0].prediction.as_ref().unwrap();
    assert_eq!(said, WholeBucketTime::of_prediction(prediction).in_full());
    assert!(said.contains(" costs at most "), "{said}");
}

#[test]
fn a_report_recommends_what_the_tune_found_with_its_time_and_price() {
    let (small, large) = (lean(1_024, Mode::Async, 16), lean(2_048, Mode::Async, 16));
    let mut sweep = Sweep::new("s1")
        .cell(&small, &six(500.0))
        .cell(&large, &six(900.0));
    let text = document(&large, &small).to_json().unwrap();
    sweep
        .documents
        .insert("sweeps/s1/tune.json".to_owned(), text);
    let study = sweep.study();
    let place = |cell: &Cell| {
        study
            .cells
            .iter()
            .position(|one| one.cell == *cell)
            .unwrap()
    };
    let found = study.recommendations[0].cheapest.as_ref().unwrap();
    assert_eq!(
        (found.cell, found.confidence_near, &found.tied_with[..]),
        (place(&large), Some(0.97), &[place(&small)][..])
    );
    let prediction = study.cells[found.cell].prediction.as_ref().unwrap();
    let interval = prediction.interval.unwrap();
    close(Some(interval.low), 150.0);
    close(Some(prediction.seconds), 157.0);
    close(Some(interval.high), 170.0);
    let parts: f64 = prediction.parts.iter().map(|(_, seconds)| seconds).sum();
    close(Some(parts), 157.0);
    let tune = study.facts.tune.as_deref().unwrap();
    let tuned = tune.answers[0].cheapest.unwrap();
    let cost = prediction.cost.as_ref().unwrap();
    assert_eq!(
        (tuned.usd.unwrap()[1].to_bits(), tuned.usd_requests),
        (cost.usd_task.to_bits(), cost.usd_requests)
    );
    assert!(!tuned.is_minimum);
    let price = usd(cost.usd_total());
    let paint = |_: Role, text: &str| text.to_owned();
    let view = View {
        width: 500,
        metrics: &[Metric::Throughput],
        paint: &paint,
        extent: Extent::All,
        in_full: "",
    };
    let forms = [
        render_text(std::slice::from_ref(&study), &view),
        render_markdown(std::slice::from_ref(&study), &[Metric::Throughput]),
        page::render(&page::page_of(&study, &|_| {
            Err(std::io::Error::other("none"))
        })),
    ];
    for form in forms {
        // The page keeps numbers with their units.
        let form = form.replace('\u{a0}', " ");
        assert!(
            form.contains("2 min 37 s")
                && form.contains(&price)
                && !form.contains("confidence 0 %"),
            "{price}: {form}"
        );
    }
}

#[test]
fn a_program_that_a_sweep_added_has_its_sentence() {
    let (small, large) = (lean(1_024, Mode::Async, 16), lean(2_048, Mode::Async, 16));
    let mut sweep = Sweep::new("s1")
        .cell(&small, &six(500.0))
        .cell(&large, &six(900.0))
        .cell(&contender("python", &small), &six(300.0));
    let text = document(&large, &small).to_json().unwrap();
    sweep
        .documents
        .insert("sweeps/s1/tune.json".to_owned(), text);
    let study = sweep.study();
    let paint = |_: Role, text: &str| text.to_owned();
    let view = View {
        width: 500,
        metrics: &[Metric::Throughput],
        paint: &paint,
        extent: Extent::Answer,
        in_full: "",
    };
    let text = render_text(std::slice::from_ref(&study), &view);
    let line = "python, cheapest and fastest: 1 vCPU, 2 GB, async × 16, ";
    assert!(
        text.contains(&format!(
            "\nNot in the tune's answer, measured in the same folder:\n  {line}"
        )),
        "{text}"
    );
    let page = page::page_of(&study, &|_| Err(std::io::Error::other("none")));
    assert!(
        matches!(&page.others[..], [only] if only.starts_with(line)),
        "{:?}",
        page.others
    );
    let chosen: Vec<(&str, usize)> = page
        .clients
        .iter()
        .map(|client| (client.name.as_str(), client.choices.len()))
        .collect();
    assert_eq!(chosen, [("python", 1), ("lean", 1)]);
}
