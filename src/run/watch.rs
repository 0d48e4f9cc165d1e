//! From the epoch to the end of the last worker: progress, memory samples, and ending early — for a signal, or because the store is gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;

use super::gauges::Gauges;
use super::{Log, Signal};
use crate::engine::{Board, EngineError, EngineReport, GateKeeper, Queue};
use crate::event::{Live, RunEvent};
use crate::plan::Limits;
use crate::units;

/// How long fetches in flight may go on after a signal.
const GRACE: Duration = Duration::from_secs(5);
/// How long workers have to end once they were told to give up: their ticks are 2 s at the most. ECS leaves 30 s in all.
const KILL_AFTER: Duration = Duration::from_secs(3);
/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// More time than this passes between two looks only when this process stood still.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// From the epoch to the end of the last worker: progress, memory samples, and what a signal asks for.
pub(super) async fn watch_over(
    (engine, keeper, mut silence): (
        &mut (impl Future<Output = Result<EngineReport, EngineError>> + Unpin),
        &GateKeeper,
        Silence,
    ),
    (gauges, board, queue): (&mut Gauges, &Arc<Board>, &Queue),
    (signal, most_bytes): (&mut Receiver<Option<Signal>>, Option<u64>),
    log: &mut Log<'_>,
) -> Result<EngineReport, EngineError> {
    keeper.open(gauges.epoch_ns());
    let mut tick = tokio::time::interval(PROGRESS_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ending = Ending::default();
    // None once it is reached.
    let mut most_bytes = most_bytes;
    loop {
        tokio::select! {
            ended = &mut *engine => return if ending.store_is_gone { Err(EngineError::StoreGone) } else { ended },
            _ = tick.tick() => {
                gauges.sample_memory(board);
                log.heed();
                let live = board.live();
                log.event(&RunEvent::Progress { live, elapsed_ns: gauges.elapsed_ns() });
                if let Some(most) = most_bytes.take_if(|most| live.bytes >= *most) {
                    log.warn(format!("nothing more is handed out: {} of --max-bytes are used up", units::bytes(most)));
                    queue.stop();
                    board.stop();
                }
                if ending.next_at.is_none() && silence.is_too_long(live) {
                    ending = Ending { store_is_gone: true, ..ending.next(queue, board) };
                }
            }
            _ = signal.wait_for(Option::is_some), if ending.next_at.is_none() => {
                ending = ending.next(queue, board);
                log.event(&RunEvent::Interrupted);
            }
            () = sleep_until(ending.next_at), if ending.next_at.is_some() => ending = ending.next(queue, board),
        }
    }
}

/// How a run is ended before its keys are: no more keys, then fetches in flight given up, then children killed that do not even hear that.
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

/// Notices a store that is gone: fetches fail, and for longer than a fetch may take in vain no worker has got a byte or an answer that is not a failure.
/// Time in which this process stood still itself does not count: what was said meanwhile is still to be read.
pub(super) struct Silence {
    limit: Duration,
    last: (u64, u64),
    quiet: Duration,
    looked: Instant,
}

impl Silence {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.stall_timeout * (limits.attempts + 1),
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
        live.failed > 0 && self.quiet >= self.limit
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
            stall_timeout: Duration::from_millis(1),
            attempts: 1,
            ..Limits::default()
        };
        let mut silence = Silence::new(&limits);
        silence.limit = Duration::from_secs(2);
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
    }
}
