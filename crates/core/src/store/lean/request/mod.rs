//! GET requests as bytes, signed with AWS Signature Version 4.
//!
//! Owns what a request looks like on the wire. What does not change from one request to the next (the signing key of a day, the header lines and
//! the canonical request around the path of a second) is prepared once, so that a request costs one pass of SHA-256, one HMAC and no allocation.
//! Sends nothing.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::platform::clock;
use crate::store::attempt::{Part, Target};
use crate::store::credentials::{CredentialFeed, Credentials};
use crate::store::endpoint::Endpoint;

/// What S3 leaves as it is in a path: unreserved characters and the slash. `.` and `..` segments are part of the key and go out as they are.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
/// SHA-256 of nothing: the body of every GET.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// `X-Amz-Date`.
const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
/// Digits of the day in it.
const DAY_LEN: usize = 8;

type HmacSha256 = Hmac<Sha256>;

/// Writes the requests of one worker.
pub struct RequestWriter {
    base_path: String,
    fixed: Fixed,
    keys: Option<SigningKeys>,
    canonical: Vec<u8>,
    to_sign: Vec<u8>,
}

/// What never changes in a run.
struct Fixed {
    host: String,
    region: String,
    request_payer: bool,
    /// Everything from the end of the path to the lines of the signature or of a part.
    head: Vec<u8>,
}

/// The newest credentials, and what was prepared with them.
struct SigningKeys {
    feed: CredentialFeed,
    set: std::sync::Arc<Credentials>,
    /// Of the day and the credentials for which it was derived.
    signing: Option<(String, HmacSha256)>,
    prepared: Option<Prepared>,
}

/// What all requests of one second share.
struct Prepared {
    unix_s: u64,
    /// Header lines after the path, up to those of a part.
    head: Vec<u8>,
    /// What the string to sign begins with: algorithm, date, scope.
    to_sign: Vec<u8>,
    /// By [`Kind`].
    forms: [HeaderForm; 3],
}

/// What depends on which headers a request has.
struct HeaderForm {
    /// The canonical request after the headers of a part.
    canonical: Vec<u8>,
    /// The `Authorization` line up to the signature.
    authorization: Vec<u8>,
}

/// Which headers of a part a request has; the number of its [`HeaderForm`].
#[derive(Clone, Copy)]
enum Kind {
    Whole = 0,
    Range = 1,
    MatchedRange = 2,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Whole, Self::Range, Self::MatchedRange];

    /// Names of the signed headers that a part adds, as they sort between `host` and `x-amz-…`.
    fn names(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Range => ";range",
            Self::MatchedRange => ";if-match;range",
        }
    }
}

/// What a request asks for besides its path.
#[derive(Default)]
struct RequestTarget<'a> {
    /// What stands after the question mark.
    query: &'a str,
    /// Value of `Range`.
    range: Option<String>,
    /// Value of `If-Match`.
    if_match: Option<String>,
}

impl RequestWriter {
    /// A writer for one endpoint; without a feed, requests stay unsigned.
    pub(super) fn new(endpoint: &Endpoint, feed: Option<CredentialFeed>) -> Self {
        let agent = concat!("parfetch/", env!("CARGO_PKG_VERSION"));
        let head = format!(
            " HTTP/1.1\r\nhost: {}\r\nuser-agent: {agent}\r\n",
            endpoint.authority
        )
        .into_bytes();
        Self {
            base_path: endpoint.base_path.clone(),
            fixed: Fixed {
                host: endpoint.authority.clone(),
                region: endpoint.signing_region.clone(),
                request_payer: false,
                head,
            },
            keys: feed.map(|feed| SigningKeys {
                set: feed.newest(),
                feed,
                signing: None,
                prepared: None,
            }),
            canonical: Vec::new(),
            to_sign: Vec::new(),
        }
    }

    /// Has the requester pay, in every request.
    pub(super) fn requester_pays(mut self) -> Self {
        self.fixed.request_payer = true;
        self.fixed
            .head
            .extend_from_slice(b"x-amz-request-payer: requester\r\n");
        self
    }

    /// Writes the GET for `target` into `out`, in the place of what is there.
    pub(super) fn get(&mut self, target: Target<'_>, out: &mut Vec<u8>) {
        let unix_s = self.signing_time();
        self.get_at(target, unix_s, out);
    }

