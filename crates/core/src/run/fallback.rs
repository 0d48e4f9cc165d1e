//! The summary of a run that ended by a panic, or may be killed before its rows are written: it must not say `running` for ever.

use super::unstored::log_line;
use crate::exit::{Exit, Failure};
use crate::platform::clock::utc_now;
use crate::results::place::Proved;
use crate::results::summary::{Header, RunFacts, State, Summariser, Summary};

/// What is known of a run once its results place was proved.
pub(super) struct Fallback {
    pub(super) header: Header,
    pub(super) proved: Proved,
}

/// Stores that the run failed, if it came so far that something says it is running. `line` says what the panic was.
pub(super) async fn panicked(fallback: Option<Fallback>, line: String) -> Failure {
    if let Some(Fallback { header, proved }) = fallback {
        let mut facts = RunFacts::new(header, State::Failed);
        facts.ended_at = Some(utc_now());
        facts.warnings.push(line.clone());
        let summary = Summariser::new(None).finish(facts);
        let stored = match summary.to_json() {
            Ok(text) => proved.replace(&text).await,
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = stored {
            tracing::error!(%error, "the summary in the results place still says `running`");
            log_line(&summary);
        }
    }
    Failure::new(Exit::Unexpected, line)
}

/// Stores that the run was interrupted, for as long as its rows are not gone through: totals are not known yet.
pub(super) async fn interrupted(facts: RunFacts, proved: Proved) {
    let state = if facts.state == State::Failed {
        State::Failed
    } else {
        State::Interrupted
    };
    let RunFacts {
        header,
        ended_at,
        phases,
        warnings,
        ..
    } = facts;
    let summary = Summary {
        ended_at,
        phases,
        warnings,
        ..Summary::unmeasured(header, state)
    };
    let stored = match summary.to_json() {
        Ok(text) => proved.replace(&text).await,
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = stored {
        tracing::warn!(%error, "the summary in the results place still says `running`");
    }
}
