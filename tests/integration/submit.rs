//! `parfetch submit` from the outside: key files, children, the report of all of them, and what happens when something goes wrong.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use parfetch::internals::Summary;
use parfetch::internals::{JobDocument, ShardKeys};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::aws::{Aws, Fault, On, Setup};
use crate::support::parfetch::{Parfetch, Ran};
use crate::support::recording::Passing;
use crate::support::results::Results;
use crate::support::scripted::{DEADLINE, Hold};
use crate::support::source::{MANY, Source, Store};

/// Where a job called `first` is.
const JOB: &str = "parfetch/jobs/first";

/// A bucket, an account, and a folder for pages.
struct Scene {
    source: Source,
    aws: Aws,
    out: TempDir,
}

impl Scene {
    /// In an account that is set up so.
    fn new(source: Source, setup: impl FnOnce(Setup) -> Setup) -> Self {
        let aws = Aws::start(setup(stack(&source)));
        Self {
            source,
            aws,
            out: tempfile::tempdir().unwrap(),
        }
    }
}

/// A stack whose tasks know where S3 is.
fn stack(source: &Source) -> Setup {
    let mut setup = Setup::over(source);
    setup.environment.insert(
        "AWS_ENDPOINT_URL_S3".to_owned(),
        source.endpoint.url.clone(),
    );
    setup
}

