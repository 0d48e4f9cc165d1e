//! One fetch as it was measured, and the fixed-size form in which rows wait on disk and cross between processes.
//!
//! Owns what a row holds; knows nothing of CSV, S3 or how a fetch is done.

mod codes;

use std::fmt;

pub use codes::THROTTLES;
pub use codes::{ErrorCode, ErrorCodes};

/// How a fetch ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// Never handed to a worker, or handed out and never started.
    #[default]
    NotAttempted = 0,
    /// Read to its end, and as long as was announced.
    Ok = 1,
    /// Given up.
    Failed = 2,
    /// Listed, and gone when it was fetched (404).
    Vanished = 3,
    /// In a storage class that cannot be read without a restore.
    Archived = 4,
}

impl Outcome {
    /// Every outcome, in the order of its number.
    pub const ALL: [Self; 5] = [
        Self::NotAttempted,
        Self::Ok,
        Self::Failed,
        Self::Vanished,
        Self::Archived,
    ];

    /// The word in the CSV.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAttempted => "not_attempted",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Vanished => "vanished",
            Self::Archived => "archived",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// In what the object that came is not the one that was listed, as far as both are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// It has another size.
    pub size: bool,
    /// It has another `ETag`.
    pub etag: bool,
}

impl Mismatch {
    /// Whether there is any.
    pub const fn any(self) -> bool {
        self.size || self.etag
    }

    /// Of an object, of which another part says this.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            size: self.size || other.size,
            etag: self.etag || other.etag,
        }
    }
}

/// One fetch. Times are nanoseconds since the run's epoch; `None` is unknown, never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Which fetch of the run: round × number of keys + position of the key in the listing.
    pub unit: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Content-Length of the last answer that had one.
    pub size: Option<u64>,
    /// Body bytes counted in the last attempt.
    pub calc_size: Option<u64>,
    /// HTTP attempts, and tries to connect that failed.
    pub attempts: u32,
    /// Time spent waiting between attempts.
    pub backoff_ns: u64,
    /// Just before the first attempt was handed to the client.
    pub start_ns: Option<u64>,
    /// The same for the last attempt.
    pub attempt_start_ns: Option<u64>,
    /// The connection of the last attempt was ready, TLS included; `None` on one that was used before.
    pub connected_ns: Option<u64>,
    /// The request of the last attempt was handed to the system whole.
    pub sent_ns: Option<u64>,
    /// The head of the last attempt's answer was complete.
    pub head_ns: Option<u64>,
    /// The first body bytes of the last attempt (an empty body: its head).
    pub first_byte_ns: Option<u64>,
    /// Body complete, or given up.
    pub end_ns: Option<u64>,
    /// HTTP status of the last attempt's answer.
    pub status: Option<u16>,
    /// Number of the worker, from 0.
    pub worker: u32,
    /// Process that fetched it.
    pub pid: u32,
    /// Thread that fetched it.
    pub tid: u32,
    /// Why attempts failed.
    pub codes: ErrorCodes,
    /// Whether the last attempt found another object than was listed.
    pub mismatch: Mismatch,
}

/// An object that could not be fetched, for the sentence that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedKey {
    /// Its key.
    pub key: String,
    /// Its error codes, `SlowDown*5`; empty where none is known.
    pub codes: String,
}

/// Bits above the outcome in the fixed-size form.
const SIZE_DIFFERS: u32 = 1 << 8;
const ETAG_DIFFERS: u32 = 1 << 9;

/// `None` in the fixed-size form.
const NONE: u64 = u64::MAX;

impl Sample {
    /// Bytes of a row in its fixed-size form (little-endian). A row of zeroes is one that was never written: `not_attempted`.
    pub const ENCODED_LEN: usize = 11 * 8 + 6 * 4 + 4 * ErrorCodes::RUNS;

    /// True when a worker began on it.
    pub const fn was_attempted(&self) -> bool {
        self.attempts > 0 || self.start_ns.is_some()
    }

    /// How it ended, seen with its key: an archived object that nobody tried to fetch is `archived`, not `not_attempted`.
    pub fn outcome_of(&self, key: &KeyRecord) -> Outcome {
        match self.outcome {
            Outcome::NotAttempted if key.is_archived() => Outcome::Archived,
            outcome => outcome,
        }
    }

