//! Where results go: names, replacing, keeping out of the source; and that the environment alone is enough.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use parfetch::internals::State;

use super::{STEM, against_every_store, kept};
use crate::support::parfetch::Parfetch;
use crate::support::recording::Passing;
use crate::support::results::{Results, all_ok};
use crate::support::source::{Source, Store};

against_every_store!(
    the_six_variables_alone_do_the_whole_run,
    a_second_run_replaces_results_and_warns,
    no_overwrite_keeps_what_is_there,
    a_result_prefix_stands_in_front_of_the_names,
    results_among_the_source_are_refused,
    results_among_the_source_may_be_allowed,
    a_folder_alone_takes_the_results,
    stdout_is_the_summary_alone,
    a_large_file_is_stored_in_parts,
);

fn few(store: Store) -> Source {
    let objects: BTreeMap<String, u64> = (0..20)
        .map(|number| (format!("{number:02}"), number * 500))
        .collect();
    store.filled(&objects)
}

/// No flag, no other variable: as a container is given them.
fn the_six_variables_alone_do_the_whole_run(store: Store) {
    let source = store.many();
    assert_eq!(source.prefix, "");
    for mode in ["async", "thread", "process"] {
        Parfetch::new()
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_ACCESS_KEY_ID", &source.endpoint.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &source.endpoint.secret_key)
            .env("AWS_ENDPOINT_URL", &source.endpoint.url)
            .env("BUCKET_NAME", &source.bucket)
            .env("RESULT_BUCKET_NAME", &source.results)
            .env("CONCURRENCY", "3")
            .env("MODE", mode)
            .env("TAG", "six.variables")
            .exits(0);
        let results = Results::in_bucket(&source, &format!("result_six.variables_{mode}_3"));
        assert_eq!(results.found(), all_ok(&source.objects));
    }
}

fn a_second_run_replaces_results_and_warns(store: Store) {
    let source = few(store);
    let (first, before) = kept(&source, &[]);
    assert_eq!(first.stderr, "");
    assert!(before.summary.warnings.is_empty());
    let (second, after) = kept(&source, &["--limit", "5"]);
    assert!(
        second.stderr.contains("will be replaced"),
        "{}",
        second.stderr
    );
    assert!(
        after
            .summary
            .warnings
            .iter()
            .any(|warning| warning.contains("will be replaced")),
        "{:?}",
        after.summary.warnings
    );
    assert_eq!(
        Results::in_bucket(&source, STEM).found(),
        all_ok(&source.objects[..5])
    );
}

fn no_overwrite_keeps_what_is_there(store: Store) {
    let source = few(store);
    Parfetch::run(&source).arg("--no-overwrite").exits(0);
    let before = Results::in_bucket(&source, STEM);
    let ran = Parfetch::run(&source).arg("--no-overwrite").exits(4);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    let after = Results::in_bucket(&source, STEM);
    assert!(before.csv == after.csv && before.json == after.json);
    assert_eq!(after.summary.state, State::Complete);
    Parfetch::run(&source)
        .args(["--no-overwrite", "--tag", "other"])
        .exits(0);
}

/// The store takes the first PUT, and its answer is lost: the same again is refused.
#[test]
fn results_whose_answer_was_lost_are_the_runs_own() {
    let lost = AtomicBool::new(false);
    let source = few(Store::Embedded).through(move |head| {
        let is_first = head.starts_with("PUT ")
            && head.contains("if-none-match: ")
            && !lost.swap(true, SeqCst);
        if is_first {
            Passing::AnswerLost
        } else {
            Passing::Through
        }
    });
    let ran = Parfetch::run(&source).arg("--no-overwrite").exits(0);
    assert_eq!(ran.stderr, "");
    let results = Results::in_bucket(&source, STEM);
    assert_eq!(results.summary.state, State::Complete);
    Parfetch::run(&source).arg("--no-overwrite").exits(4);
}

