//! What runs showed, and what follows from it without any law: medians, bursts by size, what the tasks do besides fetching.

use super::space::Space;
use crate::plan::Mode;
use crate::stats::location::median;

/// Seconds of the longest run that looks for the end of a burst.
pub(super) const SOAK_S: f64 = 900.0;
/// A rate this much above the sustained one uses a burst's credit.
const ABOVE: f64 = 1.02;

/// A rate this much above the one after a drop uses the credit for certain.
const CLEARLY: f64 = 0.1;
/// How much longer than to a drop a run lasts in which it would have been seen.
const SEEN_AFTER_S: f64 = 15.0;

/// A run that is slower than this share of what is usual says nothing of a burst.
const AS_USUAL: f64 = 0.75;

/// How much of its processor a run needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuUse {
    /// Logarithm of the seconds of an object.
    pub log_s: f64,
    /// Share of the vCPU that was used.
    pub share: f64,
}

/// The end of a burst, as a run saw it. Rates are objects a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenDrop {
    /// Seconds after the start of the fetches.
    pub at_s: f64,
    /// Rate until then.
    pub before: f64,
    /// Rate from then on.
    pub after: f64,
}

/// What one run showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunSeen {
    /// Which configuration.
    pub config: usize,
    /// Logarithm of objects a second while every worker was busy, before any drop.
    pub log_rate: f64,
    /// Logarithm of the mean size of what it fetched over that of the bucket.
    pub log_bytes: f64,
    /// Seconds of fetching.
    pub fetch_s: f64,
    /// Of them the tail.
    pub tail_s: f64,
    /// What it used of its vCPU.
    pub cpu: Option<CpuUse>,
    /// Share of the answers that said «too fast».
    pub throttled: f64,
    /// The end of a burst in it.
    pub drop: Option<SeenDrop>,
    /// Whether it was to show the end of a burst, and lasted as long.
    pub is_soak: bool,
    /// Seconds of starting its workers.
    pub worker_start_s: f64,
    /// Seconds besides fetching, listing and starting workers.
    pub around_s: f64,
    /// Of them, or beyond them, what is billed only.
    pub pull_s: f64,
}

/// All runs so far.
#[derive(Clone, Debug)]
pub(super) struct SeenRuns {
    pub(super) runs: Vec<RunSeen>,
    pub(super) by_config: Vec<Vec<usize>>,
    /// The longest run of each size that saw no drop.
    soaked_s: Vec<f64>,
    /// Drops by size.
    pub(super) drops: Vec<Vec<SizeDrop>>,
    /// Seconds that an ordinary run is to last.
    run_s: f64,
    /// Configurations that cannot run.
    unable: Vec<bool>,
    failed: usize,
}

/// A drop that holds for its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SizeDrop {
    pub(super) config: usize,
    /// Rate after it over the rate before it, of the same run: a slow run is slow before and after.
    pub(super) fell: f64,
    /// The rate after it.
    after: f64,
    /// Objects above the rate after it, until it ended.
    pub(super) credit: f64,
}

impl SeenRuns {
    pub(super) fn new(space: &Space, run_s: f64) -> Self {
        Self {
            run_s,
            unable: vec![false; space.len()],
            failed: 0,
            runs: Vec::new(),
            by_config: vec![Vec::new(); space.len()],
            soaked_s: vec![0.0; space.sizes.len()],
            drops: vec![Vec::new(); space.sizes.len()],
        }
    }

    pub(super) fn add(&mut self, space: &Space, run: RunSeen) {
        let size = space.config(run.config).size;
        // A run that was slow throughout used no credit.
        let usual = self.rate(run.config).unwrap_or(0.0);
        if run.drop.is_none() && run.is_soak && run.log_rate.exp() > AS_USUAL * usual {
            self.soaked_s[size] = self.soaked_s[size].max(run.fetch_s);
        }
        self.by_config[run.config].push(self.runs.len());
        self.runs.push(run);
        self.drops[size] = self.drops_of(space, size);
    }

