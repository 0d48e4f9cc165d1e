//! Pieces of the small-request path, each by itself: for the micro-benchmarks in `bench/micro.rs`, and for nothing else.

pub use super::lean::micro::{Reading, Signing};
use super::listing::scan;

/// Reads one page of a listing; how many keys it has.
///
/// # Panics
/// When the document is none.
pub fn scan_page(document: &[u8]) -> usize {
    scan(document).expect("a page of a listing").keys.len()
}
