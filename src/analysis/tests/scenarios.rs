//! Platforms with a known truth: drawn from fixed seeds, over every class of trouble that a report has to see through.

use std::fmt::Write;

use crate::analysis::Reader;
use crate::analysis::read::ReadResults;
use crate::cell::{Cell, Program};
use crate::model::{AskedSweep, Document, Law, Model, RunAmount, simulate};
use crate::plan::{ClientKind, Mode};

/// What is special about a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Connection,
    Network,
    Cpu,
    Mixed,
    Throttled,
    Tail,
    Lock,
    BurstCredit,
    BurstTime,
    BurstRefill,
    Imbalance,
    Clustered,
    Heavy,
    Ordered,
}

impl Class {
    pub(super) const ALL: [Self; 14] = [
        Self::Connection,
        Self::Network,
        Self::Cpu,
        Self::Mixed,
        Self::Throttled,
        Self::Tail,
        Self::Lock,
        Self::BurstCredit,
        Self::BurstTime,
        Self::BurstRefill,
        Self::Imbalance,
        Self::Clustered,
        Self::Heavy,
        Self::Ordered,
    ];

    pub(super) fn is_burst(self) -> bool {
        matches!(
            self,
            Self::BurstCredit | Self::BurstTime | Self::BurstRefill
        )
    }
}

/// A platform and the sweeps that were made on it.
pub(super) struct Scenario {
    pub(super) class: Class,
    pub(super) law: Law,
    pub(super) sweeps: Vec<AskedSweep>,
}

/// Numbers of a scenario, from its seed.
struct Draw(fastrand::Rng);

impl Draw {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// Evenly by factors.
    fn by_factor(&mut self, low: f64, high: f64) -> f64 {
        (self.between(low.ln(), high.ln())).exp()
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.0.usize(..values.len())]
    }

    fn chance(&mut self, of: f64) -> bool {
        self.0.f64() < of
    }
}

impl Scenario {
    /// World `number` of a class.
    pub(super) fn new(class: Class, number: u64) -> Self {
        let mut draw = Draw(fastrand::Rng::with_seed(
            number * 101 + class as u64 * 7_919 + 1,
        ));
        let model = model(class, number, &mut draw);
        let law = Law::new(model);
        let cells = cells(class, &mut draw);
        let sweeps = sweeps(class, &law, &cells, &mut draw);
        Self { class, law, sweeps }
    }

    pub(super) fn documents(&self) -> Vec<Document> {
        self.sweeps
            .iter()
            .flat_map(|asked| simulate(&self.law, asked))
            .collect()
    }
}

/// Reads what a sweep left, without the way over files.
pub(super) fn reading(documents: Vec<Document>) -> ReadResults {
    let mut reader = Reader::default();
    for Document { record, summary } in documents {
        let folder = format!(
            "sweeps/{}/{}/r{:02}-a1",
            record.sweep.id,
            record.cell.slug(),
            record.repetition
        );
        if let Some(summary) = summary {
            reader.summary(&format!("{folder}/{}.json", summary.result_name), summary);
        }
        reader.record(&format!("{folder}/repetition.json"), record);
    }
    reader.finish()
}

/// What differs between classes.
struct Traits {
    bucket: String,
    network: String,
    program: String,
    mean: f64,
    sigma: f64,
    first_byte: f64,
    connection: f64,
    carries: f64,
    request: f64,
    byte: f64,
    store: f64,
    usable: f64,
    last: f64,
}

