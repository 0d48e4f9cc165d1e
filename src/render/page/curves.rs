//! The charts of a client's configurations: throughput against workers, the best of each size, speed against price.

use std::collections::BTreeSet;

use super::charts::{AtAxis, ChartLine, Point, Spec, round};
use super::text::{median, short, size_label, size_tick, vcpus, worker_label};
use super::types::{Client, ClientRole, PageCell, PageData, PageSize, PageStanding};
use crate::units::count;

/// A line of a client's charts, before its points are known.
pub(super) struct LineKey<'a> {
    /// As the legend says it.
    pub(super) label: String,
    /// Name of its colour and dashes.
    pub(super) style: String,
    client: &'a Client,
    mode: &'a str,
}

impl LineKey<'_> {
    fn grey(&self) -> bool {
        self.style.starts_with('g')
    }
}

/// Colour and dashes of a mode; what is none of parfetch's modes is grey.
pub(super) fn mode_style(mode: &str, grey: usize) -> String {
    match mode {
        "async" | "thread" | "process" => mode.to_owned(),
        _ => format!("g{}", grey % 4),
    }
}

/// The modes of a client: parfetch's own first, then others by name.
pub(super) fn modes(client: &Client) -> Vec<&str> {
    let found: BTreeSet<&str> = client.cells.iter().map(|cell| cell.mode.as_str()).collect();
    let own = ["async", "thread", "process"];
    let mut out: Vec<&str> = own
        .iter()
        .copied()
        .filter(|mode| found.contains(mode))
        .collect();
    out.extend(found.into_iter().filter(|mode| !own.contains(mode)));
    out
}

/// Which lines of other programs stand in grey behind those of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GreyLines {
    /// Every contender, behind parfetch's own clients; a contender has a scale of its own.
    Contenders,
    /// parfetch's own first client, behind a contender: what could be reached.
    Yardstick,
}

/// The lines of a client's charts: its modes, and those behind them.
pub(super) fn line_keys<'a>(
    page: &'a PageData,
    client: &'a Client,
    behind: GreyLines,
) -> Vec<LineKey<'a>> {
    let mut keys: Vec<LineKey<'a>> = Vec::new();
    for (i, mode) in modes(client).into_iter().enumerate() {
        keys.push(LineKey {
            label: mode.to_owned(),
            style: mode_style(mode, i),
            client,
            mode,
        });
    }
    let of_role = |role: ClientRole| page.clients.iter().filter(move |other| other.role == role);
    let others: Vec<&Client> = match (client.role, behind) {
        (ClientRole::Own, _) => of_role(ClientRole::Contender).collect(),
        (ClientRole::Contender, GreyLines::Contenders) => Vec::new(),
        (ClientRole::Contender, GreyLines::Yardstick) => of_role(ClientRole::Own).take(1).collect(),
    };
    // What is in another unit has no place on the scale.
    let pairs = others
        .into_iter()
        .filter(|other| other.rate_unit == client.rate_unit)
        .flat_map(|other| modes(other).into_iter().map(move |mode| (other, mode)));
    for (i, (other, mode)) in pairs.enumerate() {
        keys.push(LineKey {
            label: format!("{} {mode}", other.name),
            style: format!("g{}", i % 4),
            client: other,
            mode,
        });
    }
    keys
}

/// Every concurrency of these cells, ascending.
pub(super) fn concurrencies<'a>(cells: impl Iterator<Item = &'a PageCell>) -> Vec<u64> {
    cells
        .map(|cell| cell.concurrency)
        .collect::<BTreeSet<u64>>()
        .into_iter()
        .collect()
}

/// Throughput against concurrency at one size; `None` when nothing was measured there, or at one concurrency alone.
pub(super) fn panel(
    page: &PageData,
    (client, behind): (&Client, GreyLines),
    size: usize,
) -> Option<Spec> {
    let keys = line_keys(page, client, behind);
    let places = concurrencies(keys.iter().flat_map(|key| key.client.cells.iter()));
    let at = |key: &LineKey<'_>, place: u64| {
        key.client
            .cells
            .iter()
            .find(|cell| cell.size == size && cell.mode == key.mode && cell.concurrency == place)
            .and_then(point)
    };
    let lines: Vec<ChartLine> = keys
        .iter()
        .filter_map(|key| line(key, places.iter().map(|place| at(key, *place)).collect()))
        .collect();
    let own = client
        .cells
        .iter()
        .any(|cell| cell.size == size && cell.throughput.is_some());
    let titles = places
        .iter()
        .map(|place| format!("{} workers", count(*place)))
        .collect();
    let is_curve = lines
        .iter()
        .any(|line| line.points.iter().flatten().count() > 1);
    (own && is_curve).then(|| Spec::Lines {
        x: places.iter().map(u64::to_string).collect(),
        titles,
        x_name: "workers",
        lines,
    })
}

