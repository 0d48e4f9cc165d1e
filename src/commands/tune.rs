//! `parfetch tune`.

use std::cell::RefCell;
use std::io;
use std::path::Path;

use super::console::{display, fitted, message_form, print, style_of, warn, width};
use super::ended::{interrupted, not_agreed, not_stored, spent, warn_of_failed};
use super::name::name_of_now;
use super::process::{block_on, note, start_log};
use super::signals::{First, Signals};
use super::sources::above_sweeps;
use super::sweep::{STACK, environment, read_plan, read_urls};
use crate::cli::Raw;
use crate::estimate::CostConsent;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure, same_command};
use crate::output::hint;
use crate::plan::Access;
use crate::platform::bounded;
use crate::progress::SweepProgress;
use crate::render::{tune_answer, tune_step};
use crate::results::tune::{StoppedBecause, TuneDocument, TuneStep};
use crate::settings::{
    self, Format, Intent, ResultSource, SourceSettings, TuneInput, TuneSettings,
};
use crate::sweep::{FittedModel, SweepContext, TuneEnd, TuneForecast, dry_run_tune, fit, tune};
use crate::units;

pub(super) fn main(mut raw: Raw) -> Result<Exit, Failure> {
    // Until the tune has begun there is nothing to store.
    let signals = Signals::listen(First::EndsAtOnce, None)?;
    if let Some(given) = raw.get("fit") {
        let prices = super::sources::prices(None)?;
        let FittedModel { text, left_out } = fit(Path::new(&given.value), &prices)?;
        for line in left_out {
            warn(&format!("not in the model: {line}"));
        }
        return print(&text);
    }
    let model = settings::model_file(&raw)
        .map(|file| {
            bounded::read_text(Path::new(file), bounded::TEXT_BYTES).map_err(|error| {
                Failure::new(
                    Exit::Usage,
                    format!("cannot read the model {file}: {error}"),
                )
                .hint("docs/tune.md has the format of a model")
            })
        })
        .transpose()?;
    let (id, plan, urls) = (name_of_now(), read_plan(&raw)?, read_urls(&raw)?);
    let input = TuneInput {
        model: model.as_deref(),
        plan: plan.as_deref(),
        urls: urls.as_deref(),
        id: &id,
    };
    // What is wrong is said before the stack is asked.
    settings::check_tune(&raw, input)?;
    super::stack::fill(&mut raw, STACK, &signals)?;
    let raw = &raw;
    let settings = settings::tune(raw, input)?;
    start_log(settings.handling.log);
    let place = settings.job.sweep.place.facts();
    let to_continue = format!("to continue, run {}", same_command(&settings.job.sweep.id));
    let kept = match place.left_running {
        Some(left) => format!("{left}; {to_continue}"),
        None => to_continue.clone(),
    };
    signals.set_meaning(First::EndsInOrder, Some(&kept));
    let Some(end) = block_on(signals.or(to_its_end(raw, &settings, &signals)))? else {
        return Ok(Exit::Good);
    };
    // The answer stands; what follows stores nothing.
    signals.set_meaning(First::EndsAtOnce, Some(&kept));
    show(&end.document, settings.output)?;
    let sources = SourceSettings {
        access: settings.job.sweep.access.clone(),
        inherited: settings::inherited(raw),
        prices: settings.handling.prices.clone(),
        egress: settings.handling.egress,
        results: end.ended.target.as_deref().map(above_sweeps),
    };
    if end.document.runs > 0 {
        let page = super::report::page_of_folder(&end.ended.folder, &sources, &signals)?;
        let place = [ResultSource::Path(end.ended.folder.clone())];
        let again = super::report::command(&place, &sources);
        note(
            raw,
            &format!("\npage: {}\nall figures: {again}", page.display()),
        );
    }
    spent(&end.ended, &place);
    finish(&end, (&settings.job.sweep.access, &to_continue))
}

