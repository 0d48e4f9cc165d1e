//! What settings notice on their way: warnings, and what is missing.

use crate::cli::Given;
use crate::exit::Failure;

/// Warnings, and the first thing that is missing. What was typed wrongly is an error at once; what is missing is one only when nothing is wrong.
#[derive(Debug, Default)]
pub(super) struct Notes {
    warnings: Vec<String>,
    missing: Option<Failure>,
}

impl Notes {
    /// Something is not used, or not as it seems.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// A word over a plan is meant; a variable may stand there for other commands.
    pub(super) fn over_the_plan(&mut self, given: Option<&Given>, planned: &str) {
        if let Some(Given { value, name }) = given.filter(|given| given.is_variable())
            && !planned.is_empty()
            && value != planned
        {
            self.warn(format!(
                "{name} is `{value}`: `{planned}` of the plan is not used"
            ));
        }
    }

    /// Something is missing.
    pub(super) fn lacks(&mut self, what: Failure) {
        self.missing.get_or_insert(what);
    }

    /// The warnings, where nothing is missing.
    pub(super) fn settled(self) -> Result<Vec<String>, Failure> {
        self.missing.map_or(Ok(self.warnings), Err)
    }
}
