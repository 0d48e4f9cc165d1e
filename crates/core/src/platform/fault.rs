//! Faults on purpose, for the integration tests: a panic or a pause at a named point of a run. In a release build there are none.

/// Names the fault: `POINT=panic`, or `POINT=wait:PATH`, which waits at that point until the FIFO at PATH was opened
/// for writing and closed again.
#[cfg(debug_assertions)]
const VARIABLE: &str = "PARFETCH_TEST_FAULT";

/// A point at which a test may ask for a fault.
///
/// # Panics
/// When a test asks for it.
#[cfg(debug_assertions)]
#[expect(
    clippy::disallowed_methods,
    reason = "it is no setting: it must reach any depth, and is not there in a release build"
)]
pub fn point(name: &str) {
    let Ok(fault) = std::env::var(VARIABLE) else {
        return;
    };
    match fault
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
    {
        Some("panic") => panic!("asked for by a test at {name}"),
        Some(wait) => {
            if let Some(path) = wait.strip_prefix("wait:") {
                drop(std::fs::read(path));
            }
        }
        None => {}
    }
}

/// A point at which a test may ask for a fault.
#[cfg(not(debug_assertions))]
pub const fn point(_name: &str) {}