/// The variables of somebody who may do everything.
fn person(Scene { source, aws, out }: &Scene) -> Vec<(&'static str, String)> {
    let at = &source.endpoint;
    vec![
        ("AWS_ACCESS_KEY_ID", at.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", at.secret_key.clone()),
        ("AWS_REGION", at.region.clone()),
        ("AWS_ENDPOINT_URL_S3", at.url.clone()),
        ("AWS_ENDPOINT_URL_BATCH", aws.url().to_owned()),
        ("AWS_ENDPOINT_URL_CLOUDFORMATION", aws.url().to_owned()),
        ("PARFETCH_OUT", out.path().to_str().unwrap().to_owned()),
    ]
}

/// `parfetch submit --stack parfetch --id first` with these words.
fn submit(scene: &Scene, words: &str) -> Parfetch {
    let mut command = Parfetch::new();
    for (name, value) in person(scene) {
        command = command.env(name, &value);
    }
    command
        .args("submit --stack parfetch --poll-interval 50ms --tag all -c 2".split(' '))
        .args(words.split_whitespace())
        .args(
            if words.contains("--id") {
                &[][..]
            } else {
                &["--id", "first"][..]
            }
            .iter()
            .copied(),
        )
}

/// The same in the background, with its messages behind a pipe.
fn start(scene: &Scene, words: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parfetch"));
    command
        .args("submit --stack parfetch --id first --poll-interval 50ms --yes".split(' '))
        .args(words.split(' '))
        .env_clear()
        .envs(person(scene))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Its exit code and what it said.
fn ended(command: Child) -> (Option<i32>, String) {
    let ended = command.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.code(), said)
}

/// Writes the job's document, as another command would.
fn write(source: &Source, document: &JobDocument) {
    let body = document.to_json().unwrap().into_bytes();
    let key = format!("{JOB}/job.json");
    source.s3().put((&source.results, &key), body).unwrap();
}

fn document(source: &Source) -> JobDocument {
    let text = source.s3().get(&source.results, &format!("{JOB}/job.json"));
    JobDocument::from_json(std::str::from_utf8(&text).unwrap()).unwrap()
}

/// Keys and sizes of the key files, one after another, and what each file holds.
fn key_files(source: &Source, shards: u32) -> (Vec<(String, u64)>, Vec<ShardKeys>) {
    let (s3, folder) = (source.s3(), tempfile::tempdir().unwrap());
    let (mut all, mut parts) = (Vec::new(), Vec::new());
    let listed: Vec<String> = s3
        .list(&source.results, &format!("{JOB}/keys/"))
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let names: Vec<String> = (0..shards)
        .map(|index| format!("{JOB}/keys/{index:05}-of-{shards:05}.tsv"))
        .collect();
    assert_eq!(listed, names);
    for name in names {
        let path = folder.path().join("keys.tsv");
        fs::write(&path, s3.get(&source.results, &name)).unwrap();
        // Read by the program: checksum and encoding are right, or it says so.
        let out = folder.path().join("out");
        let ran = Parfetch::run(source)
            .args([
                "--keys",
                path.to_str().unwrap(),
                "-c",
                "1",
                "--no-overwrite",
            ])
            .out(&out)
            .env("RESULT_BUCKET_NAME", "");
        ran.exits(0);
        let rows = Results::in_folder(&out, "result_run_async_1").rows;
        fs::remove_dir_all(&out).unwrap();
        parts.push(ShardKeys {
            keys: rows.len() as u64,
            bytes: Some(rows.iter().map(|row| row.size.unwrap()).sum()),
        });
        all.extend(rows.into_iter().map(|row| (row.key, row.size.unwrap())));
    }
    (all, parts)
}

/// The summaries of the job's children, by shard.
fn summaries(source: &Source) -> Vec<Summary> {
    let s3 = source.s3();
    let keys = s3
        .list(&source.results, &format!("{JOB}/results/"))
        .into_iter()
        .map(|(key, _)| key);
    let texts = keys
        .filter(|key| {
            Path::new(key)
                .extension()
                .is_some_and(|ending| ending == "json")
        })
        .map(|key| s3.get(&source.results, &key));
    let mut all: Vec<Summary> = texts
        .map(|text| Summary::from_json(std::str::from_utf8(&text).unwrap()).unwrap())
        .collect();
    all.sort_by_key(|summary| summary.settings.selection.shard.unwrap().index);
    all
}

/// Keys, bytes and counts of the shards together are those of one run.
#[track_caller]
fn is_one_run(source: &Source, shards: u32) {
    let one = Parfetch::run(source)
        .args(["-t", "one", "-c", "2"])
        .env("PARFETCH_RESULT_PREFIX", "one/");
    one.exits(0);
    let one = Results::in_bucket(source, "one/result_one_async_2").summary;
    let children = summaries(source);
    assert_eq!(children.len(), usize::try_from(shards).unwrap());
    let sum = |field: fn(&Summary) -> u64| children.iter().map(field).sum::<u64>();
    for (what, field) in [
        (
            "keys",
            (|summary| summary.totals.unwrap().keys_listed) as fn(&Summary) -> u64,
        ),
        ("bytes as listed", |summary| {
            summary.totals.unwrap().listed_bytes.unwrap()
        }),
        ("ok", |summary| summary.totals.unwrap().rows.ok),
        ("goodput", |summary| summary.totals.unwrap().goodput_bytes),
        ("latencies", |summary| summary.distributions.latency.count),
        ("TTFBs", |summary| summary.distributions.ttfb.count),
    ] {
        assert_eq!(sum(field), field(&one), "{what}");
    }
    let (merged, alone) = (
        report(source, &format!("s3://{}/{JOB}/results/", source.results)),
        report(source, &format!("s3://{}/one/", source.results)),
    );
    for field in [
        "keys",
        "listed_bytes",
        "ok",
        "failed",
        "tried",
        "goodput_bytes",
        "timed",
    ] {
        let of = |cell: &Value| cell["observations"][0]["counts"][field].clone();
        assert!(of(&merged).is_u64(), "{field}: {merged:#}");
        assert_eq!(of(&merged), of(&alone), "{field}");
    }
    assert_eq!(
        (&merged["cell"]["shards"], &alone["cell"]["shards"]),
        (&shards.into(), &1.into())
    );
}

/// The one cell of a report.
fn report(source: &Source, place: &str) -> Value {
    let mut command = Parfetch::new();
    let at = &source.endpoint;
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", &at.access_key),
        ("AWS_SECRET_ACCESS_KEY", &at.secret_key),
        ("AWS_REGION", &at.region),
        ("AWS_ENDPOINT_URL_S3", &at.url),
    ] {
        command = command.env(name, value);
    }
    let ran = command.args(["report", "--format", "json", place]).exits(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let studies = report["studies"].as_array().unwrap();
    assert_eq!(
        (studies.len(), studies[0]["cells"].as_array().unwrap().len()),
        (1, 1),
        "{report:#}"
    );
    studies[0]["cells"][0].clone()
}

#[test]
fn eight_children_are_one_run_and_are_submitted_once() {
    let scene = Scene::new(Store::Embedded.many(), |setup| Setup {
        max_vcpus: 3,
        ..setup
    });
    let Scene { source, aws, out } = &scene;
    let page = out.path().join("jobs/first/report.html");
    let go = || submit(&scene, "-n 8 --yes").exits(0);
    let ran = go();
    assert!(
        ran.stderr.contains(
            "job first: 8 children of 1 vCPU and 2 GB, async × 2, lean, for 2,503 keys of s3://"
        ),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("stored 8/8 key files") && ran.stderr.contains("8/8 children ended"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stdout.contains("8 shards") && ran.stdout.contains("clock"),
        "{}",
        ran.stdout
    );
    assert!(fs::read_to_string(&page).unwrap().contains("<html"));
    let (keys, parts) = key_files(source, 8);
    assert_eq!(
        keys, source.objects,
        "every key once, in the order of the listing"
    );
    let document = document(source);
    assert_eq!(
        (document.shards.as_slice(), document.keys),
        (parts.as_slice(), MANY as u64)
    );
    let (all, largest) = (
        document.bytes.unwrap(),
        source.objects.iter().map(|(_, size)| *size).max().unwrap(),
    );
    assert!(
        parts
            .iter()
            .all(|part| part.bytes.unwrap().abs_diff(all / 8) <= largest + 1),
        "{parts:?}"
    );
    is_one_run(source, 8);
    // The same command again looks at the same job.
    let again = go();
    assert!(
        again
            .stderr
            .contains(&format!("submitted before: {}", document.job_id.unwrap())),
        "{}",
        again.stderr
    );
    assert_eq!(aws.calls("SubmitJob").len(), 1);
    let other = submit(&scene, "-n 8 --yes -m thread").exits(2);
    assert!(other.stderr.contains("the job first was planned with other settings: MODE: it had `\"async\"`, and now there is"), "{}", other.stderr);
    scene.aws.finish();
}

#[test]
#[ignore = "takes a minute: the same at the size of a large bucket"]
fn eight_children_over_a_hundred_thousand_keys_are_one_run() {
    let scene = Scene::new(
        Store::serving("objects=100000,prefixes=50,size=2KiB,sizes=lognormal"),
        |setup| setup,
    );
    submit(&scene, "-n 8 --yes").exits(0);
    let (keys, _) = key_files(&scene.source, 8);
    assert_eq!(
        keys, scene.source.objects,
        "every key once, in the order of the listing"
    );
    is_one_run(&scene.source, 8);
    scene.aws.finish();
}

/// A child as AWS Batch starts it, without Batch.
fn child(source: &Source, environment: &BTreeMap<String, String>, index: u32) -> Ran {
    let at = &source.endpoint;
    let mut command = Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", &at.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
        .env("AWS_REGION", &at.region)
        .env("AWS_ENDPOINT_URL_S3", &at.url)
        .env("AWS_BATCH_JOB_ARRAY_INDEX", &index.to_string())
        .env("PARFETCH_PROGRESS", "never");
    for (name, value) in environment {
        command = command.env(name, value);
    }
    command.arg("run").exits(0)
}

#[test]
fn children_by_hand_are_one_run_and_a_job_without_an_id_is_found_by_its_name() {
    let scene = Scene::new(Store::Embedded.many(), |setup| {
        setup.trouble("SubmitJob", Fault::AccessDenied, [0, 1])
    });
    let Scene { source, aws, .. } = &scene;
    let refused = submit(&scene, "-n 8 --yes").exits(4);
    assert!(
        refused.stderr.contains("batch:SubmitJob"),
        "{}",
        refused.stderr
    );
    let planned = document(source);
    assert_eq!(
        (planned.job_id.as_ref(), planned.shards.len()),
        (None, 8),
        "keys and document are there"
    );
    let mut environment = planned.plan.environment.clone();
    environment.insert("PARFETCH_SHARD_COUNT".to_owned(), "8".to_owned());
    for index in 0..8 {
        child(source, &environment, index);
    }
    is_one_run(source, 8);
    // Submitted behind this program's back: as if it had been killed before it wrote down the id.
    assert!(
        submit(&scene, "-n 8")
            .exits(2)
            .stderr
            .contains("has its keys and is not submitted")
    );
    submit(&scene, "-n 8 --yes --detach").exits(0);
    let text = JobDocument {
        job_id: None,
        submitted_at: None,
        ..document(source)
    }
    .to_json()
    .unwrap();
    source
        .s3()
        .put(
            (&source.results, &format!("{JOB}/job.json")),
            text.into_bytes(),
        )
        .unwrap();
    let ran = submit(&scene, "-n 8 --yes").exits(0);
    assert!(ran.stderr.contains("submitted before: "), "{}", ran.stderr);
    assert_eq!(
        (
            aws.calls("SubmitJob").len(),
            document(source).job_id.is_some()
        ),
        (2, true),
        "refused once, taken once"
    );
    scene.aws.finish();
}

#[test]
fn children_that_fail_are_named() {
    let source = Store::serving("objects=40,size=1KiB");
    let faults = |setup: Setup| {
        setup.fault(On::Child(1), Fault::OutOfMemory).fault_times(
            On::Child(2),
            Fault::Spot("SpotInterruption"),
            1,
        )
    };
    let scene = Scene::new(source, faults);
    let Scene { source, .. } = &scene;
    let ran = submit(&scene, "-n 4 --yes").exits(3);
    assert!(
        ran.stderr.contains(
            "warning: child 1 of 4 failed: exit code 137, killed: out of memory, most likely"
        ),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("error: 1 of 4 children of the job "),
        "{}",
        ran.stderr
    );
    assert_eq!(
        summaries(source).len(),
        3,
        "the child that Spot took was tried again"
    );
    scene.aws.finish();
}

/// The list of shards that each request has, and how many children.
fn asked(aws: &Aws) -> Vec<(String, Option<u64>)> {
    let of = |call: &crate::support::aws::Call| {
        let variables = call.body["containerOverrides"]["environment"].as_array();
        let left = variables
            .unwrap()
            .iter()
            .find(|pair| pair["name"] == "PARFETCH_SHARDS_LEFT");
        let left = left.unwrap()["value"].as_str().unwrap().to_owned();
        (left, call.body["arrayProperties"]["size"].as_u64())
    };
    aws.calls("SubmitJob").iter().map(of).collect()
}

#[test]
fn a_job_that_time_ends_goes_on_with_what_is_missing() {
    // Long enough that SIGTERM comes before the end.
    let scene = Scene::new(Store::serving("objects=80,size=1KiB,ttfb=100ms"), |setup| {
        let late = |setup: Setup, child| setup.fault_times(On::Child(child), Fault::OutOfTime, 1);
        late(late(setup, 1), 3)
    });
    let Scene { source, aws, .. } = &scene;
    let ran = submit(&scene, "-n 4 --yes").exits(3);
    assert!(
        ran.stderr.contains("error: 2 of 4 children of the job ")
            && ran.stderr.contains("Job attempt duration exceeded timeout")
            && ran.stderr.contains("the same command with --redo-failed"),
        "{}",
        ran.stderr
    );
    // Whoever does not ask for it gets the same answer, and whoever may not spend anything too.
    submit(&scene, "-n 4 --yes").exits(3);
    let ran = submit(&scene, "-n 4 --redo-failed").exits(2);
    assert!(
        ran.stderr
            .contains("2 of 4 shards of the job first are left"),
        "{}",
        ran.stderr
    );
    submit(&scene, "-n 4 --redo-failed --max-cost 1").exits(0);
    let expected = [(String::new(), Some(4)), ("1,3".to_owned(), Some(2))];
    assert_eq!(asked(aws), expected);
    assert_eq!(
        aws.containers().len(),
        6,
        "the others are not started again"
    );
    is_one_run(source, 4);
    // It is done now, also for those who would redo it.
    submit(&scene, "-n 4").exits(0);
    submit(&scene, "-n 4 --redo-failed --yes").exits(0);
    assert_eq!(asked(aws).len(), 2);
    scene.aws.finish();
}

#[test]
fn an_array_that_never_had_children_is_redone_as_a_whole() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| Setup {
        stillborn_jobs: 1,
        ..setup
    });
    let Scene { source, aws, .. } = &scene;
    let mut first = start(&scene, "--tag all -c 2 -n 4");
    let mut is_over = false;
    until(|| {
        is_over = first.try_wait().unwrap().is_some();
        is_over || aws.calls("DescribeJobs").len() > 200
    });
    if !is_over {
        first.kill().unwrap();
    }
    let (code, said) = ended(first);
    assert!(
        is_over,
        "it waits for children that there never were: {said}"
    );
    assert_eq!(code, Some(3), "{said}");
    submit(&scene, "-n 4 --yes --redo-failed").exits(0);
    assert_eq!(asked(aws)[1], ("0-3".to_owned(), Some(4)));
    is_one_run(source, 4);
    scene.aws.finish();
}

