//! SIGINT and SIGTERM for commands that take long: the first is told to the work, which ends in order; a second ends it at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch::{self, Receiver};

use crate::exit::{Exit, Failure};
use crate::run::Signal;

/// Does `work`, which hears of the first signal; a second one drops it. `hint` says what is left then.
pub(super) async fn heeding<T>(work: impl AsyncFnOnce(Receiver<Option<Signal>>) -> Result<T, Failure>, hint: &str) -> Result<T, Failure> {
    let (tell, first) = watch::channel(None);
    let listen = |kind| signal(kind).map_err(|error| Failure::new(Exit::Unexpected, format!("cannot listen for signals: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let second = async {
        loop {
            let signal = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
            };
            if tell.borrow().is_some() {
                return signal;
            }
            tell.send_replace(Some(signal));
        }
    };
    tokio::select! {
        done = work(first) => done,
        second = second => Err(Failure::new(second.exit(), "ended at once by a second signal").hint(hint)),
    }
}
