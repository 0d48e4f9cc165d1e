//! Runs of a given time, work per object, and any object set at all.

use std::collections::BTreeMap;

use parfetch::internals::Outcome;
use parfetch::internals::{ClientKind, Mode};
use proptest::prelude::*;

use super::cells::{Cell, one};
use super::{against_every_store, kept, kept_as};
use crate::support::source::Store;

against_every_store!(
    a_duration_goes_round_the_keys_until_it_has_passed,
    every_kind_of_work_reads_the_same_bytes,
    any_objects_in_any_mode_at_any_concurrency_are_read_once,
);

/// Keys that a worker takes at once, at the most.
const LONGEST_RANGE: u64 = 64;

fn a_duration_goes_round_the_keys_until_it_has_passed(store: Store) {
    let objects: BTreeMap<String, u64> = (0..10)
        .map(|number| (format!("{number}"), number * 100))
        .collect();
    let source = store.filled(&objects);
    for mode in Mode::ALL {
        let stem = format!("result_run_{mode}_4");
        let (_, results) = kept_as(
            &stem,
            &source,
            &["--duration", "2s", "-c", "4", "-m", mode.as_str()],
        );
        let totals = results.summary.totals.as_ref().unwrap();
        let rows = &results.rows;
        assert!(
            rows.len() > objects.len() && totals.rounds > 1,
            "several times round: {totals:?}"
        );
        assert_eq!(
            results.summary.active_window_ns,
            Some(2_000_000_000),
            "handing out ends when the time has passed"
        );
        assert_eq!(
            (totals.keys_listed, totals.rows.ok),
            (10, rows.len() as u64)
        );
        let place = |key: &str| {
            source
                .objects
                .iter()
                .position(|(listed, _)| listed == key)
                .unwrap()
        };
        let order: Vec<_> = rows
            .iter()
            .map(|row| (row.round.unwrap(), place(&row.key)))
            .collect();
        assert!(
            order.windows(2).all(|pair| pair[0] < pair[1]),
            "by round, then by place in the listing, each once"
        );
        assert_eq!(totals.rounds, rows.last().unwrap().round.unwrap() + 1);
        for row in rows {
            let size = Some(source.objects[place(&row.key)].1);
            assert_eq!(
                (row.outcome, row.size, row.calc_size),
                (Some(Outcome::Ok), size, size)
            );
        }
        // Gaps are what was left when the time ended: each worker's range in hand, and a child's range in credit.
        let (round, place) = order.last().unwrap();
        let gaps = round * 10 + *place as u64 + 1 - rows.len() as u64;
        assert!(gaps <= 4 * 2 * LONGEST_RANGE, "{mode}: {gaps}");
    }
}

fn every_kind_of_work_reads_the_same_bytes(store: Store) {
    let source = store.filled(&BTreeMap::from([
        ("0".to_owned(), 0),
        ("1".to_owned(), 1),
        ("large".to_owned(), 1_000_000),
    ]));
    let plain = kept(&source, &[]).1.found();
    for work in ["md5", "sha256", "crc64nvme"] {
        for client in ["lean", "sdk"] {
            let (_, results) = kept_as(
                "result_work_async_16",
                &source,
                &["--work", work, "--client", client, "--tag", "work"],
            );
            assert_eq!(results.found(), plain);
            assert_eq!(
                serde_json::to_value(results.summary.settings.work).unwrap(),
                work
            );
        }
    }
}

/// Any characters that every store takes, in names that cannot clash with a folder.
fn key() -> impl Strategy<Value = String> {
    (
        "[a-z0-9 +%?#&='\"<>éß😀~*,;:@$()!-]{0,12}",
        prop::option::of("[ a-z%+é]{0,5}"),
        any::<u32>(),
    )
        .prop_map(|(name, folder, number)| match folder {
            Some(folder) => format!("in {folder}-/{name}.{number}"),
            None => format!("{number}.{name}-"),
        })
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        1..5_000_u64,
        16_380..16_390_u64,
        65_530..65_540_u64,
        200_000..400_000_u64
    ]
}

/// Few cases, for each of them is a bucket and a process.
fn any_objects_in_any_mode_at_any_concurrency_are_read_once(store: Store) {
    let config = ProptestConfig {
        cases: 8,
        max_shrink_iters: 30,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mode = prop::sample::select(Mode::ALL.to_vec());
    let client = prop::sample::select(vec![ClientKind::Lean, ClientKind::Sdk]);
    let case = (
        prop::collection::btree_map(key(), size(), 1..40),
        mode,
        client,
        1..20_u32,
    );
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&case, |(objects, mode, client, concurrency)| {
        one(
            &store.filled(&objects),
            &Cell {
                client,
                mode,
                concurrency,
            },
        );
        Ok(())
    });
    result.unwrap();
}
