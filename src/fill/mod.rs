//! Fills a bucket with objects to try with: made here, or copied from another bucket on the store's side.
//!
//! Owns which objects there are, and that none is stored in place of another: an object that is there stays, and one that fill did not make ends the
//! command. The same command again continues.

mod copies;
mod drive;
mod forecast;
mod items;
mod look;
mod objects;
mod request;
mod storer;

pub use drive::{fill, foresee};
pub use objects::{MOST_BYTES, Made, Sizes};
#[cfg(test)]
pub use request::{Amount, LeftOut};
pub use request::{Consent, Content, Copied, Fill, FillContext, Filled, Missing};
