//! The matrix: rows are sizes and modes, columns concurrencies. Which tables there are, what stands in each cell, and which marks it bears.

use std::collections::BTreeSet;

use super::number::{self, Scale};
use super::price::{Per, TIME_OF_RUN, shown_as};
use super::sections::{AnswerMark, answer_mark};
use crate::analysis::metric::Metric;
use crate::analysis::model::{CellReport, Curve, Interval, Study};
use crate::cell::Program;
use crate::escape;
use crate::units;

/// Longest name of a program in a row.
const NAME: usize = 20;

/// Rows of one client, with those of contenders above it.
pub(crate) struct Table<'a> {
    /// The programs of its rows, in their order.
    pub(crate) programs: Vec<&'a Program>,
    /// In the order size, program, mode.
    pub(crate) rows: Vec<Row<'a>>,
    /// Every concurrency that a row has, ascending.
    pub(crate) concurrencies: Vec<u32>,
    /// Whether one vCPU size has several memory sizes.
    pub(crate) with_memory: bool,
    /// Whether any cell is sharded.
    pub(crate) with_shards: bool,
    /// Whether the time of a run is all that is known of its program.
    is_timed_alone: bool,
}

impl Table<'_> {
    /// What stands in it where this metric is asked for: the time of a run, where nothing else is known.
    pub(crate) fn metric(&self, asked: Metric) -> Metric {
        if self.is_timed_alone && asked.is_rate() {
            Metric::FetchTime
        } else {
            asked
        }
    }

    /// How a metric is shown in it.
    pub(crate) fn shown_as(&self, study: &Study, metric: Metric) -> (Scale, String) {
        let (scale, heading) = shown_as(study, metric);
        if self.is_timed_alone && metric == Metric::FetchTime {
            return (scale, TIME_OF_RUN.to_owned());
        }
        (scale, heading)
    }

    /// What its prices are per; `None` for a web server.
    pub(crate) fn per(&self, study: &Study) -> Option<Per> {
        if self.is_timed_alone {
            return Some(Per::RUN);
        }
        Per::of_column(study)
    }

    /// Without the rows and columns in which no cell is wanted.
    pub(crate) fn only(mut self, wanted: impl Fn(Option<&CellReport>) -> bool) -> Self {
        self.rows
            .retain(|row| row.cells.iter().any(|cell| wanted(*cell)));
        let kept: Vec<bool> = (0..self.concurrencies.len())
            .map(|at| self.rows.iter().any(|row| wanted(row.cells[at])))
            .collect();
        let mut is_kept = kept.iter();
        self.concurrencies.retain(|_| is_kept.next() == Some(&true));
        for row in &mut self.rows {
            let mut is_kept = kept.iter();
            row.cells.retain(|_| is_kept.next() == Some(&true));
        }
        self
    }
}

/// One curve.
pub(crate) struct Row<'a> {
    /// Its factors and its knee.
    pub(crate) curve: &'a Curve,
    /// Its mode; for contenders their name, and the mode when they have several. Then its factors.
    pub(crate) label: String,
    /// By the table's concurrencies.
    pub(crate) cells: Vec<Option<&'a CellReport>>,
    /// Price of the tasks at the knee, else at its fastest cell, per what [`Per`] says.
    pub(crate) usd: Option<f64>,
}

impl Row<'_> {
    /// Its knee, and whether it lies at the edge of what was measured.
    pub(crate) fn best_from(&self) -> BestFrom {
        let measured = self
            .cells
            .iter()
            .flatten()
            .filter(|cell| !cell.steady.is_empty());
        let most = measured.map(|cell| cell.cell.concurrency).max();
        match self.curve.knee {
            None => BestFrom::Unknown,
            Some(knee) if Some(knee) == most => BestFrom::AtLeast(knee),
            Some(knee) => BestFrom::Workers(knee),
        }
    }

    /// What groups rows.
    pub(crate) fn size(&self) -> (u32, u32, u32) {
        (
            self.curve.cpu_units,
            self.curve.memory_mib,
            self.curve.shards,
        )
    }
}

/// From how many workers on a row is as fast as its fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BestFrom {
    /// There is no knee.
    Unknown,
    /// At its knee.
    Workers(u32),
    /// The knee is the most that was measured, so it may lie higher.
    AtLeast(u32),
}

