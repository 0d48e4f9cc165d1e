//! An analysed study → the page's input.
//!
//! Selects and converts units; every statistic is the model's and every sentence `wording`'s. Re-reads the few documents that charts need, through `open` alone.

mod advice;
mod cells;
mod drawn;
#[cfg(test)]
pub(super) mod fixture;
mod head;
#[cfg(test)]
mod tests;
mod words;

use super::types::{Client, ClientRole, PageData, PageSize};
use crate::analysis::{CellReport, Open, Study};
use crate::cell::{Cell, Program};
use crate::plan::ClientKind;
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
        .map(|program| client(&ProgramPart::of(study, program, (&sizes, per)), open))
        .collect();
    PageData {
        sizes: sizes.iter().map(words::size).collect(),
        clients,
        interval_label: "95 % interval of the median".to_owned(),
        price_unit: per.unit.to_owned(),
        price_notes: per.notes(study),
        method: method::paragraphs(study),
        csv: crate::render::csv::render_csv(std::slice::from_ref(study)),
        made_by: format!("parfetch {}", env!("CARGO_PKG_VERSION")),
        ..head::head(study)
    }
}

/// CPU units, MiB, shards: what the page calls a size.
type SizeKey = (u32, u32, u32);

fn size_of(cell: &Cell) -> SizeKey {
    (cell.cpu_units, cell.memory_mib, cell.shards)
}

/// Every size of the study, ascending.
fn sizes(study: &Study) -> Vec<SizeKey> {
    let mut sizes: Vec<SizeKey> = study
        .cells
        .iter()
        .map(|report| size_of(&report.cell))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// parfetch's own clients, then the contenders.
fn programs(study: &Study) -> Vec<&Program> {
    let mut programs: Vec<&Program> = Vec::new();
    for report in &study.cells {
        if !programs.contains(&&report.cell.program) {
            programs.push(&report.cell.program);
        }
    }
    programs.sort_by_key(|program| !program.is_parfetch());
    programs
}

/// A program's share of a study.
struct ProgramPart<'a> {
    study: &'a Study,
    program: &'a Program,
    sizes: &'a [SizeKey],
    /// What its prices are per.
    per: Per,
    /// Places of its cells in the study; the page counts cells in this order.
    places: Vec<usize>,
}

impl<'a> ProgramPart<'a> {
    fn of(study: &'a Study, program: &'a Program, (sizes, per): (&'a [SizeKey], Per)) -> Self {
        let places = (0..study.cells.len())
            .filter(|place| study.cells[*place].cell.program == *program)
            .collect();
        Self {
            study,
            program,
            sizes,
            per,
            places,
        }
    }

    fn reports(&self) -> impl Iterator<Item = &'a CellReport> {
        self.places.iter().map(|place| &self.study.cells[*place])
    }

    /// What is recommended for this program.
    fn recommendation(&self) -> Option<&'a crate::analysis::Recommendation> {
        self.study
            .recommendations
            .iter()
            .find(|recommendation| recommendation.program == *self.program)
    }
}

fn client(part: &ProgramPart<'_>, open: Open<'_>) -> Client {
    let drawn = drawn::drawn(part, open);
    let is_priced = part
        .reports()
        .any(|report| part.per.tasks(report).is_some());
    Client {
        name: part.program.name().to_owned(),
        about: about(part.program).to_owned(),
        role: if part.program.is_parfetch() {
            ClientRole::Own
        } else {
            ClientRole::Contender
        },
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
        front: advice::front(part),
        no_price: (!is_priced).then(|| {
            sentence(&price::missing(part.study).unwrap_or_else(|| {
                "no price: no configuration has both a size and a rate".to_owned()
            }))
        }),
        histograms: drawn.histograms,
        series: drawn.series,
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
