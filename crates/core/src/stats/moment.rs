//! When a run of a sweep was made, and what that did to it: what the runs around it, of other configurations, have in common.
//!
//! Within a round the order is drawn by lot. So neighbours in time are alike only in what time does to them: a slow hour, a drift, noise that lasts.

use super::location::median;

/// How many runs away a neighbour counts about a third of one that is next.
const REACHES: [f64; 5] = [1.5, 3.0, 6.0, 12.0, 24.0];
/// Neighbours further away than so many reaches count for nothing.
const FAR: f64 = 6.0;
/// Residuals beyond so many robust standard deviations say nothing of their neighbours.
const OUTLIER: f64 = 3.0;
/// Robust standard deviation ÷ median absolute deviation, of a normal distribution.
const NORMAL: f64 = 1.4826;
/// Neighbours must explain at least this share of how runs vary: a chance one of many runs explains less.
const LEAST: f64 = 0.08;
/// Fewer runs than this tell nothing of their neighbours.
const RUNS: usize = 18;

/// One run of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Which sweep.
    pub sweep: usize,
    /// Its place in the order of the sweep.
    pub position: u32,
    /// Which configuration.
    pub group: usize,
    /// How it came out, as a logarithm.
    pub log: f64,
}

/// What time did to the runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Of each run, to be taken off its logarithm.
    pub levels: Vec<f64>,
    /// Which share of how repetitions vary is explained by it.
    pub explained: f64,
}

/// How far each run lies from the middle of its configuration.
pub fn residuals(runs: &[Placed]) -> Vec<f64> {
    let groups = runs
        .iter()
        .map(|run| run.group)
        .max()
        .map_or(0, |most| most + 1);
    let mut values = vec![Vec::new(); groups];
    for run in runs {
        values[run.group].push(run.log);
    }
    let middles: Vec<f64> = values
        .iter()
        .map(|values| median(values).unwrap_or(0.0))
        .collect();
    runs.iter()
        .map(|run| run.log - middles[run.group])
        .collect()
}

/// What the runs around each one have in common, where that explains what repetitions differ by: `None` where it does not.
///
/// Of several reaches the one is taken by which the neighbours tell a run best, none of them being of its own configuration, and only as much of it as
/// they tell (least squares): with independent noise that is next to nothing.
pub fn moments(runs: &[Placed]) -> Option<Moments> {
    if runs.len() < RUNS || runs.iter().any(|run| !run.log.is_finite()) {
        return None;
    }
    let residuals = clipped(residuals(runs));
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|index| (runs[*index].sweep, runs[*index].position));
    let total: f64 = residuals.iter().map(|residual| residual * residual).sum();
    let tried = REACHES.map(|reach| {
        let around = around(runs, (&order, &residuals), reach);
        let products: f64 = residuals
            .iter()
            .zip(&around)
            .map(|(residual, around)| residual * around)
            .sum();
        let squares: f64 = around.iter().map(|around| around * around).sum();
        let slope = if squares > 0.0 {
            (products / squares).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let left: f64 = residuals
            .iter()
            .zip(&around)
            .map(|(residual, around)| (residual - slope * around).powi(2))
            .sum();
        let explained = if total > 0.0 { 1.0 - left / total } else { 0.0 };
        Moments {
            levels: around.into_iter().map(|around| slope * around).collect(),
            explained,
        }
    });
    tried
        .into_iter()
        .max_by(|one, other| one.explained.total_cmp(&other.explained))
        .filter(|best| best.explained >= LEAST)
}

fn clipped(residuals: Vec<f64>) -> Vec<f64> {
    let sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    let most = OUTLIER * NORMAL * median(&sizes).unwrap_or(0.0);
    residuals
        .into_iter()
        .map(|residual| residual.clamp(-most, most))
        .collect()
}

/// For each run the mean of the residuals around it, near ones counting more.
fn around(runs: &[Placed], (order, residuals): (&[usize], &[f64]), reach: f64) -> Vec<f64> {
    let mut around = vec![0.0; runs.len()];
    for (place, index) in order.iter().enumerate() {
        let run = &runs[*index];
        let weight = |other: &usize| {
            let other = &runs[*other];
            let away = f64::from(other.position.abs_diff(run.position));
            (other.sweep == run.sweep && away <= FAR * reach).then(|| {
                if other.group == run.group {
                    0.0
                } else {
                    (-away / reach).exp()
                }
            })
        };
        let before = order[..place]
            .iter()
            .rev()
            .map_while(|other| Some((*other, weight(other)?)));
        let after = order[place + 1..]
            .iter()
            .map_while(|other| Some((*other, weight(other)?)));
        let (mut sum, mut weights) = (0.0, 0.0);
        for (other, weight) in before.chain(after) {
            sum += weight * residuals[other];
            weights += weight;
        }
        if weights > 0.0 {
            around[*index] = sum / weights;
        }
    }
    around
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Random;
    use super::*;

    /// Six rounds of so many configurations, in a random order, with this noise at each place.
    fn sweep(
        random: &mut Random,
        groups: usize,
        noise: &mut dyn FnMut(&mut Random, usize) -> f64,
    ) -> Vec<Placed> {
        let mut runs = Vec::new();
        for _ in 0..6 {
            let mut left: Vec<usize> = (0..groups).collect();
            while !left.is_empty() {
                let group = left.swap_remove(random.below(left.len()));
                let position = runs.len();
                let log = group as f64 + noise(random, position);
                runs.push(Placed {
                    sweep: 0,
                    position: u32::try_from(position).unwrap(),
                    group,
                    log,
                });
            }
        }
        runs
    }

    #[test]
    fn independent_noise_is_hardly_ever_taken_for_time() {
        let mut random = Random::new(11);
        let found = (0..200)
            .filter(|_| {
                moments(&sweep(&mut random, 18, &mut |random, _| {
                    0.05 * random.normal()
                }))
                .is_some()
            })
            .count();
        assert!(found <= 10, "{found} of 200");
    }

    #[test]
    fn drift_and_noise_that_lasts_are_taken_off() {
        let mut random = Random::new(12);
        let runs = sweep(&mut random, 18, &mut |random, place| {
            0.15 * place as f64 / 108.0 + 0.01 * random.normal()
        });
        let found = moments(&runs).unwrap();
        assert!(found.explained > 0.8, "{found:?}");
        let mut state = 0.0;
        let mut lasting = |random: &mut Random, _| {
            state = 0.9 * state + 0.1_f64.sqrt() * random.normal();
            0.05 * state
        };
        let runs = sweep(&mut random, 18, &mut lasting);
        assert!(moments(&runs).unwrap().explained > 0.4);
        assert_eq!(moments(&runs[..17]), None);
    }
}
