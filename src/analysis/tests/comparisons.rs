//! How often a comparison raises an alarm where nothing changed, and finds what did, over sweeps of a model: independent noise, another day, noise that
//! lasts, drift; two sweeps at two times, and two programs of one sweep.

use std::fmt::Write;

use super::scenarios::reading;
use crate::analysis::{Change, Comparison, Metric, Study, compare, compare_programs, studies};
use crate::cell::{Cell, Program};
use crate::model::{AskedSweep, Law, Model, RunAmount, simulate};
use crate::plan::{ClientKind, Mode};
use crate::price::PriceList;
use crate::render::comparison_warnings;
use crate::stats::family::holm;
use crate::stats::rank::mann_whitney;

/// Pairs of sweeps of each kind in the whole table, and in an ordinary run of the tests.
const PAIRS: u64 = 100;
const FEW: u64 = 6;

/// What is compared.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    noise: &'static str,
    sigma: f64,
    /// By how much longer everything takes in the second sweep.
    day: f64,
    /// By how much longer mode process takes in it, as another program in the same sweep.
    process: f64,
    cells: &'static [u32],
    interleaved: bool,
}

impl Kind {
    fn slower(&self, mode: Mode) -> f64 {
        match mode {
            Mode::Process => self.process,
            Mode::Async | Mode::Thread => 1.0,
        }
    }
}

const MANY: &[u32] = &[1_024, 2_048, 4_096];
const ONE_SIZE: &[u32] = &[1_024];

const SAME: Kind = Kind {
    name: "",
    noise: "iid",
    sigma: 0.05,
    day: 1.0,
    process: 1.0,
    cells: MANY,
    interleaved: false,
};

const KINDS: [Kind; 13] = [
    Kind {
        name: "A/A, independent noise of 1 %",
        sigma: 0.01,
        ..SAME
    },
    Kind {
        name: "A/A, independent noise of 5 %",
        ..SAME
    },
    Kind {
        name: "A/A, independent noise of 15 %, 6 cells",
        sigma: 0.15,
        cells: ONE_SIZE,
        ..SAME
    },
    Kind {
        name: "A/A, outliers",
        noise: "outliers",
        ..SAME
    },
    Kind {
        name: "A/A, drift of 15 % in each",
        noise: "drift",
        sigma: 0.02,
        ..SAME
    },
    Kind {
        name: "A/A, a day's difference of 2 %",
        day: 1.02,
        sigma: 0.01,
        ..SAME
    },
    Kind {
        name: "A/A, a day's difference of 2 %, 6 cells",
        day: 1.02,
        sigma: 0.01,
        cells: ONE_SIZE,
        ..SAME
    },
    Kind {
        name: "A/A, noise that lasts",
        noise: "ar1",
        ..SAME
    },
    Kind {
        name: "A/A, noise that lasts, 6 cells",
        noise: "ar1",
        cells: ONE_SIZE,
        ..SAME
    },
    Kind {
        name: "A/A in one sweep, independent noise",
        interleaved: true,
        ..SAME
    },
    Kind {
        name: "A/A in one sweep, noise that lasts",
        noise: "ar1",
        interleaved: true,
        ..SAME
    },
    Kind {
        name: "A/A in one sweep, noise that lasts, 6 cells",
        noise: "ar1",
        interleaved: true,
        cells: ONE_SIZE,
        ..SAME
    },
    Kind {
        name: "A/A in one sweep, drift of 15 %",
        noise: "drift",
        sigma: 0.02,
        interleaved: true,
        ..SAME
    },
];

const CHANGES: [Kind; 4] = [
    Kind {
        name: "processes 15 % slower, at two times",
        sigma: 0.02,
        process: 1.15,
        ..SAME
    },
    Kind {
        name: "processes 15 % slower, 2 % between days",
        sigma: 0.02,
        process: 1.15,
        day: 1.02,
        ..SAME
    },
    Kind {
        name: "processes 15 % slower, drift, in one sweep",
        noise: "drift",
        sigma: 0.02,
        process: 1.15,
        interleaved: true,
        ..SAME
    },
    Kind {
        name: "all 10 % slower, at two times",
        sigma: 0.02,
        day: 1.1,
        ..SAME
    },
];

fn law(kind: Kind, number: u64, process: f64) -> Law {
    let Kind { noise, sigma, .. } = kind;
    let mut text = format!(
        "seed = {number}\n[noise]\nkind = \"{noise}\"\nsigma = {sigma}\n[bucket]\nobjects = 4000\nsigma = 0.3\n"
    );
    write!(
        text,
        "[mode]\nfactor = {{ async = 1.0, thread = 0.99, process = {} }}\n",
        1.01 / process
    )
    .unwrap();
    for program in ["old", "new"] {
        write!(
            text,
            "[program.{program}]\nrequest_s = {{ async = 3e-4, thread = 3e-4, process = 3e-4 }}\n"
        )
        .unwrap();
    }
    Law::new(Model::parse(&text).unwrap())
}

fn cells(kind: Kind, programs: &[Program]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for program in programs {
        for cpu_units in kind.cells {
            for mode in Mode::ALL {
                let cell = |concurrency| Cell {
                    program: program.clone(),
                    cpu_units: *cpu_units,
                    memory_mib: 2 * cpu_units,
                    mode,
                    concurrency,
                    shards: 1,
                    factors: crate::plan::Factors::default(),
                };
                cells.extend([4, 32].map(cell));
            }
        }
    }
    cells
}

