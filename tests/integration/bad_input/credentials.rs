//! No credentials, or none that can be had: an answer soon, and never a wait for a metadata service that is not there.

use std::net::TcpListener;

use crate::support::scripted::{Reply, Scripted};
use crate::support::strict::{Invocation, SECRET, TOKEN};

const HINT: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a --profile, or give the task a role; --no-sign-request for a public bucket";

fn without_credentials() -> Invocation {
    Invocation::bare(&["run", "-b", "source", "-o", "out", "--progress", "never"])
        .env(&[("AWS_EC2_METADATA_DISABLED", "")])
}

/// A metadata service that takes connections and says nothing: how often was it asked?
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn asked(listener: &TcpListener) -> usize {
    listener.set_nonblocking(true).unwrap();
    std::iter::from_fn(|| listener.accept().ok()).count()
}

#[test]
fn a_silent_metadata_service_is_asked_once() {
    let (imds, url) = silent();
    let said = without_credentials()
        .env(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)])
        .go();
    said.fails(4, "no usable credentials: nothing in the environment, in profiles, of a task role or of an instance", HINT);
    assert_eq!(
        asked(&imds),
        2,
        "for the region and for credentials, each once"
    );
    assert_eq!(said.files(), Vec::<String>::new());
}

#[test]
fn nobody_asks_the_metadata_service_who_has_keys_and_an_endpoint() {
    let (imds, url) = silent();
    let server = Scripted::start(1, |_| None);
    let metadata = [
        ("AWS_EC2_METADATA_DISABLED", ""),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url),
        ("AWS_REGION", ""),
    ];
    Invocation::run(&server).env(&metadata).go().exits(0);
    Invocation::bare(&["--embedded=objects=1,size=1", "--progress", "never"])
        .env(&metadata)
        .go()
        .exits(0);
    assert_eq!(asked(&imds), 0);
}

#[test]
fn a_metadata_service_that_says_no_is_not_quoted() {
    let imds = Scripted::start(0, |_| {
        Some(Reply::Answer(403, Vec::new(), b"go away".to_vec()))
    });
    let said = without_credentials()
        .env(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.url())])
        .go();
    said.fails(4, "no usable credentials: nothing in the environment, in profiles, of a task role or of an instance", HINT);
}

/// Whatever a command asks AWS first, with a metadata service that refuses, one that is turned off, and none.
#[test]
fn every_command_says_the_same_without_credentials() {
    const NONE: &str = "no usable credentials: nothing in the environment, in profiles, of a task role or of an instance";
    let refusing = Scripted::start(0, |_| Some(Reply::Answer(403, Vec::new(), b"no".to_vec())));
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (refusing, gone) = (refusing.url(), format!("http://{gone}"));
    let metadata = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", refusing.as_str()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", gone.as_str()),
    ];
    let ecs = "--on ecs --cluster c --task-definition d --subnets s-1 -r s3://results";
    for words in [
        "run s3://source -o out",
        "fill s3://source",
        "fill s3://source --from s3://others",
        "tune s3://source",
        "sweep s3://source",
        "doctor s3://source",
        "doctor s3://source --stack st",
        "report s3://source/a",
        "compare s3://source/a s3://source/b",
        "upload . s3://results",
        "submit s3://source --stack st -n 2",
        "submit s3://source -r s3://results --queue q --job-definition d -n 2",
        &format!("sweep s3://source {ecs}"),
        &format!("tune s3://source {ecs}"),
    ] {
        for (name, value) in metadata {
            let words: Vec<&str> = words.split(' ').collect();
            let said = Invocation::bare(&words)
                .file("result_run_async_1.csv", "")
                .env(&[("AWS_EC2_METADATA_DISABLED", ""), (name, value)])
                .go();
            said.exits(if words[0] == "upload" { 5 } else { 4 });
            let all = format!("{}{}", said.stdout, said.stderr).replace("\n                 ", " ");
            assert!(all.contains(NONE), "{words:?} {value}: {all}");
            assert!(!all.contains("IMDS"), "{words:?} {value}: {all}");
        }
    }
}

#[test]
fn a_profile_that_is_not_there() {
    let said = without_credentials()
        .env(&[("AWS_EC2_METADATA_DISABLED", "true")])
        .args(&["--profile", "nobody"])
        .go();
    said.fails(4, "no usable credentials: nothing in the environment, in profile `nobody`, of a task role or of an instance", HINT);
}

#[test]
fn a_profile_is_used_and_its_secret_stays_there() {
    let server = Scripted::start(1, |_| None);
    let profile = format!(
        "[mine]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"
    );
    let said = Invocation::run(&server)
        .unset(&[
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ])
        .file("profile", profile)
        .env(&[
            ("AWS_SHARED_CREDENTIALS_FILE", "profile"),
            ("AWS_PROFILE", "mine"),
            ("PARFETCH_LOG_LEVEL", "trace"),
        ])
        .args(&["-m", "process", "-o", "out"])
        .go();
    said.exits(0);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.headers["authorization"].contains("AKIDPROFILE/"))
    );
}

#[test]
fn a_container_that_answers_nonsense_is_not_quoted() {
    let task = Scripted::start(0, |_| {
        Some(Reply::ok(format!(
            "{{\"SecretAccessKey\": \"{SECRET}\", \"Token\": \"{TOKEN}\"}}"
        )))
    });
    let url = format!("{}/creds", task.url());
    let said = without_credentials()
        .env(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("PARFETCH_LOG_LEVEL", "trace"),
        ])
        .go();
    said.exits(4);
    assert_eq!(
        (said.lines("error: ").len(), said.lines("hint: ")),
        (1, vec![HINT]),
        "{}",
        said.stderr
    );
}

/// A role whose first key is refused for good after some fetches: every worker must go on with the next one, and the provider is asked once for it.
#[test]
fn a_key_that_expires_in_mid_run_is_replaced_once_for_all_workers() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    for (mode, client) in ["async", "thread", "process"]
        .into_iter()
        .flat_map(|mode| ["lean", "sdk"].map(|client| (mode, client)))
    {
        let (asked, fetched) = (
            std::sync::Arc::new(AtomicUsize::new(0)),
            AtomicUsize::new(0),
        );
        let answered = std::sync::Arc::clone(&asked);
        let server = Scripted::start(60, move |request| {
            if request.path() == "role" {
                let number = answered.fetch_add(1, Ordering::SeqCst);
                let body = format!(
                    r#"{{"AccessKeyId":"ROLEKEY{number}","SecretAccessKey":"{SECRET}","Token":"{TOKEN}","Expiration":"2099-01-01T00:00:00Z"}}"#
                );
                return Some(Reply::ok(body));
            }
            let old = request
                .headers
                .get("authorization")
                .is_some_and(|signature| signature.contains("Credential=ROLEKEY0/"));
            let expired = request.is_fetch() && old && fetched.fetch_add(1, Ordering::SeqCst) >= 20;
            expired.then(|| Reply::error(400, "ExpiredToken"))
        });
        let url = format!("{}/role", server.url());
        let said = Invocation::run_at(&server.url())
            .unset(&[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
            ])
            .env(&[
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ])
            .args(&["-c", "4", "--mode", mode, "--client", client])
            .go();
        said.exits(0);
        let refused = server
            .requests()
            .iter()
            .filter(|request| request.is_fetch() && request.path() != "role")
            .count()
            - 60;
        assert!(
            (1..=4).contains(&refused),
            "{mode} {client}: each worker is refused once at the most, {refused} were"
        );
        assert_eq!(
            asked.load(Ordering::SeqCst),
            2,
            "{mode} {client}: one refresh serves all workers"
        );
    }
}