#[test]
fn what_fails_again_is_known_by_its_shard() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| {
        let out_of_memory = |setup: Setup, child, times| {
            setup.fault_times(On::Child(child), Fault::OutOfMemory, times)
        };
        out_of_memory(out_of_memory(setup, 1, 2), 3, 1)
    });
    let Scene { source, aws, .. } = &scene;
    submit(&scene, "-n 4 --yes").exits(3);
    // Child 1 of the next job has shard 3, and fails as child 1 of the first did.
    submit(&scene, "-n 4 --yes --redo-failed").exits(3);
    submit(&scene, "-n 4 --yes --redo-failed").exits(0);
    let asked: Vec<String> = asked(aws).into_iter().map(|(shards, _)| shards).collect();
    assert_eq!(asked, ["", "1,3", "3"]);
    is_one_run(source, 4);
    scene.aws.finish();
}

#[test]
fn one_child_that_is_left_is_a_job_without_an_array() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| {
        setup.fault_times(On::Child(2), Fault::OutOfMemory, 2)
    });
    let Scene { source, aws, .. } = &scene;
    submit(&scene, "-n 4 --yes").exits(3);
    // It is child 0 of the next job.
    submit(&scene, "-n 4 --yes --redo-failed").exits(0);
    assert_eq!(asked(aws)[1], ("2".to_owned(), None));
    is_one_run(source, 4);
    scene.aws.finish();
}

