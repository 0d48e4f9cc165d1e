//! SIGINT and SIGTERM. One thread listens for every command, whatever else the process does: a first signal asks the work to end in order, a second
//! ends the process at once. A limit of time that has passed counts as SIGTERM.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::process::{Pid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch::{self, Receiver, Sender};

use super::process::say_last;
use crate::exit::{Exit, Failure, Signal};
use crate::platform::usage;
use crate::platform::wait::comes;
use crate::units;

/// How long the work has to leave things tidy when the process ends at once.
const CLEANUP_TIME: Duration = Duration::from_millis(300);

/// How long the work may take to end in order when its time is up.
const ORDER_TIME: Duration = Duration::from_mins(2);

/// What a first signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// The work ends in order, and stores what it has.
    EndsInOrder,
    /// The process ends: there is nothing to store.
    EndsAtOnce,
}

/// What signals mean at the moment.
#[derive(Clone, Debug)]
struct SignalMeaning {
    first: First,
    /// What is left when the process ends at once.
    hint: Option<String>,
}

/// A signal that ends the process at once, and what is left by what signals meant when it came.
#[derive(Clone, Debug)]
struct Last {
    signal: Signal,
    hint: Option<String>,
}

/// What the listening thread has heard.
pub(super) struct Signals {
    asked: Receiver<Option<Signal>>,
    last: Receiver<Option<Last>>,
    meaning: Arc<Mutex<SignalMeaning>>,
}

impl Signals {
    /// Listens from now on. `hint` says what is left when the process ends at once.
    pub(super) fn listen(first: First, hint: Option<&str>) -> Result<Self, Failure> {
        Self::listen_until(first, hint, None)
    }

    /// The same, and the work is asked to end when it has taken `most`.
    pub(super) fn listen_until(
        first: First,
        hint: Option<&str>,
        most: Option<Duration>,
    ) -> Result<Self, Failure> {
        let hint = hint.map(str::to_owned);
        let meaning = Arc::new(Mutex::new(SignalMeaning { first, hint }));
        let ((tell_asked, asked), (tell_last, last)) = (watch::channel(None), watch::channel(None));
        let (ready, is_ready) = mpsc::channel();
        let listener = Listener {
            asked: tell_asked,
            last: tell_last,
            meaning: Arc::clone(&meaning),
            most,
        };
        let failed = |error: io::Error| {
            Failure::new(
                Exit::Unexpected,
                format!("cannot listen for signals: {error}"),
            )
        };
        std::thread::Builder::new()
            .name("parfetch-signals".to_owned())
            .spawn(move || listener.run(&ready))
            .map_err(failed)?;
        is_ready
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("its thread ended")))
            .map_err(failed)?;
        Ok(Self {
            asked,
            last,
            meaning,
        })
    }

    /// Set once a signal has asked the work to end in order.
    pub(super) fn asked(&self) -> Receiver<Option<Signal>> {
        self.asked.clone()
    }

    /// Does `work`, unless a signal ends it at once: then it is dropped.
    pub(super) async fn or<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut last = self.last.clone();
        tokio::select! {
            done = work => done,
            last = comes(&mut last) => Err(at_once(last, *self.asked.borrow())),
        }
    }

    /// From now on signals mean this.
    pub(super) fn set_meaning(&self, first: First, hint: Option<&str>) {
        let hint = hint.map(str::to_owned);
        *self.meaning.lock().unwrap_or_else(PoisonError::into_inner) =
            SignalMeaning { first, hint };
    }
}

fn at_once(last: Last, asked: Option<Signal>) -> Failure {
    let message = if asked.is_some() {
        "ended at once by a second signal"
    } else {
        "interrupted"
    };
    let failure = Failure::new(last.signal.exit(), message);
    match last.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn now(meaning: &Mutex<SignalMeaning>) -> SignalMeaning {
    meaning
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// The thread's side.
struct Listener {
    asked: Sender<Option<Signal>>,
    last: Sender<Option<Last>>,
    meaning: Arc<Mutex<SignalMeaning>>,
    most: Option<Duration>,
}

impl Listener {
    fn run(self, ready: &mpsc::Sender<io::Result<()>>) {
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async {
            let (mut interrupt, mut terminate) = match (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            ) {
                (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
                (Err(error), _) | (_, Err(error)) => return drop(ready.send(Err(error))),
            };
            drop(ready.send(Ok(())));
            let mut wait = self.most;
            loop {
                let signal = tokio::select! {
                    _ = interrupt.recv() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                    most = passes(&mut wait) => {
                        say_time_is_up(most);
                        Signal::Terminate
                    }
                };
                let asked = *self.asked.borrow();
                let SignalMeaning { first, hint } = now(&self.meaning);
                if asked.is_some() || first == First::EndsAtOnce {
                    let last = Last { signal, hint };
                    self.last.send_replace(Some(last.clone()));
                    tokio::time::sleep(CLEANUP_TIME).await;
                    end_now(at_once(last, asked));
                }
                self.asked.send_replace(Some(signal));
            }
        });
    }
}

/// Waits for so long, and leaves how long the work then has to end in order; without a time for ever.
async fn passes(wait: &mut Option<Duration>) -> Duration {
    let Some(most) = *wait else {
        return std::future::pending().await;
    };
    tokio::time::sleep(most).await;
    *wait = Some(ORDER_TIME);
    most
}

/// The work did not come to its end by itself: it computes, or waits for a file.
#[expect(
    clippy::exit,
    reason = "nothing else ends a process whose main thread does not listen"
)]
fn end_now(failure: Failure) -> ! {
    // Also those that would not notice that their pipe is closed, as they are stopped.
    let own = std::process::id();
    for pid in usage::family(own).into_iter().filter(|pid| *pid != own) {
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // It may have ended meanwhile.
            let _gone = kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    let exit = failure.exit;
    // On a thread of its own: a terminal or pipe that takes no more bytes must not hold the process.
    let (said, is_said) = mpsc::channel();
    std::thread::spawn(move || {
        say_last(&failure);
        let _nobody_waits = said.send(());
    });
    let _given_up = is_said.recv_timeout(CLEANUP_TIME);
    std::process::exit(i32::from(exit as u8))
}

/// Says why the work is asked to end.
fn say_time_is_up(most: Duration) {
    let time = units::typed_duration(most);
    tracing::warn!("the run has taken {time}, all that --run-timeout allows: it ends now");
}
