//! The law: how many objects a second a configuration fetches, and what limits it.

use super::effects::ByMode;
use super::file::{BucketModel, ListedOrder, Model};
use super::noise::Random;
use crate::cell::{Cell, Program};
use crate::plan::Mode;
#[cfg(any(test, feature = "fixtures"))]
use crate::stats::strata::Strata;

/// Most answers of a run that say «too fast».
const MOST_REFUSED: f64 = 0.4;
/// Doublings to 512 workers.
const DOUBLINGS: f64 = 9.0;
/// Share of a listing's keys of one page, and the time of a page.
const PAGE: (f64, f64) = (1_000.0, 0.08);
/// Pages that are asked for at a time.
const PAGES_AT_ONCE: f64 = 8.0;

/// What each thing by itself would let through, in objects a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimits {
    /// The connections of all workers.
    pub connection: f64,
    /// The task's network.
    pub network: f64,
    /// Its vCPU.
    pub cpu: f64,
    /// The store's limit of requests.
    pub store: f64,
    /// The program's lock.
    pub serial: f64,
}

impl RateLimits {
    /// The lowest, and the lowest of the others.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn lowest_two(&self) -> (f64, f64) {
        let mut all = [
            self.connection,
            self.network,
            self.cpu,
            self.store,
            self.serial,
        ];
        all.sort_by(f64::total_cmp);
        (all[0], all[1])
    }
}

/// How a configuration fetches objects of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Objects a second that are fetched well.
    pub objects_per_s: f64,
    /// Share of the answers that say «too fast».
    pub refused: f64,
    /// CPU seconds of an object.
    pub cpu_s: f64,
    /// What limits it.
    pub limits: RateLimits,
}

/// What a program needs of a processor.
struct Needs {
    request_s: f64,
    byte_s: f64,
    per_worker: f64,
    usable: f64,
    serial_s: f64,
}

/// A model, ready to answer.
#[derive(Clone, Debug)]
pub struct Law {
    pub(super) model: Model,
    /// Bytes of the objects before each place of the listing, and of all.
    pub(super) sums: Vec<f64>,
}

fn of_mode(values: ByMode, mode: Mode) -> f64 {
    match mode {
        Mode::Async => values.r#async,
        Mode::Thread => values.thread,
        Mode::Process => values.process,
    }
}

/// A size as the file's tables name it.
fn name_of(cell: &Cell) -> String {
    cell.vcpu().to_string()
}

impl Law {
    /// Draws the sizes of the bucket.
    pub fn new(model: Model) -> Self {
        let mut random = Random::new(model.seed);
        let mut sum = 0.0;
        let mut sums = vec![0.0];
        sums.extend(sizes(&model.bucket, &mut random).into_iter().map(|size| {
            sum += size;
            sum
        }));
        Self { model, sums }
    }

