//! An analysed study → the page's input.
//!
//! Selects and converts units; every statistic is the model's and every sentence `wording`'s. Re-reads the few documents that charts need, through `open` alone.

mod advice;
mod cells;
mod drawn;
#[cfg(test)]
pub(super) mod fixture;
mod head;
mod part;
#[cfg(test)]
mod tests;
mod way;
mod words;

use self::part::{ProgramPart, programs, sizes};
use super::types::{Client, ClientRole, PageData};
use crate::analysis::{Open, Study};
use crate::cell::Program;
use crate::plan::ClientKind;
use crate::render::wording::number::behind;
use crate::render::wording::price::{self, Per};
use crate::render::wording::sentence::sentence;
use crate::render::wording::{advice as recommended, answer, method};

/// The page of one study. `open` gives the documents by the names under which they were read; where it cannot, the chart is left out with a line that
/// says so. Of each of parfetch's clients the documents of at most one cell a mode are read, one document at a time.
pub fn page_of(study: &Study, open: Open<'_>) -> PageData {
    let sizes = sizes(study);
    let per = Per::of(study);
    let clients = programs(study)
        .into_iter()
        .map(|shown| client(&ProgramPart::of(study, shown, (&sizes, per)), open))
        .collect();
    PageData {
        sizes: sizes.iter().map(words::size).collect(),
        clients,
        interval_label: "95 % interval of the median".to_owned(),
        price_notes: per.notes(study),
        method: method::paragraphs(study),
        csv: crate::render::csv::render_csv(std::slice::from_ref(study)),
        made_by: format!("parfetch {}", env!("CARGO_PKG_VERSION")),
        ..head::head(study)
    }
}

fn client(part: &ProgramPart<'_>, open: Open<'_>) -> Client {
    let drawn = drawn::drawn(part, open);
    let is_priced = part
        .reports()
        .any(|report| part.per.tasks(report).is_some());
    Client {
        name: format!("{}{}", part.program.name(), behind(part.factors)),
        about: about(part.program).to_owned(),
        role: if part.program.is_parfetch() {
            ClientRole::Own
        } else {
            ClientRole::Contender
        },
        rate_unit: cells::rate_unit(part),
        price_unit: part.per.unit.to_owned(),
        choices: advice::choices(part),
        because: part
            .recommendation()
            .and_then(|found| found.because.as_ref())
            .map(|because| sentence(&recommended::lack(because))),
        notes: part
            .recommendation()
            .and_then(|found| answer::highest(part.study, found))
            .into_iter()
            .collect(),
        cells: cells::cells(part),
        answer_size: part.answer().and_then(|report| part.size(&report.cell)),
        front: advice::front(part),
        is_minimum: part.answer().is_some_and(advice::is_minimum),
        no_price: (!is_priced).then(|| {
            sentence(&price::missing(part.study).unwrap_or_else(|| {
                "no price: no configuration has both a size and a rate".to_owned()
            }))
        }),
        histograms: drawn.histograms,
        // Bytes a second say little of a web server.
        series: drawn.series.filter(|_| part.study.workload.http.is_none()),
        timeline: drawn.timeline,
        left_out: drawn.left_out,
        predictions: advice::predictions(part),
    }
}

const fn about(program: &Program) -> &'static str {
    match program {
        Program::Client(ClientKind::Lean) => {
            "parfetch’s own client. It costs next to nothing, so it measures the platform: the container, the network, S3."
        }
        Program::Client(ClientKind::Sdk) => {
            "aws-sdk-s3 with its defaults: what a program with the SDK gets."
        }
        Program::Contender(_) => {
            "Another program, run and watched as parfetch is. Its time includes the start of its workers; its CPU per GB is that of its whole processes."
        }
    }
}
