//! Objects in parts, and in another order than the listing's: the same rows, by other requests.

use std::collections::BTreeMap;

use parfetch::internals::CsvRow;
use parfetch::internals::KeyFileWriter;
use parfetch::internals::{ClientKind, Mode};
use parfetch::internals::{KeyRecord, Outcome};

use super::{against_every_store, kept, kept_as};
use crate::support::parfetch::Parfetch;
use crate::support::results::{Results, all_ok};
use crate::support::source::{Source, Store};

against_every_store!(
    parts_make_the_same_rows_as_whole_objects,
    objects_start_in_the_order_that_was_asked_for,
    awkward_keys_are_fetched_in_any_order,
    a_duration_goes_round_the_parts,
    an_object_that_was_replaced_fails_in_parts,
    what_comes_to_nothing_is_a_warning,
);

const MIB: u64 = 1 << 20;

fn expected_parts(size: u64) -> u64 {
    size.div_ceil(MIB).max(1)
}

/// Sizes around a part of 1 MiB, mixed with small ones; not sorted.
fn around_a_part(store: Store) -> Source {
    let sizes = [
        700,
        MIB,
        0,
        3 * MIB + 7,
        MIB - 1,
        1,
        2 * MIB,
        30_000,
        MIB + 1,
        2 * MIB + MIB / 2,
        0,
        64,
        5 * MIB,
    ];
    store.filled(
        &sizes
            .iter()
            .enumerate()
            .map(|(number, size)| (format!("{number:02}"), *size))
            .collect(),
    )
}

fn parts_make_the_same_rows_as_whole_objects(store: Store) {
    let source = around_a_part(store);
    let bytes: u64 = source.objects.iter().map(|(_, size)| size).sum();
    let parts: u64 = source
        .objects
        .iter()
        .map(|(_, size)| expected_parts(*size))
        .sum();
    assert_eq!(parts, 1 + 1 + 1 + 4 + 1 + 1 + 2 + 1 + 2 + 3 + 1 + 1 + 5);
    for client in ClientKind::ALL {
        for mode in Mode::ALL {
            for order in ["listed", "largest-first", "shuffled"] {
                let what = format!("{client}-{mode}-{order}");
                let arguments = [
                    "--part-size",
                    "1MiB",
                    "--order",
                    order,
                    "-c",
                    "4",
                    "-m",
                    mode.as_str(),
                    "--client",
                    client.as_str(),
                    "--tag",
                    &what,
                ];
                let (ran, results) =
                    kept_as(&format!("result_{what}_{mode}_4"), &source, &arguments);
                assert_eq!(ran.stderr, "", "{what}");
                assert_eq!(results.found(), all_ok(&source.objects), "{what}");
                for (row, (_, size)) in results.rows.iter().zip(&source.objects) {
                    assert_eq!(
                        u64::from(row.attempts.unwrap()),
                        expected_parts(*size),
                        "{what}: {row:?}"
                    );
                    let times = [
                        row.start_ns,
                        row.attempt_start_ns,
                        row.first_byte_ns,
                        row.end_ns,
                    ]
                    .map(Option::unwrap);
                    assert!(times.is_sorted(), "{what}: {row:?}");
                }
                figures((&results, &what), (bytes, parts));
            }
        }
    }
}

