//! The one integration binary: linking the SDK once matters. One file a subject; what they share is in `support`.

mod bad_input;
mod support;
