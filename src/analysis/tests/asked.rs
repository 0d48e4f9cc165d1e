//! What the question is about: the newest of several sweeps, the program that somebody brought, and no network where there is none.

use std::collections::BTreeMap;

use super::*;
use crate::results::record::{Record, RepetitionFailure};

/// The documents of a sweep of a day, which failed where that is told.
fn sweep(id: &str, day: u32, failure: Option<RepetitionFailure>) -> BTreeMap<String, String> {
    let mut sweep = Sweep::new(id).tuned(
        &lean(1_024, Mode::Async, 16),
        &[500.0; 6],
        move |record, summary| {
            record.started_at = format!("2026-11-{day}{}", &record.started_at[10..]);
            record.failure.clone_from(&failure);
            summary.started_at.clone_from(&record.started_at);
        },
    );
    std::mem::take(&mut sweep.documents)
}

/// Three sweeps of one bucket in one place, the newest in the middle.
fn three() -> Reader {
    let mut reader = Reader::default();
    for (id, day) in [("a", 20), ("b", 22), ("c", 21)] {
        for (name, text) in sweep(id, day, None) {
            reader.document(&format!("s3://results/{name}"), &text);
        }
    }
    reader
}

#[test]
fn of_several_sweeps_in_one_place_the_newest_is_shown_and_the_others_are_named() {
    let mut reader = three();
    reader.keep_newest_sweep();
    let reading = reader.finish();
    assert_eq!((reading.problems.len(), reading.repetitions()), (0, 6));
    let study = &studies(reading, &PriceList::built_in())[0];
    assert_eq!(study.facts.sweeps, ["b"]);
    let others: Vec<(&str, &str)> = study
        .facts
        .other_sweeps
        .iter()
        .map(|other| (other.id.as_str(), other.folder.as_str()))
        .collect();
    assert_eq!(
        others,
        [
            ("c", "s3://results/sweeps/c"),
            ("a", "s3://results/sweeps/a")
        ]
    );
}

#[test]
fn a_sweep_without_figures_hides_none_that_has() {
    let mut reader = three();
    let failure = RepetitionFailure {
        reason: "there is no such file".to_owned(),
        exit_code: Some(2),
        stderr: Vec::new(),
        again: false,
        is_of_size: false,
    };
    for (name, text) in sweep("failed", 23, Some(failure)) {
        reader.document(&format!("s3://results/{name}"), &text);
    }
    reader.keep_newest_sweep();
    let study = &studies(reader.finish(), &PriceList::built_in())[0];
    assert_eq!(study.facts.sweeps, ["b"]);
    let others: Vec<(&str, bool)> = study
        .facts
        .other_sweeps
        .iter()
        .map(|other| (other.id.as_str(), other.is_without_figures))
        .collect();
    assert_eq!(others, [("failed", true), ("c", false), ("a", false)]);
}

#[test]
fn sweeps_of_places_that_are_named_each_are_put_together() {
    let all = studies(three().finish(), &PriceList::built_in());
    assert_eq!((all.len(), all[0].facts.sweeps.len()), (1, 3));
    // The second place has nothing but the same sweep.
    let mut reader = three();
    reader.keep_newest_sweep();
    reader.keep_newest_sweep();
    assert_eq!(reader.finish().repetitions(), 6);
}

#[test]
fn a_program_that_somebody_brought_is_recommended_first() {
    let cell = lean(1_024, Mode::Thread, 4);
    let study = Sweep::new("s1")
        .cell(&cell, &[500.0; 6])
        .cell(&contender("python", &cell), &[50.0; 6])
        .study();
    let names: Vec<&str> = study
        .recommendations
        .iter()
        .map(|found| found.program.name())
        .collect();
    assert_eq!(names, ["python", "lean"]);
}

#[test]
fn on_one_machine_the_network_is_no_limit() {
    let limit = |endpoint: Option<&str>, on: &str| {
        let study = lean_curve(&[(1, 60.0), (2, 120.0), (4, 200.0), (8, 200.1)]);
        let change = |record: &mut Record| {
            record.sweep.endpoint = endpoint.map(str::to_owned);
            on.clone_into(&mut record.sweep.on);
        };
        let mut reader = Reader::default();
        for (name, text) in &study.documents {
            match Record::from_json(text) {
                Ok(mut record) => {
                    change(&mut record);
                    reader.record(name, record);
                }
                Err(_) => reader.document(name, text),
            }
        }
        let study = studies(reader.finish(), &PriceList::built_in()).remove(0);
        (limits(&study)[3].to_owned(), because(&study, 3)[0].clone())
    };
    assert_eq!(limit(None, "local").0, "network-bound");
    assert_eq!(
        limit(Some("https://minio.example"), "local").0,
        "network-bound"
    );
    assert_eq!(
        limit(Some("http://127.0.0.1:9000"), "ecs").0,
        "network-bound"
    );
    for here in [
        "http://127.0.0.1:9000",
        "http://localhost:9000",
        "http://[::1]:9000",
    ] {
        let (word, why) = limit(Some(here), "local");
        assert_eq!(word, "unclear", "{here}");
        assert!(why.contains("not the network"), "{why}");
    }
}
