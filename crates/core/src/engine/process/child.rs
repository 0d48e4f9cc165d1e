//! The child's side of mode `process`: one worker on one thread, fed through stdin, heard through stdout.
//!
//! Ends when stdin closes, however its parent died. Ignores SIGINT: a Ctrl-C reaches the whole terminal, and the parent decides what it means.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::net::unix::pipe;
use tokio::sync::{Mutex, Notify, mpsc, watch};

use super::wire::{
    ChildFailure, ChildReport, FrameReader, FromChild, Hello, RowBatch, ToChild, Traffic, send,
};
use crate::engine::board::{Board, Gate, GateKeeper};
use crate::engine::error::EngineError;
use crate::engine::worker::{WorkerChannel, WorkerContext, WorkerId, work};
use crate::platform::usage::{self, CpuTimes};
use crate::sample::Sample;
use crate::spool::items::Items;
use crate::store::{Clients, ClockOffset, CredentialFeed, Credentials, StoreError, StoreErrorKind};

/// Rows do not wait longer than this for the end of their range: progress, and less to fetch again should this child die.
const ROWS_WAIT: Duration = Duration::from_secs(1);
/// How often the parent hears of a child: a fetch may take long, and who says nothing counts as hung.
const PULSE: Duration = Duration::from_secs(1);

/// The pipe to the parent, and when something last went into it.
struct Output {
    pipe: Mutex<pipe::Sender>,
    sent: Cell<Instant>,
}

impl Output {
    /// Sends a frame, which is made once it is its turn: what it says was read grows from frame to frame.
    async fn say(&self, frame: impl FnOnce() -> FromChild) -> io::Result<()> {
        let mut pipe = self.pipe.lock().await;
        self.sent.set(Instant::now());
        send(&mut *pipe, &frame()).await
    }
}

/// What the reader of stdin tells the worker.
#[derive(Default)]
struct Inbox {
    ranges: RefCell<VecDeque<Range<u64>>>,
    finished: Cell<bool>,
    stopped: Cell<bool>,
    news: Notify,
}

/// The whole life of a child process.
///
/// # Errors
/// When the pipes are not those of a parent.
pub fn child_main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, live())
}

async fn live() -> io::Result<()> {
    // Once tokio listens, SIGINT does not end the process any more.
    let _ignored = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let stdin = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    let stdout = pipe::Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned()?)?;
    let mut frames = FrameReader::new(stdin);
    let Some(ToChild::Hello(hello)) = frames.next().await? else {
        return Ok(());
    };
    let output = Rc::new(Output {
        pipe: Mutex::new(stdout),
        sent: Cell::new(Instant::now()),
    });
    let inbox = Rc::new(Inbox::default());
    let board = Arc::new(Board::new(1));
    let (gate, mut keeper) = Gate::new();
    let begun = gate.clone();
    let (feed, newest, mut expired) = match hello.secret.clone().map(CredentialFeed::remote) {
        Some((mut feed, newest, expired)) => {
            feed.clock = ClockOffset::of(hello.clock_offset_s);
            (Some(feed), Some(newest), Some(expired))
        }
        None => (None, None, None),
    };
    let clock = feed.as_ref().map(|feed| feed.clock.clone());
    let reader = ParentReader {
        inbox: Rc::clone(&inbox),
        board: Arc::clone(&board),
        newest,
        clock: clock.clone(),
        epoch_cpu: Cell::new(None),
    };
    let worker = async {
        let result = match context(&hello, feed, Arc::clone(&board), gate) {
            Ok(context) => Box::pin(serve(&context, &hello, (&inbox, &output))).await,
            Err(error) => Err(error.into()),
        };
        let bye = end_report(result, &board, reader.epoch_cpu.get());
        output.say(|| FromChild::Bye(bye)).await
    };
    let control = async {
        // A client that could not be made is the worker's error.
        if keeper.all_ready(1).await.is_ok() {
            output.say(|| FromChild::Ready).await?;
        }
        reader.read(&mut frames, &keeper).await
    };
    // The worker wakes this task with every read. A set polls only those of the others that were woken themselves; a `select!` would poll each.
    let mut others: FuturesUnordered<LocalBoxFuture<'_, io::Result<()>>> = FuturesUnordered::new();
    others.push(control.boxed_local());
    others.push(ask_for_credentials(&mut expired, &output).boxed_local());
    others.push(pulse(begun, (&board, &output)).boxed_local());
    others.push(send_clock_offset(clock, &output).boxed_local());
    tokio::select! {
        // First, so that a worker that always has something to read keeps nobody waiting.
        biased;
        Some(result) = others.next() => result,
        result = worker => result,
    }
}

