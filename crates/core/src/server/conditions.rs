//! What the conditions and the range of a request mean for an object.

use std::ops::Range as Bytes;

use s3s::dto::{ETag, ETagCondition, Range};
use s3s::{S3Result, s3_error};

use super::results::Overwrite;

/// What `If-Match` and `If-None-Match` say of an object that is there.
pub(super) fn check_conditions(
    tag: &ETag,
    matching: Option<&ETagCondition>,
    differing: Option<&ETagCondition>,
) -> S3Result<()> {
    let matches = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(tag),
    };
    if matching.is_some_and(|condition| !matches(condition)) {
        return Err(s3_error!(
            PreconditionFailed,
            "At least one of the pre-conditions you specified did not hold"
        ));
    }
    if differing.is_some_and(matches) {
        return Err(s3_error!(NotModified, "Not Modified"));
    }
    Ok(())
}

/// The bytes asked for and, for a part of the object, its `Content-Range`.
pub(super) fn bounds(range: Option<&Range>, size: u64) -> S3Result<(Bytes<u64>, Option<String>)> {
    let Some(range) = range else {
        return Ok((0..size, None));
    };
    let invalid = || s3_error!(InvalidRange, "The requested range is not satisfiable");
    let bytes = range
        .check(size)
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(invalid)?;
    let text = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
    Ok((bytes, Some(text)))
}

pub(super) fn length(bytes: u64) -> Option<i64> {
    i64::try_from(bytes).ok()
}

pub(super) fn replace(condition: Option<&ETagCondition>) -> S3Result<Overwrite> {
    match condition {
        None => Ok(Overwrite::Yes),
        Some(ETagCondition::Any) => Ok(Overwrite::No),
        Some(ETagCondition::ETag(_)) => Err(s3_error!(
            NotImplemented,
            "If-None-Match with an ETag is not implemented on writes"
        )),
    }
}