    /// The drops of a size that more runs saw than should have seen them and did not: noise looks like a drop as well.
    fn drops_of(&self, space: &Space, size: usize) -> Vec<SizeDrop> {
        let of_size = || {
            self.runs
                .iter()
                .filter(|run| space.config(run.config).size == size)
        };
        let found: Vec<SizeDrop> = of_size()
            .filter_map(|run| {
                let drop = run.drop?;
                Some(SizeDrop {
                    config: run.config,
                    fell: drop.after / drop.before,
                    after: drop.after,
                    credit: (drop.before - drop.after).max(0.0) * drop.at_s,
                })
            })
            .collect();
        let is_against = |drop: &SizeDrop, run: &RunSeen| {
            let above = run.log_rate.exp() - drop.after;
            run.drop.is_none()
                && above > drop.after * CLEARLY
                && run.fetch_s - run.tail_s > drop.credit / above + SEEN_AFTER_S
        };
        let is_seen =
            |drop: &&SizeDrop| of_size().filter(|run| is_against(drop, run)).count() < found.len();
        found.iter().filter(is_seen).copied().collect()
    }

    /// A run of this configuration failed: it is not asked for again.
    pub(super) fn fail(&mut self, config: usize) {
        self.leave_out(config);
        self.failed += 1;
    }

    pub(super) fn leave_out(&mut self, config: usize) {
        self.unable[config] = true;
    }

    /// Whether it cannot run, as far as is known.
    pub(super) fn is_unable(&self, config: usize) -> bool {
        self.unable[config]
    }

    /// Runs, failed ones too.
    pub(super) fn all(&self) -> usize {
        self.runs.len() + self.failed
    }

    pub(super) fn count(&self, config: usize) -> usize {
        self.by_config[config].len()
    }

    fn median_of(&self, config: usize, value: fn(&RunSeen) -> f64) -> Option<f64> {
        let values: Vec<f64> = self.by_config[config]
            .iter()
            .map(|run| value(&self.runs[*run]))
            .collect();
        median(&values)
    }

    /// The median rate of a configuration; `None` before it ran.
    pub(super) fn rate(&self, config: usize) -> Option<f64> {
        self.median_of(config, |run| run.log_rate).map(f64::exp)
    }

    pub(super) fn has_drop(&self) -> bool {
        self.drops.iter().any(|drops| !drops.is_empty())
    }

    /// Whether a size ran so long without a drop that it has none.
    pub(super) fn is_soaked(&self, size: usize) -> bool {
        self.drops[size].is_empty() && self.soaked_s[size] > 0.0
    }

    /// For how long this configuration must run to show whether its size has a burst that ends; `None` where that is known, or not worth it.
    pub(super) fn soak_s(&self, space: &Space, (config, objects): (usize, f64)) -> Option<f64> {
        let size = space.config(config).size;
        let whole_s = objects / self.rate(config)?;
        let wanted = whole_s.min(SOAK_S);
        (self.drops[size].is_empty()
            && whole_s > 1.5 * self.run_s
            && self.soaked_s[size] < 0.9 * wanted)
            .then_some(wanted)
    }

    /// What tasks do besides fetching.
    pub(super) fn around(&self) -> Around {
        let middle = |value: fn(&RunSeen) -> f64| {
            median(&self.runs.iter().map(value).collect::<Vec<_>>()).unwrap_or(0.0)
        };
        Around {
            fixed_s: middle(|run| run.around_s),
            pull_s: middle(|run| run.pull_s),
        }
    }

    /// Seconds that each worker of a mode takes to start: where the most were started, as little else is in it there.
    pub(super) fn start_of_worker_s(&self, space: &Space, mode: Mode) -> f64 {
        let of_mode = self
            .runs
            .iter()
            .filter(|run| space.places[run.config].mode == mode);
        let most = of_mode.max_by(|one, other| {
            let workers = |run: &RunSeen| space.places[run.config].workers;
            workers(one).total_cmp(&workers(other))
        });
        most.map_or(0.0, |run| {
            run.worker_start_s / space.places[run.config].workers
        })
    }
}

