//! Prices and their age, and what a sweep of the source as it comes would take.

use std::time::Duration;

use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tokio::sync::watch;

use super::check::{Check, CheckInputs, CheckOutcome, Examination, TasksPlace};
use crate::estimate::{Bytes, Estimate, Usd, time};
use crate::exit::Failure;
use crate::platform::clock::utc_now;
use crate::price::PriceList;
use crate::shell;
use crate::sweep::{Mend, SweepContext, SweepForecast, SweepJob, dry_run};
use crate::units;

/// Prices that are older are worth a word, in days.
const OLD_DAYS: i32 = 90;
/// Longest time of listing the source.
const LISTING_TIME: Duration = Duration::from_secs(15);
const SUBJECT: &str = "default sweep";
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

pub(super) fn prices(prices: &Result<PriceList, Failure>) -> Check {
    match prices {
        Err(failure) => Check::failed("prices", "prices", failure.clone()),
        Ok(prices) => of_age(prices.dated(), &utc_now()[..10]),
    }
}

fn of_age(dated: &str, today: &str) -> Check {
    let day = |text: &str| Date::parse(text, DAY).ok().map(Date::to_julian_day);
    let days = day(dated).zip(day(today)).map(|(then, now)| now - then);
    let fact = |check: Check| check.fact("dated", dated).fact("age_days", days);
    fact(match days {
        None => Check::new(
            "prices",
            "prices",
            CheckOutcome::Warning,
            format!("of {dated}, which is not a date"),
        ),
        Some(days) if days > OLD_DAYS => Check::new(
            "prices",
            "prices",
            CheckOutcome::Warning,
            format!(
                "of {dated}, {} days old",
                units::count(days.unsigned_abs().into())
            ),
        )
        .hint("newer ones come with a newer parfetch, or from a file of yours (--prices)"),
        Some(days) if days < 0 => Check::new(
            "prices",
            "prices",
            CheckOutcome::Warning,
            format!("of {dated}, which is in the future"),
        )
        .hint("set this machine's clock"),
        Some(days) => Check::new(
            "prices",
            "prices",
            CheckOutcome::Ok,
            format!(
                "of {dated}, {} old",
                units::plural(days.unsigned_abs().into(), "day")
            ),
        ),
    })
}

pub(super) fn not_made(why: &str) -> Check {
    Check::not_checked("sweep", SUBJECT, why)
}

/// Where a sweep of this machine could not read, and one of tasks can.
pub(super) fn of_tasks(what: &Examination) -> Check {
    let check =
        not_made("these credentials may not read objects, so it cannot run on this machine");
    match &what.tasks {
        Some(TasksPlace::Stack(stack)) => check
            .hint("a dry run says what it takes and costs as tasks:")
            .command(line(what, &["--on", "ecs", "--stack", stack, "--dry-run"])),
        // Definition and network of the tasks are not known here.
        _ => check.hint(
            "a dry run with --on ecs and the settings of the tasks says what it takes and costs as tasks",
        ),
    }
}

/// What a sweep as it comes would do.
pub(super) async fn sweep(what: &Examination, means: &CheckInputs) -> Check {
    let (Some(job), Ok(prices)) = (&what.sweep, &means.prices) else {
        return not_made("no source or no prices");
    };
    let forecast =
        tokio::time::timeout(LISTING_TIME, Box::pin(foresee(job, (means, prices)))).await;
    match forecast {
        Ok(Ok(forecast)) => enough(of(&forecast.estimate), &forecast, what),
        Ok(Err(failure)) => {
            let check = Check::new("sweep", SUBJECT, CheckOutcome::Warning, failure.message);
            Check {
                hint: failure.hint,
                ..check
            }
        }
        Err(_) => {
            let text = format!(
                "not known: the source has more keys than are listed within {} s",
                LISTING_TIME.as_secs()
            );
            Check::new("sweep", SUBJECT, CheckOutcome::Warning, text)
                .hint("a dry run lists them all:")
                .command(line(what, &["--dry-run"]))
        }
    }
}