#[test]
fn archived_keys_are_divided_and_not_fetched() {
    let scene = Scene::new(
        Store::serving("objects=40,size=1KiB,archived=0.25"),
        |setup| setup,
    );
    let Scene { source, .. } = &scene;
    let planned = submit(&scene, "-n 4 --dry-run").exits(0).stdout;
    submit(&scene, "-n 4 --yes").exits(0);
    is_one_run(source, 4);
    let rows = summaries(source)
        .into_iter()
        .map(|summary| summary.totals.unwrap().rows);
    let (ok, skipped) = rows.fold((0, 0), |(ok, skipped), rows| {
        (ok + rows.ok, skipped + rows.archived)
    });
    assert!(skipped > 0 && ok + skipped == 40, "{ok} and {skipped}");
    // With the key file of each child.
    let gets = format!("{} GET", ok + 4);
    assert!(planned.contains(&gets), "{gets} in {planned}");
    scene.aws.finish();
}

#[test]
fn a_report_of_other_keys_than_the_job_has_is_no_success() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| setup);
    let Scene { source, .. } = &scene;
    submit(&scene, "-n 4 --yes --detach").exits(0);
    let text = JobDocument {
        keys: 52,
        ..document(source)
    }
    .to_json()
    .unwrap();
    source
        .s3()
        .put(
            (&source.results, &format!("{JOB}/job.json")),
            text.into_bytes(),
        )
        .unwrap();
    let ran = submit(&scene, "-n 4 --yes").exits(3);
    assert!(
        ran.stderr.contains(
            "error: the children had 40 keys, and the job has 52: the report is not of this job"
        ),
        "{}",
        ran.stderr
    );
    scene.aws.finish();
}