/// What of a cell a table shows.
pub(crate) type Choose<'a> = &'a dyn Fn(Option<&CellReport>) -> Shown;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown {
    /// There is no such cell, or nobody knows the value.
    Nothing,
    /// Every repetition failed.
    Failed,
    /// A figure.
    Figure {
        /// Its median, in base units.
        value: f64,
        /// Its interval.
        interval: Option<Interval>,
        /// `~` as fast as the fastest of its row, `!` some repetitions failed, `C` and `F` the cheapest and the fastest, `c` and `f` what is as good.
        marks: String,
        /// Whether it is the cheapest or the fastest.
        is_chosen: bool,
    },
}

/// One table for each client of parfetch, the first one with the contenders, which come first; one for each contender where they ran alone, and for each whose
/// time alone is known.
pub(crate) fn tables(study: &Study) -> Vec<Table<'_>> {
    let mut programs: Vec<&Program> = Vec::new();
    for cell in &study.cells {
        if !programs.contains(&&cell.cell.program) {
            programs.push(&cell.cell.program);
        }
    }
    let (clients, contenders): (Vec<&Program>, Vec<&Program>) = programs
        .into_iter()
        .partition(|program| program.is_parfetch());
    let (timed, contenders): (Vec<&Program>, Vec<&Program>) = contenders
        .into_iter()
        .partition(|program| is_timed_alone(study, program));
    let groups: Vec<Vec<&Program>> = match clients.split_first() {
        Some((first, rest)) => {
            let first = contenders.into_iter().chain([*first]).collect();
            std::iter::once(first)
                .chain(rest.iter().map(|client| vec![*client]))
                .collect()
        }
        None => contenders
            .into_iter()
            .map(|contender| vec![contender])
            .collect(),
    };
    timed
        .into_iter()
        .map(|program| vec![program])
        .chain(groups)
        .filter_map(|programs| table(study, &programs))
        .collect()
}

fn is_timed_alone(study: &Study, program: &Program) -> bool {
    let mut cells = study.cells.iter();
    cells.any(|report| report.cell.program == *program && report.is_timed_alone())
}

fn table<'a>(study: &'a Study, programs: &[&'a Program]) -> Option<Table<'a>> {
    let per = Per::of(study);
    let place = |program: &Program| programs.iter().position(|other| *other == program);
    let mut curves: Vec<&Curve> = study
        .curves
        .iter()
        .filter(|curve| place(&curve.program).is_some())
        .collect();
    curves.sort_by_key(|curve| {
        (
            curve.cpu_units,
            curve.memory_mib,
            curve.shards,
            place(&curve.program),
            mode_order(study, curve),
        )
    });
    let of_curve = |curve: &&'a Curve| {
        curve
            .cells
            .iter()
            .filter_map(|place| study.cells.get(*place))
            .collect::<Vec<_>>()
    };
    let concurrencies: BTreeSet<u32> = curves
        .iter()
        .flat_map(of_curve)
        .map(|cell| cell.cell.concurrency)
        .collect();
    let concurrencies: Vec<u32> = concurrencies.into_iter().collect();
    let rows: Vec<Row<'_>> = curves
        .iter()
        .map(|curve| {
            let found = of_curve(curve);
            let cells = concurrencies
                .iter()
                .map(|at| {
                    found
                        .iter()
                        .copied()
                        .find(|cell| cell.cell.concurrency == *at)
                })
                .collect();
            Row {
                curve,
                label: label(curve, &study.curves),
                cells,
                usd: usd(curve, (&found, per)),
            }
        })
        .collect();
    let sizes: BTreeSet<(u32, u32)> = curves
        .iter()
        .map(|curve| (curve.cpu_units, curve.memory_mib))
        .collect();
    let vcpus: BTreeSet<u32> = sizes.iter().map(|size| size.0).collect();
    let with_shards = curves.iter().any(|curve| curve.shards > 1);
    (!curves.is_empty()).then(|| Table {
        programs: programs.to_vec(),
        is_timed_alone: programs
            .iter()
            .all(|program| is_timed_alone(study, program)),
        with_memory: sizes.len() > vcpus.len(),
        with_shards,
        concurrencies,
        rows,
    })
}

/// Modes in the order of the cells: the first cell of a curve says where it belongs.
fn mode_order(study: &Study, curve: &Curve) -> usize {
    curve
        .cells
        .iter()
        .copied()
        .min()
        .unwrap_or(study.cells.len())
}

fn label(curve: &Curve, all: &[Curve]) -> String {
    let factors = if curve.factors.is_empty() {
        String::new()
    } else {
        format!(" · {}", escape::terminal(&curve.factors.to_string()))
    };
    let Program::Contender(name) = &curve.program else {
        return format!("{}{factors}", curve.mode);
    };
    let modes: BTreeSet<&str> = all
        .iter()
        .filter(|other| other.program == curve.program)
        .map(|other| other.mode.as_str())
        .collect();
    let name = short(name);
    if modes.len() > 1 {
        format!("{name} {}{factors}", curve.mode)
    } else {
        format!("{name}{factors}")
    }
}