/// A sweep of the source with these words.
fn line(what: &Examination, words: &[&str]) -> String {
    let source = what.source.as_ref().map(ToString::to_string);
    let results = what.results.as_ref().map(ToString::to_string);
    let access = what.access.without(&what.inherited).words();
    let results = results.iter().flat_map(|place| ["-r", place.as_str()]);
    let line = ["parfetch", "sweep", source.as_deref().unwrap_or_default()];
    shell::line(
        line.into_iter()
            .chain(results)
            .chain(words.iter().copied())
            .chain(access.iter().map(String::as_str)),
    )
}

/// With a warning where the sweep would measure too little to recommend anything by.
fn enough(check: Check, forecast: &SweepForecast, what: &Examination) -> Check {
    let mut words = Vec::new();
    for too_little in &forecast.too_little {
        if let Mend::Setting(flag, value) = &too_little.mend {
            words.extend([format!("--{flag}"), value.clone()]);
        }
    }
    let check = check.fact("is_enough", forecast.too_little.is_empty());
    let Some(too_little) = forecast.too_little.first().filter(|_| !words.is_empty()) else {
        return check;
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Check {
        outcome: CheckOutcome::Warning,
        ..check
    }
    .hint(format!("{}; this measures enough:", too_little.why()))
    .command(line(what, &words))
}

async fn foresee(
    job: &SweepJob,
    (means, prices): (&CheckInputs, &PriceList),
) -> Result<SweepForecast, Failure> {
    // Never set: a signal drops all of this.
    let (_sender, signal) = watch::channel(None);
    let context = SweepContext {
        executable: means.executable.clone(),
        environment: Vec::new(),
        prices,
        signal,
        on_event: &mut |_| {},
        ask: &mut |_| None,
    };
    Box::pin(dry_run(job, context)).await
}

fn of(estimate: &Estimate) -> Check {
    let Estimate {
        runs,
        gets,
        lists,
        seconds,
        usd,
        ..
    } = estimate;
    let bytes = estimate.bytes().number();
    let read = bytes.map_or_else(|| "an unknown number of bytes".to_owned(), units::bytes);
    // A bucket may be much smaller than what a sweep reads of it.
    let each = estimate
        .bytes_of_run
        .number()
        .map_or_else(String::new, |bytes| {
            format!(" of {} each", units::bytes(bytes))
        });
    let requests = gets.map_or_else(
        || "an unknown number of GETs".to_owned(),
        |gets| units::plural(gets, "GET"),
    );
    let time = seconds.map_or_else(
        || "a time that depends on this store".to_owned(),
        |seconds| format!("about {} of fetching", time(seconds)),
    );
    let price = usd.as_ref().map_or_else(
        || "no price is known for this store".to_owned(),
        |usd| format!("price of reading {}", usd.in_words()),
    );
    let text = format!(
        "reads {read} in {}{each}: {requests} and {}, {time}; {price}",
        units::plural(*runs, "run"),
        units::plural(*lists, "LIST request")
    );
    let dollars = usd.as_ref().map(Usd::bound);
    Check::new("sweep", SUBJECT, CheckOutcome::Ok, text)
        .fact("runs", *runs)
        .fact("bytes", bytes)
        .fact(
            "bytes_are_listed",
            matches!(estimate.bytes_of_run, Bytes::Listed(_)),
        )
        .fact("gets", *gets)
        .fact("lists", *lists)
        .fact("seconds", *seconds)
        .fact("usd_at_most", dollars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_prices_are_worth_a_word() {
        let of = |dated: &str| of_age(dated, "2026-11-26");
        assert_eq!(
            (of("2026-11-25").outcome, of("2026-11-25").text),
            (CheckOutcome::Ok, "of 2026-11-25, 1 day old".to_owned())
        );
        assert_eq!(of("2026-08-28").outcome, CheckOutcome::Ok);
        assert_eq!(
            (of("2026-08-27").outcome, of("2026-08-27").text),
            (
                CheckOutcome::Warning,
                "of 2026-08-27, 91 days old".to_owned()
            )
        );
        assert_eq!(of("2027-01-01").outcome, CheckOutcome::Warning);
        assert_eq!(of("soon").outcome, CheckOutcome::Warning);
    }
}