#[test]
fn no_setting_of_the_job_definition_reaches_a_child() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |mut setup| {
        let leaks = [
            ("PARFETCH_LIMIT", "3"),
            ("PARFETCH_SHARD", "0/1"),
            ("PARFETCH_NO_SIGN_REQUEST", "1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ];
        setup
            .environment
            .extend(leaks.map(|(name, value)| (name.to_owned(), value.to_owned())));
        setup
    });
    submit(&scene, "-n 4 --yes").exits(0);
    scene.aws.finish();
}

#[test]
fn a_shard_without_results_is_named_with_its_keys() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| setup);
    let Scene { source, .. } = &scene;
    submit(&scene, "-n 4 --yes").exits(0);
    let name = source
        .s3()
        .list(&source.results, &format!("{JOB}/results/"))
        .into_iter()
        .map(|(key, _)| key);
    let name = name
        .into_iter()
        .find(|key| key.ends_with(".shard-2-of-4.json"))
        .unwrap();
    source
        .s3()
        .put((&source.results, &name), b"{}".to_vec())
        .unwrap();
    let ran = submit(&scene, "-n 4 --yes").exits(3);
    let said = "error: every child ended well, and their account does not close: shard 2 of 4 is missing (shard 2 has 10 keys)";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    scene.aws.finish();
}