/// The best cell of each mode at each size; `None` with fewer than two sizes.
pub(super) fn best_of_each(page: &PageData, client: &Client) -> Option<Spec> {
    let sizes: BTreeSet<usize> = client
        .cells
        .iter()
        .map(|cell| cell.size)
        .filter(|size| *size < page.sizes.len())
        .collect();
    let at = |key: &LineKey<'_>, size: usize| {
        key.client
            .cells
            .iter()
            .find(|cell| cell.size == size && cell.mode == key.mode && cell.best_of_mode)
            .and_then(point)
    };
    let keys = line_keys(page, client, GreyLines::Contenders);
    let lines = keys
        .iter()
        .filter_map(|key| line(key, sizes.iter().map(|size| at(key, *size)).collect()))
        .collect();
    let x = sizes
        .iter()
        .map(|size| size_tick(page, &page.sizes[*size]))
        .collect();
    let titles = sizes
        .iter()
        .map(|size| size_label(&page.sizes[*size]))
        .collect();
    (sizes.len() > 1).then_some(Spec::Lines {
        x,
        titles,
        x_name: "vCPUs",
        lines,
    })
}

fn line(key: &LineKey<'_>, points: Vec<AtAxis>) -> Option<ChartLine> {
    let any = points.iter().any(Option::is_some);
    any.then(|| ChartLine {
        label: key.label.clone(),
        style: key.style.clone(),
        named: key.grey(),
        points,
    })
}

fn point(cell: &PageCell) -> AtAxis {
    let rate = cell.throughput.filter(|rate| rate.median.is_finite())?;
    Some((
        round(rate.median),
        rate.range.map(|(low, _)| round(low)),
        rate.range.map(|(_, high)| round(high)),
    ))
}

/// The highest rate of a size, in words: `highest 89 MB/s, async × 32`.
pub(super) fn best_words(client: &Client, size: usize) -> Option<String> {
    let best = client
        .cells
        .iter()
        .find(|cell| cell.size == size && cell.standing == PageStanding::Highest)?;
    Some(format!(
        "highest {} {}, {}",
        best.throughput
            .map_or_else(|| median(None), |rate| short(rate.median)),
        best.rate_unit.as_str(),
        worker_label(best)
    ))
}

/// Speed against price; `None` when fewer than two configurations have both.
pub(super) fn price(page: &PageData, client: &Client) -> Option<Spec> {
    let styles: Vec<(&str, String)> = modes(client)
        .into_iter()
        .enumerate()
        .map(|(i, mode)| (mode, mode_style(mode, i)))
        .collect();
    let mut points = Vec::new();
    for (i, cell) in client.cells.iter().enumerate() {
        let (Some(usd), Some(rate), Some(size)) =
            (cell.usd, cell.throughput, page.sizes.get(cell.size))
        else {
            continue;
        };
        if !(usd.is_finite() && usd > 0.0 && rate.median.is_finite()) {
            continue;
        }
        points.push(Point {
            style: styles
                .iter()
                .find(|(mode, _)| *mode == cell.mode)
                .map_or_else(String::new, |(_, style)| style.clone()),
            usd: round(usd),
            mb_s: round(rate.median),
            label: format!("{}, {}", size_label(size), worker_label(cell)),
            front: client.front.contains(&i),
            chosen: chosen_words(page, size, cell),
        });
    }
    (points.len() > 1).then(|| Spec::Price {
        points,
        unit: client.price_unit.clone(),
    })
}

/// `Cheapest: 1 vCPU, async × 16`
fn chosen_words(page: &PageData, size: &PageSize, cell: &PageCell) -> String {
    if cell.chosen.is_empty() {
        return String::new();
    }
    let is_memory_told = page
        .sizes
        .iter()
        .any(|other| other.vcpu == size.vcpu && other.memory != size.memory);
    let memory = size
        .memory
        .as_ref()
        .filter(|_| is_memory_told)
        .map_or_else(String::new, |memory| format!(", {memory}"));
    format!(
        "{}: {}{memory}, {}",
        cell.chosen,
        vcpus(&size.vcpu),
        worker_label(cell)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_of_parfetch_come_first() {
        let cell = |mode: &str| PageCell {
            mode: mode.to_owned(),
            ..PageCell::default()
        };
        let client = Client {
            cells: vec![cell("asyncio"), cell("process"), cell("async")],
            ..Client::default()
        };
        assert_eq!(modes(&client), ["async", "process", "asyncio"]);
        assert_eq!(mode_style("process", 7), "process");
        assert_eq!(mode_style("asyncio", 5), "g1");
    }
}
