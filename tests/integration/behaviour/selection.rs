//! Which keys are fetched: prefix, limit, shard, key files, none at all.

use std::collections::BTreeMap;

use parfetch::internals::KeyFileWriter;
use parfetch::internals::KeyRecord;
use parfetch::internals::State;

use super::{STEM, against_every_store, kept, kept_as};
use crate::support::parfetch::Parfetch;
use crate::support::results::{Results, all_ok};
use crate::support::source::{MANY, Source, Store};

against_every_store!(
    a_prefix_takes_what_begins_with_it,
    a_limit_takes_the_first_keys_of_the_listing,
    a_sample_is_drawn_from_the_whole_listing,
    shards_together_take_every_key_once,
    a_key_file_is_fetched_in_its_own_order,
    a_key_file_in_the_store_is_fetched,
    a_key_that_is_gone_is_a_row_and_a_warning,
    an_empty_bucket_leaves_a_header_and_a_warning,
);

/// Sizes that follow from the key's place.
fn numbered<'a>(keys: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, u64> {
    keys.into_iter()
        .zip(0..)
        .map(|(key, place)| (key.to_owned(), place * 1_111))
        .collect()
}

fn a_prefix_takes_what_begins_with_it(store: Store) {
    let source = store.filled(&numbered([
        "a/1",
        "b c+d%/1",
        "b c+d%/2",
        "b c+d%25/3",
        "b.txt",
        "b/1",
        "c/1",
    ]));
    let within = |wanted: &str| {
        let prefix = format!("{}{wanted}", source.prefix);
        let expected: Vec<_> = source
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .cloned()
            .collect();
        let (_, results) = kept(&source, &["--prefix", &prefix]);
        assert_eq!(results.found(), all_ok(&expected));
        results.rows.len()
    };
    assert_eq!(
        [within("b"), within("b c+d%/"), within("b/"), within("")],
        [5, 2, 1, 7]
    );
}

fn a_limit_takes_the_first_keys_of_the_listing(store: Store) {
    let source = store.many();
    // Within a page, a page exactly, and past one.
    for limit in [7, 1_000, 1_001] {
        let (_, results) = kept(&source, &["--limit", &limit.to_string()]);
        assert_eq!(results.found(), all_ok(&source.objects[..limit]));
    }
    let (_, results) = kept(&source, &["--limit", "1000000"]);
    assert_eq!(results.found(), all_ok(&source.objects));
}

/// Which keys are drawn is held by the tests of the lister; here that the keys of a run are them, everywhere.
fn a_sample_is_drawn_from_the_whole_listing(store: Store) {
    let source = store.many();
    let drawn = |arguments: &[&str]| {
        let (ran, results) = kept(&source, arguments);
        let keys: Vec<_> = results.rows.iter().map(|row| row.key.clone()).collect();
        let in_listing: Vec<_> = source
            .objects
            .iter()
            .filter(|(key, _)| keys.contains(key))
            .cloned()
            .collect();
        assert_eq!(
            results.found(),
            all_ok(&in_listing),
            "in the order of the listing, each key once"
        );
        let bytes = in_listing.iter().map(|(_, size)| size).sum::<u64>();
        let all = source.objects.iter().map(|(_, size)| size).sum::<u64>();
        let sample = results.summary.sample.clone().unwrap();
        assert_eq!(
            (sample.keys, sample.bytes),
            (keys.len() as u64, Some(bytes))
        );
        assert_eq!((sample.of_keys, sample.of_bytes), (MANY as u64, Some(all)));
        assert_eq!(results.summary.totals.unwrap().keys_listed, sample.keys);
        (ran, keys)
    };
    let (ran, keys) = drawn(&["--sample", "60"]);
    assert!(
        ran.stdout.contains("60 keys at random, seed 1"),
        "{}",
        ran.stdout
    );
    assert_eq!(keys.len(), 60);
    let places: Vec<_> = keys
        .iter()
        .map(|key| {
            source
                .objects
                .iter()
                .position(|(known, _)| known == key)
                .unwrap()
        })
        .collect();
    assert!(
        places[0] < MANY / 5 && places[59] > MANY * 4 / 5,
        "over all of it: {places:?}"
    );
    assert_eq!(drawn(&["--sample", "60"]).1, keys);
    assert_ne!(drawn(&["--sample", "60", "--seed", "2"]).1, keys);
    let backwards = kept(&source, &["--sample", "60", "--order", "largest-first"]).1;
    assert_eq!(
        backwards
            .rows
            .iter()
            .map(|row| row.key.clone())
            .collect::<Vec<_>>(),
        keys,
        "rows stand in the order of the listing"
    );
    let rounds = kept(&source, &["--sample", "60", "--duration", "1s"]).1;
    assert!(
        rounds.rows.iter().all(|row| keys.contains(&row.key)),
        "time goes round the sample"
    );
    let (_, whole) = kept(&source, &["--sample", "1000000"]);
    assert_eq!(
        (whole.found(), whole.summary.sample.clone()),
        (all_ok(&source.objects), None)
    );
}