    /// Appends the fixed-size form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for value in [
            self.unit,
            self.size.unwrap_or(NONE),
            self.calc_size.unwrap_or(NONE),
            self.backoff_ns,
            self.start_ns.unwrap_or(NONE),
            self.attempt_start_ns.unwrap_or(NONE),
            self.connected_ns.unwrap_or(NONE),
            self.sent_ns.unwrap_or(NONE),
            self.head_ns.unwrap_or(NONE),
            self.first_byte_ns.unwrap_or(NONE),
            self.end_ns.unwrap_or(NONE),
        ] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        let size = if self.mismatch.size { SIZE_DIFFERS } else { 0 };
        let etag = if self.mismatch.etag { ETAG_DIFFERS } else { 0 };
        for value in [
            self.attempts,
            self.worker,
            self.pid,
            self.tid,
            self.outcome as u32 | size | etag,
            // No answer has the status 0.
            u32::from(self.status.unwrap_or(0)),
        ] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        for (code, count) in self.codes.0 {
            out.extend_from_slice(&code.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
        }
    }

    /// Reads the fixed-size form back; a row that was never written is `not_attempted` with nothing known.
    ///
    /// # Panics
    /// When `bytes` is shorter than [`Self::ENCODED_LEN`].
    pub fn decode(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        let unit = fields.u64();
        let [size, calc_size] = [fields.option(), fields.option()];
        let backoff_ns = fields.u64();
        let [start_ns, attempt_start_ns] = [fields.option(), fields.option()];
        let [connected_ns, sent_ns, head_ns] = std::array::from_fn(|_| fields.option());
        let [first_byte_ns, end_ns] = [fields.option(), fields.option()];
        let [attempts, worker, pid, tid, outcome, status] = std::array::from_fn(|_| fields.u32());
        let mismatch = Mismatch {
            size: outcome & SIZE_DIFFERS != 0,
            etag: outcome & ETAG_DIFFERS != 0,
        };
        let outcome = Outcome::ALL
            .into_iter()
            .find(|o| *o as u32 == outcome & 0xff)
            .unwrap_or_default();
        if outcome == Outcome::NotAttempted {
            return Self {
                unit,
                ..Self::default()
            };
        }
        let codes = ErrorCodes(std::array::from_fn(|_| (fields.u16(), fields.u16())));
        let row = Self {
            unit,
            outcome,
            size,
            calc_size,
            attempts,
            backoff_ns,
            worker,
            pid,
            tid,
            codes,
            mismatch,
            ..Self::default()
        };
        Self {
            start_ns,
            attempt_start_ns,
            connected_ns,
            sent_ns,
            head_ns,
            first_byte_ns,
            end_ns,
            status: u16::try_from(status).ok().filter(|status| *status > 0),
            ..row
        }
    }

    /// Time to first byte of the last attempt.
    pub fn ttfb_ns(&self) -> Option<u64> {
        Some(self.first_byte_ns?.saturating_sub(self.attempt_start_ns?))
    }

    /// Time from the start of the last attempt to its end.
    pub fn latency_ns(&self) -> Option<u64> {
        Some(self.end_ns?.saturating_sub(self.attempt_start_ns?))
    }

    /// Time from the start of the first attempt to the end: retries and back-off included.
    pub fn fetch_duration_ns(&self) -> Option<u64> {
        Some(self.end_ns?.saturating_sub(self.start_ns?))
    }
}

/// A cursor over the fixed-size form.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .expect("a row has its full length");
        self.0 = rest;
        *head
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn option(&mut self) -> Option<u64> {
        Some(self.u64()).filter(|value| *value != NONE)
    }
}

/// One key of the run, as listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key, verbatim.
    pub key: String,
    /// Size in bytes as listed; `None` where the source does not say.
    pub size: Option<u64>,
    /// `ETag` as listed, without its quotes; empty when unknown.
    pub etag: String,
    /// Storage class as listed; empty when unknown.
    pub storage_class: String,
}

impl KeyRecord {
    /// True for storage classes whose objects cannot be read before a restore.
    pub fn is_archived(&self) -> bool {
        is_archived_class(&self.storage_class)
    }
}