fn end_report(
    result: Result<(), EngineError>,
    board: &Board,
    epoch_cpu: Option<CpuTimes>,
) -> ChildReport {
    ChildReport {
        fetch_cpu: epoch_cpu
            .zip(usage::cpu_times())
            .map(|(at_epoch, now)| now - at_epoch),
        peak_rss_bytes: usage::peak_rss_bytes(),
        connections: board.connections().unwrap_or(0),
        warnings: board.take_warnings(),
        failure: result.err().map(ChildFailure::from),
    }
}

fn context(
    hello: &Hello,
    feed: Option<CredentialFeed>,
    board: Arc<Board>,
    gate: Gate,
) -> Result<WorkerContext<Clients>, StoreError> {
    let spool = PathBuf::from(OsString::from_vec(hello.spool.clone()));
    let items = Items::open(&spool).map_err(|error| {
        StoreError::new(
            StoreErrorKind::File,
            format!("cannot open the spool file of what to fetch: {error}"),
        )
    })?;
    Ok(WorkerContext {
        factory: Clients::new(hello.client, hello.recipe.clone(), feed)?,
        concurrency: hello.concurrency,
        fetch: hello.fetch,
        items: Arc::new(items),
        board,
        gate,
    })
}

async fn serve(
    context: &WorkerContext<Clients>,
    hello: &Hello,
    (inbox, output): (&Rc<Inbox>, &Rc<Output>),
) -> Result<(), EngineError> {
    let channel = PipeChannel {
        inbox: Rc::clone(inbox),
        output: Rc::clone(output),
        board: Arc::clone(&context.board),
        until_ns: hello.until_ns,
        range: 0..0,
        rows: Vec::new(),
        through: 0,
        sent: Instant::now(),
    };
    Box::pin(work(
        context,
        WorkerId {
            number: hello.number,
            index: 0,
        },
        channel,
    ))
    .await
}

/// Passes the worker's wish for newer credentials to the parent.
async fn ask_for_credentials(
    expired: &mut Option<mpsc::UnboundedReceiver<u64>>,
    output: &Output,
) -> io::Result<()> {
    if let Some(expired) = expired {
        while let Some(version) = expired.recv().await {
            output.say(|| FromChild::Expired(version)).await?;
        }
    }
    std::future::pending().await
}

/// Passes what the worker found out of the store's clock to the parent, and so to all.
async fn send_clock_offset(clock: Option<ClockOffset>, output: &Output) -> io::Result<()> {
    let Some(mut clock) = clock else {
        return std::future::pending().await;
    };
    loop {
        let seconds = clock.changed().await;
        output.say(|| FromChild::ClockOffset(seconds)).await?;
    }
}

/// Says from the epoch on what was read, when no rows did.
async fn pulse(mut begun: Gate, (board, output): (&Board, &Output)) -> io::Result<()> {
    if begun.epoch().await.is_some() {
        let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + PULSE, PULSE);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if output.sent.get().elapsed() >= PULSE / 2 {
                output.say(|| FromChild::Pulse(traffic(board))).await?;
            }
        }
    }
    std::future::pending().await
}

/// What was read, of which nothing is told twice.
fn traffic(board: &Board) -> Traffic {
    Traffic {
        bytes: board.live().bytes,
        series: board.series.drain(),
    }
}

/// Reads what the parent says.
struct ParentReader {
    inbox: Rc<Inbox>,
    board: Arc<Board>,
    newest: Option<watch::Sender<Arc<Credentials>>>,
    clock: Option<ClockOffset>,
    epoch_cpu: Cell<Option<CpuTimes>>,
}

