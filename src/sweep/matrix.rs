//! From the factors of a plan to its cells, and the order in which their repetitions run. Pure.

use std::collections::HashSet;

use crate::cell::{Cell, Program};
use crate::plan::Mode;
use crate::plan::factors::SERVER;
use crate::results::record::RepetitionAmount;

use super::factors::{combinations, concurrencies, modes};
use super::plan::SweepPlan;

/// One repetition to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Which cell.
    pub cell: Cell,
    /// From 1; 0 is a warm-up, which does not count.
    pub repetition: u32,
    /// Place in the order, from 0.
    pub position: u32,
    /// How much of the key list it fetches; none = as the plan says.
    pub amount: Option<RepetitionAmount>,
}

/// Every combination of the factors over these sizes (CPU units, MiB), in the order in which tables show them.
pub fn cells(plan: &SweepPlan, sizes: &[(u32, u32)]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for program in programs(plan) {
        let modes = modes(plan, &program);
        let concurrencies = concurrencies(plan, &program);
        let combinations = combinations(plan, &program);
        for (cpu_units, memory_mib) in sizes {
            for factors in &combinations {
                let of_factors = Cell {
                    program: program.clone(),
                    cpu_units: *cpu_units,
                    memory_mib: *memory_mib,
                    mode: Mode::Async,
                    concurrency: 1,
                    shards: 1,
                    factors: factors.clone(),
                };
                cells.extend(workers(&plan.shards, (&modes, &concurrencies), &of_factors));
            }
        }
    }
    cells
}

/// Every number of workers and shards in every mode, all else as in this cell.
fn workers(shards: &[u32], (modes, concurrencies): (&[Mode], &[u32]), cell: &Cell) -> Vec<Cell> {
    let mut cells = Vec::new();
    for mode in modes {
        for shards in shards {
            for concurrency in concurrencies {
                cells.push(Cell {
                    mode: *mode,
                    concurrency: *concurrency,
                    shards: *shards,
                    ..cell.clone()
                });
            }
        }
    }
    cells
}

/// Every program of a plan: parfetch's clients, then the contenders.
pub fn programs(plan: &SweepPlan) -> impl Iterator<Item = Program> {
    let clients = plan.client.iter().map(|client| Program::Client(*client));
    let contenders = plan.contender.iter();
    clients.chain(contenders.map(|contender| Program::Contender(contender.name.clone())))
}

/// What one warm-up stands for: a program, and a server.
pub(super) type WarmUp<'a> = (&'a Program, Option<&'a str>);

/// The warm-up of a cell.
pub(super) fn warm_up(cell: &Cell) -> WarmUp<'_> {
    (&cell.program, cell.factors.get(SERVER))
}

/// The cells that warm up: the first of each program with each server.
pub(super) fn warmed_up(cells: &[Cell]) -> impl Iterator<Item = &Cell> {
    let mut warmed: Vec<WarmUp<'_>> = Vec::new();
    cells.iter().filter(move |&cell| {
        let is_first = !warmed.contains(&warm_up(cell));
        if is_first {
            warmed.push(warm_up(cell));
        }
        is_first
    })
}