fn shards_together_take_every_key_once(store: Store) {
    let source = store.many();
    let mut together = Vec::new();
    for index in 0..3 {
        let (_, results) = kept_as(
            &format!("{STEM}.shard-{index}-of-3"),
            &source,
            &["--shard", &format!("{index}/3")],
        );
        let keys: Vec<_> = results.rows.iter().map(|row| row.key.clone()).collect();
        let in_listing: Vec<_> = source
            .objects
            .iter()
            .filter(|(key, _)| keys.contains(key))
            .cloned()
            .collect();
        assert_eq!(results.found(), all_ok(&in_listing));
        assert!(keys.len() > 700, "a third, about: {}", keys.len());
        together.extend(results.found());
    }
    together.sort_by(|a, b| a.0.cmp(&b.0));
    let mut all = all_ok(&source.objects);
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(together, all);
}

/// Every third object, from the last to the first; no size in every other line.
fn some_backwards(source: &Source) -> (Vec<(String, u64)>, Vec<u8>) {
    let chosen: Vec<_> = source.objects.iter().rev().step_by(3).cloned().collect();
    let mut file = KeyFileWriter::new(Vec::new()).unwrap();
    for (place, (key, size)) in chosen.iter().enumerate() {
        let size = (place % 2 == 0).then_some(*size);
        file.push(&KeyRecord {
            key: key.clone(),
            size,
            etag: String::new(),
            storage_class: String::new(),
        })
        .unwrap();
    }
    (chosen, file.finish().unwrap().0)
}

fn a_key_file_is_fetched_in_its_own_order(store: Store) {
    let source = store.many();
    let (chosen, file) = some_backwards(&source);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.tsv");
    std::fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let (_, results) = kept(&source, &["--keys", path]);
    assert_eq!(results.found(), all_ok(&chosen));
    let totals = results.summary.totals.unwrap();
    assert_eq!(
        (totals.keys_listed, totals.listed_bytes),
        (chosen.len() as u64, None)
    );

    let data: Vec<_> = chosen
        .into_iter()
        .filter(|(key, _)| key.starts_with("data/"))
        .take(50)
        .collect();
    let (_, results) = kept(
        &source,
        &["--keys", path, "--prefix", "data/", "--limit", "50"],
    );
    assert_eq!(results.found(), all_ok(&data));
}

fn a_key_file_in_the_store_is_fetched(store: Store) {
    let source = store.many();
    let (chosen, file) = some_backwards(&source);
    source
        .s3()
        .put((&source.results, "inputs/keys.tsv"), file)
        .unwrap();
    let (_, results) = kept(
        &source,
        &[
            "--keys",
            &format!("s3://{}/inputs/keys.tsv", source.results),
        ],
    );
    assert_eq!(results.found(), all_ok(&chosen));
}

fn a_key_that_is_gone_is_a_row_and_a_warning(store: Store) {
    let source = store.filled(&numbered(["1", "2"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.tsv");
    let mut file = KeyFileWriter::new(Vec::new()).unwrap();
    for name in ["1", "gone", "2"] {
        let key = format!("{}{name}", source.prefix);
        file.push(&KeyRecord {
            key,
            size: Some(3),
            etag: String::new(),
            storage_class: String::new(),
        })
        .unwrap();
    }
    std::fs::write(&path, file.finish().unwrap().0).unwrap();
    // One of three is more than 1 %.
    let ran = Parfetch::run(&source)
        .args(["--keys", path.to_str().unwrap()])
        .out(folder.path())
        .exits(3);
    let results = Results::in_folder(folder.path(), STEM);
    assert!(
        ran.stderr.contains("gone since")
            && ran
                .stderr
                .contains("1 of 3 objects was missing when fetched, which is more than 1 %"),
        "{}",
        ran.stderr
    );
    let rows: Vec<_> = results
        .rows
        .iter()
        .map(|row| {
            (
                row.outcome.unwrap().as_str(),
                row.size,
                row.calc_size,
                row.attempts,
            )
        })
        .collect();
    let ok = |size| ("ok", Some(size), Some(size), Some(1));
    assert_eq!(
        rows,
        [ok(0), ("vanished", Some(3), None, Some(1)), ok(1_111)]
    );
    assert_eq!(results.summary.totals.unwrap().rows.vanished, 1);
}

fn an_empty_bucket_leaves_a_header_and_a_warning(store: Store) {
    let source = store.empty();
    let (ran, results) = kept(&source, &[]);
    assert!(ran.stderr.contains("there are no keys"), "{}", ran.stderr);
    let Results {
        csv,
        rows,
        seconds,
        summary,
        ..
    } = results;
    assert!(rows.is_empty() && seconds == 0.0);
    assert_eq!(String::from_utf8_lossy(&csv).lines().count(), 1);
    assert_eq!(summary.state, State::Complete);
    assert!(
        summary
            .warnings
            .iter()
            .any(|warning| warning.contains("there are no keys")),
        "{:?}",
        summary.warnings
    );
    let stored = Results::in_bucket(&source, STEM);
    assert_eq!(stored.csv, csv);
}
