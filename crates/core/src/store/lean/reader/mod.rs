//! Reads one HTTP/1.1 answer out of the bytes of a connection, in whatever pieces they come. Knows no socket and no clock.
//!
//! A body of a 2xx goes to the sink; of any other answer of S3 the start is kept, for its error code. Every body of a web server goes to the sink.

use std::io;

use super::chunked::Chunked;
use super::head::{Framing, HEAD_BYTES, MalformedHead, ResponseHead, parse};
use crate::plan::StatusSet;
use crate::store::answer::{DOCUMENT_BYTES, http_date};
use crate::store::attempt::{AttemptError, BodyHead, BodySink, Part};
use crate::store::document::element;

/// Most bytes of a redirect's place that are kept.
const LOCATION_BYTES: usize = 1024;

/// What an answer is held against.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// An object, or a part of one.
    Object(Option<Part>),
    /// Whatever a web server says.
    Answer(AnswerRule),
}

/// What an answer of a web server is held against.
#[derive(Clone, Copy, Debug)]
pub struct AnswerRule {
    /// Statuses that are good.
    pub(super) expect: StatusSet,
    /// Whether the request was a HEAD: then no body comes, whatever the head announces.
    pub(super) is_head: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReaderState {
    Head,
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Done,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionEnd {
    /// The server said so itself.
    Clean,
    /// TLS was not closed: somebody else may have cut it.
    Cut,
}

/// The reader of one connection, for one answer after another.
#[derive(Debug)]
pub(super) struct ResponseReader {
    state: ReaderState,
    /// What was asked for.
    wanted: Wanted,
    /// What came of a head that is not whole yet. Empty when heads come whole.
    split: Vec<u8>,
    /// Length of `split` at which it is read again: doubled each time, so that a head in tiny pieces costs no square of its length.
    again: usize,
    /// Of the answer, once its head is complete.
    status: u16,
    /// Body of an answer that is not 2xx.
    document: Vec<u8>,
    /// When such an answer was given, by the server's clock, in s since 1970.
    date: Option<i64>,
    /// Where a redirect of a web server leads.
    location: Vec<u8>,
    began: bool,
    persistent: bool,
}

impl ResponseReader {
    /// Before the first request.
    pub(super) fn new() -> Self {
        let (split, document) = (Vec::new(), Vec::new());
        Self {
            state: ReaderState::Done,
            wanted: Wanted::Object(None),
            split,
            again: 0,
            status: 0,
            document,
            date: None,
            location: Vec::new(),
            began: false,
            persistent: true,
        }
    }

    /// A request for this goes out.
    pub(super) fn begin(&mut self, wanted: Wanted) {
        (self.wanted, self.date) = (wanted, None);
        (self.state, self.status, self.again) = (ReaderState::Head, 0, 0);
        (self.began, self.persistent) = (false, true);
        self.split.clear();
        self.document.clear();
        self.location.clear();
    }

    /// Takes what the connection returned.
    pub(super) fn feed<S: BodySink>(
        &mut self,
        mut bytes: &[u8],
        sink: &mut S,
    ) -> Result<(), MalformedHead> {
        self.began |= !bytes.is_empty();
        while !bytes.is_empty() {
            let taken = match &mut self.state {
                ReaderState::Head => self.feed_head(bytes, sink)?,
                ReaderState::Length(left) => {
                    let taken =
                        usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    *left -= taken as u64;
                    let over = *left == 0;
                    self.body(&bytes[..taken], sink);
                    if over {
                        self.state = ReaderState::Done;
                    }
                    taken
                }
                ReaderState::Chunked(chunked) => {
                    let (taken, of_body) = chunked.step(bytes)?;
                    let over = chunked.is_done();
                    if of_body {
                        self.body(&bytes[..taken], sink);
                    }
                    if over {
                        self.state = ReaderState::Done;
                    }
                    taken
                }
                ReaderState::UntilClose => {
                    self.body(bytes, sink);
                    bytes.len()
                }
                ReaderState::Done => {
                    // Nobody asked for these: whatever follows them is not an answer to the next request.
                    self.persistent = false;
                    bytes.len()
                }
            };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// The connection ended. An answer that needs more is cut short.
    pub(super) fn end(&mut self, how: ConnectionEnd) -> io::Result<()> {
        self.persistent = false;
        match self.state {
            ReaderState::Done => Ok(()),
            ReaderState::UntilClose if how == ConnectionEnd::Clean => {
                self.state = ReaderState::Done;
                Ok(())
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Whether the answer is complete, or as much of it as is wanted.
    pub(super) fn is_done(&self) -> bool {
        self.state == ReaderState::Done
    }

    /// Bytes of the body that are sure to come still.
    pub(super) fn left(&self) -> u64 {
        if let ReaderState::Length(left) = self.state {
            left
        } else {
            0
        }
    }

    /// Whether a byte of the answer came.
    pub(super) fn began(&self) -> bool {
        self.began
    }

    /// Whether the head is complete.
    pub(super) fn has_head(&self) -> bool {
        self.status != 0
    }

    /// Whether the connection can take another request once this answer is complete.
    pub(super) fn persistent(&self) -> bool {
        self.persistent && self.is_done()
    }

    /// The error that an answer stands for that is not a good one, also when it was cut; `None` while there is no such answer.
    pub(super) fn refusal(&self) -> Option<AttemptError> {
        if !self.has_head() {
            return None;
        }
        match self.wanted {
            Wanted::Object(_) => (!self.is_success()).then(|| {
                AttemptError::answer(self.status, element(&self.document, "Code").as_deref())
            }),
            Wanted::Answer(rule) => {
                (!rule.expect.has(self.status)).then(|| AttemptError::unexpected(self.status))
            }
        }
    }

    /// Where a web server's redirect leads, as it stands there; empty when the answer is none.
    pub(super) fn location(&self) -> &[u8] {
        &self.location
    }

    /// When the refusal was given, by the server's clock, in s since 1970; `None` where it does not say, or was no refusal.
    pub(super) fn date(&self) -> Option<i64> {
        self.date
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Takes bytes of a head: of `bytes` themselves when it is whole, joined to what came before otherwise.
    fn feed_head<S: BodySink>(
        &mut self,
        bytes: &[u8],
        sink: &mut S,
    ) -> Result<usize, MalformedHead> {
        if self.split.is_empty()
            && let Some(head) = parse(bytes)?
        {
            self.head(&head, sink)?;
            return Ok(head.size);
        }
        let before = self.split.len();
        self.split
            .extend_from_slice(&bytes[..bytes.len().min(HEAD_BYTES - before)]);
        if before == 0 {
            // It has just been read in vain.
            self.again = 2 * self.split.len();
            return Ok(self.split.len());
        }
        if !ends(&self.split, before) && self.split.len() < self.again.min(HEAD_BYTES) {
            return Ok(self.split.len() - before);
        }
        // Out of the reader while its head is read, and back for its memory.
        let mut split = std::mem::take(&mut self.split);
        let Some(head) = parse(&split)? else {
            self.again = 2 * split.len();
            self.split = split;
            return Ok(self.split.len() - before);
        };
        self.head(&head, sink)?;
        let size = head.size;
        split.clear();
        self.split = split;
        // The rest of it ended inside `bytes`: before them it was not complete.
        size.checked_sub(before)
            .ok_or(MalformedHead("no head of HTTP/1.1"))
    }

    fn head<S: BodySink>(
        &mut self,
        head: &ResponseHead<'_>,
        sink: &mut S,
    ) -> Result<(), MalformedHead> {
        if matches!(head.status, 100..=199) && head.status != 101 {
            // On its way; the answer follows.
            return Ok(());
        }
        sink.answered(head.status);
        let (framing, length) = match self.wanted {
            Wanted::Object(part) => {
                check_part(part, head)?;
                (head.framing, head.length)
            }
            Wanted::Answer(rule) => {
                self.keep_location(head);
                // The length of a 304 is that of the body which a 200 would have.
                if rule.is_head || head.status == 304 {
                    (Framing::Length(0), None)
                } else {
                    (head.framing, head.length)
                }
            }
        };
        self.status = head.status;
        self.persistent &= head.keeps && framing != Framing::UntilClose;
        self.state = match framing {
            Framing::Length(0) => ReaderState::Done,
            Framing::Length(length) => ReaderState::Length(length),
            Framing::Chunked => ReaderState::Chunked(Chunked::new()),
            Framing::UntilClose => ReaderState::UntilClose,
        };
        if self.is_taken() {
            let total = head.range.and_then(|range| range.total);
            sink.head(&BodyHead {
                length,
                until_close: framing == Framing::UntilClose,
                total,
                etag: head.etag,
            });
        } else {
            self.date = http_date(head.date);
        }
        Ok(())
    }

    fn keep_location(&mut self, head: &ResponseHead<'_>) {
        if matches!(head.status, 300..=399) {
            let end = head.location.len().min(LOCATION_BYTES);
            self.location.extend_from_slice(&head.location[..end]);
        }
    }

    /// Whether the body goes to the sink.
    fn is_taken(&self) -> bool {
        matches!(self.wanted, Wanted::Answer(_)) || self.is_success()
    }

    fn body<S: BodySink>(&mut self, bytes: &[u8], sink: &mut S) {
        if self.is_taken() {
            sink.chunk(bytes);
            return;
        }
        let room = DOCUMENT_BYTES - self.document.len();
        self.document
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            // No error document is as long: what follows is not waited for.
            (self.state, self.persistent) = (ReaderState::Done, false);
        }
    }
}

/// The whole instead of a part would be counted once more with every part; a part instead of the whole would look like a short object; and what
/// comes with any other success (204, say) is no object.
fn check_part(part: Option<Part>, head: &ResponseHead<'_>) -> Result<(), MalformedHead> {
    match (part, head.status, head.range) {
        (None, 206, _) | (None, 200..=299, Some(_)) => {
            Err(MalformedHead("a part, and the whole was asked for"))
        }
        (None, 201..=299, _) => Err(MalformedHead("a success that no GET has")),
        (Some(part), 206, Some(range)) if part.is_answered_by(range) => match head.length {
            Some(length) if length.checked_sub(1) != Some(range.last - range.first) => {
                Err(MalformedHead("a part of another length"))
            }
            _ => Ok(()),
        },
        (Some(_), 206, _) => Err(MalformedHead("another part than was asked for")),
        (Some(_), 200..=299, _) => Err(MalformedHead("the whole, and a part was asked for")),
        _ => Ok(()),
    }
}

/// Whether an empty line, which ends a head, ends in `bytes` behind `before`.
fn ends(bytes: &[u8], before: usize) -> bool {
    let start = before.saturating_sub(3);
    bytes[start..].windows(2).any(|pair| pair == b"\n\n")
        || bytes[start..].windows(3).any(|three| three == b"\n\r\n")
}

#[cfg(test)]
mod tests;