/// What the summary counts by request, and what by object.
fn figures((results, what): (&Results, &str), (bytes, parts): (u64, u64)) {
    let summary = &results.summary;
    let totals = summary.totals.as_ref().unwrap();
    assert_eq!(
        (totals.goodput_bytes, totals.received_bytes, totals.rows.ok),
        (bytes, Some(bytes), results.rows.len() as u64),
        "{what}"
    );
    let attempts = summary.attempts.as_ref().unwrap();
    assert_eq!(
        (attempts.total, attempts.retried_fetches),
        (parts, 0),
        "{what}"
    );
    assert_eq!(
        summary.distributions.latency.count,
        results.rows.len() as u64,
        "{what}"
    );
    let in_flight = summary.in_flight.as_ref().unwrap();
    assert!(
        (1..=4).contains(&in_flight.most.unwrap()),
        "{what}: concurrency limits requests: {in_flight:?}"
    );
    // By request no more than the workers can have done; rows of objects overlap more than that.
    assert!(
        in_flight.mean.unwrap() <= 4.0 + 1e-9,
        "{what}: {in_flight:?}"
    );
    assert_eq!(
        summary.settings.part_size_bytes.unwrap().get(),
        MIB,
        "{what}"
    );
    assert!(
        summary.phases.ordering_ns.unwrap() <= summary.phases.listing_ns.unwrap(),
        "{what}"
    );
}

/// Places in the listing in the order in which they were begun.
fn begun(rows: &[CsvRow]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by_key(|place| rows[*place].start_ns.unwrap());
    places
}

fn objects_start_in_the_order_that_was_asked_for(store: Store) {
    let sizes = [40, 10, 0, 30, 20, 10, 50, 30];
    let source = store.filled(
        &sizes
            .iter()
            .enumerate()
            .map(|(number, size)| (format!("{number}"), *size))
            .collect(),
    );
    for mode in Mode::ALL {
        let order = |order: &str| {
            let (_, results) = kept_as(
                &format!("result_run_{mode}_1"),
                &source,
                &["--order", order, "-c", "1", "-m", mode.as_str()],
            );
            assert_eq!(
                results.found(),
                all_ok(&source.objects),
                "rows stand in the order of the listing"
            );
            assert_eq!(
                serde_json::to_value(results.summary.settings.order).unwrap(),
                order
            );
            assert_eq!(
                results.summary.settings.order_seed.is_some(),
                order == "shuffled"
            );
            begun(&results.rows)
        };
        assert_eq!(order("listed"), [0, 1, 2, 3, 4, 5, 6, 7], "{mode}");
        assert_eq!(order("largest-first"), [6, 0, 3, 7, 4, 1, 5, 2], "{mode}");
        let shuffled = order("shuffled");
        assert_eq!(order("shuffled"), shuffled, "{mode}: always the same");
        assert_ne!(shuffled, [0, 1, 2, 3, 4, 5, 6, 7], "{mode}");
    }
}

fn awkward_keys_are_fetched_in_any_order(store: Store) {
    let source = store.many();
    for (order, mode, client) in [
        ("shuffled", Mode::Process, "sdk"),
        ("largest-first", Mode::Async, "lean"),
        ("shuffled", Mode::Thread, "lean"),
    ] {
        let (ran, results) = kept_as(
            &format!("result_run_{mode}_8"),
            &source,
            &[
                "--order",
                order,
                "-c",
                "8",
                "-m",
                mode.as_str(),
                "--client",
                client,
            ],
        );
        assert_eq!(ran.stderr, "");
        assert_eq!(results.found(), all_ok(&source.objects), "{order} {mode}");
    }
}

