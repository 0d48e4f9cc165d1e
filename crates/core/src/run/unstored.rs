//! Results that could not be stored: they stay on this machine, and the failure says where they are and how to store them.

use std::path::Path;

use super::log::RunLog;
use crate::exit::{Exit, Failure};
use crate::plan::Access;
use crate::platform::clock::utc_now;
use crate::results::place::ResultsPlace;
use crate::results::summary::{Phases, RunFacts, State, Summariser, Summary};
use crate::shell;
use crate::store::StoreError;

/// What of the results is on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnThisMachine {
    /// CSV and summary.
    Both,
    /// The CSV alone.
    Csv,
    /// The summary alone.
    Summary,
    /// Neither.
    Nothing,
}

/// Why results are not stored, and what may help.
pub(super) struct Cause {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl From<String> for Cause {
    fn from(message: String) -> Self {
        Self {
            message,
            hint: None,
        }
    }
}

impl From<StoreError> for Cause {
    fn from(StoreError { message, hint, .. }: StoreError) -> Self {
        Self { message, hint }
    }
}

/// Names the files that are kept, and the command that stores them; the summary goes to the log, so that a container that is gone has left it.
pub(super) fn unstored(
    place: ResultsPlace,
    what: OnThisMachine,
    summary: &Summary,
    cause: Cause,
) -> Failure {
    let Cause { message, hint } = cause;
    log_line(summary);
    let [csv, json] = [place.csv_path(), place.json_path()].map(|path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    });
    let target = place.target();
    let dir = place.keep();
    let place = match what {
        OnThisMachine::Both => format!(
            "{csv} and {json} are kept in {}, and the summary is in the log as well",
            dir.display()
        ),
        OnThisMachine::Csv => format!(
            "{csv} is kept in {}, and the summary in the log",
            dir.display()
        ),
        OnThisMachine::Summary => {
            format!("{json} is kept in {}, and in the log", dir.display())
        }
        OnThisMachine::Nothing => {
            "the summary is in the log; choose a folder with room with --out or --spool-dir"
                .to_owned()
        }
    };
    let advice = target.filter(|_| what != OnThisMachine::Nothing);
    let advice = advice.map_or_else(String::new, |target| {
        format!(
            "; then: {}",
            upload_command(&dir, &target, &summary.settings.access)
        )
    });
    let hint = hint.map_or_else(String::new, |hint| format!("{hint}; "));
    Failure::new(Exit::NotStored, format!("results not stored: {message}"))
        .hint(format!("{hint}{place}{advice}"))
}

/// The summary goes to the log, where a container that is gone has left it.
pub(super) fn log_line(summary: &Summary) {
    if let Ok(line) = summary.to_json_line() {
        tracing::error!(summary = %line, "results not stored");
    }
}

/// The rows could not be read or the CSV not be written: what is known of the run is kept, and nobody finds it `running` for ever.
pub(super) async fn not_written(
    mut place: ResultsPlace,
    mut facts: RunFacts,
    log: RunLog<'_>,
    error: String,
) -> Failure {
    facts.state = State::Failed;
    facts.ended_at = Some(utc_now());
    // Without rows nothing is known of the fetches: no totals, rather than totals of zero.
    facts.phases = Phases {
        fetch_ns: None,
        ..log.phases
    };
    facts.fetch.active_window_ns = None;
    facts.warnings = log.warnings;
    facts.warnings.push(error.clone());
    let summary = Summariser::new(None).finish(facts);
    let written = replace_running(&mut place, &summary).await;
    let what = if written {
        OnThisMachine::Summary
    } else {
        OnThisMachine::Nothing
    };
    unstored(place, what, &summary, error.into())
}

/// Puts a summary in place of the running one, as far as that is still possible. True when it is on this machine.
pub(super) async fn replace_running(place: &mut ResultsPlace, summary: &Summary) -> bool {
    let Ok(text) = summary.to_json() else {
        return false;
    };
    let written = place.write_json(&text).is_ok();
    if let Err(error) = place.upload_json(&text).await {
        tracing::warn!(%error, "the summary in the results bucket still says `running`");
    }
    written
}

/// The command that stores what is kept, to be typed as it stands.
pub fn upload_command(dir: &Path, target: &str, access: &Access) -> String {
    let dir = dir.to_string_lossy();
    // Results are stored signed, and by their owner.
    let access = Access {
        no_sign_request: false,
        request_payer: false,
        ..access.clone()
    }
    .words();
    shell::line(
        ["parfetch", "upload", &dir, target]
            .into_iter()
            .chain(access.iter().map(String::as_str)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_typed_as_it_stands() {
        let access = Access {
            endpoint_url: Some("http://127.0.0.1:9000".to_owned()),
            virtual_host: true,
            ..Access::default()
        };
        assert_eq!(
            upload_command(Path::new("it's here"), "s3://results/a", &access),
            r#"parfetch upload "it's here" s3://results/a --endpoint-url http://127.0.0.1:9000 --virtual-host"#
        );
    }
}