fn sweep(law: &Law, id: &str, cells: Vec<Cell>, (seed, day): (u64, f64)) -> Vec<Study> {
    let asked = AskedSweep {
        id: id.to_owned(),
        cells,
        repetitions: 6,
        amount: RunAmount::Objects(1_000),
        seed,
        day,
    };
    studies(reading(simulate(law, &asked)), &PriceList::built_in())
}

fn comparison(kind: Kind, number: u64) -> Comparison {
    if !kind.interleaved {
        let cells = || cells(kind, &[Program::Client(ClientKind::Lean)]);
        let base = sweep(&law(kind, number, 1.0), "base", cells(), (2 * number, 1.0));
        let new = sweep(
            &law(kind, number, kind.process),
            "new",
            cells(),
            (2 * number + 1, kind.day),
        );
        return compare(&base, &new, Metric::Throughput);
    }
    let programs = ["old", "new"].map(|name| Program::Contender(name.to_owned()));
    let mut documents = simulate(
        &law(kind, number, 1.0),
        &AskedSweep {
            id: "both".to_owned(),
            cells: cells(kind, &programs),
            repetitions: 6,
            amount: RunAmount::Objects(1_000),
            seed: number,
            day: 1.0,
        },
    );
    for document in &mut documents {
        let Cell { program, mode, .. } = &document.record.cell;
        let slower = kind.slower(*mode);
        if program.name() == "new"
            && slower > 1.0
            && let Some(result) = &mut document.record.contender
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "nanoseconds of a run"
            )]
            let fetch_ns = (result.fetch_ns as f64 * slower) as u64;
            result.fetch_ns = fetch_ns;
        }
    }
    let both = studies(reading(documents), &PriceList::built_in());
    compare_programs((&both, &both), ("old", "new"), Metric::Throughput)
}

/// Whether 0.1.0 would have raised an alarm: the test of the values alone.
fn alarmed_before(found: &Comparison) -> bool {
    let p: Vec<f64> = found
        .cells
        .iter()
        .map(|cell| mann_whitney(&cell.base.values, &cell.new.values).unwrap().p)
        .collect();
    holm(&p).into_iter().any(|p| p <= found.alpha)
}

fn is_alarm(found: &Comparison) -> bool {
    found
        .cells
        .iter()
        .any(|cell| matches!(cell.change, Change::Better | Change::Worse))
}

fn says_time(found: &Comparison) -> bool {
    let said = comparison_warnings(found);
    let says = |part: &str| said.iter().any(|text| text.contains(part));
    says("different times") && says("--programs")
}

fn share(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

/// All comparisons of a kind, two threads at a time.
fn comparisons(kind: Kind, pairs: u64) -> Vec<Comparison> {
    std::thread::scope(|scope| {
        let half = |from: u64| {
            move || {
                (from..pairs)
                    .step_by(2)
                    .map(|number| comparison(kind, number))
                    .collect::<Vec<_>>()
            }
        };
        let threads = [scope.spawn(half(0)), scope.spawn(half(1))];
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn hold(pairs: u64, slack: f64) {
    println!(
        "{:<46} {:>7} {:>7} {:>7} {:>9}",
        "nothing changed", "0.1.0", "alarm", "said", "to reach"
    );
    for kind in KINDS {
        let found = comparisons(kind, pairs);
        let count = |of: fn(&Comparison) -> bool| {
            share(found.iter().filter(|found| of(found)).count(), found.len())
        };
        let (before, now, said) = (count(alarmed_before), count(is_alarm), count(says_time));
        println!(
            "{:<46} {:>6.1}% {:>6.1}% {:>6.1}% {:>9}",
            kind.name,
            before * 100.0,
            now * 100.0,
            said * 100.0,
            "<= 5 %"
        );
        assert!(now <= 0.05 + slack, "{}: {now}", kind.name);
        assert!(
            kind.interleaved || said >= 1.0,
            "{}: time is not said in all",
            kind.name
        );
    }
    for kind in CHANGES {
        let found = comparisons(kind, pairs);
        let is_found = |found: &Comparison| {
            let is_slower = |mode: Mode| kind.slower(mode) > 1.0;
            let of = |cell: &crate::analysis::Compared| {
                (cell.change == Change::Worse) == is_slower(cell.cell.mode)
            };
            found.cells.iter().filter(|cell| of(cell)).count()
        };
        let right = share(
            found.iter().map(is_found).sum(),
            found.iter().map(|found| found.cells.len()).sum(),
        );
        let alike = share(
            found
                .iter()
                .filter(|found| {
                    found
                        .overall
                        .as_ref()
                        .is_some_and(|overall| overall.moved_alike)
                })
                .count(),
            found.len(),
        );
        println!(
            "{:<46} cells right {:>5.1} %, moved alike {:>5.1} %",
            kind.name,
            right * 100.0,
            alike * 100.0
        );
        assert!(right >= 0.95 - slack, "{}: {right}", kind.name);
        assert!(
            kind.process > 1.0 || alike >= 0.95 - slack,
            "{}: {alike}",
            kind.name
        );
    }
}

#[test]
#[ignore = "thousands of sweeps take minutes unoptimised: cargo test --lib analysis::tests::comparisons -- --ignored --nocapture"]
fn the_whole_table() {
    hold(PAIRS, 0.0);
}

#[test]
fn a_few_pairs_of_each_kind() {
    hold(FEW, 0.3);
}
