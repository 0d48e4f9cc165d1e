//! The thread that writes the rows of a run, and what becomes of the run when the rows have no place.

use std::sync::Arc;

use super::Stage;
use super::log::Beside;
use crate::engine::{Board, Queue};
use crate::exit::{Exit, Failure};
use crate::spool::folder::spool_failure;
use crate::spool::room::Room;
use crate::spool::rows::{RowSender, RowWriter, Trouble};

/// The thread that writes rows. A disk that is full or nearly so ends handing out, as rows would be lost; `finish` returns an error that it had.
pub(super) fn row_writer(
    stage: &Stage<'_>,
    (queue, board): (&Arc<Queue>, &Arc<Board>),
    (rows, beside): (Option<u64>, &Beside),
) -> Result<(RowWriter, RowSender), Failure> {
    let room = Room {
        spool: stage.spool.to_owned(),
        results: stage.results.to_owned(),
        key_bytes: stage.key_bytes,
        workers: u64::from(stage.plan.concurrency.get()),
        rows,
        duration: stage.plan.duration,
    };
    if let Some(refusal) = room.refusal() {
        return Err(Failure::new(Exit::SetUp, refusal)
            .hint("--spool-dir and --out name other folders; --limit fetches fewer objects"));
    }
    let (queue, board, beside) = (Arc::clone(queue), Arc::clone(board), beside.clone());
    let on_trouble = move |trouble: Trouble<'_>| {
        match trouble {
            Trouble::WillBeFull(text) => return beside.warn(text),
            Trouble::Full(text) => beside.warn(text),
            Trouble::Lost(error) => beside.note_panic(error),
        }
        queue.stop();
        board.stop();
    };
    RowWriter::start(stage.spool, Some(room), on_trouble).map_err(|error| spool_failure(&error))
}