fn traits(class: Class, draw: &mut Draw) -> Traits {
    let mut traits = Traits {
        bucket: String::new(),
        network: String::new(),
        program: String::new(),
        mean: draw.by_factor(3e5, 8e6),
        sigma: draw.between(0.2, 1.0),
        first_byte: draw.by_factor(0.01, 0.05),
        connection: draw.by_factor(3e7, 1.2e8),
        carries: draw.by_factor(1.5e8, 4e8),
        request: draw.by_factor(1e-5, 6e-5),
        byte: draw.by_factor(1e-10, 6e-10),
        store: draw.by_factor(2e4, 1e5),
        usable: 0.99,
        last: draw.between(1.0, 2.0),
    };
    let Traits {
        bucket,
        network,
        program,
        mean,
        sigma,
        first_byte,
        connection,
        carries,
        request,
        byte,
        store,
        usable,
        last,
    } = &mut traits;
    match class {
        Class::Connection => {
            (*first_byte, *connection, *carries) = (
                draw.by_factor(0.05, 0.3),
                draw.by_factor(1e7, 4e7),
                draw.by_factor(1e9, 3e9),
            );
        }
        Class::Network => (*carries, *byte) = (draw.by_factor(3e7, 1e8), 1e-10),
        Class::Cpu => {
            (*request, *carries, *mean) = (
                draw.by_factor(2e-4, 2e-3),
                draw.by_factor(1e9, 3e9),
                draw.by_factor(5e4, 5e5),
            );
        }
        Class::Throttled => {
            (*store, *mean) = (draw.by_factor(150.0, 1_500.0), draw.by_factor(5e4, 5e5));
        }
        Class::Tail => {
            (*last, *first_byte) = (draw.by_factor(5.0, 60.0), draw.by_factor(0.05, 0.15));
        }
        Class::Imbalance => {
            (*request, *usable, *mean) = (
                draw.by_factor(2e-4, 2e-3),
                draw.between(0.7, 0.93),
                draw.by_factor(5e4, 5e5),
            );
        }
        Class::Clustered => {
            let folders = draw.one_of(&["4", "8", "20"]);
            *bucket = format!(
                "listed = \"clustered\"\nclusters = {folders}\ncluster_sigma = {}\n",
                draw.between(0.4, 1.2)
            );
        }
        Class::Heavy => *bucket = format!("pareto = {}\n", draw.between(1.3, 2.5)),
        Class::Ordered => {
            let order = draw.one_of(&["large-first", "large-first", "small-first"]);
            (*bucket, *sigma) = (format!("listed = \"{order}\"\n"), draw.between(0.4, 1.2));
        }
        Class::Lock => {
            let serial = draw.by_factor(5e-4, 5e-3);
            *program = format!(
                "[program.python]\nserial_s = {serial}\nrequest_s = {{ async = 1e-3, thread = 1e-3, process = 1.1e-3 }}\n"
            );
        }
        Class::BurstCredit | Class::BurstTime | Class::BurstRefill => {
            let burst = ["credit", "time", "refill"][class as usize - Class::BurstCredit as usize];
            *carries = draw.by_factor(4e7, 1.2e8);
            let (lasts, refill) = (draw.between(60.0, 240.0), draw.between(10.0, 60.0));
            *network = format!(
                "burst = \"{burst}\"\nburst_factor = {}\nburst_s = {lasts}\nrefill_s = {refill}\n",
                draw.between(2.0, 8.0)
            );
        }
        Class::Mixed => {}
    }
    traits
}

/// A file as a person would write it, so that the reading of files is in the test too.
fn model(class: Class, number: u64, draw: &mut Draw) -> Model {
    let noise = draw.one_of(&[0.01, 0.03, 0.05, 0.1, 0.15]);
    let kind = ["iid", "ar1", "outliers", "drift", "iid"][usize::try_from(number % 5).unwrap()];
    let second = draw.between(0.01, 0.08);
    let power = draw.one_of(&["4.0", "8.0", "12.0", "30.0", "inf"]);
    let modes = [draw.between(0.97, 1.03), draw.between(0.97, 1.03)];
    let fall = if draw.chance(0.3) {
        draw.between(0.0, 0.3)
    } else {
        0.0
    };
    let Traits {
        bucket,
        network,
        program,
        mean,
        sigma,
        first_byte,
        connection,
        carries,
        request,
        byte,
        store,
        usable,
        last,
    } = traits(class, draw);
    let sizes = ["0.5", "1", "2", "4", "8"]
        .map(|size| format!("\"{size}\" = {}", (0.1 * (draw.between(-1.7, 1.7))).exp()))
        .join(", ");
    let mut text = format!("seed = {}\n", number * 31 + class as u64);
    write!(text, "[noise]\nkind = \"{kind}\"\nsigma = {noise}\nsecond = {second}\n[corner]\npower = {power}\n").unwrap();
    write!(
        text,
        "[mode]\nfactor = {{ async = 1.0, thread = {}, process = {} }}\nfall = {fall}\n",
        modes[0], modes[1]
    )
    .unwrap();
    write!(
        text,
        "[bucket]\nobjects = 20000\nmean_bytes = {mean}\nsigma = {sigma}\n{bucket}"
    )
    .unwrap();
    write!(text, "[store]\nfirst_byte_s = {first_byte}\nconnection_bytes_per_s = {connection}\nmax_requests_per_s = {store}\n").unwrap();
    write!(
        text,
        "last_fetch = {last}\nlast_fetch_sigma = {}\n",
        draw.between(0.05, 0.4)
    )
    .unwrap();
    write!(
        text,
        "[network]\n{network}bytes_per_s = {carries}\nexponent = {}\nby_size = {{ {sizes} }}\n",
        draw.between(0.3, 1.3)
    )
    .unwrap();
    let (thread, process) = (
        request * draw.between(1.0, 1.4),
        request * draw.between(1.0, 1.6),
    );
    write!(text, "[cpu]\nrequest_s = {{ async = {request}, thread = {thread}, process = {process} }}\nbyte_s = {byte}\n").unwrap();
    writeln!(text, "per_worker = {}", draw.by_factor(1e-4, 1e-3)).unwrap();
    writeln!(
        text,
        "usable = {{ async = {usable}, thread = {usable}, process = {usable} }}"
    )
    .unwrap();
    write!(
        text,
        "usable_by_size = {{ \"0.5\" = {} }}\n[start]\n",
        draw.between(0.85, 1.0)
    )
    .unwrap();
    write!(text, "pull_s = {}\n{program}", draw.between(5.0, 40.0)).unwrap();
    Model::parse(&text).unwrap()
}

