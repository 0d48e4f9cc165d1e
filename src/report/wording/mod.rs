//! What the forms of a report for people say, before it is laid out: which tables there are, what stands in a cell, and the sentences around them.
//!
//! Terminal, Markdown and page render the same words. Nothing here is escaped: each form escapes in its own way, as late as it can.

pub(super) mod advice;
pub(super) mod answer;
pub(super) mod facts;
pub(super) mod matrix;
pub(super) mod number;
pub(super) mod price;
pub(super) mod sections;
pub(super) mod single;