#[test]
fn one_shard_is_a_job_without_an_array() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| {
        setup
            .trouble("SubmitJob", Fault::Throttled, [0, 2])
            .trouble("DescribeJobs", Fault::Throttled, [1, 7])
    });
    let Scene { source, aws, .. } = &scene;
    submit(&scene, "-n 1 --yes").exits(0);
    let calls = aws.calls("SubmitJob");
    assert_eq!(calls.len(), 3, "throttled twice");
    assert!(
        calls[0].body.get("arrayProperties").is_none(),
        "{:#}",
        calls[0].body
    );
    is_one_run(source, 1);
    scene.aws.finish();
}

#[test]
fn children_that_hash_list_for_themselves() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| setup);
    let Scene { source, .. } = &scene;
    submit(&scene, "-n 3 --hash --yes").exits(0);
    assert_eq!(
        source.s3().list(&source.results, &format!("{JOB}/keys/")),
        []
    );
    is_one_run(source, 3);
    let parts: Vec<u64> = summaries(source)
        .iter()
        .map(|summary| summary.totals.unwrap().keys_listed)
        .collect();
    assert_eq!(
        document(source)
            .shards
            .iter()
            .map(|part| part.keys)
            .collect::<Vec<_>>(),
        parts
    );
    scene.aws.finish();
}

#[test]
fn nothing_is_spent_unasked_or_beyond_what_was_said() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| setup);
    let Scene { source, aws, .. } = &scene;
    let ran = submit(&scene, "-n 4").exits(2);
    assert!(
        ran.stdout.contains("Price*      $0.00")
            && ran
                .stderr
                .contains("error: nothing was submitted: nothing may be spent"),
        "{ran:?}"
    );
    assert_eq!(
        source.s3().list(&source.results, ""),
        [],
        "nothing is stored"
    );
    let ran = submit(&scene, "-n 4 --max-cost 0.001").exits(2);
    assert!(
        ran.stderr.contains("more than --max-cost 0.001"),
        "{}",
        ran.stderr
    );
    let ran = submit(&scene, "-n 4 --yes --max-bytes 40KB").exits(2);
    assert!(
        ran.stderr
            .contains("error: this job fetches 41.0 kB from s3://")
            && ran.stderr.contains("--max-bytes is 40.0 kB"),
        "{}",
        ran.stderr
    );
    let ran = submit(&scene, "-n 4 --dry-run --egress internet").exits(0);
    assert!(
        ran.stdout.contains(", egress to the internet $0.00"),
        "{}",
        ran.stdout
    );
    let ran = submit(&scene, "-n 4 --dry-run").exits(0);
    assert!(
        ran.stdout.contains("a child 10\n") && ran.stdout.contains("1 LIST, 44 GET, 18 PUT"),
        "{}",
        ran.stdout
    );
    let stored: Vec<String> = source
        .s3()
        .list(&source.results, "")
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(
        (stored, document(source).shards),
        (vec![format!("{JOB}/job.json")], Vec::new()),
        "the proof that it can be, and no keys"
    );
    assert_eq!(aws.calls("SubmitJob").len(), 0);
    // More children than keys: as many as keys.
    let ran = submit(&scene, "-n 50 --max-cost 1 --max-bytes 41KB --detach").exits(0);
    assert!(
        ran.stderr
            .contains("there are 40 keys, so that there are as many children"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        aws.calls("SubmitJob")[0].body["arrayProperties"]["size"],
        40
    );
    submit(&scene, "-n 50").exits(0);
    scene.aws.finish();
}

#[test]
fn a_plan_for_ten_thousand_children_needs_no_account() {
    let ran = Parfetch::new()
        .args(
            "submit --dry-run -n 10000 --embedded=objects=20000,prefixes=100,size=1KiB".split(' '),
        )
        .exits(0);
    assert!(
        ran.stdout.contains("10,000 children") && ran.stdout.contains("a child 2\n"),
        "{}",
        ran.stdout
    );
}

/// Submits a job whose children take long, or finds it; once one runs, ends the command by this signal.
fn cut_off(scene: &Scene, signal: rustix::process::Signal) -> Option<i32> {
    let mut running = start(scene, "-n 2 -c 1");
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap().starts_with("submitted"))
        .unwrap()
        .unwrap();
    until(|| !scene.aws.jobs_running().is_empty());
    rustix::process::kill_process(rustix::process::Pid::from_child(&running), signal).unwrap();
    lines.for_each(drop);
    running.wait().unwrap().code()
}