fn cells(class: Class, draw: &mut Draw) -> Vec<Cell> {
    let sizes = draw.one_of(&[
        &[512, 1_024, 2_048, 4_096][..],
        &[1_024, 2_048, 4_096, 8_192],
        &[512, 1_024, 4_096],
    ]);
    let workers = draw.one_of(&[
        &[1, 4, 16, 64, 256][..],
        &[2, 8, 32, 128],
        &[1, 2, 4, 8, 16, 32],
        &[4, 16, 64, 128, 256],
    ]);
    let mut programs = vec![Program::Client(ClientKind::Lean)];
    if class == Class::Lock {
        programs.push(Program::Contender("python".to_owned()));
    }
    let mut cells = Vec::new();
    for program in programs {
        for cpu_units in sizes {
            for mode in Mode::ALL {
                let cell = |concurrency: &u32| Cell {
                    program: program.clone(),
                    cpu_units: *cpu_units,
                    memory_mib: 2 * cpu_units,
                    mode,
                    concurrency: *concurrency,
                    shards: 1,
                    factors: crate::plan::Factors::default(),
                };
                cells.extend(workers.iter().map(cell));
            }
        }
    }
    cells
}

/// One sweep; where there are bursts, either of long runs, or of short ones and one long run of each size besides.
fn sweeps(class: Class, law: &Law, cells: &[Cell], draw: &mut Draw) -> Vec<AskedSweep> {
    let asked = |id: &str, cells: Vec<Cell>, repetitions, amount| AskedSweep {
        id: id.to_owned(),
        cells,
        repetitions,
        amount,
        seed: 11,
        day: 1.0,
    };
    let lasts = law.model().network.burst_s;
    if class.is_burst() && draw.chance(0.5) {
        return vec![asked(
            "sweep",
            cells.to_vec(),
            6,
            RunAmount::Seconds(lasts * draw.between(1.2, 2.0)),
        )];
    }
    // So that the middle of all cells takes 20 to 60 s, and most runs end in reasonable time.
    let mut rates: Vec<f64> = cells
        .iter()
        .map(|cell| law.objects() as f64 / law.whole(cell).fetch_s)
        .collect();
    rates.sort_by(f64::total_cmp);
    let wanted = rates[rates.len() / 2] * draw.between(20.0, 60.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "far below"
    )]
    let objects = (wanted as u64).clamp(100, law.objects() / 2);
    let mut sweeps = vec![asked(
        "sweep",
        cells.to_vec(),
        6,
        RunAmount::Objects(objects),
    )];
    if class.is_burst() {
        let most = cells.iter().map(|cell| cell.concurrency).max().unwrap();
        let long = cells
            .iter()
            .filter(|cell| cell.mode == Mode::Async && cell.concurrency == most)
            .cloned()
            .collect();
        sweeps.push(asked("long", long, 1, RunAmount::Seconds(lasts * 1.5)));
    }
    sweeps
}
