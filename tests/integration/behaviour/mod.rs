//! What a run does, seen from outside: the same suite against every store.
//!
//! Owns which behaviour is promised; `support` owns how the program is run and results are read.

mod cells;

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
