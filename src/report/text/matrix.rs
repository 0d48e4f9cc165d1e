//! The matrix of one metric, aligned: medians on the decimal point with marks behind them, and below each its interval from low to high. Intervals of
//! medians are rarely symmetric, so half of one behind `±` would say what is not so.

use super::page::Page;
use super::table::{Align, Column, Text, blocks, width};
use super::{Emphasis, Role, View};
use crate::escape::terminal;
use crate::report::metric::{Better, Metric};
use crate::report::model::{CellReport, Standing, Study};
use crate::report::wording::matrix::{Shown, Table, shown, speed_up, tables};
use crate::report::wording::number::{self, Scale, UNKNOWN};
use crate::report::wording::sections;
use crate::units;

/// The tables of a metric, one for each client; of a metric that nobody knows, a line that says so.
pub(super) fn of_metric(page: &mut Page<'_>, study: &Study, metric: Metric) {
    let mut is_known = false;
    for table in tables(study) {
        let cell = |cell: Option<&CellReport>| shown(cell, metric);
        // The first table says of each cell whether it failed, also when all did.
        if metric != Metric::Throughput && !has_figures(&table, &cell) {
            continue;
        }
        is_known = true;
        page.heading(&terminal(&title(&table, metric)));
        let columns = columns(&table, Scale::of(metric), &cell);
        let last = if metric == Metric::Throughput { last_columns(&table) } else { Vec::new() };
        print(page, &table, (&columns, &last, with_intervals(&table, &cell)));
    }
    if !is_known {
        page.gap();
        page.line(format!("{}: not known of any cell", number::heading(metric)));
    }
}

fn has_figures(table: &Table<'_>, cell: &dyn Fn(Option<&CellReport>) -> Shown) -> bool {
    table.rows.iter().flat_map(|row| &row.cells).any(|found| matches!(cell(*found), Shown::Figure { .. }))
}

fn title(table: &Table<'_>, metric: Metric) -> String {
    let figures = || table.rows.iter().flat_map(|row| row.cells.iter().flatten()).filter_map(|cell| cell.figure(metric));
    let repetitions: Vec<usize> = figures().map(|figure| figure.n).collect();
    let within = if figures().any(|figure| figure.interval.is_some()) { ", below it its 95 % interval" } else { "" };
    let median = match (repetitions.iter().min(), repetitions.iter().max()) {
        (Some(few), Some(many)) if few == many => format!("median of {many}"),
        (Some(few), Some(many)) => format!("medians of {few} to {many}"),
        _ => "no repetition ended well".to_owned(),
    };
    let what = if table.program.is_parfetch() { "client" } else { "contender" };
    let mut metric_name = number::heading(metric);
    if let Some(first) = metric_name.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let lower = if metric.better() == Better::Lower { " · lower is better" } else { "" };
    format!("{metric_name}: {median}{within} · {what} {}{lower}", table.program.name())
}

/// Ratios of times, as tables of the same form, without the rows and columns that have none.
pub(super) fn speed_ups(page: &mut Page<'_>, study: &Study) {
    for (kind, against, title) in sections::speed_ups(study) {
        page.heading(&terminal(&format!("Speed-up {title}, by worker start + fetch time")));
        let cell = |cell: Option<&CellReport>| speed_up(cell, kind, &against);
        for table in tables(study) {
            let table = table.only(|found| cell(found) != Shown::Nothing);
            if !table.rows.is_empty() {
                print(page, &table, (&columns(&table, Scale::RATIO, &cell), &[], with_intervals(&table, &cell)));
            }
        }
    }
}

/// `last` stands behind the last block.
fn print(page: &mut Page<'_>, table: &Table<'_>, (columns, last, with_intervals): (&[Column], &[Column], bool)) {
    let of_row = |columns: Vec<Column>| -> Vec<Column> { if with_intervals { columns.into_iter().map(spread).collect() } else { columns } };
    let (labels, last) = (of_row(labels(table)), of_row(last.to_vec()));
    for (number, block) in blocks(&labels, columns, &last, page).into_iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        for line in block {
            page.line(line);
        }
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
        let cells = sizes.iter().zip(&is_first).map(|(size, is_first)| if *is_first { value(*size) } else { String::new() });
        Column::of(head, Align::Right, cells.collect::<Vec<_>>())
    };
    let mut labels = vec![column("vCPU", &|size| number::vcpu(size.0))];
    if table.with_memory {
        labels.push(column("GB", &|size| number::memory(size.1)));
    }
    if table.with_shards {
        labels.push(column("shards", &|size| size.2.to_string()));
    }
    labels.push(Column::of("mode", Align::Left, table.rows.iter().map(|row| row.label.clone())));
    labels
}

