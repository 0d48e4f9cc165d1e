//! From the arguments of the process to a subcommand, and from what it came to to the exit code.

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use super::console::{message_form, print, set_colours};
use super::process::{
    DEFECT_HINT, FORM, LOG_FORMAT, StderrForm, defect, report as report_failure, say_last,
};
use super::{
    compare, doctor, environment, fill, generated, report, run, serve, submit, sweep, tune, upload,
};
use crate::cli::{self, Invocation, Unparsed, Variables};
use crate::engine;
use crate::exit::{Exit, Failure};
use crate::platform::panics;

/// Does what the arguments say.
pub fn main(process_start_ns: u64) -> ExitCode {
    let variables = Variables::of_process();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    set_colours(|| cli::colours(&arguments, &variables));
    let form =
        json_form(&arguments, &variables).unwrap_or_else(|| StderrForm::Text(message_form()));
    let form = *FORM.get_or_init(|| form);
    panics::remember(move |line| {
        // Nobody to tell: the exit code still says it.
        let _closed = report_failure(
            &Failure::new(Exit::Unexpected, line).hint(DEFECT_HINT),
            form,
        );
    });
    let dispatched = |invocation| {
        // What must be stored after a panic is stored where it was caught; one that comes up to here had nothing to store.
        std::panic::catch_unwind(AssertUnwindSafe(|| dispatch(invocation, process_start_ns)))
            .unwrap_or_else(|payload| Err(defect(&*payload)))
    };
    match cli::parse(arguments, variables) {
        Ok(invocation) => {
            end(environment::settle(&invocation).and_then(|()| dispatched(invocation))).into()
        }
        Err(Unparsed::Wrong(failure)) => end(Err(failure)).into(),
        // No success: a task that lacks its settings must not seem to have done something.
        Err(Unparsed::Nothing) => end(print(cli::WELCOME).map(|_| Exit::Usage)).into(),
        Err(Unparsed::Asked(text)) => {
            // A closed pipe after `--help | head` is no failure.
            let _closed = text.print();
            ExitCode::SUCCESS
        }
    }
}

/// JSON, where a run or its child is asked for it: known before the arguments are understood, because that may be what fails.
fn json_form(arguments: &[OsString], variables: &Variables) -> Option<StderrForm> {
    let first = arguments.get(1).map(|word| word.to_string_lossy());
    if first.is_some_and(|word| {
        !cli::begins_a_run(&word) && !["run", "worker"].contains(&word.as_ref())
    }) {
        return None;
    }
    let typed = cli::last_value(arguments, "--log-format");
    (typed.as_deref().or_else(|| variables.get(LOG_FORMAT)) == Some("json"))
        .then_some(StderrForm::Json)
}

fn dispatch(invocation: Invocation, process_start_ns: u64) -> Result<Exit, Failure> {
    match invocation {
        Invocation::Run(raw) => run::main(&raw, process_start_ns),
        Invocation::Upload(raw) => upload::main(&raw),
        Invocation::Doctor(raw) => doctor::main(&raw),
        Invocation::Fill(raw) => fill::main(&raw),
        Invocation::Report(raw) => report::main(&raw),
        Invocation::Compare(raw) => compare::main(&raw),
        Invocation::Serve(raw) => serve::main(&raw),
        Invocation::Tune(raw) => tune::main(raw),
        Invocation::Sweep(raw) => sweep::main(raw),
        Invocation::Submit(raw) => submit::main(raw),
        Invocation::Completions(raw) => generated::for_shell(&raw),
        Invocation::Man(raw) => generated::pages(&raw),
        Invocation::Confined(confined) => Err(sweep::confined(confined)),
        Invocation::Guard => {
            crate::sweep::end_with_sweep(std::io::stdin().lock());
            Ok(Exit::Good)
        }
        Invocation::ServeSupervised => serve::supervised(),
        Invocation::Worker => engine::child_main()
            .map(|()| Exit::Good)
            .map_err(|error| Failure::new(Exit::Unexpected, format!("worker: {error}"))),
    }
}

/// Says why it ended early, if it did.
fn end(result: Result<Exit, Failure>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            say_last(&failure);
            failure.exit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_known_before_the_arguments_are_understood() {
        let form = |words: &[&str], variable: &str| {
            let words = std::iter::once("parfetch")
                .chain(words.iter().copied())
                .map(OsString::from)
                .collect::<Vec<_>>();
            json_form(&words, &Variables::from([(LOG_FORMAT, variable)])).is_some()
        };
        assert!(
            form(&[], "json")
                && form(&["--bogus"], "json")
                && form(&["run", "--log-format", "json"], "")
                && form(&["worker"], "json")
        );
        assert!(
            form(&["run", "--log-format=json", "--bogus"], "text")
                && form(&["s3://b", "--log-format=json"], "")
        );
        assert!(
            !form(&["run", "--log-format=text"], "json")
                && !form(&["report", "x"], "json")
                && !form(&["run"], "")
        );
        assert!(
            !form(&["run", "--log-format=text", "--log-format"], "json"),
            "a flag without a value is not a wish"
        );
    }
}
