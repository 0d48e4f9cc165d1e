//! `parfetch report`.

use std::io;

use super::sources::{Look, deliver, studies};
use crate::cli::{Raw, Variables};
use crate::exit::{Exit, Failure};
use crate::output::{Style, warning};
use crate::report::{Emphasis, Study, View, render_csv, render_markdown, render_text, to_json};
use crate::settings::{self, Format, Level, Log, ReportFormat, ReportSettings};

/// Runs it.
pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let settings = settings::report(raw)?;
    super::start_log(Log { level: Level::Warn, format: Format::Text });
    let style = Style::for_stream(&io::stderr(), raw.variables.get("NO_COLOR"), raw.variables.get("TERM"));
    for text in &settings.warnings {
        // Nobody to tell: it changes nothing.
        let _closed = warning(&mut io::stderr(), style, text);
    }
    let studies = super::runtime()?.block_on(studies(&settings.places, &settings.sources, &raw.variables))?;
    if let Some(file) = &settings.html {
        deliver(&page(&studies)?, Some(file))?;
    }
    deliver(&rendered(&studies, &settings, &raw.variables)?, settings.out.as_deref())?;
    Ok(Exit::Good)
}

fn rendered(studies: &[Study], settings: &ReportSettings, variables: &Variables) -> Result<String, Failure> {
    Ok(match settings.format {
        ReportFormat::Text => {
            let look = Look::of(settings.out.as_deref(), variables);
            let emphasis = if look.style == Style::Plain { Emphasis::Unseen } else { Emphasis::Seen };
            let paint = |role, text: &str| look.paint(role, text);
            render_text(studies, &View { width: look.width, metrics: &settings.metrics, paint: &paint, emphasis })
        }
        ReportFormat::Markdown => render_markdown(studies, &settings.metrics),
        ReportFormat::Csv => render_csv(studies),
        ReportFormat::Json => to_json(studies).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?,
        ReportFormat::Html => page(studies)?,
    })
}

/// The HTML page. The one place where it is made.
fn page(_studies: &[Study]) -> Result<String, Failure> {
    Err(Failure::new(Exit::Unexpected, "this build has no HTML page").hint("--format text, md, csv and json are there"))
}
