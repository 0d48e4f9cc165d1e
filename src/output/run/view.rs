//! How the summary of a run is shown, and what only the process knows of it.

use crate::output::Style;
use crate::sample::FailedKey;

/// How the summary of a run is shown, and what only the process knows of it.
#[derive(Clone, Copy, Debug)]
pub struct RunView<'a> {
    /// Colours.
    pub style: Style,
    /// Columns of the terminal.
    pub width: usize,
    /// What the process ends with.
    pub exit_code: u8,
    /// The first object of the listing that could not be fetched.
    pub first_failure: Option<&'a FailedKey>,
    /// The options of the embedded server as they were typed; none without one.
    pub embedded: Option<&'a str>,
    /// Flags whose values the environment has: a line to paste leaves them out.
    pub inherited: &'a [&'static str],
}
