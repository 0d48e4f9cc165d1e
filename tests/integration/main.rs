//! The one integration binary: linking the SDK once matters. One file a subject; what they share is in `support`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![expect(dead_code, reason = "the support is ahead of the tests")]

mod bad_input;
mod support;
