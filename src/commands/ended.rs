//! What a sweep and a tune say alike when they did not begin, and once they have ended.

use std::io::{self, Write};

use super::console::warn;
use crate::exit::{Exit, Failure};
use crate::plan::Access;
use crate::run::upload_command;
use crate::sweep::{PlaceFacts, SweepEnd};
use crate::units;

/// It costs money, and nobody has agreed to that.
pub(super) fn not_agreed(what: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("nothing was started: this {what} costs money"),
    )
    .hint("--max-cost USD starts it with a limit, --yes without; --dry-run only looks")
}

/// What its tasks have cost.
pub(super) fn spent(ended: &SweepEnd, place: &PlaceFacts) {
    if let Some(words) = ended.spent.and_then(|spent| spent.in_words(place.prices)) {
        // Nobody to tell: the records say it too.
        let _closed = writeln!(io::stderr(), "{words}");
    }
}

/// How many of its runs failed.
pub(super) fn warn_of_failed(ended: &SweepEnd) {
    if ended.failed > 0 {
        let text = format!(
            "{} of {} failed",
            units::count(ended.failed),
            units::plural(ended.done, "run")
        );
        warn(&text);
    }
}

/// Results are in the folder, and not all of them in the bucket.
pub(super) fn not_stored(ended: &SweepEnd, access: &Access) -> Failure {
    Failure::new(
        Exit::NotStored,
        "not all results were stored in the results bucket",
    )
    .hint(format!(
        "they are kept; upload them: {}",
        upload_command(
            &ended.folder,
            ended.target.as_deref().unwrap_or("s3://BUCKET/PREFIX"),
            access
        )
    ))
}

/// It ended before its end.
pub(super) fn interrupted(exit: Exit, runs: u64, to_continue: &str) -> Failure {
    Failure::new(
        exit,
        format!("interrupted after {}", units::plural(runs, "run")),
    )
    .hint(to_continue)
}
