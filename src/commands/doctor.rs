//! `parfetch doctor`.

use std::io;

use super::console::{print, style_of, width};
use super::process::{block_on, start_log};
use super::signals::{First, Signals};
use crate::cli::{Raw, Variables};
use crate::doctor::{CheckInputs, Checks, examine};
use crate::exit::{Exit, Failure};
use crate::output::{Marks, checklist};
use crate::platform::Sources;
use crate::settings::{self, Format, Level, LogSettings};

/// Lines that are wider are hard to read.
const WIDEST: usize = 120;

pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let settings = settings::doctor(raw)?;
    // What goes wrong is a line of the list.
    start_log(LogSettings {
        level: Level::Error,
        format: Format::Text,
    });
    let variables = &raw.variables;
    let left = settings
        .examination
        .results
        .as_ref()
        .map(|results| format!("{results}parfetch-doctor-….json may stay there"));
    let signals = Signals::listen(First::EndsAtOnce, left.as_deref())?;
    let means = CheckInputs {
        prices: super::sources::prices(settings.prices.as_deref()),
        sources: Sources {
            ecs_metadata_uri: variables
                .get("ECS_CONTAINER_METADATA_URI_V4")
                .map(str::to_owned),
            ..Sources::default()
        },
        executable: super::run::executable()?,
    };
    let checks =
        block_on(signals.or(async { Ok(Box::pin(examine(&settings.examination, &means)).await) }))?;
    let text = match settings.output {
        Format::Json => checks
            .to_json()
            .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?,
        Format::Text => in_words(&checks, variables),
    };
    print(&text)?;
    Ok(checks.exit())
}

fn in_words(checks: &Checks, variables: &Variables) -> String {
    let marks = Marks::of_locale(
        variables.get("LC_ALL"),
        variables.get("LC_CTYPE"),
        variables.get("LANG"),
    );
    checklist(
        checks,
        style_of(&io::stdout()),
        (marks, width().min(WIDEST)),
    )
}
