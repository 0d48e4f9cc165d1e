//! From what was typed to what is done: raw values become a validated plan. All rules between settings live here.
//!
//! Pure: no I/O, no environment, no clock. Every error names the flag or variable under which a person gave the value.

mod contender;
mod cost_policy;
mod doctor;
mod emf;
mod factors;
mod fetching;
mod fill;
mod http;
mod lists;
mod notes;
mod place;
mod proxy;
mod reader;
mod ready_contenders;
mod reports;
mod requests;
mod run;
mod selection;
mod serve;
mod shown;
mod source;
mod submit;
mod sweep;
mod sweep_plan;
mod tune;
mod upload;

pub use doctor::doctor;
pub use fill::fill;
pub use reports::{
    CompareSettings, ReportFormat, ReportSettings, ResultSource, SourceSettings, compare, report,
};
pub use run::{RunSettings, run};
pub use serve::serve;
pub use shown::{Format, Level, LogSettings, ProgressWhen, log};
pub use source::{access, embedded_text, inherited};
pub use submit::{SubmitSettings, check_submit, submit};
pub use sweep::{Intent, SweepInput, SweepSettings, check_sweep, sweep};
pub use tune::{TuneInput, TuneSettings, check_tune, model_file, tune};
pub use upload::{UploadSettings, upload};

#[cfg(test)]
mod tests;