fn until(mut wanted: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !wanted() {
        assert!(Instant::now() < end, "not so in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_interruption_ends_the_job_and_a_kill_does_not() {
    let scene = Scene::new(Store::serving("objects=2000,size=1KiB,ttfb=1s"), |setup| {
        setup
    });
    let Scene { aws, .. } = &scene;
    assert_eq!(cut_off(&scene, rustix::process::Signal::KILL), None);
    assert_eq!(
        (
            aws.calls("TerminateJob").len(),
            aws.calls("SubmitJob").len()
        ),
        (0, 1)
    );
    assert_eq!(cut_off(&scene, rustix::process::Signal::INT), Some(130));
    assert_eq!(
        (
            aws.calls("TerminateJob").len(),
            aws.calls("SubmitJob").len()
        ),
        (1, 1),
        "the same job was found again"
    );
    until(|| aws.jobs_running().is_empty());
    scene.aws.finish();
}

/// The second begins while the first still lists. Here the test writes what the second would.
#[test]
fn of_two_commands_with_one_id_the_first_submits_nothing() {
    let listing = Hold::default();
    let source = Store::serving("objects=20,size=1KiB");
    let (held, pages) = (listing.clone(), format!("GET /{}", source.bucket));
    let source = source.through(move |head| {
        if head.starts_with(&pages) && head.contains("list-type=2") {
            Passing::Held(held.clone())
        } else {
            Passing::Through
        }
    });
    let scene = Scene::new(source, |setup| setup);
    let Scene { source, aws, .. } = &scene;
    let first = start(&scene, "-n 2 -c 1");
    let s3 = source.s3();
    let key = format!("{JOB}/job.json");
    until(|| s3.find(&source.results, &key).is_some());
    let other = JobDocument {
        planned_by: Some("another".to_owned()),
        ..document(source)
    };
    assert!(other.shards.is_empty(), "it still lists");
    write(source, &other);
    listing.open();
    let (code, said) = ended(first);
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("error: another command plans the job first at the same time"),
        "{said}"
    );
    assert_eq!(aws.calls("SubmitJob").len(), 0);
    assert_eq!(document(source).planned_by.as_deref(), Some("another"));
    scene.aws.finish();
}

/// The first has submitted the job, and Batch does not list it yet. Here the test writes what the first would.
#[test]
fn what_another_command_has_just_submitted_is_not_submitted_again() {
    let hold = Hold::default();
    let scene = Scene::new(Store::serving("objects=20,size=1KiB"), |setup| Setup {
        hidden: 1_000,
        held: Some(("ListJobs", hold.clone())),
        ..setup
    });
    let Scene { source, aws, .. } = &scene;
    submit(&scene, "-n 2 --yes --detach").exits(0);
    let whole = document(source);
    write(
        source,
        &JobDocument {
            job_id: None,
            ..whole.clone()
        },
    );
    let second = start(&scene, "--tag all -c 2 -n 2");
    until(|| !aws.calls("ListJobs").is_empty());
    write(source, &whole);
    hold.open();
    let (code, said) = ended(second);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(aws.calls("SubmitJob").len(), 1, "{said}");
    scene.aws.finish();
}

/// Neither finds the planned job in Batch. The one that submits has no answer until the other has ended.
#[test]
fn of_two_commands_that_go_on_with_a_planned_job_one_submits_it() {
    let hold = Hold::default();
    let scene = Scene::new(Store::serving("objects=20,size=1KiB"), |setup| Setup {
        hidden: 1_000,
        held: Some(("SubmitJob", hold.clone())),
        ..setup.trouble("SubmitJob", Fault::AccessDenied, [0, 1])
    });
    let Scene { source, aws, .. } = &scene;
    submit(&scene, "-n 2 --yes --detach").exits(4);
    assert_eq!(document(source).submitting_since, None, "it was refused");
    let words = "--tag all -c 2 -n 2";
    let mut both = vec![start(&scene, words), start(&scene, words)];
    let mut first = None;
    until(|| {
        let ended = both
            .iter_mut()
            .position(|one| one.try_wait().unwrap().is_some());
        first = ended;
        let calls = aws.calls("SubmitJob").len();
        calls > 2 || calls == 2 && ended.is_some()
    });
    let of_both = aws.calls("SubmitJob").len() - 1;
    hold.open();
    assert_eq!(of_both, 1, "both submit the job");
    let (code, said) = ended(both.remove(first.unwrap()));
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("error: another command submits the job first at the same time"),
        "{said}"
    );
    let (code, said) = ended(both.remove(0));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(document(source).submitting_since, None);
    scene.aws.finish();
}

