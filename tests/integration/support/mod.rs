//! What the integration tests share.

pub(crate) mod awkward;
pub(crate) mod parfetch;
pub(crate) mod results;
pub(crate) mod s3;
#[expect(dead_code, reason = "ahead of its tests")]
pub(crate) mod scripted;
pub(crate) mod source;
#[expect(dead_code, reason = "ahead of its tests")]
pub(crate) mod strict;
