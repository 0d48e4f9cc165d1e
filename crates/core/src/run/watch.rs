//! From the epoch to the end of the last worker: progress, memory samples, and ending early — for a signal, or because the store is gone.

use std::time::{Duration, Instant};

use super::gauges::Gauges;
use super::log::RunLog;
use crate::engine::{Board, EngineError, EngineReport, GateKeeper, Queue};
use crate::event::{Live, RunEvent};
use crate::plan::{Limits, ObjectSource, RunPlan};
use crate::units;

/// How long fetches in flight may go on after a signal.
const GRACE: Duration = Duration::from_secs(5);
/// How long workers have to end once fetches are given up: their ticks are at most 2 s. ECS leaves 30 s in all.
const KILL_AFTER: Duration = Duration::from_secs(3);
/// How long answers may go on when the time of a run is up: the least and the most.
const OVERTIME: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));
/// How often progress is shown.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// More time than this passes between two looks only when this process stood still.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// The workers of a run from the epoch to the end of the last one.
pub(super) struct FetchWatch<'a> {
    pub(super) keeper: &'a GateKeeper,
    pub(super) queue: &'a Queue,
    pub(super) board: &'a Board,
    pub(super) silence: Silence,
    pub(super) give_up: GiveUp,
    /// Bytes behind which nothing more is handed out.
    pub(super) most_bytes: Option<u64>,
}

impl FetchWatch<'_> {
    /// Opens the barrier. Then progress, memory samples, and what a signal asks for.
    pub(super) async fn until_end(
        mut self,
        engine: &mut (impl Future<Output = Result<EngineReport, EngineError>> + Unpin),
        gauges: &mut Gauges,
        log: &mut RunLog<'_>,
    ) -> Result<EngineReport, EngineError> {
        self.keeper.open(gauges.epoch_ns());
        let mut signal = log.signal();
        let mut tick = tokio::time::interval(PROGRESS_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ending = Ending::default();
        let give_up_at = self
            .give_up
            .0
            .map(|after| tokio::time::Instant::now() + after);
        loop {
            tokio::select! {
                ended = &mut *engine => return if ending.store_is_gone { Err(EngineError::StoreGone) } else { ended },
                _ = tick.tick() => {
                    let live = self.look(gauges, log);
                    if ending.next_at.is_none() && self.silence.is_too_long(live) {
                        ending = Ending { store_is_gone: true, ..ending.next(self.queue, self.board) };
                    }
                }
                _ = signal.wait_for(Option::is_some), if ending.next_at.is_none() => {
                    ending = ending.next(self.queue, self.board);
                    log.event(&RunEvent::Interrupted);
                }
                () = sleep_until(give_up_at), if ending.next_at.is_none() && give_up_at.is_some() => {
                    log.warn("answers that had not ended long after the time was up were given up".to_owned());
                    ending = ending.next(self.queue, self.board).next(self.queue, self.board);
                }
                () = sleep_until(ending.next_at), if ending.next_at.is_some() => ending = ending.next(self.queue, self.board),
            }
        }
    }

    /// Tells how far the run is, and stops the hand-out once `--max-bytes` are used up.
    fn look(&mut self, gauges: &mut Gauges, log: &mut RunLog<'_>) -> Live {
        gauges.sample_memory(self.board);
        log.take_notes();
        let live = self.board.live();
        log.event(&RunEvent::Progress {
            live,
            elapsed_ns: gauges.elapsed_ns(),
        });
        if let Some(most) = self.most_bytes.take_if(|most| live.bytes >= *most) {
            log.warn(format!(
                "nothing more is handed out: {} of --max-bytes are used up",
                units::bytes(most)
            ));
            self.queue.stop();
            self.board.stop();
        }
        live
    }
}

/// How a run is ended before its keys are: no more keys, then fetches in flight given up, then children killed that do not end even then.
#[derive(Clone, Copy, Debug, Default)]
struct Ending {
    steps: u32,
    next_at: Option<tokio::time::Instant>,
    store_is_gone: bool,
}