/// One column a concurrency.
fn columns(table: &Table<'_>, scale: Scale, cell: &dyn Fn(Option<&CellReport>) -> Shown) -> Vec<Column> {
    let with_intervals = with_intervals(table, cell);
    let of = |(place, concurrency): (usize, &u32)| {
        let cells: Vec<Shown> = table.rows.iter().map(|row| cell(row.cells.get(place).copied().flatten())).collect();
        column(&format!("×{concurrency}"), &cells, (scale, with_intervals))
    };
    table.concurrencies.iter().enumerate().map(of).collect()
}

/// Lays out the cells of a column so that their parts stand under each other.
fn column(head: &str, cells: &[Shown], (scale, with_intervals): (Scale, bool)) -> Column {
    let values = cells.iter().filter_map(|cell| match cell {
        Shown::Figure { value, .. } => Some(scale.apply(*value)),
        Shown::Nothing | Shown::Failed => None,
    });
    let half_widths = cells.iter().filter_map(|cell| match cell {
        Shown::Figure { interval, .. } => interval.map(|interval| scale.apply(interval.half_width())),
        Shown::Nothing | Shown::Failed => None,
    });
    let decimals = number::decimals(values, half_widths);
    let fixed = |value: f64| units::fixed(scale.apply(value), decimals);
    let mark_width = cells.iter().map(|cell| if let Shown::Figure { marks, .. } = cell { width(marks) } else { 0 }).max().unwrap_or(0);
    let lay = |cell: &Shown| {
        let (value, marks, role) = match cell {
            Shown::Nothing => (UNKNOWN.to_owned(), "", None),
            Shown::Failed => ("!".to_owned(), "", Some(Role::Failed)),
            Shown::Figure { value, marks, is_best, .. } => {
                let failed = marks.contains('!').then_some(Role::Failed);
                (fixed(*value), *marks, failed.or(is_best.then_some(Role::Best)))
            }
        };
        let interval = match cell {
            Shown::Figure { interval: Some(interval), .. } => format!("{}–{}{}", fixed(interval.low), fixed(interval.high), " ".repeat(mark_width)),
            _ => String::new(),
        };
        let lines = [Text { text: format!("{value}{marks:<mark_width$}"), role }, interval.into()];
        lines.into_iter().take(if with_intervals { 2 } else { 1 })
    };
    let cells: Vec<Text> = cells.iter().flat_map(lay).collect();
    // The head stands above the values' end, marks apart.
    Column { head: format!("{head}{}", " ".repeat(mark_width)), cells, align: Align::Right }
}

/// Whether any cell has an interval, so that every row has a line for them.
fn with_intervals(table: &Table<'_>, cell: &dyn Fn(Option<&CellReport>) -> Shown) -> bool {
    let cells = || table.rows.iter().flat_map(|row| &row.cells);
    cells().any(|found| matches!(cell(*found), Shown::Figure { interval: Some(_), .. }))
}

/// The same column where every row has a second line.
fn spread(mut column: Column) -> Column {
    column.cells = column.cells.into_iter().flat_map(|cell| [cell, Text::default()]).collect();
    column
}

fn last_columns(table: &Table<'_>) -> Vec<Column> {
    let knee = table.rows.iter().map(|row| row.curve.knee.map_or_else(|| UNKNOWN.to_owned(), |knee| units::count(u64::from(knee))));
    let decimals = number::decimals(table.rows.iter().filter_map(|row| row.usd_per_tb), std::iter::empty());
    let usd = table.rows.iter().map(|row| row.usd_per_tb.map_or_else(|| UNKNOWN.to_owned(), |usd| units::fixed(usd, decimals)));
    vec![Column::of("knee", Align::Right, knee), Column::of("$/TB", Align::Right, usd)]
}

/// What the marks mean, of those that a table may hold.
pub(super) fn legend(page: &mut Page<'_>, study: &Study, view: &View<'_>) {
    let mut parts = Vec::new();
    let has = |what: fn(&CellReport) -> bool| study.cells.iter().any(what);
    if view.emphasis == Emphasis::Seen {
        parts.push("bold: best of its program and size".to_owned());
    }
    if has(|cell| matches!(cell.standing, Standing::Indistinguishable { .. })) {
        parts.push("~: no measurable difference from the best".to_owned());
    }
    if has(CellReport::has_failures) {
        parts.push("!: failed runs, see below".to_owned());
    }
    parts.push("–: not run or not known".to_owned());
    parts.push("×16: 16 workers".to_owned());
    let knees = study.curves.iter().filter(|curve| curve.knee.is_some()).count();
    if knees > 0 {
        parts.push(
            "knee: fewest workers as fast as the row's fastest: within 2 %, or within 5 % (noisy rows: up to 15 %) and not significantly slower"
                .to_owned(),
        );
        parts.push("$/TB: at the knee, else of the fastest".to_owned());
    }
    page.paragraph("", &parts.join(" · "), 2);
}