    /// The same law over a random sample of the objects.
    #[cfg(any(test, feature = "fixtures"))]
    #[must_use]
    pub fn sampled(&self, objects: u64, seed: u64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sizes are whole bytes"
        )]
        let sizes = || {
            self.sums
                .windows(2)
                .map(|pair| Some((pair[1] - pair[0]) as u64))
        };
        let mut strata = Strata::default();
        sizes().for_each(|size| strata.add(size));
        let mut draw = strata.draw(objects, seed);
        let mut sums = vec![0.0];
        for size in sizes().filter(|size| draw.takes(*size)) {
            sums.push(sums[sums.len() - 1] + size.unwrap_or(0) as f64);
        }
        Self {
            model: self.model.clone(),
            sums,
        }
    }

    /// The same law over the same objects in a random order.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Self {
        let mut sizes: Vec<f64> = self.sizes().collect();
        Random::new(seed).shuffle(&mut sizes);
        let mut sums = vec![0.0];
        for size in sizes {
            sums.push(sums[sums.len() - 1] + size);
        }
        Self {
            model: self.model.clone(),
            sums,
        }
    }

    /// Sizes of the objects, in the order of the listing.
    pub fn sizes(&self) -> impl Iterator<Item = f64> + '_ {
        self.sums.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// Its file.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Objects of the bucket.
    pub fn objects(&self) -> u64 {
        (self.sums.len() - 1) as u64
    }

    /// Bytes of the bucket.
    pub fn bytes(&self) -> f64 {
        self.sums[self.sums.len() - 1]
    }

    /// Bytes a second that the network of a task carries for as long as it runs.
    pub fn network(&self, cell: &Cell) -> f64 {
        let network = &self.model.network;
        let factor = network.by_size.get(&name_of(cell)).copied().unwrap_or(1.0);
        network.bytes_per_s * cell.vcpu().powf(network.exponent) * factor
    }

    fn needs(&self, cell: &Cell) -> Needs {
        let cpu = &self.model.cpu;
        let program = match &cell.program {
            Program::Contender(name) => self.model.program.get(name).cloned().unwrap_or_default(),
            Program::Client(_) => super::file::ProgramCpu::default(),
        };
        let by_size = cpu
            .usable_by_size
            .get(&name_of(cell))
            .copied()
            .unwrap_or(1.0);
        Needs {
            request_s: of_mode(program.request_s.unwrap_or(cpu.request_s), cell.mode),
            byte_s: program.byte_s.unwrap_or(cpu.byte_s),
            per_worker: program.per_worker.unwrap_or(cpu.per_worker),
            usable: of_mode(program.usable.unwrap_or(cpu.usable), cell.mode) * by_size,
            serial_s: program.serial_s,
        }
    }

    /// The share of its vCPU that a program can use.
    pub fn usable(&self, cell: &Cell) -> f64 {
        self.needs(cell).usable
    }

    /// The rate for objects of this size over a network of so many bytes a second.
    pub fn flow(&self, cell: &Cell, size: f64, network: f64) -> Flow {
        let store = &self.model.store;
        let needs = self.needs(cell);
        let workers = f64::from(cell.concurrency);
        let cpu_s = needs.request_s * (1.0 + needs.per_worker * workers) + needs.byte_s * size;
        let processes = match cell.mode {
            Mode::Process => workers,
            Mode::Async | Mode::Thread => 1.0,
        };
        let limits = RateLimits {
            connection: workers / (store.first_byte_s + size / store.connection_bytes_per_s),
            network: network / size.max(1.0),
            cpu: cell.vcpu() * needs.usable / cpu_s.max(1e-12),
            store: store.max_requests_per_s,
            serial: if needs.serial_s > 0.0 {
                processes / needs.serial_s
            } else {
                f64::INFINITY
            },
        };
        let asked = self.meet(&[limits.connection, limits.network, limits.cpu, limits.serial]);
        let refused = if asked > limits.store {
            (0.5 * (1.0 - limits.store / asked)).min(MOST_REFUSED)
        } else {
            0.0
        };
        let all = self.meet(&[
            limits.connection,
            limits.network,
            limits.cpu,
            limits.serial,
            limits.store,
        ]);
        let mode = &self.model.mode;
        let fallen = 1.0 - mode.fall * (workers.log2() / DOUBLINGS).powi(3);
        let objects_per_s = all
            * (1.0 - self.model.throttle.retreat * refused)
            * of_mode(mode.factor, cell.mode)
            * fallen.max(0.05);
        Flow {
            objects_per_s,
            refused,
            cpu_s,
            limits,
        }
    }

    /// (Σ limit ^ −power) ^ (−1/power), in proportion to the lowest.
    fn meet(&self, limits: &[f64]) -> f64 {
        let lowest = limits.iter().copied().fold(f64::INFINITY, f64::min);
        let power = self.model.corner.power;
        if power.is_infinite() {
            return lowest;
        }
        let sum: f64 = limits
            .iter()
            .map(|limit| (limit / lowest).powf(-power))
            .sum();
        lowest * sum.powf(-1.0 / power)
    }

    /// Seconds from the start of the process to its first request, of starting its workers, and of writing results back.
    pub(super) fn around(&self, cell: &Cell, objects: f64) -> [f64; 3] {
        let each = match cell.mode {
            Mode::Async => 2e-5,
            Mode::Thread => 2e-4,
            Mode::Process => 4e-3,
        };
        [
            self.model.start.start_up_s,
            0.001 + each * f64::from(cell.concurrency),
            0.05 + objects * 2e-6,
        ]
    }

    /// Seconds of listing the bucket.
    pub fn listing_s(&self) -> f64 {
        let (keys, page_s) = PAGE;
        page_s * (1.0 + self.objects() as f64 / keys / PAGES_AT_ONCE)
    }
}

