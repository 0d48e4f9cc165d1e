//! What a run does, seen from outside: the same suite against every store.
//!
//! Owns which behaviour is promised; `support` owns how the program is run and results are read.

mod cells;
mod fill;
mod parts;
mod rounds;
mod selection;
mod storing;
mod study;

use crate::support::parfetch::{Parfetch, Ran};
use crate::support::results::Results;
use crate::support::source::Source;

/// Name of the results when nothing is set that is in it.
const STEM: &str = "result_run_async_16";

/// A good run with these arguments, and what it left in a folder.
#[track_caller]
fn kept(source: &Source, arguments: &[&str]) -> (Ran, Results) {
    kept_as(STEM, source, arguments)
}

/// The same, with another name of the results.
#[track_caller]
fn kept_as(stem: &str, source: &Source, arguments: &[&str]) -> (Ran, Results) {
    let folder = tempfile::tempdir().unwrap();
    let ran = Parfetch::run(source)
        .args(arguments.iter().copied())
        .out(folder.path())
        .exits(0);
    (ran, Results::in_folder(folder.path(), stem))
}

/// Calls every function with each store, as tests of their own.
macro_rules! against_every_store {
    ($($function:ident),* $(,)?) => {
        mod embedded {
            $(#[test]
            fn $function() {
                super::$function($crate::support::source::Store::Embedded);
            })*
        }
        mod minio {
            $(#[test]
            fn $function() {
                if let Some(store) = $crate::support::source::Store::minio() {
                    super::$function(store);
                }
            })*
        }
    };
}
use against_every_store;
