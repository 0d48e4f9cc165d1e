//! What the time of a run in its sweep did to it: found out, said, and taken off before configurations are compared.

use super::model::CellReport;
use super::notes::Note;
use super::observation::Observation;
use crate::stats::location::median;
use crate::stats::moment::{Placed, moments, residuals};
use crate::stats::rank::mann_whitney;

/// Less than this between the first and the last runs is not worth a word.
const WORTH: f64 = 0.03;
/// So many standard errors of a rank correlation are no chance.
const ERRORS: f64 = 3.3;
/// How seldom the first round differs as much from the others by chance.
const SELDOM: f64 = 0.001;
/// Rounds without which the first cannot be told from the others.
const ROUNDS: u32 = 3;

/// Gives every observation of a sweep its moment, and says what was found.
pub(super) fn take_off(cells: &mut [CellReport]) -> Vec<Note> {
    let (places, runs) = placed(cells);
    if runs.is_empty() {
        return Vec::new();
    }
    let mut notes: Vec<Note> = warm_up(cells, (&places, &runs))
        .or_else(|| drift(&runs))
        .into_iter()
        .collect();
    let Some(found) = moments(&runs) else {
        return notes;
    };
    for ((cell, observation), level) in places.iter().zip(&found.levels) {
        cells[*cell].observations[*observation].moment = *level;
    }
    notes.push(Note::OfTime(found.explained));
    notes
}

/// Every run of a sweep that has a place and a rate.
fn placed(cells: &[CellReport]) -> (Vec<(usize, usize)>, Vec<Placed>) {
    let mut sweeps: Vec<&str> = Vec::new();
    let (mut places, mut runs) = (Vec::new(), Vec::new());
    for (group, cell) in cells.iter().enumerate() {
        for (index, observation) in cell.observations.iter().enumerate() {
            let rate = observation
                .rate()
                .filter(|rate| rate.is_finite() && *rate > 0.0);
            let (Some(sweep), Some(position), Some(rate)) =
                (&observation.sweep, observation.position, rate)
            else {
                continue;
            };
            let sweep = sweeps
                .iter()
                .position(|known| known == sweep)
                .unwrap_or_else(|| {
                    sweeps.push(sweep);
                    sweeps.len() - 1
                });
            places.push((group, index));
            runs.push(Placed {
                sweep,
                position,
                group,
                log: rate.ln(),
            });
        }
    }
    (places, runs)
}

/// The first round against all others.
fn warm_up(cells: &[CellReport], (places, runs): (&[(usize, usize)], &[Placed])) -> Option<Note> {
    let residuals = residuals(runs);
    let observation =
        |index: usize| -> &Observation { &cells[places[index].0].observations[places[index].1] };
    let rounds = (0..runs.len())
        .map(|index| observation(index).repetition)
        .max()?;
    let (first, others): (Vec<usize>, Vec<usize>) =
        (0..runs.len()).partition(|index| observation(*index).repetition <= 1);
    let values = |of: &[usize]| {
        of.iter()
            .map(|index| residuals[*index])
            .collect::<Vec<f64>>()
    };
    let (first, others) = (values(&first), values(&others));
    let test = mann_whitney(&others, &first)?;
    let change = (median(&first)? - median(&others)?).exp() - 1.0;
    // What goes on to change is a drift.
    let goes_on = {
        let later: Vec<Placed> = (0..runs.len())
            .filter(|index| observation(*index).repetition > 1)
            .map(|index| runs[index])
            .collect();
        drift(&later).is_some()
    };
    (rounds >= ROUNDS && !goes_on && test.p <= SELDOM && change.abs() >= WORTH)
        .then_some(Note::WarmUp(change))
}

/// Whether runs went on to become faster or slower: rank correlation of how far they lie from the middle of their configuration with their place.
fn drift(runs: &[Placed]) -> Option<Note> {
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|index| (runs[*index].sweep, runs[*index].position));
    let residuals = residuals(runs);
    let in_order: Vec<f64> = order.iter().map(|index| residuals[*index]).collect();
    let sixth = in_order.len() / 6;
    if runs.iter().any(|run| run.sweep != runs[0].sweep) || sixth < 3 {
        return None;
    }
    let change =
        (median(&in_order[in_order.len() - sixth..])? - median(&in_order[..sixth])?).exp() - 1.0;
    let is_trend =
        rank_correlation(&in_order).abs() * ((in_order.len() - 1) as f64).sqrt() >= ERRORS;
    (is_trend && change.abs() >= WORTH).then_some(Note::Drift(change))
}

/// Spearman's correlation of values with their place.
fn rank_correlation(values: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*one].total_cmp(&values[*other]));
    let n = values.len() as f64;
    let squares: f64 = order
        .iter()
        .enumerate()
        .map(|(rank, place)| (rank as f64 - *place as f64).powi(2))
        .sum();
    1.0 - 6.0 * squares / (n * (n * n - 1.0)).max(1.0)
}
