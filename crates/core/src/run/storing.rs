//! Stores the results of a run: on this machine first, then in the bucket. What cannot be stored is kept, and the failure says where.

use std::pin::pin;

use super::context::RunEnd;
use super::gauges::Gauges;
use super::log::RunLog;
use super::pass::SIGNAL_WHILE_STORING;
use super::price::{Requests, price};
use super::unstored::{OnThisMachine, unstored};
use crate::exit::{Exit, Failure};
use crate::platform::clock::now_ns;
use crate::price::PriceList;
use crate::results::place::ResultsPlace;
use crate::results::summary::{RunFacts, Summariser, Summary};
use crate::store::StoreError;

/// The results of a run that are not stored yet.
pub(super) struct UnstoredResults<'a, 'log> {
    pub(super) place: ResultsPlace,
    pub(super) facts: RunFacts,
    pub(super) log: RunLog<'log>,
    pub(super) summariser: Summariser,
    pub(super) prices: &'a PriceList,
    /// When writing began.
    pub(super) begin_ns: u64,
}

/// Stores CSV and summary. The summary comes last: when it is there, everything is. But after a signal the time may be short, and then it goes first.
pub(super) async fn store(results: UnstoredResults<'_, '_>) -> Result<RunEnd, Failure> {
    let UnstoredResults {
        place,
        mut facts,
        mut log,
        summariser,
        prices,
        begin_ns,
    } = results;
    log.take_notes();
    facts.phases = log.phases;
    facts.warnings.clone_from(&log.warnings);
    let lists = facts.listing.lists;
    let mut summary = Box::new(summariser.finish(facts));
    set_price(&mut summary, &place, lists, prices);
    // Next to its CSV at once, however long that takes on its way to the bucket.
    let _said_below = summary
        .to_json()
        .is_ok_and(|text| place.write_json(&text).is_ok());
    let summary_first = log.signalled().is_some();
    let csv = if summary_first {
        Ok(())
    } else {
        Box::pin(upload_csv(&place, &mut summary, &mut log)).await
    };
    if let Err(error) = &csv {
        summary
            .warnings
            .push(format!("the CSV is not stored: {error}"));
    }
    summary.phases.write_back_ns = Some(now_ns().saturating_sub(begin_ns));
    (summary.cpu.whole_user_ns, summary.cpu.whole_sys_ns) = Gauges::whole_run();
    set_price(&mut summary, &place, lists, prices);
    let text = summary
        .to_json()
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    if let Err(error) = place.write_json(&text) {
        let cause = error.to_string().into();
        return Err(unstored(place, OnThisMachine::Csv, &summary, cause));
    }
    // Also without its CSV: what says «running» looks like a run that died.
    let json = place.upload_json(&text).await;
    let mut stored = csv.and(json);
    if stored.is_ok() && summary_first {
        stored = place.upload_csv().await;
    }
    let cause = match stored {
        Ok(()) => place.unmet().map(Into::into),
        Err(error) => Some(error.into()),
    };
    let exit = match cause {
        Some(cause) => Err(unstored(place, OnThisMachine::Both, &summary, cause)),
        None => Ok(Exit::Good),
    };
    Ok(RunEnd {
        summary,
        exit,
        first_failure: None,
    })
}

/// Prices the run with what it has stored so far, and this summary.
fn set_price(summary: &mut Summary, place: &ResultsPlace, lists: u64, prices: &PriceList) {
    let puts = place.puts() + u64::from(place.is_stored());
    (summary.price, summary.no_price) = match price(summary, Requests { lists, puts }, prices) {
        Ok(price) => (Some(price), None),
        Err(why) => (None, Some(why)),
    };
}

/// Stores the CSV. When a signal comes meanwhile, the summary does not wait for it any longer.
async fn upload_csv(
    place: &ResultsPlace,
    summary: &mut Summary,
    log: &mut RunLog<'_>,
) -> Result<(), StoreError> {
    let mut upload = pin!(place.upload_csv());
    let mut signal = log.signal();
    tokio::select! {
        stored = &mut upload => return stored,
        _ = signal.wait_for(Option::is_some) => {}
    }
    log.warn(SIGNAL_WHILE_STORING.to_owned());
    summary.warnings.push(SIGNAL_WHILE_STORING.to_owned());
    let early = async {
        // The last summary replaces it, and what is wrong is said then.
        if let Ok(text) = summary.to_json() {
            let _said_later = place.write_json(&text);
            let _said_later = place.upload_json(&text).await;
        }
    };
    tokio::join!(upload, early).0
}
