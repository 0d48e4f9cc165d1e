//! What a signal does to the set-up of a run: it ends what may wait for an answer, and lets the results place be proved first.

use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::log::RunLog;
use crate::event::RunEvent;
use crate::exit::{Failure, Signal};
use crate::platform::wait::comes;
use crate::results::place::PlaceError;

/// How long a signal waits for the proof of the results place.
const PROOF: Duration = Duration::from_secs(2);

/// The results place says `running` from some moment on: a signal waits a little for it, so that the run can say there that it was interrupted.
pub(super) async fn proved<T>(
    prepare: impl Future<Output = Result<T, PlaceError>>,
    log: &mut RunLog<'_>,
) -> Result<T, Failure> {
    let mut prepare = std::pin::pin!(prepare);
    let mut signal = log.signal();
    let longer = tokio::select! {
        done = &mut prepare => return done.map_err(Into::into),
        _ = signal.wait_for(Option::is_some) => tokio::time::timeout(PROOF, prepare),
    };
    log.event(&RunEvent::Interrupted);
    match longer.await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => unless_signalled(signal, std::future::pending::<Result<T, PlaceError>>()).await,
    }
}

/// Set-up may wait for something that does not answer: a signal ends it.
pub(super) async fn unless_signalled<T, E: Into<Failure>>(
    mut signal: Receiver<Option<Signal>>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done.map_err(Into::into),
        came = comes(&mut signal) => Err(Failure::new(came.exit(), "interrupted before anything was listed")
            .hint("nothing was fetched; results in the results place, if any, say `running`")),
    }
}
