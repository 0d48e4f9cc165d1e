//! What a person sees in a terminal, apart from progress: the summary of a run, and error, hint and warning lines; and the lines that programs
//! read instead: JSON objects, and a run's figures as `CloudWatch` metrics.
//!
//! Everything is rendered to text or written to a writer that the caller gives; nothing here knows of stdout, of the environment, or whether
//! a terminal is there.

mod bars;
mod checklist;
mod emf;
mod end;
mod log_line;
mod messages;
mod run;
mod style;

pub use checklist::{Marks, checklist};
pub use emf::emf_line;
pub use end::end_line;
pub use log_line::{Severity, log_line};
pub(crate) use messages::WARNING;
pub use messages::{MessageForm, error, fitted_lines, hint, one_line, warning};
pub use run::{RunView, render_run};
pub use style::Style;