async fn to_its_end(
    raw: &Raw,
    settings: &TuneSettings,
    signals: &Signals,
) -> Result<Option<TuneEnd>, Failure> {
    let handling = &settings.handling;
    let display = display(handling.progress);
    let progress = SweepProgress::of_steps(display, io::stderr(), style_of(&io::stderr()));
    let progress = RefCell::new(progress);
    for warning in &handling.warnings {
        let event = SweepEvent::Warning(warning.clone());
        progress.borrow_mut().handle(&event);
    }
    let mut on_event = |event: &SweepEvent| progress.borrow_mut().handle(event);
    let mut on_step = |step: &TuneStep, document: &TuneDocument| {
        progress.borrow_mut().step(&tune_step(step, document));
    };
    let prices = super::sources::prices(handling.prices.as_deref())?;
    let context = SweepContext {
        executable: super::run::executable()?,
        environment: environment(&raw.variables),
        prices: &prices,
        signal: signals.asked(),
        on_event: &mut on_event,
        ask: &mut super::ask::ask,
    };
    let place = settings.job.sweep.place.facts();
    let is_asked = place.consent == Some(CostConsent::NotGiven);
    if handling.intent == Intent::DryRun || is_asked {
        let forecast = Box::pin(dry_run_tune(&settings.job, context)).await?;
        print(&in_words(&forecast))?;
        if handling.intent == Intent::DryRun {
            return Ok(None);
        }
        return Err(not_agreed("tune"));
    }
    Box::pin(tune(&settings.job, context, &mut on_step))
        .await
        .map(Some)
}

fn in_words(forecast: &TuneForecast) -> String {
    let title = fitted(&forecast.title);
    let done = match (forecast.done, forecast.ends) {
        (0, _) => String::new(),
        (done, None) => format!(
            "done: {}; what may come after them:\n",
            units::plural(done, "run")
        ),
        (done, Some(why)) => {
            let why = if why == StoppedBecause::Sure {
                "the answer is there"
            } else {
                "a limit is reached"
            };
            let done = units::plural(done, "run");
            return format!("{title}\ndone: {done}; nothing is left to run: {why}\n");
        }
    };
    let tasks = forecast.tasks_usd.map_or_else(String::new, |(least, most)| {
        let [least, most] = [least, most].map(units::three_digits);
        let if_short = match forecast.open_ended.as_str() {
            "" => String::new(),
            programs => format!(" and those of {programs} take a minute, the least that is billed"),
        };
        format!("tasks cost about ${least} if all runs are made{if_short}, and ${most} if each takes as long as it may (--run-timeout, --start-timeout)\n")
    });
    fitted(&format!(
        "{title}\n{done}at most, by assumed rates; most tunes need a third of it:\n{}{tasks}",
        forecast.estimate.in_words()
    ))
}

/// The answer on stdout.
fn show(document: &TuneDocument, output: Format) -> Result<(), Failure> {
    let text = match output {
        Format::Json => document
            .to_json()
            .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?,
        Format::Text => {
            let look = super::sources::Look::of(None);
            let paint = |role, text: &str| look.paint(role, text);
            tune_answer(document, (width(), &paint))
        }
    };
    print(&text).map(|_| ())
}

/// The exit code: of an answer, or why there is none.
fn finish(end: &TuneEnd, (access, to_continue): (&Access, &str)) -> Result<Exit, Failure> {
    let TuneEnd { ended, document } = end;
    warn_of_failed(ended);
    if ended.going_on > 0 {
        let text = format!(
            "{} could not be stopped, and costs money",
            units::plural(ended.going_on as u64, "task")
        );
        warn(&text);
    }
    let more = format!("{to_continue}, with a higher limit");
    match ended.exit {
        exit @ (Exit::Interrupted | Exit::Terminated) => {
            Err(interrupted(exit, document.runs, to_continue))
        }
        Exit::NotStored => Err(not_stored(ended, access)),
        _ if document.stopped_because == Some(StoppedBecause::Nothing) => Err(Failure::new(
            Exit::FetchesFailed,
            "no run gave figures: there is no answer",
        )
        .hint(to_continue)),
        _ if document.runs == 0 => Err(Failure::new(
            Exit::FetchesFailed,
            "no run was made, as a limit is less than one run takes: there is no answer",
        )
        .hint(more)),
        _ => {
            if document.stopped_because != Some(StoppedBecause::Sure) {
                let _closed = hint(&mut io::stderr(), message_form(), &more);
            }
            Ok(Exit::Good)
        }
    }
}
