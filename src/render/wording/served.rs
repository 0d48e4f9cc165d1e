//! What every form says of a web server first: which configuration answers most requests a second, and which others do as well.

use super::advice::first_look;
use super::number::{memory, plural, span, vcpus};
use super::price;
use super::sentence::sentence;
use crate::analysis::{CellReport, Metric, MostServed, Study};
use crate::cell::Cell;
use crate::plan::factors::SERVER;
use crate::units;

/// Configurations that are named next to the best.
const NAMED: usize = 3;

/// The answer to a study of a web server. A form lays it out and adds nothing.
pub(crate) struct WebAnswer {
    /// What it is the answer to.
    pub(crate) title: &'static str,
    pub(crate) said: Result<MostRequests, &'static str>,
}

/// The configuration that answers most requests a second.
pub(crate) struct MostRequests {
    /// `gunicorn, workers 3, async × 50: 812 requests/s`
    pub(crate) headline: String,
    /// What qualifies it.
    pub(crate) sentences: Vec<String>,
    /// Why there is no price; the page says it once for each client.
    no_price: Option<String>,
}

impl WebAnswer {
    /// `None` for a study of a bucket.
    pub(crate) fn of(study: &Study) -> Option<Self> {
        study.workload.http.as_ref()?;
        Some(Self {
            title: "Most requests per second",
            said: study
                .served
                .as_ref()
                .map(|served| MostRequests {
                    headline: headline(study, served),
                    sentences: sentences(study, served),
                    no_price: price::missing(study).map(|why| sentence(&why)),
                })
                .ok_or("no configuration served all of its requests without a failure"),
        })
    }
}

impl MostRequests {
    /// What qualifies it, and why there is no price.
    pub(crate) fn in_full(&self) -> String {
        let all = self.sentences.iter().chain(&self.no_price);
        all.map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

fn headline(study: &Study, served: &MostServed) -> String {
    format!(
        "{}: {} requests/s",
        study
            .cells
            .get(served.cell)
            .map_or_else(String::new, |report| name(study, report)),
        units::three_digits(served.requests_per_s)
    )
}

fn sentences(study: &Study, served: &MostServed) -> Vec<String> {
    let mut sentences = Vec::new();
    let figure = study
        .cells
        .get(served.cell)
        .and_then(|report| report.figure(Metric::RequestsPerS));
    if let Some(figure) = figure {
        let runs = plural(figure.n as u64, "run");
        let range = figure.interval.map_or_else(String::new, |interval| {
            let ends = [interval.low, interval.high].map(units::three_digits);
            format!(", 95 % interval {}", span(ends[0].clone(), &ends[1]))
        });
        sentences.push(format!("This is the median of {runs}{range}."));
    }
    let named: Vec<String> = served
        .within
        .iter()
        .take(NAMED)
        .filter_map(|place| study.cells.get(*place))
        .map(|report| name(study, report))
        .collect();
    let more = match served.within.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let is = if served.within.len() == 1 {
        "is"
    } else {
        "are"
    };
    if !named.is_empty() {
        sentences.push(format!("{}{more} {is} within 2 %.", named.join("; ")));
    }
    let left_out = match served.left_out {
        0 => None,
        1 => Some("1 faster configuration had failed requests and is left out.".to_owned()),
        all => Some(format!(
            "{all} faster configurations had failed requests and are left out."
        )),
    };
    sentences.extend(left_out);
    sentences.extend(
        served
            .first_look
            .map(|why| format!("A first look ({}), not a recommendation.", first_look(why))),
    );
    sentences
}

/// The server and the factors, then what else differs in the study.
fn name(study: &Study, report: &CellReport) -> String {
    let Cell {
        program,
        mode,
        concurrency,
        cpu_units,
        memory_mib,
        factors,
        ..
    } = &report.cell;
    let differs =
        |is_other: &dyn Fn(&Cell) -> bool| study.cells.iter().any(|other| is_other(&other.cell));
    let mut parts: Vec<String> = factors
        .iter()
        .map(|(factor, value)| {
            if factor == SERVER {
                value.to_owned()
            } else {
                format!("{factor} {value}")
            }
        })
        .collect();
    if differs(&|cell| cell.program != *program) {
        parts.push(program.name().to_owned());
    }
    if differs(&|cell| (cell.cpu_units, cell.memory_mib) != (*cpu_units, *memory_mib)) {
        parts.push(format!(
            "client with {}, {} GB",
            vcpus(*cpu_units),
            memory(*memory_mib)
        ));
    }
    parts.push(format!("{mode} × {concurrency}"));
    parts.join(", ")
}
