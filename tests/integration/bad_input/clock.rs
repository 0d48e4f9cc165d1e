//! The store's clock shows another time than this machine's. Its signatures are checked against its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::sigv4::Signed;
use crate::support::strict::{Invocation, SECRET, Said};

/// As S3: a signature may be so old, or so far ahead, in s.
const TOLERANCE_S: i64 = 15 * 60;
const OBJECTS: usize = 60;
const WORKERS: usize = 4;

const SIGNED: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
const HTTP: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// A clock that is so many seconds ahead of this machine's, and jumps to another such time once `before` objects were asked for.
struct Clock {
    ahead_s: AtomicI64,
    then_s: i64,
    before: usize,
    asked: AtomicUsize,
    /// Fetches that were refused for their time.
    refused: AtomicUsize,
}

impl Clock {
    fn new(ahead_s: i64, (before, then_s): (usize, i64)) -> Arc<Self> {
        Arc::new(Self {
            ahead_s: AtomicI64::new(ahead_s),
            then_s,
            before,
            asked: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        })
    }

    fn judge(&self, request: &Request) -> Option<Reply> {
        let fetch = request.path().starts_with("source/k");
        if fetch && self.asked.fetch_add(1, Ordering::SeqCst) == self.before {
            self.ahead_s.store(self.then_s, Ordering::SeqCst);
        }
        let now = OffsetDateTime::now_utc()
            + time::Duration::seconds(self.ahead_s.load(Ordering::SeqCst));
        let signed_at = PrimitiveDateTime::parse(&request.headers["x-amz-date"], SIGNED)
            .unwrap()
            .assume_utc();
        let date = vec![("date", now.format(HTTP).unwrap())];
        let refusal = |code: &str| {
            let Reply::Answer(status, _, body) = Reply::error(403, code) else {
                unreachable!("an answer")
            };
            Some(Reply::Answer(status, date.clone(), body))
        };
        if (signed_at - now).whole_seconds().abs() > TOLERANCE_S {
            self.refused.fetch_add(usize::from(fetch), Ordering::SeqCst);
            return refusal("RequestTimeTooSkewed");
        }
        if !Signed::of(request).is_some_and(|signed| signed.is_by(SECRET, request)) {
            return refusal("SignatureDoesNotMatch");
        }
        fetch.then(|| Reply::Answer(200, date, b"x".to_vec()))
    }

    fn run(self: &Arc<Self>, mode: &str, client: &str) -> Said {
        let clock = Arc::clone(self);
        let server = Scripted::start(OBJECTS, move |request| clock.judge(request));
        let workers = WORKERS.to_string();
        Invocation::run(&server)
            .args(&["-m", mode, "--client", client, "-c", &workers, "-o", "out"])
            .go()
    }
}

/// Every object is there, and the clock is told of once.
fn is_told(said: &Said, (mode, side): (&str, &str)) {
    said.exits(0);
    let csv = said.read(format!("out/result_run_{mode}_{WORKERS}.csv"));
    assert_eq!(
        csv.lines().filter(|line| line.contains(",ok,")).count(),
        OBJECTS,
        "{mode}: {csv}"
    );
    let warnings = said.lines("warning: ");
    let told: Vec<_> = warnings
        .iter()
        .filter(|line| line.starts_with("this machine's clock is "))
        .collect();
    let end =
        format!(" {side} the store's: requests are signed with the store's time; set the clock");
    assert!(told.len() == 1 && told[0].ends_with(&end), "{warnings:?}");
}

const WAYS: [(&str, &str); 4] = [
    ("async", "lean"),
    ("thread", "lean"),
    ("process", "lean"),
    ("async", "sdk"),
];

#[test]
fn a_clock_that_is_wrong_from_the_start_costs_no_object() {
    for (mode, client) in WAYS {
        for (ahead_s, side) in [(1_800, "behind"), (-1_800, "ahead of")] {
            let clock = Clock::new(ahead_s, (usize::MAX, 0));
            is_told(&clock.run(mode, client), (mode, side));
            let refused = clock.refused.load(Ordering::SeqCst);
            // The listing found it out; the SDK does so once for each client.
            let most = if client == "lean" { 0 } else { WORKERS };
            assert!(refused <= most, "{mode} {client}: {refused}");
        }
    }
}

#[test]
fn a_clock_that_jumps_in_mid_run_costs_no_object() {
    for (mode, client) in WAYS {
        let clock = Clock::new(0, (20, 7_200));
        is_told(&clock.run(mode, client), (mode, "behind"));
        let refused = clock.refused.load(Ordering::SeqCst);
        assert!(
            (1..=WORKERS).contains(&refused),
            "{mode} {client}: {refused} of those in flight at most"
        );
    }
}

#[test]
fn a_store_that_refuses_its_own_time_is_not_asked_for_ever() {
    let server = Scripted::start(1, |request| {
        let date = OffsetDateTime::now_utc() + time::Duration::hours(1);
        let Reply::Answer(status, _, body) = Reply::error(403, "RequestTimeTooSkewed") else {
            return None;
        };
        request
            .path()
            .starts_with("source/k")
            .then(|| Reply::Answer(status, vec![("date", date.format(HTTP).unwrap())], body))
    });
    for client in ["lean", "sdk"] {
        let said = Invocation::run(&server).args(&["--client", client]).go();
        said.exits(3);
        let failed = said
            .lines("warning: ")
            .into_iter()
            .find(|line| line.contains("failed"))
            .unwrap()
            .to_owned();
        assert!(
            failed.starts_with("1 of 1 fetches failed: k0000 (RequestTimeTooSkewed*"),
            "{failed}"
        );
    }
    let asked = server
        .requests()
        .iter()
        .filter(|request| request.path().starts_with("source/k"))
        .count();
    assert!(asked <= 6, "{asked}");
}