/// Sizes in the order of the listing.
fn sizes(bucket: &BucketModel, random: &mut Random) -> Vec<f64> {
    let draw = |random: &mut Random| {
        if bucket.pareto > 1.0 {
            // Pareto with the mean 1.
            (1.0 - 1.0 / bucket.pareto) * (1.0 - random.uniform()).powf(-1.0 / bucket.pareto)
        } else {
            (bucket.sigma * random.normal() - bucket.sigma * bucket.sigma / 2.0).exp()
        }
    };
    let objects = bucket.objects as usize;
    let mut sizes: Vec<f64> = (0..objects).map(|_| draw(random)).collect();
    match bucket.listed {
        ListedOrder::Random => {}
        ListedOrder::LargeFirst => sizes.sort_by(|one, other| other.total_cmp(one)),
        ListedOrder::SmallFirst => sizes.sort_by(f64::total_cmp),
        ListedOrder::Clustered => {
            for folder in sizes.chunks_mut(objects.div_ceil(bucket.clusters.max(1) as usize)) {
                let factor = (bucket.cluster_sigma * random.normal()).exp();
                for size in folder {
                    *size *= factor;
                }
            }
        }
    }
    let mean = sizes.iter().sum::<f64>() / objects.max(1) as f64;
    sizes
        .into_iter()
        .map(|size| (size / mean * bucket.mean_bytes).round().max(1.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ClientKind;

    fn cell(cpu_units: u32, mode: Mode, concurrency: u32) -> Cell {
        Cell {
            program: Program::Client(ClientKind::Lean),
            cpu_units,
            memory_mib: 2 * cpu_units,
            mode,
            concurrency,
            shards: 1,
            factors: crate::plan::Factors::default(),
        }
    }

    fn law(text: &str) -> Law {
        Law::new(Model::parse(&format!("[bucket]\nobjects = 2000\nsigma = 0.0\n{text}")).unwrap())
    }

    #[track_caller]
    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found - expected).abs() <= relative * expected.abs(),
            "{found} is not {expected}"
        );
    }

    #[test]
    fn each_limit_by_hand() {
        let law = law("[corner]\npower = inf");
        let flow = |cell: &Cell| law.flow(cell, 2.5e6, law.network(cell));
        let one = flow(&cell(1_024, Mode::Async, 1));
        // 1 ÷ (0.02 + 2.5e6 ÷ 9e7).
        close(one.objects_per_s, 1.0 / 0.047_777_8, 1e-6);
        let many = flow(&cell(2_048, Mode::Async, 64));
        // 3e8 × 2^0.7 ÷ 2.5e6.
        close(many.objects_per_s, 3e8 * 2.0_f64.powf(0.7) / 2.5e6, 1e-9);
        close(many.limits.cpu, 2.0 * 0.99 / (2e-5 * 1.032 + 7.5e-4), 1e-9);
        // Twice the least of four equals is a corner of 2^(−1/p).
        let soft = Law {
            model: Model {
                corner: crate::model::Corner { power: 4.0 },
                ..law.model.clone()
            },
            ..law.clone()
        };
        close(soft.meet(&[10.0, 10.0]), 10.0 * 2.0_f64.powf(-0.25), 1e-12);
    }

    #[test]
    fn a_lock_belongs_to_each_process_and_too_many_requests_are_refused() {
        let locked = law("[program.python]\nserial_s = 0.01");
        let python = |mode| Cell {
            program: Program::Contender("python".to_owned()),
            ..cell(8_192, mode, 16)
        };
        close(
            locked.flow(&python(Mode::Thread), 1e5, 1e12).limits.serial,
            100.0,
            1e-12,
        );
        close(
            locked.flow(&python(Mode::Process), 1e5, 1e12).limits.serial,
            1_600.0,
            1e-12,
        );
        let throttled = law("[store]\nmax_requests_per_s = 100.0\n[corner]\npower = inf");
        let flow = throttled.flow(&cell(8_192, Mode::Async, 16), 1e5, 1e12);
        // 16 ÷ 0.0211 asked for 100: half of what is above.
        let asked = 16.0 / (0.02 + 1e5 / 9e7);
        close(
            flow.refused,
            f64::min(0.5 * (1.0 - 100.0 / asked), 0.4),
            1e-9,
        );
        close(flow.objects_per_s, 100.0 * (1.0 - 0.3 * flow.refused), 1e-9);
    }

    #[test]
    fn the_listing_has_the_order_that_is_asked_for_and_the_mean() {
        for listed in ["random", "clustered", "large-first", "small-first"] {
            let law = Law::new(
                Model::parse(&format!("[bucket]\nobjects = 5000\nlisted = \"{listed}\"")).unwrap(),
            );
            close(law.bytes() / 5_000.0, 2.5e6, 1e-6);
            let first = law.sums[500] / 500.0;
            assert!(match listed {
                "large-first" => first > 4e6,
                "small-first" => first < 1.5e6,
                _ => true,
            });
        }
    }
}
