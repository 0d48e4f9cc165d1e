//! What came, held against what was announced and against what was listed.

use std::cmp::Ordering;

use crate::sample::{ErrorCode, Mismatch, Outcome};
use crate::store::{AttemptError, Remedy, Target};

/// An answer that was read to its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReceivedBody {
    /// `Content-Length` in bytes.
    pub(super) announced: Option<u64>,
    /// Whether nothing but the end of the connection ended it.
    pub(super) until_close: bool,
    /// Size of the whole object in bytes, where a part says it.
    pub(super) total: Option<u64>,
    /// Body bytes.
    pub(super) counted: u64,
}

impl ReceivedBody {
    /// A body is complete when it is as long as was announced, and a part when it is as long as was asked for. Where nothing is announced, a body that is
    /// shorter than listed may have been cut: only its chunks could tell.
    pub(super) fn check(&self, target: Target<'_>) -> Result<(), AttemptError> {
        let Self {
            announced,
            until_close,
            total,
            counted,
        } = *self;
        match announced {
            Some(length) if counted < length => {
                return Err(AttemptError::own("short-body", Remedy::BackOff));
            }
            Some(length) if counted > length => {
                return Err(AttemptError::own("long-body", Remedy::BackOff));
            }
            _ => {}
        }
        let Some(part) = target.part else {
            let cut = until_close && target.size.is_some_and(|listed| counted < listed);
            return if cut {
                Err(AttemptError::own("short-body", Remedy::BackOff))
            } else {
                Ok(())
            };
        };
        if total.is_some() && target.size.is_some() && total != target.size {
            // Its parts were laid out by the listed size: of a longer object they are not all, and a shorter one has less than them.
            return Err(AttemptError::own(
                "size-changed",
                Remedy::Nothing(Outcome::Failed),
            ));
        }
        match counted.cmp(&part.length()) {
            Ordering::Less if until_close => Err(AttemptError::own("short-body", Remedy::BackOff)),
            // A whole answer of another length than the part's: asking again helps nobody.
            Ordering::Less => Err(AttemptError::own(
                "short-body",
                Remedy::Nothing(Outcome::Failed),
            )),
            Ordering::Greater => Err(AttemptError::own(
                "long-body",
                Remedy::Nothing(Outcome::Failed),
            )),
            Ordering::Equal => Ok(()),
        }
    }

    /// Whether a complete answer is of another length than was listed.
    pub(super) fn is_resized(&self, target: Target<'_>) -> bool {
        target.part.is_none() && target.size.is_some_and(|listed| listed != self.counted)
    }
}

/// What the code of a failed attempt says of the object: it is not the one that was listed.
pub(super) fn mismatch_of(code: ErrorCode, target: Target<'_>) -> Mismatch {
    let is = |word| target.part.is_some() && code == ErrorCode::from_word(word);
    Mismatch {
        size: is("size-changed") || is("InvalidRange"),
        etag: is("PreconditionFailed"),
    }
}

/// Whether two entity tags are the same, or one is not known. Quotes, and whether it is a weak one, do not count: listings and answers differ in them.
pub(super) fn is_same_tag(listed: &str, came: &[u8]) -> bool {
    listed.is_empty() || came.is_empty() || bare(listed.as_bytes()) == bare(came)
}

