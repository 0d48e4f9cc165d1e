//! The matrix of one metric, aligned: of each configuration the interval of its median from low to high, with marks behind it; the median alone where there is
//! none. Intervals of medians are rarely symmetric, so half of one behind `±` would say what is not so.

use super::page::TextPage;
use super::table::{Align, Column, GAP, Text, blocks};
use super::view::Role;
use crate::analysis::metric::{Better, Metric};
use crate::analysis::model::{CellReport, Interval, Study};
use crate::escape::terminal;
use crate::render::wording::matrix::{
    self as wording, BestFrom, Choose, Row, Shown, Table, shown, tables,
};
use crate::render::wording::number::{self, Scale, UNKNOWN};
use crate::render::wording::price::shown_as;
use crate::render::wording::{answer, speed_ups};
use crate::units;
use crate::wrap::columns as width;

/// When a number of workers counts as as fast as the fastest, for those who ask for everything.
pub(super) const KNEE_RULE: &str = "~ is a rate within 2 % of the row's fastest, or within 5 % (noisy rows: up to 15 %) and not significantly slower. Best from, the \
                                    knee, is the fewest workers with ~. The price is at the knee, else of the fastest.";

/// The tables of a metric, one for each client; of a metric that nobody knows, a line that says so.
pub(super) fn of_metric(page: &mut TextPage<'_>, study: &Study, metric: Metric) {
    let mut is_known = false;
    for table in tables(study) {
        let shows = table.metric(metric);
        let (scale, heading) = table.shown_as(study, shows);
        let cell = |cell: Option<&CellReport>| shown(study, cell, shows);
        // The first table says of each cell whether it failed, also when all did.
        if !metric.is_rate() && !has_figures(&table, &cell) {
            continue;
        }
        is_known = true;
        page.heading(&terminal(&title(&table, (shows, &heading))));
        let last = if metric.is_rate() {
            last_columns(study, &table)
        } else {
            Vec::new()
        };
        print(page, &table, (scale, &cell), &last);
    }
    if !is_known {
        page.gap();
        page.line(format!(
            "{}: not known of any configuration",
            units::upper_first(&shown_as(study, metric).1)
        ));
    }
}

fn has_figures(table: &Table<'_>, cell: Choose<'_>) -> bool {
    table
        .rows
        .iter()
        .flat_map(|row| &row.cells)
        .any(|found| matches!(cell(*found), Shown::Figure { .. }))
}

fn title(table: &Table<'_>, (metric, heading): (Metric, &str)) -> String {
    let figures = || {
        table
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().flatten())
            .filter_map(|cell| cell.figure(metric))
    };
    let runs: Vec<usize> = figures().map(|figure| figure.n).collect();
    let of = match (runs.iter().min(), runs.iter().max()) {
        (Some(few), Some(many)) if few == many => {
            format!("median of {}", number::plural(*few as u64, "run"))
        }
        (Some(few), Some(many)) => format!("medians of {few} to {many} runs"),
        _ => "no run ended well".to_owned(),
    };
    let interval = if figures().any(|figure| figure.interval.is_some()) {
        "95 % interval of the "
    } else {
        ""
    };
    let lower = if metric.better() == Better::Lower {
        ", lower is better"
    } else {
        ""
    };
    let programs: Vec<String> = table
        .programs
        .iter()
        .map(|program| answer::program(program))
        .collect();
    format!(
        "{}: {interval}{of}, {}{lower}",
        units::upper_first(heading),
        programs.join(" and ")
    )
}

/// Ratios of times, as tables of the same form, without the rows and columns that have none.
pub(super) fn speed_ups(page: &mut TextPage<'_>, study: &Study) {
    for found in speed_ups::speed_ups(study) {
        page.heading(&terminal(&found.title));
        print(
            page,
            &found.table,
            (Scale::RATIO, &|cell| found.of(cell)),
            &[],
        );
    }
}

/// The head of the column of knees, in two lines.
const BEST: &str = "best";
const FROM: &str = "from";

/// How an interval is written: with its ends below each other, where the whole table then fits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EndsOfInterval {
    Aligned,
    Close,
}