fn a_result_prefix_stands_in_front_of_the_names(store: Store) {
    let source = few(store);
    Parfetch::run(&source)
        .args(["--result-prefix", "2024 +%/x-"])
        .exits(0);
    assert_eq!(
        Results::in_bucket(&source, &format!("2024 +%/x-{STEM}")).found(),
        all_ok(&source.objects)
    );
    assert!(
        source
            .s3()
            .find(&source.results, &format!("{STEM}.csv"))
            .is_none()
    );
}

fn results_among_the_source_are_refused(store: Store) {
    let source = few(store);
    let prefix = format!("{}sub/", source.prefix);
    let ran = Parfetch::run(&source)
        .args([
            "--result-bucket",
            &source.bucket,
            "--result-prefix",
            &prefix,
        ])
        .exits(2);
    assert!(
        ran.stderr.contains("--allow-results-in-source"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        source.s3().list(&source.bucket, &source.prefix),
        source.objects
    );
}

fn results_among_the_source_may_be_allowed(store: Store) {
    let source = few(store);
    let prefix = format!("{}sub/", source.prefix);
    let (ran, results) = kept(
        &source,
        &[
            "--result-bucket",
            &source.bucket,
            "--result-prefix",
            &prefix,
            "--allow-results-in-source",
        ],
    );
    assert!(
        ran.stderr.contains("under the listed prefix of the source"),
        "{}",
        ran.stderr
    );
    // The summary was stored before the listing, so it is one of the keys.
    let found = results.found();
    let own = format!("{prefix}{STEM}.json");
    assert_eq!(
        found
            .iter()
            .filter(|(key, ..)| *key != own)
            .cloned()
            .collect::<Vec<_>>(),
        all_ok(&source.objects)
    );
    assert_eq!(found.len(), source.objects.len() + 1);
}

fn a_folder_alone_takes_the_results(store: Store) {
    let source = few(store);
    let (folder, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let spool_path = spool.path().to_str().unwrap();
    Parfetch::run(&source)
        .env("RESULT_BUCKET_NAME", "")
        .args(["--spool-dir", spool_path])
        .out(folder.path())
        .exits(0);
    assert_eq!(
        Results::in_folder(folder.path(), STEM).found(),
        all_ok(&source.objects)
    );
    let names = |path| {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(folder.path()),
        [
            format!(".{STEM}.lock"),
            format!("{STEM}.csv"),
            format!("{STEM}.json")
        ]
    );
    assert_eq!(names(spool.path()), Vec::<String>::new());
    assert!(source.s3().list(&source.results, "result_").is_empty());
}

fn stdout_is_the_summary_alone(store: Store) {
    let source = few(store);
    let (ran, results) = kept(&source, &["--output", "json"]);
    assert_eq!(ran.stdout.as_bytes(), results.json);
    let (ran, _) = kept(&source, &["--tag", "run", "--output", "text"]);
    assert!(
        ran.stdout.contains("20") && !ran.stdout.contains('\u{1b}'),
        "{}",
        ran.stdout
    );
}

/// More than two parts of 8 MiB, the last one short.
fn a_large_file_is_stored_in_parts(store: Store) {
    let source = few(store);
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..20_000_000_u32)
        .map(|number| u8::try_from(number % 251).unwrap())
        .collect();
    std::fs::write(folder.path().join("result_large_async_1.csv"), &bytes).unwrap();
    let at = &source.endpoint;
    let ran = Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", &at.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
        .env("AWS_REGION", &at.region)
        .args([
            "upload",
            folder.path().to_str().unwrap(),
            &format!("s3://{}/kept", source.results),
            "--endpoint-url",
            &at.url,
        ])
        .exits(0);
    assert_eq!(
        ran.stdout,
        format!("s3://{}/kept/result_large_async_1.csv\n", source.results)
    );
    assert!(
        source
            .s3()
            .get(&source.results, "kept/result_large_async_1.csv")
            == bytes,
        "byte for byte"
    );
}