fn bare(tag: &[u8]) -> &[u8] {
    let tag = tag.trim_ascii();
    let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
    tag.strip_prefix(b"\"")
        .and_then(|tag| tag.strip_suffix(b"\""))
        .unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Part;

    fn listed(size: u64, part: Option<(u64, u64)>) -> Target<'static> {
        Target {
            part: part.map(|(first, last)| Part { first, last }),
            size: Some(size),
            ..Target::whole("k")
        }
    }

    fn found(received: ReceivedBody, target: Target<'_>) -> Result<bool, (String, Remedy)> {
        received
            .check(target)
            .map(|()| received.is_resized(target))
            .map_err(|error| (error.code.to_string(), error.remedy))
    }

    fn failed(word: &str, remedy: Remedy) -> Result<bool, (String, Remedy)> {
        Err((word.to_owned(), remedy))
    }

    #[test]
    fn an_object_of_another_size_is_counted_when_it_is_whole() {
        let announced = |counted| ReceivedBody {
            announced: Some(counted),
            counted,
            ..ReceivedBody::default()
        };
        assert_eq!(found(announced(5), listed(5, None)), Ok(false));
        assert_eq!(found(announced(4), listed(5, None)), Ok(true));
        assert_eq!(found(announced(6), listed(5, None)), Ok(true));
        let chunked = |counted| ReceivedBody {
            counted,
            ..ReceivedBody::default()
        };
        assert_eq!(
            (
                found(chunked(5), listed(5, None)),
                found(chunked(4), listed(5, None))
            ),
            (Ok(false), Ok(true))
        );
        assert_eq!(
            found(announced(4), Target::whole("k")),
            Ok(false),
            "nobody listed its size"
        );
    }

    #[test]
    fn a_body_that_only_the_connection_ends_is_short_when_it_is_shorter_than_listed() {
        let until_close = |counted| ReceivedBody {
            until_close: true,
            counted,
            ..ReceivedBody::default()
        };
        assert_eq!(
            found(until_close(4), listed(5, None)),
            failed("short-body", Remedy::BackOff)
        );
        assert_eq!(found(until_close(5), listed(5, None)), Ok(false));
        assert_eq!(
            found(until_close(6), listed(5, None)),
            Ok(true),
            "all of what was listed came, and more"
        );
        assert_eq!(found(until_close(4), Target::whole("k")), Ok(false));
        assert_eq!(
            found(until_close(4), listed(20, Some((0, 9)))),
            failed("short-body", Remedy::BackOff)
        );
    }

    #[test]
    fn a_part_of_an_object_of_another_size_is_never_ok() {
        let part = |total, counted| ReceivedBody {
            announced: Some(counted),
            total,
            counted,
            ..ReceivedBody::default()
        };
        assert_eq!(
            found(part(Some(20), 10), listed(20, Some((0, 9)))),
            Ok(false)
        );
        assert_eq!(found(part(None, 10), listed(20, Some((0, 9)))), Ok(false));
        for (total, counted) in [(40, 10), (19, 10), (5, 5)] {
            let changed = failed("size-changed", Remedy::Nothing(Outcome::Failed));
            assert_eq!(
                found(part(Some(total), counted), listed(20, Some((0, 9)))),
                changed,
                "{total}"
            );
        }
    }

    #[test]
    fn codes_say_that_the_object_changed() {
        let part = listed(20, Some((0, 9)));
        let of = |word, target| mismatch_of(ErrorCode::from_word(word), target);
        assert_eq!(
            of("size-changed", part),
            Mismatch {
                size: true,
                etag: false
            }
        );
        assert_eq!(
            of("InvalidRange", part),
            Mismatch {
                size: true,
                etag: false
            }
        );
        assert_eq!(
            of("PreconditionFailed", part),
            Mismatch {
                size: false,
                etag: true
            }
        );
        assert_eq!(
            (of("SlowDown", part), of("InvalidRange", listed(20, None))),
            (Mismatch::default(), Mismatch::default())
        );
    }

    #[test]
    fn tags_are_compared_without_their_dress() {
        for came in ["\"abc-2\"", "abc-2", "W/\"abc-2\"", " \"abc-2\" "] {
            assert!(
                is_same_tag("abc-2", came.as_bytes()) && is_same_tag("\"abc-2\"", came.as_bytes()),
                "{came}"
            );
        }
        assert!(
            is_same_tag("", b"\"x\"") && is_same_tag("x", b""),
            "one is not known"
        );
        assert!(
            !is_same_tag("abc-2", b"\"abc-3\"")
                && !is_same_tag("a", b"\"A\"")
                && !is_same_tag("abc-2", b"\"\xff\"")
        );
    }
}