/// `last` stands behind the last block.
fn print(
    page: &mut TextPage<'_>,
    table: &Table<'_>,
    (scale, cell): (Scale, Choose<'_>),
    last: &[Column],
) {
    let labels = labels(table);
    let of =
        |ends: EndsOfInterval| blocks(&labels, &columns(table, (scale, ends), cell), last, page);
    let aligned = of(EndsOfInterval::Aligned);
    let blocks = if aligned.len() == 1 {
        aligned
    } else {
        of(EndsOfInterval::Close)
    };
    let before: usize = labels.iter().map(|label| label.width() + GAP).sum();
    for (number, block) in blocks.into_iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        page.line(above(before, block.first().map_or("", String::as_str)));
        for line in block {
            page.line(line);
        }
    }
}

/// What stands above the heads: what the numbers are, and the first word of `best from`, whose column is narrow then.
fn above(before: usize, heads: &str) -> String {
    let line = format!("{}workers", " ".repeat(before));
    match heads.rfind(FROM) {
        Some(at) => {
            let end = width(&heads[..at + FROM.len()]);
            // The last block may have nothing else.
            let line = if width(&line) + 2 + width(BEST) > end {
                String::new()
            } else {
                line
            };
            format!(
                "{line}{}{BEST}",
                " ".repeat(end.saturating_sub(width(&line) + width(BEST)))
            )
        }
        None => line,
    }
}

/// vCPU, memory, shards and mode; a size is named in its first row alone.
fn labels(table: &Table<'_>) -> Vec<Column> {
    let mut sizes = Vec::new();
    let is_first: Vec<bool> = table
        .rows
        .iter()
        .map(|row| {
            let is_new = sizes.last() != Some(&row.size());
            sizes.push(row.size());
            is_new
        })
        .collect();
    let column = |head: &str, value: &dyn Fn((u32, u32, u32)) -> String| {
        let cells = sizes.iter().zip(&is_first).map(|(size, is_first)| {
            if *is_first {
                value(*size)
            } else {
                String::new()
            }
        });
        Column::of(head, Align::Right, cells.collect::<Vec<_>>())
    };
    let mut labels = vec![column("vCPUs", &|size| number::vcpu(size.0))];
    if table.with_memory {
        labels.push(column("GB", &|size| number::memory(size.1)));
    }
    if table.with_shards {
        labels.push(column("shards", &|size| size.2.to_string()));
    }
    labels.push(Column::of(
        "mode",
        Align::Left,
        table.rows.iter().map(|row| row.label.clone()),
    ));
    labels
}

/// One column for each number of workers.
fn columns(
    table: &Table<'_>,
    (scale, ends): (Scale, EndsOfInterval),
    cell: Choose<'_>,
) -> Vec<Column> {
    let of = |(place, concurrency): (usize, &u32)| {
        let cells: Vec<Shown> = table
            .rows
            .iter()
            .map(|row| cell(row.cells.get(place).copied().flatten()))
            .collect();
        column(
            &units::count(u64::from(*concurrency)),
            &cells,
            (scale, ends),
        )
    };
    table.concurrencies.iter().enumerate().map(of).collect()
}

