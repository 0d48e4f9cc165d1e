//! What a person sees in a terminal, apart from progress: the summary of a run, and error, hint and warning lines.
//!
//! Everything is rendered to text or written to a writer that the caller gives; nothing here knows of stdout, of the environment, or whether
//! a terminal is there.

mod bars;
mod messages;
mod run;
mod style;

pub use messages::{error, hint, one_line, warning};
pub use run::render_run;
pub use style::Style;
