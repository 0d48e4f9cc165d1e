//! `parfetch fill`.

use std::io;

use super::console::{display, fitted, print, style_of};
use super::process::{block_on, start_log};
use super::signals::{First, Signals};
use crate::cli::Raw;
use crate::event::FillEvent;
use crate::exit::{Exit, Failure};
use crate::fill::{Fill, FillContext, Filled, fill, foresee};
use crate::plan::S3Uri;
use crate::progress::FillProgress;
use crate::settings;
use crate::shell;
use crate::units;

/// What is left when it ends at once.
const CONTINUE: &str = "run the same command to continue";

pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let settings = settings::fill(raw)?;
    start_log(settings::log(raw)?);
    let signals = Signals::listen(First::EndsInOrder, Some(CONTINUE))?;
    let style = style_of(&io::stderr());
    let mut progress = FillProgress::new(display(settings.progress), io::stderr(), style);
    let mut on_event = |event: &FillEvent| progress.handle(event);
    let prices = super::sources::prices(settings.prices.as_deref())?;
    let context = FillContext {
        prices: &prices,
        signal: signals.asked(),
        on_event: &mut on_event,
        ask: &mut super::ask::ask,
    };
    if settings.dry_run {
        let forecast = block_on(signals.or(Box::pin(foresee(&settings.fill, context))))?;
        drop(progress);
        return print(&fitted(&forecast.in_words()));
    }
    let filled = block_on(signals.or(Box::pin(fill(&settings.fill, context))))?;
    drop(progress);
    let fill = Fill {
        access: settings.fill.access.without(&settings::inherited(raw)),
        ..settings.fill
    };
    finish(&fill, &filled)
}

/// What is there now, and what to do with it.
fn finish(fill: &Fill, filled: &Filled) -> Result<Exit, Failure> {
    let there = filled.stored.plus(filled.found);
    if let Some(signal) = filled.signal {
        let (objects, of) = (units::count(there.objects), filled.wanted);
        // What was under way may have been stored as well.
        let message = format!(
            "interrupted: {} has at least {objects} of {of}",
            fill.target
        );
        return Err(Failure::new(signal.exit(), message).hint(CONTINUE));
    }
    print(&(fitted(&summary(filled, &fill.target)) + &next(fill)))?;
    // As for a run: nothing, or more than 1 % gone since the listing, is no good end.
    let is_good = there.objects > 0 && filled.missing.saturating_mul(100) <= filled.wanted.objects;
    Ok(if is_good {
        Exit::Good
    } else {
        Exit::FetchesFailed
    })
}

fn summary(filled: &Filled, target: &S3Uri) -> String {
    let Filled {
        stored,
        found,
        missing,
        left_out,
        elapsed_ns,
        ..
    } = filled;
    // There may be others, which nobody counted.
    let mut text = format!("{target} has {} of this fill", stored.plus(*found));
    if stored.objects > 0 {
        let rate = stored.bytes as f64 * 1e9 / (*elapsed_ns).max(1) as f64;
        text.extend([format!(
            ": {} stored in {}, {}",
            units::count(stored.objects),
            units::duration(*elapsed_ns),
            units::rate(rate)
        )]);
    }
    if found.objects > 0 {
        let separator = if stored.objects > 0 { "," } else { ":" };
        let verb = if found.objects == 1 { "was" } else { "were" };
        text.extend([format!(
            "{separator} {} {verb} there before",
            units::count(found.objects)
        )]);
    }
    text.push('\n');
    if *missing > 0 {
        text.extend([format!(
            "{} originals went between listing and copying\n",
            units::count(*missing)
        )]);
    }
    let left_out = left_out.in_words();
    if !left_out.is_empty() {
        text.extend([format!("left out: {left_out}\n")]);
    }
    text
}

/// To be pasted, so never broken.
fn next(fill: &Fill) -> String {
    let (target, access) = (fill.target.to_string(), fill.access.words());
    let next = shell::line(
        ["parfetch", target.as_str()]
            .into_iter()
            .chain(access.iter().map(String::as_str)),
    );
    format!("next: {next}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, Variables, parse};
    use crate::exit::Signal;
    use crate::fill::{Amount, LeftOut};

    fn filled() -> (Fill, Filled) {
        let arguments = ["parfetch", "fill", "s3://bench/a"].map(Into::into);
        let Ok(Invocation::Fill(raw)) = parse(arguments, Variables::default()) else {
            panic!()
        };
        let amount = |objects, bytes| Amount { objects, bytes };
        let filled = Filled {
            wanted: amount(2_000, 2_000_000_000),
            stored: amount(1_500, 1_500_000_000),
            found: amount(500, 500_000_000),
            missing: 0,
            left_out: LeftOut::default(),
            elapsed_ns: 3_000_000_000,
            signal: None,
        };
        (settings::fill(&raw).unwrap().fill, filled)
    }

    #[test]
    fn the_end_says_what_is_there() {
        let (fill, filled) = filled();
        assert_eq!(
            summary(&filled, &fill.target),
            "s3://bench/a/ has 2,000 objects, 2.00 GB of this fill: 1,500 stored in 3.00 s, 500 MB/s, 500 were there before\n"
        );
        assert_eq!(next(&fill), "next: parfetch s3://bench/a/\n");
        let none = Filled {
            stored: Amount::default(),
            missing: 2,
            left_out: LeftOut {
                archived: 1,
                ..LeftOut::default()
            },
            ..filled.clone()
        };
        assert_eq!(
            summary(&none, &fill.target).lines().collect::<Vec<_>>(),
            [
                "s3://bench/a/ has 500 objects, 500 MB of this fill: 500 were there before",
                "2 originals went between listing and copying",
                "left out: 1 archived"
            ]
        );
        assert_eq!(
            finish(
                &fill,
                &Filled {
                    missing: 20,
                    ..filled.clone()
                }
            ),
            Ok(Exit::Good),
            "1 % went"
        );
        assert_eq!(
            finish(
                &fill,
                &Filled {
                    missing: 21,
                    ..filled.clone()
                }
            ),
            Ok(Exit::FetchesFailed)
        );
        let nothing = Filled {
            stored: Amount::default(),
            found: Amount::default(),
            ..filled.clone()
        };
        assert_eq!(
            finish(&fill, &nothing),
            Ok(Exit::FetchesFailed),
            "all are archived, for example"
        );
        let failure = finish(
            &fill,
            &Filled {
                signal: Some(Signal::Interrupt),
                ..filled
            },
        )
        .unwrap_err();
        assert_eq!(
            (failure.exit, failure.message.as_str()),
            (
                Exit::Interrupted,
                "interrupted: s3://bench/a/ has at least 2,000 of 2,000 objects, 2.00 GB"
            )
        );
    }
}