    /// Writes a GET on the bucket itself into `out`, in the place of what is there. `query` is what stands after the question mark: percent-encoded,
    /// its parameters sorted by name.
    pub(super) fn list(&mut self, query: &str, out: &mut Vec<u8>) {
        let unix_s = self.signing_time();
        self.list_at(query, unix_s, out);
    }

    /// The store refused the last request for its time, and gave its own: later requests of every worker are signed with that. False when it would not
    /// help: the request was signed so, or not at all.
    pub(super) fn correct_clock(&mut self, store_unix_s: i64) -> bool {
        self.keys
            .as_mut()
            .is_some_and(|keys| keys.feed.clock.correct(store_unix_s))
    }

    /// Now, by the store's clock where that is known to be another, in s since 1970.
    fn signing_time(&mut self) -> u64 {
        let unix_s = clock::unix_ms() / 1000;
        self.keys.as_mut().map_or(unix_s, |keys| {
            unix_s.saturating_add_signed(keys.feed.clock.offset_s())
        })
    }

    /// Waits for credentials newer than those of the last request.
    pub(super) async fn refresh(&mut self) {
        if let Some(keys) = &mut self.keys
            && let Some(newer) = keys.feed.newer_than(keys.set.version).await
        {
            keys.install(newer);
        }
    }

    fn get_at(&mut self, target: Target<'_>, unix_s: u64, out: &mut Vec<u8>) {
        self.begin(out);
        for piece in utf8_percent_encode(target.key, PATH) {
            out.extend_from_slice(piece.as_bytes());
        }
        let range = target.part.map(Part::range);
        self.finish(
            &RequestTarget {
                query: "",
                range,
                if_match: target.if_match(),
            },
            unix_s,
            out,
        );
    }

    fn list_at(&mut self, query: &str, unix_s: u64, out: &mut Vec<u8>) {
        self.begin(out);
        self.finish(
            &RequestTarget {
                query,
                ..RequestTarget::default()
            },
            unix_s,
            out,
        );
    }

    fn begin(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(b"GET ");
        out.extend_from_slice(self.base_path.as_bytes());
    }

    /// Everything after the path, which is in `out` behind `GET `.
    fn finish(&mut self, asked: &RequestTarget<'_>, unix_s: u64, out: &mut Vec<u8>) {
        let RequestTarget {
            query,
            range,
            if_match,
        } = asked;
        let path_end = out.len();
        if !query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(query.as_bytes());
        }
        let Some(keys) = &mut self.keys else {
            out.extend_from_slice(&self.fixed.head);
            part_lines((range.as_deref(), if_match.as_deref()), out);
            out.extend_from_slice(b"\r\n");
            return;
        };
        let kind = match (range, if_match) {
            (None, _) => Kind::Whole,
            (Some(_), None) => Kind::Range,
            (Some(_), Some(_)) => Kind::MatchedRange,
        };
        keys.prepare(unix_s, &self.fixed);
        let (Some(prepared), Some((_, signing))) = (&keys.prepared, &keys.signing) else {
            unreachable!("just prepared")
        };
        let form = &prepared.forms[kind as usize];

        let canonical = &mut self.canonical;
        canonical.clear();
        canonical.extend_from_slice(b"GET\n");
        canonical.extend_from_slice(&out[4..path_end]);
        for piece in ["\n", query, "\nhost:", &self.fixed.host, "\n"] {
            canonical.extend_from_slice(piece.as_bytes());
        }
        for (name, value) in [("if-match:", if_match), ("range:", range)] {
            if let Some(value) = value {
                canonical.extend_from_slice(name.as_bytes());
                canonical.extend_from_slice(value.as_bytes());
                canonical.push(b'\n');
            }
        }
        canonical.extend_from_slice(&form.canonical);

        self.to_sign.clear();
        self.to_sign.extend_from_slice(&prepared.to_sign);
        push_hex(&Sha256::digest(canonical).into(), &mut self.to_sign);
        let signature = signing.clone().chain_update(&self.to_sign).finalize();

