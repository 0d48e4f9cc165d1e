//! Filling a bucket: what is made and copied, that nothing is replaced, and that the same command continues.

use std::collections::BTreeMap;

use super::against_every_store;
use crate::support::parfetch::Parfetch;
use crate::support::source::{Source, Store};

against_every_store!(
    made_objects_are_the_same_for_the_same_seed,
    the_same_command_continues,
    an_object_that_fill_did_not_make_stays,
    objects_of_another_fill_are_not_mixed,
    a_sample_is_copied_under_its_whole_keys,
    a_copy_into_its_own_source_is_refused,
    a_large_object_is_made_in_parts,
    a_bucket_that_does_not_exist_is_named_with_a_way,
    a_dry_run_stores_nothing,
);

fn fill(source: &Source, words: &[&str]) -> Parfetch {
    let at = &source.endpoint;
    Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", &at.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
        .env("AWS_REGION", &at.region)
        .env("AWS_ENDPOINT_URL", &at.url)
        .arg("fill")
        .args(words.iter().copied())
}

fn target(source: &Source, folder: &str) -> String {
    format!("s3://{}/{folder}", source.results)
}

fn made_objects_are_the_same_for_the_same_seed(store: Store) {
    let source = store.empty();
    let words = [
        "--objects",
        "1002",
        "--size",
        "lognormal:300B,1.5",
        "--seed",
        "3",
    ];
    let ran = fill(
        &source,
        &[&[target(&source, "one").as_str()][..], &words[..]].concat(),
    )
    .exits(0);
    fill(
        &source,
        &[&[target(&source, "two/").as_str()][..], &words[..]].concat(),
    )
    .exits(0);
    let s3 = source.s3();
    let [one, two] = ["one/", "two/"].map(|prefix| s3.list(&source.results, prefix));
    assert_eq!(one.len(), 1_002);
    assert_eq!(
        (one[0].0.as_str(), one[1_001].0.as_str()),
        ("one/000/000000.bin", "one/001/001001.bin")
    );
    assert!(
        one.iter()
            .zip(&two)
            .all(|(one, two)| one.1 == two.1 && one.0[4..] == two.0[4..])
    );
    let sizes: std::collections::BTreeSet<u64> = one.iter().map(|(_, size)| *size).collect();
    assert!(sizes.len() > 300, "sizes differ");
    for place in [0, 500, 1_001] {
        let bytes = s3.get(&source.results, &one[place].0);
        assert_eq!(bytes.len() as u64, one[place].1);
        assert_eq!(bytes, s3.get(&source.results, &two[place].0));
    }
    assert!(
        ran.stdout
            .starts_with(&format!("s3://{}/one/ has 1,002 objects, ", source.results)),
        "{}",
        ran.stdout
    );
    assert!(
        // What the environment has set is left out.
        ran.stdout
            .contains(&format!("next: parfetch s3://{}/one/\n", source.results)),
        "{}",
        ran.stdout
    );
}

fn the_same_command_continues(store: Store) {
    let source = store.empty();
    let target = target(&source, "here/");
    fill(&source, &[&target, "--objects", "20", "--size", "100"]).exits(0);
    let before = source.s3().list(&source.results, "here/");
    let ran = fill(&source, &[&target, "--objects", "30", "--size", "100"]).exits(0);
    assert!(
        ran.stdout.contains(": 10 stored in ") && ran.stdout.contains(", 20 were there before\n"),
        "{}",
        ran.stdout
    );
    let after = source.s3().list(&source.results, "here/");
    assert_eq!((&after[..20], after.len()), (&before[..], 30));
    let ran = fill(&source, &[&target, "--objects", "30", "--size", "100"]).exits(0);
    assert!(
        ran.stdout
            .contains(" has 30 objects, 3.00 kB of this fill: 30 were there before\n"),
        "{}",
        ran.stdout
    );
}

