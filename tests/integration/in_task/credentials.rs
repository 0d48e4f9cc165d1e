//! Credentials of a task role that live shorter than the run: no fetch sees it, and the endpoint is asked as seldom as can be.

use std::fs;
use std::time::Duration;

use rustix::process::Pid;
use serde_json::Value;

use super::role::{Answer, Role};
use super::store::Store;
use crate::support::strict::{Invocation, Running, SECRET, Said};

const LATENCY: Duration = Duration::from_millis(50);
/// What a container brings to the endpoint; recognisable, must not show anywhere.
const AUTHORIZATION: &str = "BearerTHATnobodyMAYsee0123456789";
const HINT: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a --profile, or give the task a role; --no-sign-request for a public bucket";

/// A run that has no credentials but those of the role at this URL.
fn run(store: &Store, url: &str) -> Invocation {
    Invocation::run_at(&store.server.url())
        .unset(&[
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ])
        .env(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url),
            ("PARFETCH_LOG_LEVEL", "trace"),
            ("PARFETCH_OUT", "out"),
        ])
}

/// What a run for a time of workers in this mode leaves to look at.
struct Load {
    mode: &'static str,
    client: &'static str,
    workers: usize,
    time: Duration,
}

impl Load {
    fn start(&self, role: &Role) -> (Store, Running) {
        let store = Store::of(role, LATENCY);
        let (workers, time) = (
            self.workers.to_string(),
            format!("{}s", self.time.as_secs()),
        );
        let run =
            run(&store, &role.serve()).env(&[("AWS_CONTAINER_AUTHORIZATION_TOKEN", AUTHORIZATION)]);
        let running = run
            .args(&[
                "-c",
                &workers,
                "-m",
                self.mode,
                "--client",
                self.client,
                "--duration",
                &time,
            ])
            .start();
        (store, running)
    }

    fn summary(&self, said: &Said) -> Value {
        serde_json::from_str(&said.read(format!(
            "out/result_run_{}_{}.json",
            self.mode, self.workers
        )))
        .unwrap()
    }

    /// No failed fetch, nothing tried twice, nothing refused; one ask at a time, and no more than there must be.
    fn check(&self, said: &Said, (role, store): (&Role, &Store), lifetime: Duration) -> Value {
        said.exits(0);
        let name = format!("{} {}", self.mode, self.client);
        assert_eq!(store.refused(), Vec::<String>::new(), "{name}");
        let summary = self.summary(said);
        let (rows, attempts) = (&summary["totals"]["rows"], &summary["attempts"]);
        assert_eq!(
            (&rows["failed"], &rows["vanished"], &rows["not_attempted"]),
            (&0.into(), &0.into(), &0.into()),
            "{name}"
        );
        assert_eq!(
            (
                &attempts["total"],
                attempts["by_code"].as_object().unwrap().len()
            ),
            (&rows["ok"], 0),
            "{name}: {attempts}"
        );
        role.was_asked_in_moderation();
        let (asked, most_open) = role.seen(|seen| (seen.asked, seen.most_open));
        assert!(
            store.used()
                >= usize::try_from(self.time.as_millis().div_ceil(lifetime.as_millis())).unwrap(),
            "{name}: none outlives its time"
        );
        assert!(
            !said.stderr.contains(AUTHORIZATION) && !said.stdout.contains(AUTHORIZATION),
            "{name}: {}",
            said.stderr
        );
        println!(
            "{name}: asked {asked} times, {most_open} at once at the most; {} fetches, {} failed",
            rows["ok"], rows["failed"]
        );
        summary
    }
}

/// What anybody on the machine may read of a process.
fn shown(pid: Pid) -> String {
    ["cmdline", "environ"]
        .map(|file| {
            String::from_utf8_lossy(
                &fs::read(format!("/proc/{}/{file}", pid.as_raw_nonzero())).unwrap(),
            )
            .into_owned()
        })
        .concat()
}

fn renewed_under_load(mode: &'static str) {
    let lifetime = Duration::from_secs(4);
    let runs = ["lean", "sdk"].map(|client| {
        let (load, role) = (
            Load {
                mode,
                client,
                workers: 16,
                time: Duration::from_secs(10),
            },
            Role::new_guarded(lifetime),
        );
        let (store, running) = load.start(&role);
        (load, role, store, running)
    });
    for (_, role, _, running) in &runs {
        role.wait_for(3);
        let command =
            fs::read(format!("/proc/{}/cmdline", running.pid().as_raw_nonzero())).unwrap();
        assert!(!String::from_utf8_lossy(&command).contains(SECRET));
        let children = running.children();
        assert_eq!(children.len(), if mode == "process" { 16 } else { 0 });
        for text in children.into_iter().map(shown) {
            assert!(
                !text.contains(SECRET) && !text.contains(AUTHORIZATION) && !text.contains("AWS_"),
                "credentials go by pipe: {text}"
            );
        }
    }
    for (load, role, store, running) in runs {
        load.check(&running.end(), (&role, &store), lifetime);
    }
}

impl Role {
    fn new_guarded(lifetime: Duration) -> Self {
        Self::guarded(
            lifetime,
            |_| Answer::Keys,
            |_| Some(AUTHORIZATION.to_owned()),
        )
    }
}

#[test]
fn short_lived_keys_are_renewed_under_tasks() {
    renewed_under_load("async");
}

#[test]
fn short_lived_keys_are_renewed_under_threads() {
    renewed_under_load("thread");
}