impl Ending {
    fn next(self, queue: &Queue, board: &Board) -> Self {
        let wait = match self.steps {
            0 => {
                queue.stop();
                board.stop();
                GRACE
            }
            1 => {
                board.abort();
                KILL_AFTER
            }
            _ => {
                board.kill();
                KILL_AFTER
            }
        };
        Self {
            steps: self.steps + 1,
            next_at: Some(tokio::time::Instant::now() + wait),
            ..self
        }
    }
}

/// When open fetches are given up in a run that time ends: so long after the epoch. A web server's answer may never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GiveUp(Option<Duration>);

impl GiveUp {
    /// As long again as the time of the run, within [`OVERTIME`]; never where an answer's silence has a limit, or a fetch has one.
    pub(super) fn of(plan: &RunPlan) -> Self {
        let is_limited = plan.source.is_bucket() || plan.fetch.limits.fetch_timeout.is_some();
        let after = |time: Duration| time + time.clamp(OVERTIME.0, OVERTIME.1);
        Self(plan.duration.filter(|_| !is_limited).map(after))
    }
}

/// Notices a store that is gone: fetches fail, and for longer than a fetch may take in vain no worker has got a byte or an answer that is not a failure.
/// Time in which this process stood still itself does not count: what was said meanwhile is still to be read.
pub(super) struct Silence {
    /// `None`: nothing ends the run. A web server may be silent for as long as it likes, and every request to it is made.
    limit: Option<Duration>,
    last: (u64, u64),
    quiet: Duration,
    looked: Instant,
}

impl Silence {
    pub(super) fn new(source: &ObjectSource, limits: &Limits) -> Self {
        let stall = limits.stall_timeout.filter(|_| source.is_bucket());
        Self {
            limit: stall.map(|stall| stall * (limits.attempts + 1)),
            last: (0, 0),
            quiet: Duration::ZERO,
            looked: Instant::now(),
        }
    }

    fn is_too_long(&mut self, live: Live) -> bool {
        let now = (live.bytes, live.ended.saturating_sub(live.failed));
        let passed = std::mem::replace(&mut self.looked, Instant::now())
            .elapsed()
            .min(LONGEST_LOOK);
        self.quiet = if now == self.last {
            self.quiet + passed
        } else {
            Duration::ZERO
        };
        self.last = now;
        live.failed > 0 && self.limit.is_some_and(|limit| self.quiet >= limit)
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{HttpSource, Urls};

    fn live(bytes: u64, failed: u64) -> Live {
        Live {
            ended: failed,
            failed,
            bytes,
        }
    }

    #[test]
    fn time_in_which_nobody_looked_is_no_silence() {
        let limits = Limits {
            stall_timeout: Some(Duration::from_millis(1)),
            attempts: 1,
            ..Limits::default()
        };
        let bucket = ObjectSource::Bucket("b".to_owned());
        let mut silence = Silence::new(&bucket, &limits);
        silence.limit = Some(Duration::from_secs(2));
        let stood_still = Duration::from_mins(1);
        assert!(!silence.is_too_long(live(1, 1)), "bytes came");
        silence.looked = silence.looked.checked_sub(stood_still).unwrap();
        assert!(
            !silence.is_too_long(live(1, 1)),
            "a look after a long sleep says little"
        );
        silence.looked = silence.looked.checked_sub(stood_still).unwrap();
        assert!(
            silence.is_too_long(live(1, 1)),
            "two of them without a byte between say more"
        );
        assert!(!silence.is_too_long(live(2, 1)));
        silence.looked = silence.looked.checked_sub(stood_still).unwrap();
        silence.looked = silence.looked.checked_sub(stood_still).unwrap();
        assert!(!silence.is_too_long(live(2, 0)), "nothing failed");
        silence.limit = None;
        silence.looked = silence.looked.checked_sub(stood_still).unwrap();
        silence.looked = silence.looked.checked_sub(stood_still).unwrap();
        assert!(!silence.is_too_long(live(2, 1)), "no limit");
    }

    #[test]
    fn silence_of_a_web_server_ends_no_run() {
        let url = "http://127.0.0.1:1/".parse().unwrap();
        let server = ObjectSource::Http(Box::new(HttpSource::get(Urls::Typed(vec![url]))));
        let limits = Limits {
            stall_timeout: Some(Duration::from_millis(1)),
            ..Limits::default()
        };
        assert_eq!(Silence::new(&server, &limits).limit, None);
    }
}
