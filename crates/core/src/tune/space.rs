//! The configurations among which the answer is looked for.

use std::collections::HashMap;

use nalgebra::DMatrix;

use crate::law::{LawPoint, together};
use crate::plan::Mode;

/// How far each configuration deviates from the law by itself, in a tune: standard deviation of the logarithm. Wider than in a report, whose configurations
/// ran six times each: of what ran once, nobody knows.
const OWN: f64 = 0.025;

/// A size of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// vCPU × 1,024.
    pub cpu_units: u32,
    /// MiB.
    pub memory_mib: u32,
}

/// One configuration, by its places in the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Config {
    pub(super) size: usize,
    pub(super) mode: Mode,
    /// Among the numbers of workers.
    pub(super) step: usize,
}

/// Sizes, modes and numbers of workers, each ascending.
#[derive(Clone, Debug)]
pub struct Space {
    pub(super) sizes: Vec<Size>,
    pub(super) workers: Vec<u32>,
    modes: Vec<Mode>,
    configs: Vec<Config>,
    by_config: HashMap<Config, usize>,
    pub(super) places: Vec<LawPoint>,
    /// Of their deviations from the law.
    pub(super) covariance: DMatrix<f64>,
}

impl Space {
    /// Every combination that `fits`.
    pub fn new(
        sizes: Vec<Size>,
        modes: Vec<Mode>,
        workers: Vec<u32>,
        fits: impl Fn(Size, Mode, u32) -> bool,
    ) -> Self {
        let mut configs = Vec::new();
        for (size, of) in sizes.iter().enumerate() {
            for mode in &modes {
                let steps = 0..workers.len();
                configs.extend(
                    steps
                        .filter(|step| fits(*of, *mode, workers[*step]))
                        .map(|step| Config {
                            size,
                            mode: *mode,
                            step,
                        }),
                );
            }
        }
        let place = |config: &Config| {
            let vcpu = f64::from(sizes[config.size].cpu_units) / 1_024.0;
            let workers = f64::from(workers[config.step]);
            LawPoint::new(config.size, vcpu, (config.mode, workers))
        };
        let places: Vec<LawPoint> = configs.iter().map(place).collect();
        let covariance = DMatrix::from_fn(places.len(), places.len(), |row, column| {
            let own = if row == column { OWN * OWN } else { 0.0 };
            own + together(&places[row], &places[column])
        });
        let by_config = configs
            .iter()
            .enumerate()
            .map(|(index, config)| (*config, index))
            .collect();
        Self {
            sizes,
            workers,
            modes,
            configs,
            by_config,
            places,
            covariance,
        }
    }

    /// How many.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a space with nothing in it is refused before"
    )]
    pub fn len(&self) -> usize {
        self.configs.len()
    }

    /// What a configuration is: its size, its mode, its workers.
    pub fn at(&self, index: usize) -> (Size, Mode, u32) {
        let Config { size, mode, step } = self.configs[index];
        (self.sizes[size], mode, self.workers[step])
    }

    pub(super) fn config(&self, index: usize) -> Config {
        self.configs[index]
    }

    /// The next size on either side, half, a quarter, twice and four times the workers, and the other modes.
    pub(super) fn neighbours(&self, index: usize) -> Vec<usize> {
        let at = self.configs[index];
        let size = |size: Option<usize>| size.map(|size| Config { size, ..at });
        let step = |step: Option<usize>| step.map(|step| Config { step, ..at });
        let near = [
            size(at.size.checked_add(1)),
            size(at.size.checked_sub(1)),
            step(at.step.checked_add(1)),
            step(at.step.checked_sub(1)),
            step(at.step.checked_add(2)),
            step(at.step.checked_sub(2)),
        ];
        let others = self.modes.iter().filter(|mode| **mode != at.mode);
        let near = near
            .into_iter()
            .flatten()
            .chain(others.map(|mode| Config { mode: *mode, ..at }));
        near.filter_map(|config| self.by_config.get(&config).copied())
            .collect()
    }

    /// Whether two differ in their workers alone, and by a step at most.
    pub(super) fn are_alike(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.configs[one], self.configs[other]);
        one.size == other.size && one.mode == other.mode && one.step.abs_diff(other.step) <= 1
    }

    /// The configuration that is nearest to this one: in its size, its workers, then its mode.
    pub(super) fn nearest(&self, vcpu: f64, mode: Mode, workers: f64) -> Option<usize> {
        let off = |index: &usize| {
            let place = &self.places[*index];
            let is_other = u8::from(place.mode != mode);
            4.0 * (place.log_vcpu - vcpu.ln()).abs()
                + (place.log_workers - workers.ln()).abs()
                + 0.1 * f64::from(is_other)
        };
        (0..self.len()).min_by(|one, other| off(one).total_cmp(&off(other)))
    }

    /// Whether this configuration lies at an end of what could be measured, and a better one might lie beyond: the smallest or largest size, the fewest
    /// or most workers of its size and mode. One worker is no such end.
    pub(super) fn is_edge(&self, index: usize) -> SpaceEdge {
        let at = self.configs[index];
        let has = |config| self.by_config.contains_key(&config);
        SpaceEdge {
            fewest: !at
                .step
                .checked_sub(1)
                .is_some_and(|step| has(Config { step, ..at }))
                && self.workers[at.step] > 1,
            most: !has(Config {
                step: at.step + 1,
                ..at
            }),
            smallest: at.size == 0,
            largest: at.size + 1 == self.sizes.len(),
        }
    }
}