/// A name that does not push a table apart. It is escaped here, since it is cut by what is seen of it.
fn short(name: &str) -> String {
    console::truncate_str(&escape::terminal(name), NAME, "…").into_owned()
}

fn usd(curve: &Curve, (cells, per): (&[&CellReport], Per)) -> Option<f64> {
    let knee = cells
        .iter()
        .find(|cell| Some(cell.cell.concurrency) == curve.knee);
    // A web server has no throughput of bytes, and some programs have a time alone.
    let rate = |cell: &CellReport| {
        if cell.is_timed_alone() {
            return Some(-cell.figure(Metric::FetchTime)?.median);
        }
        let bytes = cell.figure(Metric::Throughput);
        Some(bytes.or(cell.figure(Metric::RequestsPerS))?.median)
    };
    let measured = cells.iter().filter_map(|cell| Some((cell, rate(cell)?)));
    let fastest = measured.max_by(|(_, one), (_, other)| one.total_cmp(other));
    per.tasks(knee.or(fastest.map(|(cell, _)| cell))?)
}

/// What stands in a cell of a metric's table. The marks belong to what configurations are compared by: the throughput, or the time where it is all that is known.
pub(crate) fn shown(study: &Study, cell: Option<&CellReport>, metric: Metric) -> Shown {
    let Some(cell) = cell else {
        return Shown::Nothing;
    };
    let Some(figure) = cell.figure(metric) else {
        return if cell.observations.is_empty() && cell.has_failures() {
            Shown::Failed
        } else {
            Shown::Nothing
        };
    };
    let is_rate = metric.is_rate() || (metric == Metric::FetchTime && cell.is_timed_alone());
    let place = study
        .cells
        .iter()
        .position(|other| std::ptr::eq(other, cell));
    let of_answer = place
        .filter(|_| is_rate)
        .map_or_else(AnswerMark::default, |place| answer_mark(study, place));
    let mut marks = String::new();
    if is_rate && cell.is_as_fast {
        marks.push(AS_FAST);
    }
    if cell.has_failures() {
        marks.push('!');
    }
    marks.push_str(&of_answer.letters);
    Shown::Figure {
        value: figure.median,
        interval: figure.interval,
        marks,
        is_chosen: !of_answer.chosen.is_empty(),
    }
}

/// Marks what is as fast as the fastest of its row.
pub(crate) const AS_FAST: char = '~';

/// What the letters of the answer mean, of those that these marks have.
pub(crate) fn letters_mean(marks: &str) -> impl Iterator<Item = &'static str> + '_ {
    let all = [
        ('C', "C cheapest"),
        ('c', "c as good as C"),
        ('F', "F fastest"),
        ('f', "f as good as F"),
    ];
    all.into_iter()
        .filter(move |(letter, _)| marks.contains(*letter))
        .map(|(_, what)| what)
}

/// What [`AS_FAST`] means beside these marks: two rules, which need not agree.
pub(crate) fn as_fast_means(marks: &str) -> String {
    let unlike = if marks.contains(['c', 'f']) {
        "; c and f compare the whole bucket, in all rows"
    } else {
        ""
    };
    format!("{AS_FAST} as fast as the fastest of its row (no measurable difference{unlike})")
}

/// What the marks mean, of those that tables of these metrics have.
pub(crate) fn legend(study: &Study, metrics: &[Metric]) -> Vec<String> {
    let mut parts = Vec::new();
    let is_of_rate = metrics.iter().any(|metric| metric.is_rate());
    let places = 0..study.cells.len();
    let letters: String = places
        .filter(|_| is_of_rate)
        .map(|place| answer_mark(study, place).letters)
        .collect();
    parts.extend(letters_mean(&letters).map(str::to_owned));
    if is_of_rate && study.cells.iter().any(|cell| cell.is_as_fast) {
        parts.push(as_fast_means(&letters));
    }
    if study.cells.iter().any(CellReport::has_failures) {
        let (failed, all) = (
            study.facts.failures,
            study.facts.failures + study.facts.observations,
        );
        let fetched = ["objects", "requests"][usize::from(study.workload.http.is_some())];
        parts.push(format!(
            "! failed runs or {fetched} ({} of {} failed)",
            units::count(failed),
            number::plural(all, "run")
        ));
    }
    parts
}
