//! Rounds of a sweep: what moved all configurations of a round alike, so that it can be taken off each of them.
//!
//! Every configuration runs once a round, in a random order. So what a round does to all of them (a slow hour, a drift, noise that lasts) is no
//! difference between configurations. It is estimated from the others of the round, never from the configuration that is tested: then what is left of
//! a configuration's runs is independent from round to round, whatever the noise does over time, since its place in each round was drawn by lot.

/// One run, as far as its round is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InRound {
    /// Which round.
    pub round: usize,
    /// Which configuration.
    pub group: usize,
    /// How far it lies from the middle of its configuration, as a logarithm.
    pub residual: f64,
}

/// For each run how far the other configurations of its round lie from their middles: the median of their residuals; `None` where there are no others.
pub fn levels(runs: &[InRound]) -> Vec<Option<f64>> {
    let mut rounds: std::collections::BTreeMap<usize, Vec<InRound>> =
        std::collections::BTreeMap::new();
    for run in runs {
        rounds.entry(run.round).or_default().push(*run);
    }
    let mut others = Vec::new();
    let level = |run: &InRound| {
        others.clear();
        let round = rounds.get(&run.round)?;
        others.extend(
            round
                .iter()
                .filter(|other| other.group != run.group)
                .map(|other| other.residual),
        );
        median_of_any(&mut others)
    };
    runs.iter().map(level).collect()
}

/// The median, without sorting all.
fn median_of_any(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_even = values.len().is_multiple_of(2);
    let (lower, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = if is_even {
        lower.iter().copied().reduce(f64::max)
    } else {
        None
    };
    Some(lower.map_or(*upper, |lower| 0.5 * lower + 0.5 * *upper))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Random;
    use super::super::location::median;
    use super::*;

    #[test]
    fn a_level_is_that_of_the_others_by_hand() {
        let run = |round, group, residual| InRound {
            round,
            group,
            residual,
        };
        let runs = [
            run(0, 0, 1.0),
            run(0, 1, 2.0),
            run(0, 2, 4.0),
            run(1, 0, -1.0),
            run(1, 1, -3.0),
            run(2, 0, 5.0),
        ];
        assert_eq!(
            levels(&runs),
            [
                Some(3.0),
                Some(2.5),
                Some(1.5),
                Some(-3.0),
                Some(-1.0),
                None
            ]
        );
        assert_eq!(levels(&[]), []);
        // Two runs of one configuration in a round are not others to each other.
        assert_eq!(levels(&[run(0, 0, 1.0), run(0, 0, 2.0)]), [None, None]);
    }

    #[test]
    fn the_median_is_the_median() {
        let mut random = Random::new(3);
        for n in 1..40 {
            let values: Vec<f64> = (0..n).map(|_| random.normal()).collect();
            assert_eq!(median_of_any(&mut values.clone()), median(&values), "{n}");
        }
    }
}
