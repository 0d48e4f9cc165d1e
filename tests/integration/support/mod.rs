//! What the integration tests share.

pub(crate) mod awkward;
pub(crate) mod aws;
pub(crate) mod parfetch;
pub(crate) mod recording;
pub(crate) mod results;
pub(crate) mod s3;
pub(crate) mod scripted;
pub(crate) mod sigv4;
pub(crate) mod source;
pub(crate) mod strict;