/// True for storage classes whose objects cannot be read before a restore: nobody fetches them.
pub fn is_archived_class(storage_class: &str) -> bool {
    matches!(storage_class, "GLACIER" | "DEEP_ARCHIVE")
}

#[cfg(test)]
mod tests {
    use super::codes::WORDS;
    use super::*;

    fn full() -> Sample {
        let mut codes = ErrorCodes::default();
        codes.push(ErrorCode::from_word("SlowDown"));
        codes.push(ErrorCode::from_word("SlowDown"));
        codes.push(ErrorCode::from_status(502));
        Sample {
            unit: 7,
            outcome: Outcome::Ok,
            size: Some(0),
            calc_size: Some(5),
            attempts: 4,
            backoff_ns: 9,
            start_ns: Some(1),
            attempt_start_ns: Some(10),
            connected_ns: None,
            sent_ns: Some(11),
            head_ns: Some(13),
            first_byte_ns: Some(14),
            end_ns: Some(20),
            status: Some(200),
            worker: 3,
            pid: 4,
            tid: 5,
            codes,
            mismatch: Mismatch {
                size: false,
                etag: true,
            },
        }
    }

    #[test]
    fn a_row_survives_its_fixed_size_form() {
        let mut bytes = Vec::new();
        full().encode(&mut bytes);
        assert_eq!(bytes.len(), Sample::ENCODED_LEN);
        assert_eq!(Sample::decode(&bytes), full());
        for mismatch in [
            Mismatch::default(),
            Mismatch {
                size: true,
                etag: false,
            },
            Mismatch {
                size: true,
                etag: true,
            },
        ] {
            let row = Sample { mismatch, ..full() };
            bytes.clear();
            row.encode(&mut bytes);
            assert_eq!(Sample::decode(&bytes), row);
        }
    }

    #[test]
    fn a_row_never_written_is_not_attempted() {
        let sample = Sample::decode(&[0; Sample::ENCODED_LEN]);
        assert_eq!(sample, Sample::default());
        assert_eq!((sample.size, sample.start_ns), (None, None));
    }

    #[test]
    fn durations_come_from_the_last_attempt_or_the_first() {
        let sample = full();
        assert_eq!(
            (
                sample.ttfb_ns(),
                sample.latency_ns(),
                sample.fetch_duration_ns()
            ),
            (Some(4), Some(10), Some(19))
        );
        assert_eq!(Sample::default().ttfb_ns(), None);
    }

    #[test]
    fn codes_are_written_as_runs() {
        assert_eq!(full().codes.to_string(), "SlowDown*2;HTTP502");
        let mut many = ErrorCodes::default();
        for i in 0..20 {
            many.push(ErrorCode::from_status(500 + i));
        }
        assert_eq!(
            many.runs().map(|(_, count)| u32::from(count)).sum::<u32>(),
            20,
            "a full row still counts every failed attempt"
        );
    }

    #[test]
    fn codes_of_another_fetch_follow() {
        let of = |words: &[&str]| {
            words.iter().fold(ErrorCodes::default(), |mut codes, word| {
                codes.push(ErrorCode::from_word(word));
                codes
            })
        };
        let mut codes = of(&["reset", "SlowDown", "SlowDown"]);
        codes.append(&of(&["SlowDown", "SlowDown", "SlowDown", "stalled"]));
        assert_eq!(codes.to_string(), "reset;SlowDown*5;stalled");
        codes.append(&ErrorCodes::default());
        let mut none = ErrorCodes::default();
        none.append(&codes);
        assert_eq!(none, codes);
    }

    /// S3's own codes are documented by S3; those of the client itself stand in FORMAT.md.
    #[test]
    fn every_code_of_the_client_itself_is_documented() {
        let text = include_str!("../../../../FORMAT.md");
        let (_, list) = text
            .split_once("in lower case what the client saw itself: ")
            .unwrap();
        let (list, _) = list.split_once("| no attempt failed |").unwrap();
        for word in WORDS
            .iter()
            .filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        {
            assert!(list.contains(&format!("`{word}`")), "{word}");
        }
    }

    #[test]
    fn unknown_words_are_other_and_every_word_has_its_number() {
        assert_eq!(ErrorCode::from_word("NeverHeardOf").to_string(), "other");
        for word in WORDS {
            assert_eq!(ErrorCode::from_word(word).to_string(), *word);
        }
    }
}