/// Seconds of a task besides fetching, listing and starting workers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Around {
    pub(super) fixed_s: f64,
    /// Billed besides.
    pub(super) pull_s: f64,
}

/// A burst of one configuration in one draw: rates are objects a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SizeBurst {
    /// What the network of the size carries after it.
    pub(super) network: f64,
    /// The rate after it.
    pub(super) after: f64,
    /// Objects above the network's rate, until it ends.
    pub(super) credit: f64,
}

impl SizeBurst {
    /// Seconds for so many objects at this rate.
    pub(super) fn seconds(&self, objects: f64, rate: f64) -> f64 {
        if rate <= self.network * ABOVE {
            return objects / rate;
        }
        let lasts_s = self.credit / (rate - self.network).max(rate * 1e-3);
        if objects <= rate * lasts_s {
            objects / rate
        } else {
            lasts_s + (objects - rate * lasts_s) / self.after
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::space::Size;
    use super::*;

    fn space() -> Space {
        let size = Size {
            cpu_units: 1_024,
            memory_mib: 2_048,
        };
        Space::new(vec![size], vec![Mode::Async], vec![1, 4, 16], |_, _, _| {
            true
        })
    }

    fn run(config: usize, (rate, fetch_s): (f64, f64)) -> RunSeen {
        RunSeen {
            config,
            log_rate: rate.ln(),
            log_bytes: 0.0,
            fetch_s,
            tail_s: 0.0,
            cpu: None,
            throttled: 0.0,
            drop: None,
            is_soak: false,
            worker_start_s: 0.0,
            around_s: 0.0,
            pull_s: 0.0,
        }
    }

    #[test]
    fn a_drop_that_others_should_have_seen_is_noise() {
        let space = space();
        let mut seen = SeenRuns::new(&space, 30.0);
        let drop = Some(SeenDrop {
            at_s: 30.0,
            before: 100.0,
            after: 80.0,
        });
        let soak = RunSeen {
            drop,
            is_soak: true,
            ..run(1, (100.0, 300.0))
        };
        seen.add(&space, soak);
        assert!(seen.has_drop() && seen.soak_s(&space, (1, 1e6)).is_none());
        // Slower than what follows the drop: it used no credit.
        seen.add(&space, run(0, (50.0, 300.0)));
        assert!(seen.has_drop());
        // Three times as fast uses 600 objects above 80 in 3 s, and went on for 30.
        seen.add(&space, run(2, (300.0, 30.0)));
        assert!(!seen.has_drop());
        // Whoever sees it again is believed again.
        seen.add(&space, soak);
        assert!(seen.has_drop());
    }

    #[test]
    fn a_slow_run_says_nothing_of_a_burst() {
        let space = space();
        let mut seen = SeenRuns::new(&space, 30.0);
        seen.add(&space, run(1, (100.0, 30.0)));
        assert_eq!(seen.soak_s(&space, (1, 1e6)), Some(SOAK_S));
        let whole = seen.soak_s(&space, (1, 1e4)).unwrap();
        assert!((whole - 100.0).abs() < 1e-6, "the whole bucket");
        assert_eq!(seen.soak_s(&space, (1, 3e3)), None, "as short as a run");
        let soak = |rate| RunSeen {
            is_soak: true,
            ..run(1, (rate, SOAK_S))
        };
        seen.add(&space, soak(40.0));
        assert!(!seen.is_soaked(0) && seen.soak_s(&space, (1, 1e6)).is_some());
        seen.add(&space, soak(95.0));
        assert!(seen.is_soaked(0) && seen.soak_s(&space, (1, 1e6)).is_none());
    }

    #[test]
    fn a_burst_by_hand() {
        // 100 a second above 50 until 5,000 are used: 100 s with 10,000 objects, then 40 a second.
        let burst = SizeBurst {
            network: 50.0,
            after: 40.0,
            credit: 5_000.0,
        };
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9);
        close(burst.seconds(9_000.0, 100.0), 90.0);
        close(burst.seconds(14_000.0, 100.0), 200.0);
        close(burst.seconds(14_000.0, 50.0), 280.0);
    }
}