/// The order of all repetitions: a warm-up of each program with each server, then block by block (every cell once), each block in a random order of its own. So what
/// drifts over the hours of a sweep touches all cells alike. The same seed gives the same order.
///
/// Only `fitting` cells are run; places are counted over all of the plan, so that they stay the same when more or fewer cells fit another day.
pub fn order((cells, fitting): (&[Cell], &[Cell]), repeat: u32, seed: u64) -> Vec<Planned> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut all: Vec<(Cell, u32)> = warmed_up(fitting).map(|cell| (cell.clone(), 0)).collect();
    for repetition in 1..=repeat {
        let mut block = cells.to_vec();
        random.shuffle(&mut block);
        all.extend(block.into_iter().map(|cell| (cell, repetition)));
    }
    let planned = (0..)
        .zip(all)
        .map(|(position, (cell, repetition))| Planned {
            cell,
            repetition,
            position,
            amount: None,
        });
    let fitting: HashSet<&Cell> = fitting.iter().collect();
    planned
        .filter(|planned| fitting.contains(&planned.cell))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::ClientKind;
    use crate::sweep::plan::{Contender, ServerProgram};

    fn plan() -> SweepPlan {
        let contender = Contender {
            name: "python".to_owned(),
            command: "python3 x.py".to_owned(),
            mode: vec![Mode::Thread, Mode::Process],
            ..Contender::default()
        };
        SweepPlan {
            client: vec![ClientKind::Lean],
            concurrency: vec![1, 4],
            contender: vec![contender],
            ..SweepPlan::default()
        }
    }

    #[test]
    fn every_combination_is_a_cell_once() {
        let cells = cells(&plan(), &[(512, 1024), (1024, 2048)]);
        // lean: 2 sizes x 3 modes x 2; python: 2 sizes x 2 modes x 2.
        assert_eq!(cells.len(), 12 + 8);
        assert_eq!(cells.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!(cells[0].slug(), "lean-0.5vcpu-1024mib-async-x1");
        assert_eq!(
            cells.last().unwrap().slug(),
            "python-1vcpu-2048mib-process-x4"
        );
    }

    #[test]
    fn each_program_warms_up_with_each_server() {
        let server = |name: &str| ServerProgram {
            name: name.to_owned(),
            command: "serve {port}".to_owned(),
            environment: std::collections::BTreeMap::new(),
        };
        let plan = SweepPlan {
            server: vec![server("one"), server("two")],
            ..plan()
        };
        let cells = cells(&plan, &[(512, 1024)]);
        let warm: Vec<String> = warmed_up(&cells)
            .map(|cell| format!("{} {}", cell.program.name(), cell.factors))
            .collect();
        let expected = [
            "lean server one",
            "lean server two",
            "python server one",
            "python server two",
        ];
        assert_eq!(warm, expected);
    }

    #[test]
    fn every_block_holds_every_cell_once_in_an_order_of_its_own() {
        let cells = cells(&plan(), &[(512, 1024)]);
        let order = order((&cells, &cells), 6, 7);
        let warm: Vec<_> = order
            .iter()
            .filter(|planned| planned.repetition == 0)
            .map(|planned| planned.cell.program.name())
            .collect();
        assert_eq!(warm, ["lean", "python"]);
        assert_eq!(order.len(), 2 + 6 * 10);
        let blocks: Vec<Vec<&Cell>> = order[2..]
            .chunks(10)
            .map(|block| block.iter().map(|planned| &planned.cell).collect())
            .collect();
        for block in &blocks {
            assert_eq!(block.iter().collect::<BTreeSet<_>>().len(), 10);
        }
        assert!(
            blocks.windows(2).all(|pair| pair[0] != pair[1]),
            "ten cells come in the same order once in 3.6 million"
        );
        assert!(
            order
                .iter()
                .zip(0..)
                .all(|(planned, position)| planned.position == position)
        );
    }

    #[test]
    fn what_does_not_fit_leaves_the_places_of_the_others() {
        let cells = cells(&plan(), &[(512, 1024), (8_192, 16_384)]);
        let small: Vec<Cell> = cells
            .iter()
            .filter(|cell| cell.cpu_units == 512)
            .cloned()
            .collect();
        let (whole, part) = (order((&cells, &cells), 2, 7), order((&cells, &small), 2, 7));
        assert_eq!(part.len(), 2 + 2 * 10);
        let kept: Vec<_> = whole
            .into_iter()
            .filter(|planned| planned.cell.cpu_units == 512)
            .collect();
        assert_eq!(part, kept);
    }

    #[test]
    fn the_seed_decides_the_order() {
        let cells = cells(&plan(), &[(512, 1024)]);
        assert_eq!(order((&cells, &cells), 3, 7), order((&cells, &cells), 3, 7));
        assert_ne!(order((&cells, &cells), 3, 7), order((&cells, &cells), 3, 8));
    }
}
