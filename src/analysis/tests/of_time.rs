//! What a report says of the time of runs in their sweep: drift, warm-up, noise that lasts, and nothing where there is nothing.

use super::scenarios::reading;
use crate::analysis::{Study, studies};
use crate::cell::{Cell, Program};
use crate::model::{AskedSweep, Document, Law, Model, RunAmount, simulate};
use crate::plan::{ClientKind, Mode};
use crate::price::PriceList;
use crate::render::wording::notes::of_study;

fn documents(kind: &str, sigma: f64, seed: u64) -> Vec<Document> {
    let text = format!(
        "seed = {seed}\n[noise]\nkind = \"{kind}\"\nsigma = {sigma}\n[bucket]\nobjects = 4000\nsigma = 0.3\n"
    );
    let mut cells = Vec::new();
    for cpu_units in [1_024, 2_048, 4_096] {
        for mode in Mode::ALL {
            let program = Program::Client(ClientKind::Lean);
            let cell = |concurrency| Cell {
                program: program.clone(),
                cpu_units,
                memory_mib: 2 * cpu_units,
                mode,
                concurrency,
                shards: 1,
                factors: crate::plan::Factors::default(),
            };
            cells.extend([4, 32].map(cell));
        }
    }
    let asked = AskedSweep {
        id: "sweep".to_owned(),
        cells,
        repetitions: 6,
        amount: RunAmount::Objects(1_000),
        seed,
        day: 1.0,
    };
    simulate(&Law::new(Model::parse(&text).unwrap()), &asked)
}

fn study(documents: Vec<Document>) -> Study {
    studies(reading(documents), &PriceList::built_in()).remove(0)
}

fn says(study: &Study, part: &str) -> bool {
    of_study(study).iter().any(|note| note.contains(part))
}

const WORDS: [&str; 3] = ["(drift)", "warm up", "runs close in time"];

#[test]
fn where_time_does_nothing_nothing_is_said() {
    let said = (0..20)
        .filter(|seed| {
            WORDS
                .iter()
                .any(|word| says(&study(documents("iid", 0.05, *seed)), word))
        })
        .count();
    assert!(said <= 1, "{said} of 20");
}

#[test]
fn drift_is_said_with_its_size() {
    let study = study(documents("drift", 0.02, 1));
    assert!(
        says(&study, "slower than its first (drift)"),
        "{:?}",
        study.notes
    );
    assert!(
        says(&study, "runs close in time") && !says(&study, "warm up"),
        "{:?}",
        study.notes
    );
}

#[test]
fn noise_that_lasts_is_said() {
    let study = study(documents("ar1", 0.05, 3));
    assert!(
        says(&study, "runs close in time are alike"),
        "{:?}",
        study.notes
    );
}

#[test]
fn a_first_round_that_is_slower_is_said() {
    let mut documents = documents("iid", 0.02, 5);
    for document in documents
        .iter_mut()
        .filter(|document| document.record.repetition == 1)
    {
        let phases = &mut document.summary.as_mut().unwrap().phases;
        phases.fetch_ns = phases.fetch_ns.map(|ns| ns / 10 * 11);
    }
    let study = study(documents);
    assert!(
        says(&study, "slower than the others, as things had to warm up"),
        "{:?}",
        study.notes
    );
    assert!(!says(&study, "(drift)"), "{:?}", study.notes);
}