fn a_duration_goes_round_the_parts(store: Store) {
    let source = store.filled(&BTreeMap::from([
        ("a".to_owned(), 100),
        ("b".to_owned(), 2 * MIB + 5),
        ("c".to_owned(), MIB + 1),
    ]));
    for mode in Mode::ALL {
        let arguments = [
            "--duration",
            "1s",
            "--part-size",
            "1MiB",
            "--order",
            "largest-first",
            "-c",
            "2",
            "-m",
            mode.as_str(),
        ];
        let (_, results) = kept_as(&format!("result_run_{mode}_2"), &source, &arguments);
        let totals = results.summary.totals.as_ref().unwrap();
        assert!(
            totals.rows.ok > 3,
            "{mode}: several times round: {totals:?}"
        );
        let place = |row: &CsvRow| {
            (
                row.round.unwrap(),
                source
                    .objects
                    .iter()
                    .position(|(key, _)| *key == row.key)
                    .unwrap(),
            )
        };
        assert!(
            results
                .rows
                .is_sorted_by(|one, next| place(one) < place(next)),
            "{mode}: by round, then as listed, each once"
        );
        let mut goodput = 0;
        for row in &results.rows {
            let size = source.objects[place(row).1].1;
            match row.outcome.unwrap() {
                Outcome::Ok => {
                    assert_eq!(
                        (row.calc_size, u64::from(row.attempts.unwrap())),
                        (Some(size), expected_parts(size)),
                        "{mode}: {row:?}"
                    );
                    goodput += size;
                }
                // The time ended between its parts.
                Outcome::NotAttempted => assert!(
                    (1..expected_parts(size)).contains(&u64::from(row.attempts.unwrap())),
                    "{mode}: {row:?}"
                ),
                other => panic!("{mode}: {other}: {row:?}"),
            }
        }
        let left = results
            .rows
            .iter()
            .filter(|row| row.outcome == Some(Outcome::NotAttempted))
            .count();
        assert!(
            left <= 2 * 2,
            "{mode}: what was in hand or in credit: {left}"
        );
        assert_eq!(totals.goodput_bytes, goodput, "{mode}");
        let attempts: u64 = results
            .rows
            .iter()
            .map(|row| u64::from(row.attempts.unwrap()))
            .sum();
        assert_eq!(
            results.summary.attempts.as_ref().unwrap().total,
            attempts,
            "{mode}: requests of what was left count"
        );
    }
}

/// A key list with a wrong entity tag, as after a replacement, once for an object in parts and once for a whole one.
fn an_object_that_was_replaced_fails_in_parts(store: Store) {
    let source = store.filled(&BTreeMap::from([
        ("large".to_owned(), MIB + 5),
        ("small".to_owned(), 5),
    ]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.tsv");
    let mut file = KeyFileWriter::new(Vec::new()).unwrap();
    for (key, size) in &source.objects {
        let etag = "0123456789abcdef0123456789abcdef".to_owned();
        file.push(&KeyRecord {
            key: key.clone(),
            size: Some(*size),
            etag,
            storage_class: String::new(),
        })
        .unwrap();
    }
    std::fs::write(&path, file.finish().unwrap().0).unwrap();
    for client in ["lean", "sdk"] {
        let arguments = [
            "--keys",
            path.to_str().unwrap(),
            "--part-size",
            "1MiB",
            "--client",
            client,
        ];
        Parfetch::run(&source)
            .args(arguments)
            .out(folder.path())
            .exits(3);
        let results = Results::in_folder(folder.path(), super::STEM);
        let rows: Vec<_> = results
            .rows
            .iter()
            .map(|row| (row.outcome.unwrap(), row.error_codes.as_str(), row.attempts))
            .collect();
        assert_eq!(
            rows,
            [
                (Outcome::Failed, "PreconditionFailed*2", Some(2)),
                (Outcome::Ok, "", Some(1))
            ],
            "{client}"
        );
        let attempts = results.summary.attempts.as_ref().unwrap();
        assert_eq!(
            attempts.by_code.get("PreconditionFailed"),
            Some(&2),
            "{client}"
        );
        assert_eq!(
            results.summary.totals.as_ref().unwrap().goodput_bytes,
            5,
            "{client}"
        );
    }
}

fn what_comes_to_nothing_is_a_warning(store: Store) {
    let source = store.filled(&BTreeMap::from([
        ("a".to_owned(), 100),
        ("b".to_owned(), MIB),
    ]));
    let (ran, results) = kept(&source, &["--part-size", "1MiB"]);
    assert!(
        ran.stderr.contains(
            "no object is known to be larger than the part size of 1.05 MB: all are fetched whole"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(
        (results.found(), results.summary.warnings.len()),
        (all_ok(&source.objects), 1)
    );
}
