//! The heat matrix: every configuration's throughput as a table, shaded by its share of the best of its size.

use super::curves::{concurrencies, modes};
use super::tables::failed_words;
use super::text::{median, range, short, size_label, worker_label};
use super::types::{Client, PageCell, PageData, PageSize, PageStanding};
use crate::render::wording::matrix::{AS_FAST, as_fast_means, letters_mean};
use crate::render::wording::number::UNKNOWN;
use crate::units::count;
use maud::{Markup, html};

/// Shades from 0 to 100 %.
const SHADES: [u8; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/// The table with its key.
pub(super) fn matrix(page: &PageData, client: &Client) -> Markup {
    let columns = concurrencies(client.cells.iter());
    let modes = modes(client);
    let letters = client
        .cells
        .iter()
        .map(|cell| written(cell).chars().count() + marks(cell).chars().count())
        .max()
        .unwrap_or(0);
    let knees = client.cells.iter().any(|cell| cell.knee);
    let answered: String = client.cells.iter().map(|cell| cell.mark.as_str()).collect();
    html! {
        p.pf-scale {
            span { "0 %" }
            @for shade in SHADES { span.pf-swatch.{ "pf-h" (shade) } {} }
            span { "100 % of the highest of that size" }
        }
        div.pf-scroll.pf-rows tabindex="0" role="region" aria-label={ "Throughput of every configuration, client " (client.name) } {
            table.pf-matrix style={ "--pf-columns:" (columns.len()) ";--pf-letters:" (letters) } {
                caption.pf-hidden { "Throughput in " (client.rate_unit.as_str()) " by container size, mode and workers, client " (client.name) }
                thead {
                    tr {
                        th.pf-first scope="col" { "Size" }
                        th.pf-second scope="col" { "Mode" }
                        @for column in &columns { th.pf-number scope="col" { (count(*column)) } }
                        @if knees { th.pf-knee scope="col" { "Best from" } }
                    }
                }
                @for (index, size) in page.sizes.iter().enumerate() {
                    @let modes: Vec<_> = modes.iter().filter(|mode| was_run(client, index, mode)).collect();
                    @if !modes.is_empty() {
                        tbody {
                            @for (row, mode) in modes.iter().enumerate() {
                                tr {
                                    @if row == 0 { th.pf-size scope="rowgroup" rowspan=(modes.len()) { (unbroken(size)) } }
                                    th scope="row" { (mode) }
                                    @for column in &columns { (heat(find(client, index, mode, *column))) }
                                    @if knees { td.pf-knee { (knee(client, index, mode)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
        p.pf-key {
            @for words in letters_mean(&answered) {
                @let (letter, what) = words.split_at(1);
                span { @if words.starts_with(char::is_uppercase) { span.pf-sample.pf-best { (letter) } } @else { b { (letter) } } (what) }
            }
            @if client.cells.iter().any(|cell| cell.as_fast) {
                @let words = as_fast_means(&answered);
                @let (sign, what) = words.split_at(AS_FAST.len_utf8());
                span { b { (sign) } (what) }
            }
            @if knees { span { "Best from: the fewest workers with " (AS_FAST) " (the knee); + the most that were measured" } }
            @if client.cells.iter().any(|cell| marks(cell).contains('!')) { span { b { "!" } " failed runs or " (client.rate_unit.fetched()) } }
            span { b { (UNKNOWN) } " not run" }
        }
    }
}

fn find<'a>(client: &'a Client, size: usize, mode: &str, concurrency: u64) -> Option<&'a PageCell> {
    client
        .cells
        .iter()
        .find(|cell| cell.size == size && cell.mode == mode && cell.concurrency == concurrency)
}

/// A row without a figure says nothing.
fn was_run(client: &Client, size: usize, mode: &str) -> bool {
    client
        .cells
        .iter()
        .any(|cell| cell.size == size && cell.mode == mode)
}

fn knee(client: &Client, size: usize, mode: &str) -> String {
    let at = client
        .cells
        .iter()
        .find(|cell| cell.size == size && cell.mode == mode && cell.knee);
    let of_row =
        |cell: &&PageCell| cell.size == size && cell.mode == mode && cell.throughput.is_some();
    let measured = client.cells.iter().filter(of_row);
    let most = measured.map(|cell| cell.concurrency).max();
    at.map_or_else(
        || UNKNOWN.to_owned(),
        |cell| {
            let edge = if Some(cell.concurrency) == most {
                "+"
            } else {
                ""
            };
            format!("{}{edge}", count(cell.concurrency))
        },
    )
}

fn heat(cell: Option<&PageCell>) -> Markup {
    let missing = html! { td.pf-cell.pf-none { (UNKNOWN) span.pf-hidden { " not run" } } };
    let Some(cell) =
        cell.filter(|cell| cell.throughput.is_some() || cell.standing == PageStanding::Failed)
    else {
        return missing;
    };
    // The rate of a cell with failures is not comparable: it stays without a shade.
    let comparable = cell
        .share_of_best
        .filter(|_| cell.standing != PageStanding::Failed);
    let shade = comparable.map_or_else(String::new, |part| format!(" pf-h{}", step(part)));
    let title = format!(
        "{}: {} {}, interval {}",
        worker_label(cell),
        median(cell.throughput),
        cell.rate_unit.as_str(),
        range(cell.throughput)
    );
    let class = match cell.standing {
        PageStanding::Missing => return missing,
        PageStanding::Failed => " pf-failed",
        _ if cell.chosen.is_empty() => "",
        PageStanding::Highest | PageStanding::Measured => " pf-best",
    };
    let marks = marks(cell);
    let words = [
        (cell.as_fast, "as fast as the fastest of its row".to_owned()),
        (marks.contains('!'), failed_words(cell).unwrap_or_default()),
        (!cell.chosen.is_empty(), cell.chosen.to_lowercase()),
        (marks.contains('c'), "as cheap as the cheapest".to_owned()),
        (
            marks.contains('f'),
            "as fast as the fastest of all".to_owned(),
        ),
    ];
    let words: Vec<String> = words
        .into_iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, words)| words)
        .collect();
    html! {
        td class={ "pf-cell" (class) (shade) } title=(title) {
            (written(cell))
            @if !marks.is_empty() { span.pf-mark { (marks) } }
            @if !words.is_empty() { span.pf-hidden { " " (words.join(", ")) } }
        }
    }
}

/// The size, so that no line of it starts with a unit of memory.
fn unbroken(size: &PageSize) -> String {
    let memory = size
        .memory
        .as_ref()
        .map(|memory| memory.replace(' ', "\u{a0}"));
    size_label(&PageSize {
        memory,
        ..size.clone()
    })
}

/// The cell's number; none is written where there is none.
fn written(cell: &PageCell) -> String {
    cell.throughput
        .map_or_else(String::new, |rate| short(rate.median))
}

/// What stands behind the number.
fn marks(cell: &PageCell) -> String {
    let signs = [(cell.as_fast, AS_FAST), (failed_words(cell).is_some(), '!')];
    let signs = signs.into_iter().filter(|(is_so, _)| *is_so);
    signs
        .map(|(_, sign)| sign)
        .chain(cell.mark.chars())
        .collect()
}

/// The shade of a share: nine equal steps, the whole in the last.
fn step(share: f64) -> usize {
    (1..SHADES.len())
        .rev()
        .find(|step| share * SHADES.len() as f64 >= *step as f64)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_are_nine_equal_steps() {
        assert_eq!(
            [0.0, 0.11, 0.112, 0.5, 0.88, 0.89, 1.0, 1.2].map(step),
            [0, 0, 1, 4, 7, 8, 8, 8]
        );
        assert_eq!(step(f64::NAN), 0);
    }
}
