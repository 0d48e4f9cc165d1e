//! What every source promises, whatever it is: the same suite over a bucket and over URLs of the same server.

use std::collections::BTreeMap;

use parfetch::internals::Mode;
use parfetch::internals::{Outcome, State};
use rustix::process::Signal;

use crate::support::results::Results;
use crate::support::scripted::{Hold, Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bucket,
    Urls,
}

/// How many objects the server has.
const COUNT: usize = 50;

/// A run of everything that the server has.
fn over(kind: Kind, server: &Scripted, mode: Mode) -> Invocation {
    let run = Invocation::new(&["run", "-o", "out", "-c", "4", "-m", mode.as_str()]).env(&[
        ("PARFETCH_PROGRESS", "never"),
        ("AWS_ENDPOINT_URL", &server.url()),
    ]);
    match kind {
        Kind::Bucket => run.args(&["s3://source"]),
        Kind::Urls => {
            let urls: Vec<String> = (0..COUNT)
                .map(|number| format!("{}/source/k{number:04}\n", server.url()))
                .collect();
            let urls = urls.concat();
            run.file("urls.txt", urls).args(&["--urls", "urls.txt"])
        }
    }
}

fn found(said: &Said, mode: Mode) -> Results {
    Results::in_folder(
        &said.folder.path().join("out"),
        &format!("result_run_{mode}_4"),
    )
}

fn times_asked(server: &Scripted) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for request in server
        .requests()
        .iter()
        .filter(|request| request.is_fetch())
    {
        *times.entry(request.path().to_owned()).or_default() += 1;
    }
    times
}

fn each_is_fetched_once_and_in_order(kind: Kind) {
    for mode in Mode::ALL {
        let server = Scripted::start(COUNT, |_| None);
        let said = over(kind, &server, mode).go();
        said.exits(0);
        let times = times_asked(&server);
        assert_eq!((times.len(), times.values().sum::<usize>()), (COUNT, COUNT));
        let found = found(&said, mode);
        assert!(
            found.rows.windows(2).all(|pair| pair[0].key < pair[1].key),
            "as listed"
        );
        for row in &found.rows {
            assert_eq!(
                (row.outcome, row.calc_size, row.attempts, row.round),
                (Some(Outcome::Ok), Some(1), Some(1), Some(0))
            );
            assert_eq!(row.status, Some(200));
        }
        assert_eq!(found.summary.state, State::Complete);
    }
}

fn failures_are_rows_and_an_exit_code(kind: Kind) {
    for mode in Mode::ALL {
        let server = Scripted::start(COUNT, |request| {
            (request.is_fetch() && request.path().ends_with('7'))
                .then(|| Reply::Answer(403, Vec::new(), b"no".to_vec()))
        });
        let said = over(kind, &server, mode).go();
        said.exits(3);
        let found = found(&said, mode);
        for row in &found.rows {
            let (outcome, status) = if row.key.ends_with('7') {
                (Outcome::Failed, 403)
            } else {
                (Outcome::Ok, 200)
            };
            assert_eq!(
                (row.outcome, row.status),
                (Some(outcome), Some(status)),
                "{row:?}"
            );
        }
        assert_eq!(found.summary.status_codes.get("403"), Some(&5));
    }
}

fn retries_are_counted(kind: Kind) {
    for mode in Mode::ALL {
        // Every object is refused once.
        let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let server = Scripted::start(COUNT, move |request| {
            let is_first =
                request.is_fetch() && seen.lock().unwrap().insert(request.path().to_owned());
            is_first.then(|| Reply::Answer(503, Vec::new(), Vec::new()))
        });
        let said = over(kind, &server, mode).args(&["--attempts", "3"]).go();
        said.exits(0);
        let found = found(&said, mode);
        assert!(
            found
                .rows
                .iter()
                .all(|row| (row.outcome, row.attempts) == (Some(Outcome::Ok), Some(2)))
        );
        assert_eq!(
            found.summary.attempts.unwrap().by_code["HTTP503"],
            COUNT as u64
        );
    }
}

fn time_ends_a_run_that_goes_round(kind: Kind) {
    for mode in Mode::ALL {
        let server = Scripted::busy(COUNT, |_| None);
        let said = over(kind, &server, mode).args(&["--duration", "1s"]).go();
        said.exits(0);
        let found = found(&said, mode);
        let totals = found.summary.totals.unwrap();
        assert!(totals.rounds > 1, "{totals:?}");
        assert_eq!(
            (totals.rows.ok, found.summary.active_window_ns),
            (found.rows.len() as u64, Some(1_000_000_000))
        );
    }
}

fn a_signal_leaves_an_account_of_everything(kind: Kind) {
    for mode in Mode::ALL {
        let hold = Hold::default();
        let of_server = hold.clone();
        let is_late = |request: &Request| request.is_fetch() && request.path() > "source/k0009";
        let server = Scripted::start(COUNT, move |request| {
            if is_late(request) {
                of_server.wait();
            }
            None
        });
        let running = over(kind, &server, mode).start();
        server.wait_for(1, is_late);
        running.signal(Signal::INT);
        running.wait_for("interrupt");
        hold.open();
        let said = running.end();
        said.exits(130);
        let found = found(&said, mode);
        assert_eq!(
            (found.rows.len(), found.summary.state),
            (COUNT, State::Interrupted)
        );
        assert!(
            found
                .rows
                .iter()
                .any(|row| row.outcome == Some(Outcome::NotAttempted))
        );
        assert!(
            found
                .rows
                .iter()
                .any(|row| row.outcome == Some(Outcome::Ok))
        );
    }
}

fn a_dry_run_fetches_nothing(kind: Kind) {
    let server = Scripted::start(COUNT, |_| None);
    let said = over(kind, &server, Mode::Async).args(&["--dry-run"]).go();
    said.exits(0);
    assert_eq!(times_asked(&server).len(), 0);
    assert!(said.stdout.contains("50 "), "{}", said.stdout);
}

/// Calls every function with each kind of source, as tests of their own.
macro_rules! with_every_source {
    ($($function:ident),* $(,)?) => {
        mod bucket {
            $(#[test]
            fn $function() {
                super::$function(super::Kind::Bucket);
            })*
        }
        mod urls {
            $(#[test]
            fn $function() {
                super::$function(super::Kind::Urls);
            })*
        }
    };
}

with_every_source!(
    each_is_fetched_once_and_in_order,
    failures_are_rows_and_an_exit_code,
    retries_are_counted,
    time_ends_a_run_that_goes_round,
    a_signal_leaves_an_account_of_everything,
    a_dry_run_fetches_nothing,
);
