//! The study's own program and parfetch over the same bucket with the same environment: whoever reads the one's CSV can read the other's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parfetch::internals::Variables;

use crate::support::parfetch::Parfetch;
use crate::support::results::Results;
use crate::support::source::{Source, Store};

mod minio {
    #[test]
    fn the_study_and_parfetch_leave_the_same_keys_and_sizes() {
        let Some(store) = crate::support::source::Store::minio() else {
            return;
        };
        let Some(study) = super::study() else { return };
        super::same_keys_and_sizes(store, &study);
    }
}

/// The study's program, with a Python that can run it.
struct Study {
    script: PathBuf,
    path: String,
}

fn study() -> Option<Study> {
    let variables = Variables::of_process();
    let Some(script) = variables.get("PARFETCH_TEST_STUDY") else {
        println!("skipped: PARFETCH_TEST_STUDY does not name the study's program");
        return None;
    };
    let path = variables.get("PATH").unwrap_or_default().to_owned();
    let found = std::process::Command::new("python3")
        .args(["-c", "import boto3"])
        .output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no python3 with boto3");
        return None;
    }
    Some(Study {
        script: script.into(),
        path,
    })
}

fn same_keys_and_sizes(store: Store, study: &Study) {
    let source = store.many();
    // The same objects, another results bucket.
    let other = store.many();
    for mode in ["thread", "process"] {
        let name = format!("result_study_{mode}_4.csv");
        let environment = |source: &Source| {
            [
                ("PATH", study.path.clone()),
                ("AWS_ACCESS_KEY_ID", source.endpoint.access_key.clone()),
                ("AWS_SECRET_ACCESS_KEY", source.endpoint.secret_key.clone()),
                ("AWS_ENDPOINT_URL", source.endpoint.url.clone()),
                ("BUCKET_NAME", source.bucket.clone()),
                ("RESULT_BUCKET_NAME", source.results.clone()),
                ("CONCURRENCY", "4".to_owned()),
                ("MODE", mode.to_owned()),
                ("TAG", "study".to_owned()),
            ]
        };
        python(&study.script, &environment(&source));
        environment(&other)
            .iter()
            .fold(Parfetch::new(), |run, (variable, value)| {
                run.env(variable, value)
            })
            .exits(0);
        let theirs = source.s3().get(&source.results, &name);
        let ours = source.s3().get(&other.results, &name);
        assert_eq!(header(&theirs), ["Key (time = ", ") sec,Size,CalcSize"]);
        let [start, columns] = header(&ours);
        assert_eq!(start, "Key (time = ");
        assert!(columns.starts_with(") sec,Size,CalcSize,"), "{columns}");
        let theirs = Results::rows_of(&theirs);
        assert_eq!(theirs.len(), source.objects.len());
        assert_eq!(theirs, Results::rows_of(&ours));
    }
}

/// Runs the study's program to its end.
fn python(script: &Path, environment: &[(&str, String)]) {
    let mut command = assert_cmd::Command::new("python3");
    command
        .arg(script)
        .env_clear()
        .envs(environment.iter().cloned())
        .timeout(Duration::from_mins(3));
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The first line, around the seconds.
fn header(csv: &[u8]) -> [String; 2] {
    let line = csv.split(|byte| *byte == b'\r').next().unwrap();
    let line = String::from_utf8(line.to_vec()).unwrap();
    let seconds = line
        .find(|character: char| character.is_ascii_digit())
        .unwrap();
    let (start, rest) = line.split_at(seconds);
    let end = rest.find(')').unwrap();
    assert!(
        rest[..end]
            .parse::<f64>()
            .is_ok_and(|seconds| seconds > 0.0),
        "{line}"
    );
    [start.to_owned(), rest[end..].to_owned()]
}
