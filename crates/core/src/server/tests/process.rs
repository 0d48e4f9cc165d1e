//! The pipes between parent and child, each side against the other's lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use super::super::protocol::{Answer, Question};
use super::super::{Embedded, ProcessConfig, ServerError, serve_standalone, serve_supervised};

/// What the child says to `lines`, then to the end of its pipe; each line is sent once the one before is answered.
fn converse(lines: &[String]) -> Vec<Answer> {
    let (stdin, write) = std::io::pipe().unwrap();
    let (read, mut stdout) = std::io::pipe().unwrap();
    let child = std::thread::spawn(move || serve_supervised(stdin.into(), &mut stdout));
    let mut write = Some(write);
    let mut read = BufReader::new(read);
    let mut answers = Vec::new();
    for line in lines {
        writeln!(write.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        read.read_line(&mut answer).unwrap();
        answers.push(serde_json::from_str(&answer).unwrap());
    }
    write.take();
    child.join().unwrap().unwrap();
    answers
}

#[test]
fn a_child_serves_answers_and_ends_with_its_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let config = ProcessConfig::new("objects=1".parse().unwrap(), folder.path().to_owned());
    let lines = [
        serde_json::to_string(&config).unwrap(),
        serde_json::to_string(&Question::Report {}).unwrap(),
        serde_json::to_string(&Question::Reset {}).unwrap(),
        "nonsense".to_owned(),
    ];
    assert_eq!(lines[1], r#"{"report":{}}"#);
    let answers = converse(&lines);
    let Answer::Ready(ready) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert!(ready.endpoint_url.starts_with("http://127.0.0.1:"));
    assert_eq!(
        (ready.source_bucket.as_str(), ready.results_bucket.as_str()),
        ("source", "results")
    );
    assert!(!format!("{ready:?}").contains(&ready.credentials.secret_key));
    assert!(
        matches!(&answers[1], Answer::Report(report) if report.gets == 0 && report.threads == 1)
    );
    assert_eq!(answers[2], Answer::Reset {});
    assert!(matches!(&answers[3], Answer::Failed(_)));
    let port = ready.endpoint_url.trim_start_matches("http://");
    assert!(std::net::TcpStream::connect(port).is_err());
}

#[test]
fn a_child_that_cannot_serve_says_why() {
    let mut config = ProcessConfig::new("objects=1".parse().unwrap(), "/proc/nowhere".into());
    let answers = converse(&[serde_json::to_string(&config).unwrap()]);
    assert!(
        matches!(&answers[0], Answer::Failed(reason) if reason.starts_with("use the results folder /proc/nowhere: ")),
        "{answers:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    config.results_dir = folder.path().to_owned();
    config.address = "nonsense".to_owned();
    let answers = converse(&[serde_json::to_string(&config).unwrap()]);
    assert!(
        matches!(&answers[0], Answer::Failed(reason) if reason.starts_with("listen on nonsense: ")),
        "{answers:?}"
    );
}

/// A stand-in for the binary that answers with fixed lines, then waits for the end of its pipe.
fn stand_in(folder: &Path, lines: &[&str]) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let mut script = "#!/bin/sh\n[ \"$*\" = 'serve --supervised' ] || exit 9\n".to_owned();
    for line in lines {
        script = format!("{script}read -r question\necho '{line}'\n");
    }
    let path = folder.join("stand-in");
    std::fs::write(&path, script + "cat >/dev/null\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

const READY: &str = r#"{"ready":{"endpoint_url":"http://x","credentials":{"access_key":"A","secret_key":"S","session_token":null},"source_bucket":"source","results_bucket":"results"}}"#;

#[tokio::test]
async fn a_parent_asks_and_stops_its_child() {
    let folder = tempfile::tempdir().unwrap();
    let config = ProcessConfig::new("objects=1".parse().unwrap(), folder.path().to_owned());
    let binary = stand_in(
        folder.path(),
        &[READY, r#"{"reset":{}}"#, r#"{"reset":{}}"#],
    );
    let mut embedded = Embedded::start(&binary, &config).await.unwrap();
    assert_eq!(embedded.ready().endpoint_url, "http://x");
    assert!(embedded.pid().is_some());
    embedded.reset().await.unwrap();
    assert!(matches!(embedded.report().await, Err(ServerError::Pipe(_))));
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn a_parent_passes_on_why_its_child_does_not_serve() {
    let folder = tempfile::tempdir().unwrap();
    let config = ProcessConfig::new("objects=1".parse().unwrap(), folder.path().to_owned());
    let refusing = stand_in(folder.path(), &[r#"{"failed":"no luck"}"#]);
    assert_eq!(
        Embedded::start(&refusing, &config)
            .await
            .unwrap_err()
            .to_string(),
        "start the embedded server: no luck"
    );
    let missing = folder.path().join("missing");
    assert!(
        matches!(Embedded::start(&missing, &config).await, Err(ServerError::Spawn { path, .. }) if path == missing)
    );
    let silent = folder.path().join("silent");
    std::fs::copy("/bin/true", &silent).unwrap();
    assert!(matches!(
        Embedded::start(&silent, &config).await,
        Err(ServerError::Pipe(_))
    ));
}

#[tokio::test]
async fn a_person_serves_until_they_stop() {
    let folder = tempfile::tempdir().unwrap();
    let config = ProcessConfig::new("objects=1".parse().unwrap(), folder.path().to_owned());
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let report = serve_standalone(
        &config,
        |ready| sender.send(ready.clone()).unwrap(),
        async { drop(receiver.await.unwrap()) },
    )
    .await
    .unwrap();
    assert_eq!(report.threads, 1);
}

#[test]
fn files_that_are_no_certificate_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = ProcessConfig::new("objects=1".parse().unwrap(), folder.path().to_owned());
    let certificate = folder.path().join("none.pem");
    config.tls = Some(super::super::TlsFiles {
        certificate: certificate.clone(),
        key: certificate,
    });
    let answers = converse(&[serde_json::to_string(&config).unwrap()]);
    assert!(
        matches!(&answers[0], Answer::Failed(reason) if reason.contains("none.pem")),
        "{answers:?}"
    );
}