#[test]
fn short_lived_keys_are_renewed_under_processes() {
    renewed_under_load("process");
}

#[test]
#[ignore = "takes nine minutes: the full size, keys of a minute under 64 workers for three"]
fn keys_of_a_minute_under_64_workers() {
    let lifetime = Duration::from_mins(1);
    for mode in ["async", "thread", "process"] {
        let (load, role) = (
            Load {
                mode,
                client: "lean",
                workers: 64,
                time: Duration::from_mins(3),
            },
            Role::new_guarded(lifetime),
        );
        let (store, running) = load.start(&role);
        load.check(
            &running.end_within(Duration::from_mins(5)),
            (&role, &store),
            lifetime,
        );
    }
}

/// The file's content changes with every ask, as that of a mounted token does.
#[test]
fn the_token_is_read_from_its_file_for_every_ask() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let token = |number: usize| format!("{AUTHORIZATION}{number}");
    fs::write(&path, token(0)).unwrap();
    let (lifetime, file) = (Duration::from_secs(4), path.clone());
    let role = Role::guarded(
        lifetime,
        |_| Answer::Keys,
        move |number| {
            fs::write(&file, token(number + 1)).unwrap();
            Some(token(number))
        },
    );
    let store = Store::of(&role, LATENCY);
    let said = run(&store, &role.serve())
        .env(&[(
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            path.to_str().unwrap(),
        )])
        .args(&["-c", "2", "--duration", "5s"])
        .go();
    let load = Load {
        mode: "async",
        client: "lean",
        workers: 2,
        time: Duration::from_secs(5),
    };
    load.check(&said, (&role, &store), lifetime);
}

/// The second ask and those after it go wrong; the keys of the first are good for long enough.
#[test]
fn an_endpoint_that_fails_for_a_while_is_one_warning() {
    // The SDK itself asks again after a 500, and after what it cannot read.
    let kinds = [
        (Answer::Status(429), 2),
        (Answer::Status(500), 3),
        (Answer::Garbage, 3),
        (Answer::Late(Duration::from_secs(2)), 1),
    ];
    let runs = kinds.map(|(answer, times)| {
        let role = Role::answering(Duration::from_secs(12), move |number| {
            if (1..=times).contains(&number) {
                answer
            } else {
                Answer::Keys
            }
        });
        let store = Store::of(&role, LATENCY);
        let running = run(&store, &role.serve())
            .args(&["-c", "2", "--duration", "13s"])
            .start();
        (answer, role, store, running)
    });
    for (answer, role, store, running) in runs {
        let said = running.end();
        said.exits(0);
        assert_eq!(store.refused(), Vec::<String>::new(), "{answer:?}");
        assert_eq!(role.seen(|seen| seen.most_open), 1, "{answer:?}");
        let load = Load {
            mode: "async",
            client: "lean",
            workers: 2,
            time: Duration::from_secs(13),
        };
        let summary = load.summary(&said);
        assert_eq!(summary["totals"]["rows"]["failed"], 0, "{answer:?}");
        let warnings = said.lines("warning: credentials were not renewed: ");
        let noted = summary["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|text| text.as_str().unwrap().contains("not renewed"))
            .count();
        let expected = usize::from(!matches!(answer, Answer::Late(_)));
        assert_eq!(
            (warnings.len(), noted),
            (expected, expected),
            "{answer:?}: {}",
            said.stderr
        );
        let complete = warnings
            .iter()
            .all(|text| text.contains("; the present ones are used until they expire, at 20"));
        assert!(complete, "{warnings:?}");
        assert!(
            store.used() >= 2,
            "{answer:?}: and then there were new ones"
        );
    }
}

#[test]
fn an_endpoint_that_fails_at_the_start_is_one_line() {
    let kinds = [
        Answer::Status(404),
        Answer::Status(429),
        Answer::Status(500),
        Answer::Garbage,
        Answer::Never,
    ];
    let runs = kinds.map(|answer| {
        let role = Role::answering(Duration::from_mins(1), move |_| answer);
        let store = Store::of(&role, LATENCY);
        let running = run(&store, &role.serve()).start();
        (answer, store, running)
    });
    for (answer, store, running) in runs {
        let said = running.end();
        said.exits(4);
        let errors = said.lines("error: no usable credentials: ");
        assert_eq!(
            (
                errors.len(),
                said.lines("hint: "),
                said.stderr.lines().count()
            ),
            (1, vec![HINT], 2),
            "{answer:?}: {}",
            said.stderr
        );
        println!("{answer:?}: {}", errors[0]);
        let told = match answer {
            Answer::Status(status) => {
                errors[0] == format!("the task's credentials endpoint answered {status}")
            }
            Answer::Garbage => errors[0].starts_with("invalid JSON in response: "),
            _ => errors[0].contains("time"),
        };
        assert!(told, "{answer:?}: {}", errors[0]);
        assert_eq!(store.server.requests().len(), 0);
    }
}

#[test]
fn a_token_that_the_endpoint_does_not_take_is_one_line() {
    let role = Role::new_guarded(Duration::from_mins(1));
    let store = Store::of(&role, LATENCY);
    let said = run(&store, &role.serve())
        .env(&[("AWS_CONTAINER_AUTHORIZATION_TOKEN", "another")])
        .go();
    said.exits(4);
    assert!(
        said.lines("error: no usable credentials: ")[0].contains("401"),
        "{}",
        said.stderr
    );
    assert_eq!(said.stderr.lines().count(), 2, "{}", said.stderr);
}