impl ParentReader {
    /// Returns when the pipe closes: the parent is gone.
    async fn read(
        &self,
        frames: &mut FrameReader<pipe::Receiver>,
        keeper: &GateKeeper,
    ) -> io::Result<()> {
        while let Some(frame) = frames.next().await? {
            match frame {
                ToChild::Go(epoch_ns) => {
                    self.epoch_cpu.set(usage::cpu_times());
                    keeper.open(epoch_ns);
                }
                ToChild::Range(start, end) => self.inbox.ranges.borrow_mut().push_back(start..end),
                ToChild::Credentials(secret) => {
                    if let Some(newest) = &self.newest {
                        newest.send_replace(Arc::new(secret));
                    }
                }
                ToChild::ClockOffset(seconds) => {
                    self.clock.iter().for_each(|clock| clock.set(seconds));
                }
                ToChild::Stop => self.inbox.stopped.set(true),
                ToChild::Abort => self.board.halt.halt(),
                ToChild::Finish => self.inbox.finished.set(true),
                ToChild::Hello(_) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a second hello"));
                }
            }
            self.inbox.news.notify_one();
        }
        Ok(())
    }
}

/// Ranges from the pipe, rows into it.
struct PipeChannel {
    inbox: Rc<Inbox>,
    output: Rc<Output>,
    board: Arc<Board>,
    until_ns: Option<u64>,
    range: Range<u64>,
    /// Encoded, of fetches below `through`.
    rows: Vec<u8>,
    through: u64,
    sent: Instant,
}

impl PipeChannel {
    /// Sends the rows so far: everything of the range below `through` is done.
    async fn flush(&mut self, through: u64) {
        let rows = std::mem::take(&mut self.rows);
        self.sent = Instant::now();
        // A parent that is gone closes stdin as well: the reader ends this process.
        let _parent_gone = self
            .output
            .say(|| {
                FromChild::Rows(RowBatch {
                    through,
                    rows,
                    traffic: traffic(&self.board),
                })
            })
            .await;
    }
}

impl WorkerChannel for PipeChannel {
    async fn next(&mut self, now_ns: u64) -> Option<Range<u64>> {
        if !self.range.is_empty() {
            self.flush(self.range.end).await;
            self.range = 0..0;
        }
        loop {
            if self.is_over(now_ns) {
                return None;
            }
            if let Some(range) = self.inbox.ranges.borrow_mut().pop_front() {
                self.range = range.clone();
                return Some(range);
            }
            if self.inbox.finished.get() {
                return None;
            }
            self.inbox.news.notified().await;
        }
    }

    async fn done(&mut self, row: Sample) {
        self.through = row.unit + 1;
        row.encode(&mut self.rows);
        if self.sent.elapsed() >= ROWS_WAIT && self.through < self.range.end {
            self.flush(self.through).await;
        }
    }

    fn is_over(&self, now_ns: u64) -> bool {
        self.inbox.stopped.get() || self.until_ns.is_some_and(|until| now_ns >= until)
    }

    /// Units without a row go back to the queue when the parent is done with this child.
    fn leave(&mut self, _rest: Range<u64>) {}

    async fn close(&mut self) {
        if self.rows.is_empty() {
            // What was read of a fetch that left no row.
            let _parent_gone = self
                .output
                .say(|| FromChild::Pulse(traffic(&self.board)))
                .await;
        } else {
            self.flush(self.through).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::signing_news;
    use super::*;

    /// What one child found out of the store's clock comes down to the others: they sign with it, and are not refused for it too.
    #[tokio::test]
    async fn the_time_that_another_found_out_is_signed_with_here() {
        let keys = serde_json::json!({"access_key": "a", "secret_key": "s", "session_token": null, "expires_unix_ms": null, "version": 1});
        let (feed, _newest, _asked) = CredentialFeed::remote(serde_json::from_value(keys).unwrap());
        feed.clock.set(7_200);
        let (mut parent, pipe) = pipe::pipe().unwrap();
        send(&mut parent, &signing_news(&mut Some(feed)).await)
            .await
            .unwrap();
        drop(parent);
        let clock = ClockOffset::of(0);
        let (board, (_, keeper)) = (Arc::new(Board::new(1)), Gate::new());
        let reader = ParentReader {
            inbox: Rc::default(),
            board,
            newest: None,
            clock: Some(clock.clone()),
            epoch_cpu: Cell::new(None),
        };
        reader
            .read(&mut FrameReader::new(pipe), &keeper)
            .await
            .unwrap();
        assert_eq!(clock.newest(), 7_200);
    }
}
