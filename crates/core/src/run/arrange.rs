//! Between listing and fetching: what is fetched in which order and in which parts is written down, where that is not simply the listing.

use std::path::Path;
use std::sync::Arc;

use super::log::RunLog;
use crate::event::RunEvent;
use crate::exit::{Exit, Failure};
use crate::plan::{Layout, Order};
use crate::platform::cancel::{Cancelled, cancellable};
use crate::platform::clock::now_ns;
use crate::platform::fault;
use crate::platform::wait::comes;
use crate::spool::folder::spool_failure;
use crate::spool::items::{LaidOut, LayoutError, lay_out};
use crate::spool::keys::KeyFile;
use crate::units;

/// Lays the items out; `None` when a signal came first. The time it takes is part of the listing's: it is over before a worker starts.
pub(super) async fn arrange(
    layout: Layout,
    (keys, spool): (&Arc<KeyFile>, &Path),
    log: &mut RunLog<'_>,
) -> Result<Option<LaidOut>, Failure> {
    if layout.is_plain() {
        return lay_out(spool, keys, layout, &Cancelled::default())
            .map(Some)
            .map_err(|error| layout_failure(&error));
    }
    let begin = now_ns();
    let work = {
        let (keys, spool) = (Arc::clone(keys), spool.to_owned());
        move |cancelled: &Cancelled| {
            fault::point("layout");
            lay_out(&spool, &keys, layout, cancelled)
        }
    };
    // Pinned, so that the signal is answered before the wait for the thread. What it wrote goes with the spool folder.
    let mut work = std::pin::pin!(cancellable(work));
    let mut signal = log.signal();
    let laid_out = tokio::select! {
        laid_out = &mut work => laid_out,
        _ = comes(&mut signal) => {
            log.event(&RunEvent::Interrupted);
            return Ok(None);
        }
    };
    let laid_out = laid_out.map_err(|error| layout_failure(&error))?;
    let took_ns = now_ns().saturating_sub(begin);
    log.phases.ordering_ns = Some(took_ns);
    log.phases.listing_ns = log.phases.listing_ns.map(|listing_ns| listing_ns + took_ns);
    for note in notes(layout, &laid_out) {
        log.warn(note);
    }
    Ok(Some(laid_out))
}

fn layout_failure(error: &LayoutError) -> Failure {
    let hint = match error {
        LayoutError::Spool(error) => return spool_failure(error),
        LayoutError::Implausible { .. } => {
            "such a listing cannot be trusted: check that the endpoint is one of S3"
        }
        LayoutError::TooMany(_) => {
            "a larger --part-size makes fewer parts; --spool-dir names another folder"
        }
    };
    Failure::new(Exit::SetUp, error.to_string()).hint(hint)
}

/// What of the layout comes to nothing, or to less than a person may think.
fn notes(layout: Layout, laid_out: &LaidOut) -> Vec<String> {
    let mut notes = Vec::new();
    let LaidOut {
        objects,
        divided,
        unguarded,
        unsized_keys,
        ..
    } = *laid_out;
    if let Some(part_size) = layout.part_size.filter(|_| divided == 0) {
        notes.push(format!(
            "no object is known to be larger than the part size of {}: all are fetched whole",
            units::bytes(part_size.get())
        ));
    }
    if unguarded > 0 {
        let what = format!(
            "no ETag is known for {} of {} objects that are fetched in parts",
            units::count(unguarded),
            units::count(divided)
        );
        notes.push(format!(
            "{what}: should one change meanwhile, its parts may be of two versions"
        ));
    }
    if unsized_keys > 0 {
        let so = match (
            layout.order == Order::LargestFirst,
            layout.part_size.is_some(),
        ) {
            (true, true) => "they are fetched whole, and last",
            (true, false) => "they are fetched last",
            (false, true) => "they are fetched whole",
            (false, false) => return notes,
        };
        notes.push(format!(
            "no size is known for {} of {} objects: {so}",
            units::count(unsized_keys),
            units::count(objects)
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    #[test]
    fn what_comes_to_nothing_is_said() {
        let layout = |order, part_size| Layout {
            order,
            part_size: NonZeroU64::new(part_size),
        };
        let nothing = LaidOut {
            items: 5,
            objects: 5,
            ..LaidOut::default()
        };
        assert_eq!(
            notes(layout(Order::LargestFirst, 0), &nothing),
            Vec::<String>::new()
        );
        assert_eq!(
            notes(layout(Order::Listed, 5_000_000), &nothing),
            [
                "no object is known to be larger than the part size of 5.00 MB: all are fetched whole"
            ]
        );
        let some = LaidOut {
            items: 9,
            objects: 5,
            divided: 2,
            unguarded: 1,
            unsized_keys: 3,
        };
        assert_eq!(
            notes(layout(Order::LargestFirst, 5_000_000), &some),
            [
                "no ETag is known for 1 of 2 objects that are fetched in parts: should one change meanwhile, its parts may be of two versions",
                "no size is known for 3 of 5 objects: they are fetched whole, and last",
            ]
        );
        let unsized_alone = LaidOut {
            unsized_keys: 3,
            ..nothing
        };
        assert_eq!(
            notes(layout(Order::LargestFirst, 0), &unsized_alone),
            ["no size is known for 3 of 5 objects: they are fetched last"]
        );
        assert_eq!(
            notes(layout(Order::Shuffled, 0), &unsized_alone),
            Vec::<String>::new(),
            "a shuffle needs no size"
        );
    }
}
