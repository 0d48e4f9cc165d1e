//! How a text is shown: its width, its colours, how much of it.

use crate::analysis::metric::Metric;
use crate::render::form::Extent;

/// What a piece of text means; without colour nothing of it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The best of its program and size.
    Best,
    /// Failed.
    Failed,
    /// A heading.
    Heading,
}

/// Puts the escapes of a meaning around a text, or leaves it as it is.
pub type Paint<'a> = &'a dyn Fn(Role, &str) -> String;

/// How a report is shown.
pub(crate) struct View<'a> {
    /// Columns of the terminal; 80 where there is none.
    pub width: usize,
    /// Tables to show, in this order.
    pub metrics: &'a [Metric],
    /// Colours.
    pub paint: Paint<'a>,
    /// How much is shown.
    pub extent: Extent,
    /// The command that shows everything.
    pub in_full: &'a str,
}