/// The store takes what plans the job and what claims it, and each time the answer is lost: the same request again is refused.
#[test]
fn what_a_command_wrote_itself_is_not_taken_for_another_commands() {
    let lost = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&lost);
    let source = Store::serving("objects=20,size=1KiB").through(move |head| {
        // The one that is tried again has its answer.
        if head.starts_with("PUT ")
            && head.contains("if-match: ")
            && count.fetch_add(1, SeqCst).is_multiple_of(2)
        {
            Passing::AnswerLost
        } else {
            Passing::Through
        }
    });
    let scene = Scene::new(source, |setup| {
        setup.trouble("SubmitJob", Fault::AccessDenied, [0, 1])
    });
    let ran = submit(&scene, "-n 2 --yes --detach").exits(4);
    assert!(ran.stderr.contains("SubmitJob"), "{}", ran.stderr);
    submit(&scene, "-n 2 --yes").exits(0);
    assert_eq!(lost.load(SeqCst), 4, "each was sent twice");
    assert_eq!(scene.aws.calls("SubmitJob").len(), 2);
    assert_eq!(document(&scene.source).submitting_since, None);
    scene.aws.finish();
}

/// Both want to redo what failed, and the other submits it at this moment. Here the test writes what the other would.
#[test]
fn of_two_commands_that_redo_a_job_one_submits_it() {
    let scene = Scene::new(Store::serving("objects=40,size=1KiB"), |setup| {
        setup.fault_times(On::Child(1), Fault::OutOfMemory, 1)
    });
    let Scene { source, aws, .. } = &scene;
    submit(&scene, "-n 4 --yes").exits(3);
    let mut other = serde_json::to_value(document(source)).unwrap();
    other["redone"] = serde_json::json!([{"job_id": null, "shards": [1]}]);
    let other: JobDocument = serde_json::from_value(other).unwrap();
    let now = Some("2999-01-01T00:00:00Z".to_owned());
    write(
        source,
        &JobDocument {
            submitting_since: now,
            ..other.clone()
        },
    );
    let ran = submit(&scene, "-n 4 --yes --redo-failed").exits(4);
    assert!(
        ran.stderr
            .contains("error: another command submits the job first at the same time"),
        "{}",
        ran.stderr
    );
    assert_eq!(aws.calls("SubmitJob").len(), 1);
    // The other one gave it up.
    write(source, &other);
    submit(&scene, "-n 4 --yes --redo-failed").exits(0);
    assert_eq!(asked(aws)[1], ("1".to_owned(), None));
    assert_eq!(document(source).submitting_since, None);
    is_one_run(source, 4);
    scene.aws.finish();
}

/// Whether a process has a child by now: here the embedded server, which is started when the settings are known.
fn has_child(pid: u32) -> bool {
    !fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap()
        .trim()
        .is_empty()
}

#[test]
fn a_plan_can_be_interrupted() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parfetch"));
    command
        .args("submit --dry-run -n 8 --embedded=objects=1000000,list-delay=30s".split(' '))
        .env_clear();
    let mut running = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| has_child(running.id()));
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&running),
        rustix::process::Signal::INT,
    )
    .unwrap();
    let said: String = BufReader::new(running.stderr.take().unwrap())
        .lines()
        .map(|line| line.unwrap() + "\n")
        .collect();
    assert_eq!(running.wait().unwrap().code(), Some(130), "{said}");
    assert!(
        said.contains("error: interrupted before the job was submitted"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_found_is_said() {
    let scene = Scene::new(Store::serving("objects=4,size=1KiB"), |setup| setup);
    let said = |words: &str, exit: i32, what: &str| {
        let ran = submit(&scene, words).exits(exit);
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
    };
    said(
        "-n 2 --yes --result-bucket nowhere",
        4,
        "s3://nowhere/parfetch/jobs/first/job.json",
    );
    said("-n 2 --yes --queue other", 4, "JobQueue other not found");
    said(
        "-n 2 --yes --prefix nowhere/ --id second",
        4,
        "there are no keys under",
    );
    scene.aws.finish();
}
