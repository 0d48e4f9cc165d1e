//! Why attempts failed: a closed set of codes, and the runs of them in a row.

use std::fmt;

/// Why an attempt failed: a known word, or an HTTP status that came without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub(super) u16);

/// The words of [`ErrorCode`], by number from 1. New ones go at the end: numbers cross between processes of one binary only, but order is kept all the same.
pub(super) const WORDS: &[&str] = &[
    // Seen by the client itself.
    "reset",
    "stale-connection",
    "short-body",
    "long-body",
    "stalled",
    "connect-refused",
    "connect-timeout",
    "connect",
    "tls",
    "protocol",
    "timeout",
    "interrupted",
    "worker-panic",
    "worker-death",
    "checksum",
    "size-changed",
    "error-document",
    "other",
    // S3's own.
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "BadDigest",
    "ExpiredToken",
    "InternalError",
    "InvalidAccessKeyId",
    "InvalidArgument",
    "InvalidObjectState",
    "InvalidRange",
    "InvalidRequest",
    "InvalidToken",
    "MethodNotAllowed",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchVersion",
    "NotImplemented",
    "OperationAborted",
    "PermanentRedirect",
    "PreconditionFailed",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SlowDown",
    "SlowDownRead",
    "TemporaryRedirect",
    "ThrottlingException",
    "TokenRefreshRequired",
    "TooManyRequests",
    "KMS.DisabledException",
    "KMS.ThrottlingException",
    "XMinioServerNotInitialized",
    "XMinioStorageFull",
    "XMinioInsufficientReadQuorum",
    "XMinioObjectTampered",
];

/// The codes of a store that is asked too fast, and the HTTP status of each.
pub const THROTTLES: [(&str, u16); 6] = [
    ("SlowDown", 503),
    ("SlowDownRead", 503),
    ("ServiceUnavailable", 503),
    ("TooManyRequests", 429),
    ("ThrottlingException", 400),
    ("KMS.ThrottlingException", 400),
];

/// Numbers from here on are `1000 + HTTP status`.
const HTTP_BASE: u16 = 1000;

impl ErrorCode {
    /// The number of a word that this module knows; `other` for any else.
    #[expect(
        clippy::missing_panics_doc,
        reason = "`other` is in the table, and a test holds that"
    )]
    pub fn from_word(word: &str) -> Self {
        Self::known(word).unwrap_or_else(|| Self::known("other").expect("`other` is in the table"))
    }

    /// The number of a word, when it is in the table.
    pub fn known(word: &str) -> Option<Self> {
        let position = WORDS.iter().position(|known| *known == word)?;
        Some(Self(u16::try_from(position).ok()? + 1))
    }

    /// An HTTP status whose body named no code that is known here.
    pub const fn from_status(status: u16) -> Self {
        Self(HTTP_BASE.saturating_add(status))
    }

    /// True for what AWS does not bill: answers of 5xx (S3 User Guide, billing of error responses), and requests that never went out because no
    /// connection was made.
    pub fn is_unpaid(self) -> bool {
        let word = self.to_string();
        let is_5xx = word
            .strip_prefix("HTTP")
            .is_some_and(|status| status.starts_with('5'));
        is_5xx
            || matches!(
                word.as_str(),
                "InternalError"
                    | "NotImplemented"
                    | "ServiceUnavailable"
                    | "SlowDown"
                    | "SlowDownRead"
                    | "connect"
                    | "connect-refused"
                    | "connect-timeout"
                    | "tls"
                    | "XMinioServerNotInitialized"
                    | "XMinioStorageFull"
                    | "XMinioInsufficientReadQuorum"
            )
    }

    /// True for answers that say «too fast»: 503 in all its names, 429, and KMS throttling.
    pub fn is_throttle(self) -> bool {
        let word = self.to_string();
        THROTTLES.iter().any(|(code, _)| *code == word)
            || matches!(word.as_str(), "HTTP503" | "HTTP429")
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self
            .0
            .checked_sub(1)
            .and_then(|index| WORDS.get(usize::from(index)))
        {
            Some(word) => f.pad(word),
            None => write!(f, "HTTP{}", self.0.saturating_sub(HTTP_BASE)),
        }
    }
}

/// The error codes of a fetch's failed attempts in order, equal neighbours as one run: at most [`ErrorCodes::RUNS`] runs.
///
/// `Display` writes `SlowDown*2;reset`: runs separated by `;`, a run longer than one with `*` and its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorCodes(pub(super) [(u16, u16); Self::RUNS]);

impl ErrorCodes {
    /// Runs that a row has room for. Attempts end at [`crate::plan::MAX_ATTEMPTS`]; only refused connections, which do not count against
    /// that limit, and objects of many parts can need more, and are then added to the last run.
    pub const RUNS: usize = 12;

    /// Adds the code of one more failed attempt.
    pub fn push(&mut self, code: ErrorCode) {
        let used = self
            .0
            .iter()
            .position(|run| run.1 == 0)
            .unwrap_or(Self::RUNS);
        if let Some(last) = used.checked_sub(1).map(|i| &mut self.0[i])
            && (last.0 == code.0 || used == Self::RUNS)
        {
            last.1 = last.1.saturating_add(1);
            return;
        }
        self.0[used] = (code.0, 1);
    }

    /// Adds the codes of another fetch, as if its attempts had come after these.
    pub fn append(&mut self, other: &Self) {
        for (code, count) in other.runs() {
            let before = self.0;
            self.push(code);
            // `push` put one attempt into the run that it found or made: the rest of the run goes there too.
            if let Some(run) = self
                .0
                .iter_mut()
                .zip(before)
                .find_map(|(now, then)| (*now != then).then_some(now))
            {
                run.1 = run.1.saturating_add(count - 1);
            }
        }
    }

    /// Each run: the code and how many attempts in a row ended in it.
    pub fn runs(&self) -> impl Iterator<Item = (ErrorCode, u16)> + '_ {
        self.0
            .iter()
            .take_while(|run| run.1 > 0)
            .map(|run| (ErrorCode(run.0), run.1))
    }

    /// True when no attempt failed.
    pub fn is_empty(&self) -> bool {
        self.0[0].1 == 0
    }
}

impl fmt::Display for ErrorCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (code, count)) in self.runs().enumerate() {
            let separator = if i == 0 { "" } else { ";" };
            match count {
                1 => write!(f, "{separator}{code}")?,
                _ => write!(f, "{separator}{code}*{count}")?,
            }
        }
        Ok(())
    }
}