/// The ends of the space at which a configuration lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four ends, any of them or none"
)]
pub struct SpaceEdge {
    /// It has the fewest workers.
    pub fewest: bool,
    /// It has the most workers.
    pub most: bool,
    /// It has the smallest size.
    pub smallest: bool,
    /// It has the largest size.
    pub largest: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        let sizes = [256, 1_024, 4_096].map(|cpu_units| Size {
            cpu_units,
            memory_mib: 2 * cpu_units,
        });
        // A quarter of a vCPU cannot hold 64 processes.
        Space::new(
            sizes.to_vec(),
            vec![Mode::Async, Mode::Process],
            vec![1, 8, 64],
            |size, mode, workers| {
                !(size.cpu_units == 256 && mode == Mode::Process && workers == 64)
            },
        )
    }

    fn find(space: &Space, wanted: (u32, Mode, u32)) -> usize {
        (0..space.len())
            .find(|index| {
                let (size, mode, workers) = space.at(*index);
                (size.cpu_units, mode, workers) == wanted
            })
            .unwrap()
    }

    #[test]
    fn neighbours_and_ends_by_hand() {
        let space = space();
        assert_eq!(space.len(), 17);
        let of = |wanted| {
            let mut near: Vec<(u32, Mode, u32)> = space
                .neighbours(find(&space, wanted))
                .into_iter()
                .map(|index| space.at(index))
                .map(|(size, mode, workers)| (size.cpu_units, mode, workers))
                .collect();
            near.sort_unstable();
            near
        };
        assert_eq!(
            of((1_024, Mode::Process, 1)),
            [
                (256, Mode::Process, 1),
                (1_024, Mode::Async, 1),
                (1_024, Mode::Process, 8),
                (1_024, Mode::Process, 64),
                (4_096, Mode::Process, 1)
            ]
        );
        assert_eq!(
            of((1_024, Mode::Process, 64)).first(),
            Some(&(1_024, Mode::Async, 64)),
            "what does not fit is no neighbour"
        );
        let edge = |wanted| space.is_edge(find(&space, wanted));
        let most = SpaceEdge {
            most: true,
            smallest: true,
            ..SpaceEdge::default()
        };
        assert_eq!(edge((256, Mode::Process, 8)), most);
        // One worker is the fewest that there are.
        assert_eq!(edge((1_024, Mode::Async, 1)), SpaceEdge::default());
    }

    #[test]
    fn the_nearest_is_of_the_nearest_size() {
        let space = space();
        let at = space.at(space.nearest(16.0, Mode::Thread, 100.0).unwrap());
        assert_eq!((at.0.cpu_units, at.2), (4_096, 64));
    }
}
