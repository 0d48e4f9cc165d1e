//! What a store is known to take of S3, learned from its answers.
//!
//! Gateways know less than S3. What one refuses (checksum headers, `If-None-Match`, uploads in parts) is left out and the request sent again, once; the
//! bucket remembers it for the rest of the run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::Config;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::types::ChecksumAlgorithm;

use super::session::Session;

/// Whether an object of the same name may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Whatever is there.
    Yes,
    /// Nothing: `If-None-Match: *`.
    No,
}

/// What a store is known to take. Learned from its answers.
#[derive(Debug)]
pub(super) struct Dialect {
    checksum: AtomicBool,
    condition: AtomicBool,
    parts: AtomicBool,
    /// Whether keys in listings can be had percent-encoded.
    encoding: AtomicBool,
    /// Requests that stored something, or part of it; AWS bills each.
    puts: AtomicU64,
    /// Uploads in parts that were begun and not ended: their keys by their ids.
    open: Mutex<BTreeMap<String, String>>,
}

impl Dialect {
    /// All of S3, but for the checksums where `AWS_REQUEST_CHECKSUM_CALCULATION` or the profile leaves them out.
    pub(super) fn of(session: &Session) -> Self {
        let checksum = session.config().request_checksum_calculation()
            != Some(RequestChecksumCalculation::WhenRequired);
        Self {
            checksum: AtomicBool::new(checksum),
            ..Self::all()
        }
    }

    /// All of S3.
    fn all() -> Self {
        let [checksum, condition, parts, encoding] = [const { AtomicBool::new(true) }; 4];
        Self {
            checksum,
            condition,
            parts,
            encoding,
            puts: AtomicU64::new(0),
            open: Mutex::default(),
        }
    }

    /// Requests so far that stored something, or part of it.
    pub(super) fn puts(&self) -> u64 {
        self.puts.load(Relaxed)
    }

    pub(super) fn count_put(&self) {
        self.puts.fetch_add(1, Relaxed);
    }

    /// Whether the store may take uploads in parts.
    pub(super) fn takes_parts(&self) -> bool {
        self.parts.load(Relaxed)
    }

    /// It does not.
    pub(super) fn learn_no_parts(&self) {
        self.parts.store(false, Relaxed);
        tracing::info!("the store takes no uploads in parts");
    }

    /// Whether listings are asked for with their keys percent-encoded.
    pub(super) fn encodes_keys(&self) -> bool {
        self.encoding.load(Relaxed)
    }

    /// A listing without encoded keys was taken, and one with them refused.
    pub(super) fn learn_verbatim_keys(&self) {
        if self.encoding.swap(false, Relaxed) {
            tracing::info!("the store does not know `encoding-type`: keys are read as they stand");
        }
    }

    /// Uploads in parts that were begun and not ended: their keys by their ids.
    pub(super) fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The forms in which a request is tried, fullest first.
    pub(super) fn forms(&self, replace: Replace) -> Vec<RequestForm> {
        let yes_then_no = |yes: bool| if yes { vec![true, false] } else { vec![false] };
        let conditions = yes_then_no(replace == Replace::No && self.condition.load(Relaxed));
        let checksums = yes_then_no(self.checksum.load(Relaxed));
        conditions
            .iter()
            .flat_map(|condition| {
                checksums.iter().map(|checksum| RequestForm {
                    checksum: *checksum,
                    condition: *condition,
                })
            })
            .collect()
    }

    /// A request of this form was taken, and a fuller one, if there was one, refused.
    pub(super) fn learn(&self, form: RequestForm, replace: Replace) {
        if !form.checksum && self.checksum.swap(false, Relaxed) {
            tracing::info!("the store takes no checksum headers: objects are stored without");
        }
        if replace == Replace::No && !form.condition && self.condition.swap(false, Relaxed) {
            tracing::warn!(
                "the results' store does not know If-None-Match: whether there are results of a name already is asked first, and what another program stores meanwhile is replaced"
            );
        }
    }
}

/// What a request carries beside the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestForm {
    pub(super) checksum: bool,
    pub(super) condition: bool,
}

impl RequestForm {
    pub(super) fn algorithm(self) -> Option<ChecksumAlgorithm> {
        self.checksum.then_some(ChecksumAlgorithm::Crc64Nvme)
    }

    pub(super) fn if_none_match(self) -> Option<String> {
        self.condition.then(|| "*".to_owned())
    }

    /// Keeps the SDK from adding a checksum of its own.
    pub(super) fn overrides(self) -> aws_sdk_s3::config::Builder {
        let mut overrides = Config::builder();
        overrides.set_request_checksum_calculation(
            (!self.checksum).then_some(RequestChecksumCalculation::WhenRequired),
        );
        overrides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect() -> Dialect {
        Dialect::all()
    }

    #[test]
    fn what_a_store_refuses_is_left_out_one_by_one_and_remembered() {
        let dialect = dialect();
        let tried = |replace| {
            dialect
                .forms(replace)
                .iter()
                .map(|form| (form.condition, form.checksum))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            tried(Replace::No),
            [(true, true), (true, false), (false, true), (false, false)]
        );
        assert_eq!(tried(Replace::Yes), [(false, true), (false, false)]);
        dialect.learn(
            RequestForm {
                condition: true,
                checksum: false,
            },
            Replace::No,
        );
        assert_eq!(tried(Replace::No), [(true, false), (false, false)]);
        dialect.learn(
            RequestForm {
                condition: false,
                checksum: false,
            },
            Replace::Yes,
        );
        assert_eq!(
            tried(Replace::No),
            [(true, false), (false, false)],
            "a request that may replace says nothing about conditions"
        );
        dialect.learn(
            RequestForm {
                condition: false,
                checksum: false,
            },
            Replace::No,
        );
        assert_eq!(tried(Replace::No), [(false, false)]);
    }
}
