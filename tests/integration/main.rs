//! The one integration binary: linking the SDK once matters. One file a subject; what they share is in `support`.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected panics")]

mod architecture;
mod reference;
mod support;