fn an_object_that_fill_did_not_make_stays(store: Store) {
    let source = store.empty();
    source
        .s3()
        .put((&source.results, "in/000/000004.bin"), b"precious".to_vec())
        .unwrap();
    let ran = fill(
        &source,
        &[
            &target(&source, "in/"),
            "--objects",
            "10",
            "--size",
            "8",
            "-c",
            "1",
        ],
    )
    .exits(4);
    let uri = format!("s3://{}/in/000/000004.bin", source.results);
    assert!(
        ran.stderr.contains("warning: 4 of 10 objects are stored\n"),
        "{}",
        ran.stderr
    );
    let error = format!(
        "error: cannot store {uri}: there is an object that fill did not make\nhint: fill replaces no object: give another prefix, as s3://BUCKET/NAME/, or remove the objects first\n"
    );
    assert!(ran.stderr.ends_with(&error), "{}", ran.stderr);
    assert_eq!(
        source.s3().get(&source.results, "in/000/000004.bin"),
        b"precious"
    );
}

fn objects_of_another_fill_are_not_mixed(store: Store) {
    let source = store.empty();
    let target = target(&source, "in/");
    fill(&source, &[&target, "--objects", "3", "--size", "8"]).exits(0);
    let before = source.s3().get(&source.results, "in/000/000000.bin");
    let ran = fill(
        &source,
        &[
            &target,
            "--objects",
            "3",
            "--size",
            "8",
            "--seed",
            "2",
            "-c",
            "1",
        ],
    )
    .exits(4);
    assert!(
        ran.stderr
            .contains("000000.bin: there is an object of another fill (made-1 seed=1)\n"),
        "{}",
        ran.stderr
    );
    let ran = fill(
        &source,
        &[&target, "--objects", "3", "--size", "9", "-c", "1"],
    )
    .exits(4);
    assert!(
        ran.stderr.contains(
            "there is an object of 8 bytes from an earlier fill, and this one has 9 bytes\n"
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(
        source.s3().get(&source.results, "in/000/000000.bin"),
        before
    );
}

fn a_sample_is_copied_under_its_whole_keys(store: Store) {
    let source = match store {
        // Its other bucket takes nothing, and holds objects.
        Store::Embedded => Store::serving("objects=300,size=3KiB,sizes=lognormal,keys=awkward"),
        Store::MinIo => {
            let objects: BTreeMap<String, u64> = (0..300)
                .map(|number| (format!("a b/+é%/{number:03}"), number * 31))
                .chain([("with\"quote&<".to_owned(), 5)])
                .collect();
            store.filled(&objects)
        }
    };
    let (from, target) = (format!("s3://{}", source.bucket), target(&source, "copy/"));
    let words = [target.as_str(), "--from", &from, "--sample", "50"];
    fill(&source, &words).exits(0);
    let copies = source.s3().list(&source.results, "copy/");
    assert_eq!(copies.len(), 50);
    let originals: BTreeMap<_, _> = source.objects.iter().cloned().collect();
    let s3 = source.s3();
    for (key, size) in &copies {
        let original = key.strip_prefix("copy/").unwrap();
        assert_eq!(originals.get(original), Some(size), "{key}");
        assert_eq!(
            s3.get(&source.results, key),
            s3.get(&source.bucket, original),
            "{key}"
        );
    }
    let ran = fill(&source, &words).exits(0);
    assert!(
        ran.stdout.contains(": 50 were there before\n"),
        "{}",
        ran.stdout
    );
    // All are more: those that are there stay.
    let ran = fill(&source, &[&target, "--from", &from, "--sample", "all"]).exits(0);
    assert!(
        ran.stdout.contains(", 50 were there before\n"),
        "{}",
        ran.stdout
    );
    // A key that is too long behind the prefix is left out, and counted.
    let long = source
        .objects
        .iter()
        .filter(|(key, _)| key.len() + "copy/".len() > 1_024)
        .count();
    assert_eq!(
        s3.list(&source.results, "copy/").len(),
        source.objects.len() - long
    );
    assert_eq!(
        ran.stdout
            .contains("with a key too long behind the prefix\n"),
        long > 0,
        "{}",
        ran.stdout
    );
}

fn a_copy_into_its_own_source_is_refused(store: Store) {
    let source = store.empty();
    let target = target(&source, "all/new/");
    let from = format!("s3://{}/all/", source.results);
    let ran = fill(&source, &[&target, "--from", &from]).exits(2);
    assert_eq!(
        ran.stderr,
        format!(
            "error: {target} would be filled from itself: {from} overlaps with it\n\
             hint: copy into another bucket, or under a prefix apart from that of the originals\n"
        )
    );
    let ran = fill(
        &source,
        &[
            &target,
            "--from",
            &format!("s3://{}/nothing/", source.results),
        ],
    )
    .exits(4);
    assert!(
        ran.stderr
            .contains("/nothing/\nhint: check the bucket and the prefix behind --from\n"),
        "{}",
        ran.stderr
    );
}

/// One part of 16 MiB, and a short one.
fn a_large_object_is_made_in_parts(store: Store) {
    let source = store.empty();
    fill(
        &source,
        &[
            &target(&source, "large/"),
            "--objects",
            "1",
            "--size",
            "16777221",
        ],
    )
    .exits(0);
    let bytes = source.s3().get(&source.results, "large/000/000000.bin");
    assert_eq!(bytes.len(), 16_777_221);
    // The same bytes as an object of another size begins with: wherever parts are cut.
    fill(
        &source,
        &[
            &target(&source, "small/"),
            "--objects",
            "1",
            "--size",
            "1000",
        ],
    )
    .exits(0);
    assert_eq!(
        source.s3().get(&source.results, "small/000/000000.bin"),
        bytes[..1_000]
    );
    let ran = fill(
        &source,
        &[
            &target(&source, "large/"),
            "--objects",
            "1",
            "--size",
            "16777221",
        ],
    )
    .exits(0);
    assert!(
        ran.stdout.contains(": 1 was there before\n"),
        "{}",
        ran.stdout
    );
}

fn a_bucket_that_does_not_exist_is_named_with_a_way(store: Store) {
    let source = store.empty();
    let name = format!("new-{:012x}", fastrand::u64(..1 << 48));
    let target = format!("s3://{name}/");
    let ran = fill(&source, &[&target, "--objects", "2"]).exits(4);
    assert!(
        ran.stderr
            .starts_with(&format!("error: cannot list s3://{name}: the bucket does not exist (NoSuchBucket)\nhint: --create-bucket creates it; ")),
        "{}",
        ran.stderr
    );
    if store == Store::MinIo {
        let dry = fill(
            &source,
            &[&target, "--objects", "2", "--create-bucket", "--dry-run"],
        )
        .exits(0);
        assert!(
            dry.stdout
                .contains("\nthe bucket does not exist and is created\n"),
            "{}",
            dry.stdout
        );
        fill(&source, &[&target, "--objects", "2", "--create-bucket"]).exits(0);
        assert_eq!(source.s3().list(&name, "").len(), 2);
    }
}

fn a_dry_run_stores_nothing(store: Store) {
    let source = store.empty();
    let words = ["--objects", "2000", "--size", "2.5MiB"];
    let target = target(&source, "dry/");
    let ran = fill(
        &source,
        &[&[target.as_str(), "--dry-run"][..], &words[..]].concat(),
    )
    .exits(0);
    assert_eq!(
        ran.stdout,
        format!(
            "{target}: 2,000 made objects, 2.62 MB each, seed 1\nbytes: 5.24 GB\nrequests: 2,000 PUT, 1 LIST, 0 HEAD\n\
             price without storage: unknown, as the store is not at AWS or the price list has no price for it\n"
        )
    );
    let ran = fill(&source, &[&[target.as_str()][..], &words[..]].concat()).exits(2);
    assert!(
        ran.stderr.starts_with(&format!(
            "error: fill {target} with 2,000 objects, 5.24 GB: allow it with --yes\n"
        )),
        "{}",
        ran.stderr
    );
    assert!(source.s3().list(&source.results, "dry/").is_empty());
}
