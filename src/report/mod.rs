//! What runs say together. Reads results, never S3 and never a clock.

pub mod page;
