//! Every key of the run, into the key file: from all pages of the bucket, from a key file, from an S3 Inventory, or from a list of URLs.
//!
//! Owns which keys are taken (prefix, shard, limit), that none is taken twice, and how many streams of pages list a bucket. Fetches nothing.

mod classes;
mod draw;
mod error;
mod inventory;
mod keyfile;
mod lines;
mod list;
mod pages;
mod parallel;
mod pick;
mod urls;

pub use classes::storage_classes;
pub use draw::draw;
pub use error::ListError;
pub use keyfile::{KeyFileWriter, sha256_hex};
pub use list::list;
pub use pick::Listed;
pub use urls::list_urls;