/// Lays out the cells of a column so that their parts stand under each other.
fn column(head: &str, cells: &[Shown], (scale, ends): (Scale, EndsOfInterval)) -> Column {
    let values = cells.iter().filter_map(|cell| match cell {
        Shown::Figure { value, .. } => Some(scale.apply(*value)),
        Shown::Nothing | Shown::Failed => None,
    });
    let intervals = || {
        cells.iter().filter_map(|cell| match cell {
            Shown::Figure { interval, .. } => *interval,
            Shown::Nothing | Shown::Failed => None,
        })
    };
    let decimals = number::decimals(
        values,
        intervals().map(|interval| scale.apply(interval.half_width())),
    );
    let fixed = |value: f64, of: Option<&Interval>| {
        let half = of.map(|interval| scale.apply(interval.half_width()));
        units::fixed(number::certain(scale.apply(value), half), decimals)
    };
    let widest = |end: fn(&Interval) -> f64| {
        intervals()
            .map(|interval| width(&fixed(end(&interval), Some(&interval))))
            .max()
            .unwrap_or(0)
    };
    let (low_width, high_width) = if ends == EndsOfInterval::Aligned {
        (widest(|found| found.low), widest(|found| found.high))
    } else {
        (0, 0)
    };
    let dash = if ends == EndsOfInterval::Aligned {
        " – "
    } else {
        "–"
    };
    let mark_width = cells
        .iter()
        .map(|cell| {
            if let Shown::Figure { marks, .. } = cell {
                width(marks)
            } else {
                0
            }
        })
        .max()
        .unwrap_or(0);
    let lay = |cell: &Shown| match cell {
        Shown::Nothing => Text::from(format!("{UNKNOWN}{}", " ".repeat(mark_width))),
        Shown::Failed => Text {
            text: format!("!{}", " ".repeat(mark_width.saturating_sub(1))),
            role: Some(Role::Failed),
        },
        Shown::Figure {
            value,
            interval,
            marks,
            is_chosen,
        } => {
            let text = match interval {
                Some(of) => format!(
                    "{:>low_width$}{dash}{:>high_width$}",
                    fixed(of.low, Some(of)),
                    fixed(of.high, Some(of))
                ),
                None => fixed(*value, None),
            };
            let failed = marks.contains('!').then_some(Role::Failed);
            Text {
                text: format!("{text}{marks:<mark_width$}"),
                role: is_chosen.then_some(Role::Best).or(failed),
            }
        }
    };
    // The head stands above the values' end, marks apart.
    Column {
        head: format!("{head}{}", " ".repeat(mark_width)),
        cells: cells.iter().map(lay).collect(),
        align: Align::Right,
    }
}

fn last_columns(study: &Study, table: &Table<'_>) -> Vec<Column> {
    let best_from = table.rows.iter().map(|row| match row.best_from() {
        BestFrom::Unknown => UNKNOWN.to_owned(),
        BestFrom::Workers(workers) => units::count(u64::from(workers)),
        BestFrom::AtLeast(workers) => format!("{}+", units::count(u64::from(workers))),
    });
    let decimals = number::decimals(
        table.rows.iter().filter_map(|row| row.usd),
        std::iter::empty(),
    );
    let usd = table.rows.iter().map(|row| {
        row.usd
            .map_or_else(|| UNKNOWN.to_owned(), |usd| units::fixed(usd, decimals))
    });
    let mut columns = vec![Column::of(FROM, Align::Right, best_from)];
    let per = table.per(study);
    columns.extend(per.map(|per| Column::of(per.short, Align::Right, usd)));
    columns
}

/// What the marks mean, of those that the tables of these metrics hold.
pub(super) fn legend(page: &mut TextPage<'_>, study: &Study, metrics: &[Metric]) {
    let is_of_rate = metrics.iter().any(|metric| metric.is_rate());
    let mut parts = wording::legend(study, metrics);
    let tables = tables(study);
    let rows = || tables.iter().flat_map(|table| &table.rows);
    if rows().any(|row| row.cells.iter().any(Option::is_none)) {
        parts.push("– not run or not known".to_owned());
    }
    if !is_of_rate {
        return page.paragraph("", &parts.join(" · "), 2);
    }
    let best_from: Vec<BestFrom> = rows().map(Row::best_from).collect();
    if best_from.iter().any(|found| *found != BestFrom::Unknown) {
        parts.push("best from: the fewest workers with ~ (the knee)".to_owned());
    }
    let most = best_from.iter().filter_map(|found| match found {
        BestFrom::AtLeast(workers) => Some(*workers),
        BestFrom::Unknown | BestFrom::Workers(_) => None,
    });
    if let Some(workers) = most.max() {
        parts.push(format!(
            "{}+: the most that were measured, more may be faster",
            units::count(u64::from(workers))
        ));
    }
    let mut legends: Vec<String> = tables
        .iter()
        .filter(|table| table.rows.iter().any(|row| row.usd.is_some()))
        .filter_map(|table| Some(table.per(study)?.legend(study)))
        .collect();
    legends.dedup();
    parts.extend(legends);
    page.paragraph("", &parts.join(" · "), 2);
}
