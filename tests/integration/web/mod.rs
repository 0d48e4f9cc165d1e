//! Runs of URLs, seen from outside: what goes to a web server, what is made of its answers, and what is said.

mod answers;
mod bad_input;
mod once;
mod secrets;
mod shared;
mod sweeps;
mod tunes;

use crate::support::results::Results;
use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::strict::{Invocation, Said};

/// Name of the results when nothing is set that is in it.
const STEM: &str = "result_run_async_16";

/// A run of these words, without AWS: results stay in its folder.
fn run(words: &[&str]) -> Said {
    Invocation::bare(&["run", "--progress", "never"])
        .args(words)
        .go()
}

/// What a run left.
fn results(said: &Said, stem: &str) -> Results {
    Results::in_folder(&said.folder.path().join("parfetch-results"), stem)
}

/// A server that answers every request with this.
fn answering(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(0, move |request| Some(reply(request)))
}
