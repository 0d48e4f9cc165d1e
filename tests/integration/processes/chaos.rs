//! Process mode in which children are killed, stopped and continued at random moments, and the parent is stopped: the account closes.
//!
//! A few rounds in the ordinary suite; `PARFETCH_CHAOS_ROUNDS=100` makes a hundred, and a fifth as many with parts. A round's number is its seed.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{all_fetched, page, results};
use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::{Invocation, Running};

const KEYS: usize = 5_000;
const PARTED: usize = 100;
/// Bytes of an object of three parts.
const SIZE: usize = (2 << 20) + 9;
/// Far above what a round takes on a loaded machine.
const LONGEST: Duration = Duration::from_mins(5);
/// Nothing moves while the parent is stopped: then it is continued.
const STANDSTILL: Duration = Duration::from_millis(200);

/// Fetches that the store was asked for.
#[derive(Clone, Default)]
struct Asked(Arc<(Mutex<usize>, Condvar)>);

impl Asked {
    fn count(&self) {
        *self.0.0.lock().unwrap() += 1;
        self.0.1.notify_all();
    }

    /// Waits for so many, or for as long; how many there are.
    fn wait(&self, count: usize, time: Duration) -> usize {
        *self
            .0
            .1
            .wait_timeout_while(self.0.0.lock().unwrap(), time, |asked| *asked < count)
            .unwrap()
            .0
    }
}

fn is_fetch(request: &Request) -> bool {
    request.is_fetch() && request.path().starts_with("source/k")
}

#[expect(clippy::disallowed_methods, reason = "a switch of the tests alone")]
fn rounds(few: u64) -> u64 {
    std::env::var("PARFETCH_CHAOS_ROUNDS").map_or(few, |rounds| rounds.parse().unwrap())
}

/// What happens to one round.
struct Chaos<'a> {
    random: fastrand::Rng,
    running: &'a Running,
    asked: &'a Asked,
    stopped: Vec<Pid>,
}

impl Chaos<'_> {
    /// `events` of them, each once the store was asked for another random number of fetches, none near the end: what is fetched again comes there, and
    /// a key at which child after child dies is given up.
    fn unleash(&mut self, events: usize, fetches: usize) {
        let mut moments: Vec<_> = (0..events)
            .map(|_| self.random.usize(1..fetches * 4 / 5))
            .collect();
        moments.sort_unstable();
        let end = Instant::now() + LONGEST;
        for moment in moments {
            // When every child is stopped nothing is asked for until the parent notices.
            while self.asked.wait(moment, STANDSTILL) < moment && Instant::now() < end {}
            self.event();
        }
        // Some that were stopped go on, others have to be noticed.
        for child in std::mem::take(&mut self.stopped) {
            if self.random.bool() {
                signal(child, Signal::CONT);
            }
        }
    }

    fn event(&mut self) {
        match self.random.u8(0..10) {
            0..4 => self.child(Signal::KILL),
            4..7 => self.child(Signal::STOP),
            7..9 => {
                if let Some(child) = self.stopped.pop() {
                    signal(child, Signal::CONT);
                }
            }
            _ => {
                self.running.signal(Signal::STOP);
                let begun = self.asked.wait(0, Duration::ZERO);
                self.asked
                    .wait(begun + self.random.usize(1..500), STANDSTILL);
                (0..self.random.u8(0..4)).for_each(|_| self.child(Signal::KILL));
                self.running.signal(Signal::CONT);
            }
        }
    }

    /// Does this to one of the children.
    fn child(&mut self, how: Signal) {
        let children = self.running.children();
        if children.is_empty() {
            return;
        }
        let child = children[self.random.usize(..children.len())];
        signal(child, how);
        if how == Signal::STOP {
            self.stopped.push(child);
        }
    }
}

fn signal(process: Pid, how: Signal) {
    // An error means that it has ended.
    let _gone = kill_process(process, how);
}

fn round(
    seed: u64,
    (server, asked): (&Scripted, &Asked),
    (extra, keys, fetches): (&[&str], usize, usize),
) {
    println!("chaos, seed {seed}");
    let running = Invocation::run(server)
        .args(&[
            "-m",
            "process",
            "-c",
            "8",
            "-o",
            "out",
            "--stall-timeout",
            "5s",
        ])
        .args(extra)
        .start();
    asked.wait(1, LONGEST);
    let mut chaos = Chaos {
        random: fastrand::Rng::with_seed(seed),
        running: &running,
        asked,
        stopped: Vec::new(),
    };
    let events = 4 + chaos.random.usize(..9);
    chaos.unleash(events, fetches);
    let said = running.end_within(LONGEST);
    assert_eq!(said.status.code(), Some(0), "seed {seed}: {}", said.stderr);
    let results = results(&said, "result_run_process_8");
    all_fetched(&results, keys);
    let attempts = results.summary.attempts.as_ref().unwrap();
    assert!(attempts.total >= fetches as u64, "seed {seed}");
    let totals = results.summary.totals.as_ref().unwrap();
    assert!(totals.received_bytes.unwrap() > 0, "seed {seed}");
    let odd: Vec<_> = said
        .lines("warning: ")
        .into_iter()
        .filter(|warning| !warning.starts_with("child ") && !warning.starts_with("a child "))
        .collect();
    assert!(odd.is_empty(), "seed {seed}: {odd:?}");
}

#[test]
fn chaos_costs_no_key() {
    for seed in 0..rounds(3) {
        let asked = Asked::default();
        let counter = asked.clone();
        let server = Scripted::busy(KEYS, move |request| {
            if is_fetch(request) {
                counter.count();
            }
            None
        });
        round(seed, (&server, &asked), (&[], KEYS, KEYS));
    }
}

#[test]
fn chaos_costs_no_part() {
    for seed in 0..rounds(5) / 5 {
        let asked = Asked::default();
        let counter = asked.clone();
        let server = Scripted::busy(PARTED, move |request| {
            if request.is_listing() {
                return Some(page(PARTED, |_| SIZE));
            }
            let range = request
                .headers
                .get("range")
                .filter(|_| is_fetch(request))?
                .strip_prefix("bytes=")?
                .split_once('-')?;
            let (first, last): (usize, usize) = (range.0.parse().ok()?, range.1.parse().ok()?);
            counter.count();
            Some(Reply::Answer(
                206,
                vec![("content-range", format!("bytes {first}-{last}/{SIZE}"))],
                vec![0; last - first + 1],
            ))
        });
        round(
            seed,
            (&server, &asked),
            (&["--part-size", "1MiB"], PARTED, 3 * PARTED),
        );
    }
}
