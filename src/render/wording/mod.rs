//! What the forms of a report for people say, before it is laid out: which tables there are, what stands in a cell, and the sentences around them.
//!
//! Terminal, Markdown and page render the same words. Nothing here is escaped: each form escapes in its own way, as late as it can.

pub(crate) mod advice;
pub(crate) mod again;
pub(crate) mod answer;
pub(crate) mod caveats;
pub(crate) mod change;
pub(crate) mod comparison;
mod edges;
pub(crate) mod facts;
pub(crate) mod matrix;
pub(crate) mod method;
mod metric;
pub(crate) mod notes;
pub(crate) mod number;
pub(crate) mod others;
pub(crate) mod prediction;
pub(crate) mod price;
pub(crate) mod sections;
pub(crate) mod selection;
pub(crate) mod sentence;
pub(crate) mod served;
pub(crate) mod single;
pub(crate) mod speed_ups;
pub(crate) mod tune;
pub(crate) mod tune_served;
pub(crate) mod tune_steps;
pub(crate) mod tune_sure;
pub(crate) mod verdict;
pub(crate) mod warnings;
pub(crate) mod whole;