        out.extend_from_slice(&prepared.head);
        part_lines((range.as_deref(), if_match.as_deref()), out);
        out.extend_from_slice(&form.authorization);
        push_hex(&signature.into_bytes().into(), out);
        out.extend_from_slice(b"\r\n\r\n");
    }
}

impl SigningKeys {
    fn install(&mut self, set: std::sync::Arc<Credentials>) {
        self.set = set;
        (self.signing, self.prepared) = (None, None);
    }

    /// Takes newer credentials, and makes what the requests of this second share unless it is there.
    fn prepare(&mut self, unix_s: u64, fixed: &Fixed) {
        if let Some(newest) = self.feed.changed() {
            self.install(newest);
        }
        if self
            .prepared
            .as_ref()
            .is_some_and(|prepared| prepared.unix_s == unix_s)
        {
            return;
        }
        let region = fixed.region.as_str();
        let date = date_text(unix_s);
        let day = &date[..DAY_LEN];
        if self.signing.as_ref().is_none_or(|(known, _)| known != day) {
            self.signing = Some((
                day.to_owned(),
                signing_key(&self.set.secret_key, day, region),
            ));
        }
        let token = self.set.session_token.as_deref().map(header_text);
        let scope = format!("{day}/{region}/s3/aws4_request");
        let token_line = token
            .as_deref()
            .map(|token| format!("x-amz-security-token: {token}\r\n"))
            .unwrap_or_default();
        let mut head = fixed.head.clone();
        head.extend_from_slice(
            format!("x-amz-date: {date}\r\nx-amz-content-sha256: {EMPTY_SHA256}\r\n{token_line}")
                .as_bytes(),
        );
        let forms = Kind::ALL.map(|kind| {
            let mut names = format!("host{};x-amz-content-sha256;x-amz-date", kind.names());
            let mut canonical = format!("x-amz-content-sha256:{EMPTY_SHA256}\nx-amz-date:{date}\n");
            if fixed.request_payer {
                names.push_str(";x-amz-request-payer");
                canonical.push_str("x-amz-request-payer:requester\n");
            }
            if let Some(token) = &token {
                names.push_str(";x-amz-security-token");
                canonical.extend(["x-amz-security-token:", token, "\n"]);
            }
            canonical.extend(["\n", &names, "\n", EMPTY_SHA256]);
            let key = header_text(&self.set.access_key);
            let authorization = format!("authorization: AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature=");
            HeaderForm { canonical: canonical.into_bytes(), authorization: authorization.into_bytes() }
        });
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n").into_bytes();
        self.prepared = Some(Prepared {
            unix_s,
            head,
            to_sign,
            forms,
        });
    }
}

/// The header lines of a part.
fn part_lines((range, if_match): (Option<&str>, Option<&str>), out: &mut Vec<u8>) {
    for (name, value) in [("range: ", range), ("if-match: ", if_match)] {
        if let Some(value) = value {
            for piece in [name, value, "\r\n"] {
                out.extend_from_slice(piece.as_bytes());
            }
        }
    }
}

/// `20260102T030405Z`; a clock that is set past the year 9999 reads as 1970, and the store says that it is wrong.
fn date_text(unix_s: u64) -> String {
    let date = i64::try_from(unix_s)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    date.unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(DATE)
        .expect("a date with a time has every component of the format")
}

/// The signing key of one day, region and secret, ready to sign with.
fn signing_key(secret: &str, day: &str, region: &str) -> HmacSha256 {
    let keyed =
        |key: &[u8]| HmacSha256::new_from_slice(key).expect("HMAC takes keys of any length");
    let first = keyed(format!("AWS4{secret}").as_bytes());
    [day, region, "s3", "aws4_request"]
        .iter()
        .fold(first, |key, text| {
            keyed(&key.chain_update(text).finalize().into_bytes())
        })
}

/// A credential as it can stand in a header: without spaces around it (as the signature rules want), and without control characters, which no
/// credential has and which would end the line. The store then says that it is wrong.
fn header_text(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).collect()
}

/// Appends the hexadecimal digits of a SHA-256 or an HMAC of it.
fn push_hex(bytes: &[u8; 32], out: &mut Vec<u8>) {
    let mut digits = [0; 64];
    hex::encode_to_slice(bytes, &mut digits).expect("two digits a byte");
    out.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests;
