//! The thread that writes the rows of a run, and what becomes of the run when the rows have no place.

use std::path::Path;

use super::background::{Background, HandOut};
use crate::exit::{Exit, Failure};
use crate::spool::folder::spool_failure;
use crate::spool::room::Room;
use crate::spool::rows::{RowSender, RowWriter, Trouble};

/// Starts it. A disk that is full or nearly so ends the hand-out, as rows would be lost; `finish` returns an error that it had.
pub(super) fn row_writer(
    spool: &Path,
    room: Room,
    hand_out: HandOut,
    background: Background,
) -> Result<(RowWriter, RowSender), Failure> {
    if let Some(refusal) = room.refusal() {
        return Err(Failure::new(Exit::SetUp, refusal)
            .hint("--spool-dir and --out name other folders; --limit fetches fewer objects"));
    }
    let on_trouble = move |trouble: Trouble<'_>| {
        match trouble {
            Trouble::WillBeFull(text) => return background.warn(text),
            Trouble::Full(text) => background.warn(text),
            Trouble::Lost(error) => background.note_panic(error),
        }
        hand_out.stop();
    };
    RowWriter::start(spool, Some(room), on_trouble).map_err(|error| spool_failure(&error))
}
