//! Many comparisons at once: a sweep of 18 cells tested at 0.05 each would cry wolf in 60 % of the sweeps in which nothing changed.

use super::rank::smallest_p;

/// Holm's adjusted p of each, in the order given: those at or below alpha are real, all of them, except with probability alpha at most.
///
/// The i-th smallest of k is multiplied by k + 1 - i, made monotone, and capped at 1 (Holm, A Simple Sequentially Rejective Multiple Test Procedure,
/// Scandinavian Journal of Statistics 6, 1979). It needs no independence.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        least = least.max((p.len() - rank) as f64 * p[index]).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}

/// Whether `n` repetitions a side can find anything in a family of that many comparisons: comparisons · 2 / C(2n, n) <= alpha.
///
/// At 0.05, 6 repetitions serve 23 comparisons and 7 serve 85; with fewer no difference is ever significant, however large.
pub fn can_reach(comparisons: usize, n: usize, alpha: f64) -> bool {
    comparisons as f64 * smallest_p(n, n) <= alpha
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, Random};
    use super::super::rank::mann_whitney;
    use super::*;

    const CELLS: usize = 18;

    /// Holm's p of each of 18 cells, `n` repetitions each; the last cell's new values are `factor` times as large, the others' are as before.
    fn family(random: &mut Random, n: usize, factor: f64) -> Vec<f64> {
        let p: Vec<f64> = (1..=CELLS)
            .map(|cell| {
                let level = 100.0 * cell as f64;
                let new = if cell == CELLS { level * factor } else { level };
                mann_whitney(
                    &random.throughputs(level, 0.03, n),
                    &random.throughputs(new, 0.03, n),
                )
                .unwrap()
                .p
            })
            .collect();
        holm(&p)
    }

    #[test]
    fn holm_by_hand() {
        // Ascending 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 is 0.04, 0.06, 0.06, 0.04: monotone 0.04, 0.06, 0.06, 0.06.
        let found = holm(&[0.03, 0.01, 0.04, 0.02]);
        for (found, expected) in found.iter().zip([0.06, 0.04, 0.06, 0.06]) {
            assert!((found - expected).abs() < 1e-15, "{found}");
        }
        assert_eq!(holm(&[0.7, 0.6]), [1.0, 1.0]);
        assert_eq!(holm(&[0.25]), [0.25]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn holm_is_that_of_the_reference() {
        for case in fixture::cases("holm") {
            let expected = case["adjusted"].as_array().unwrap().clone();
            for (found, expected) in holm(&fixture::numbers(&case["p"]))
                .into_iter()
                .zip(expected)
            {
                fixture::assert_close(found, &expected, 1e-12);
            }
        }
    }

    #[test]
    fn what_repetitions_serve() {
        // 0.05 · C(12, 6) / 2 = 23.1, 0.05 · C(14, 7) / 2 = 85.8, 0.05 · C(8, 4) / 2 = 1.75, 0.05 · C(6, 3) / 2 = 0.5.
        assert!(can_reach(23, 6, 0.05) && !can_reach(24, 6, 0.05));
        assert!(can_reach(85, 7, 0.05) && !can_reach(86, 7, 0.05));
        // 2 / C(6, 3) is 0.1 itself.
        assert!(can_reach(1, 3, 0.1) && !can_reach(1, 3, 0.05) && !can_reach(1, 0, 0.05));
    }

    #[test]
    fn nothing_changed_and_a_change_is_announced_in_five_per_cent_at_most() {
        let mut random = Random::new(4);
        for (n, trials) in [(6, 600), (10, 300)] {
            let alarms = (0..trials)
                .filter(|_| family(&mut random, n, 1.0).iter().any(|p| *p <= 0.05))
                .count();
            println!("{n} repetitions: {alarms} of {trials}");
            assert!(
                alarms * 20 <= trials,
                "{n} repetitions: {alarms} of {trials}"
            );
            // The test is not dead either: with six, one cell in 462 looks changed, so 3.8 % of the families.
            assert!(n != 6 || alarms > 0);
        }
    }

    #[test]
    fn a_loss_of_a_tenth_is_found_among_cells_that_did_not_change() {
        let mut random = Random::new(5);
        let trials = 200;
        let found = (0..trials)
            .filter(|_| family(&mut random, 10, 0.9)[CELLS - 1] <= 0.05)
            .count();
        println!("found {found} of {trials}");
        assert!(found * 20 >= trials * 19, "{found} of {trials}");
    }
}
