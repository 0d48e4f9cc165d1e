//! The whole bucket with one configuration, in words: how long it takes, what it costs, and what that rests on.

use super::notes;
use super::number::{time, usd};
use super::sentence::sentence;
use super::whole::transfer;
use crate::analysis::Prediction;
use crate::analysis::advice::{Basis, Cost};
use crate::stats::location::Interval;
use crate::units;

/// All of it, in sentences.
pub(crate) fn in_full(prediction: &Prediction) -> String {
    let within = prediction
        .interval
        .as_ref()
        .map_or_else(String::new, one_run);
    format!(
        "{} {}{within}{}{}",
        what_in(prediction),
        time(prediction.seconds),
        cost(prediction),
        basis(prediction)
    )
}

/// `118 GB in`, `One run takes`
fn what_in(prediction: &Prediction) -> String {
    match prediction.bucket {
        Some(bucket) => format!("{} in", units::bytes(bucket.bytes)),
        None => "One run takes".to_owned(),
    }
}

/// ` (one run: 3 min 14 s to 3 min 30 s)`: what one run takes in 95 % of all cases.
fn one_run(interval: &Interval) -> String {
    let (low, high) = (time(interval.low), time(interval.high));
    if low == high {
        String::new()
    } else {
        format!(" (one run: {low} to {high})")
    }
}

fn cost(prediction: &Prediction) -> String {
    let Some(cost) = &prediction.cost else {
        return ", price not known".to_owned();
    };
    let would = match (cost.is_hypothetical, cost.is_of_on_demand) {
        (true, _) => " if it ran on Fargate",
        (false, true) => " at On-Demand prices, as the price of Spot is not known",
        (false, false) => "",
    };
    let within = prediction
        .usd_interval
        .as_ref()
        .map_or_else(String::new, |interval| {
            let (low, high) = (usd(interval.low), usd(interval.high));
            if low == high {
                String::new()
            } else {
                format!(" (one run: {low} to {high})")
            }
        });
    format!(
        ", {}{within}{would} ({}; prices of {})",
        usd(cost.usd_total()),
        parts(cost),
        cost.prices_dated
    )
}

/// `task $0.0028, requests $0.0184: 87 %, the same in every configuration`
fn parts(cost: &Cost) -> String {
    let Some(usd_requests) = cost.usd_requests else {
        return "the task alone".to_owned();
    };
    let share = units::percent(usd_requests / cost.usd_total().max(1e-12));
    let others = transfer(cost.usd_retrieval, cost.usd_egress);
    format!(
        "task {}, requests {}: {share}, the same in every configuration{others}",
        usd(cost.usd_task),
        usd(usd_requests)
    )
}

/// What a predicted rate rests on; follows a clause.
fn basis(prediction: &Prediction) -> String {
    let Some(basis) = prediction.basis() else {
        return ". What the program reads is not known: this is one run, without its requests."
            .to_owned();
    };
    match basis {
        Basis::Seen { held_s, .. } => format!(
            ". Runs of this configuration held the rate for {}.",
            time(held_s)
        ),
        Basis::Burst { held_s, needed_s } => format!(
            ", if the burst rate holds for {}: runs of this configuration held it for {}; sustained rate not measured (`--duration 20m` would).",
            time(needed_s),
            time(held_s)
        ),
        Basis::BelowSustained {
            sustained_bytes_per_s,
        } => {
            format!(
                ". Its rate can last: this size carried {} after its burst.",
                units::rate_mb(sustained_bytes_per_s)
            )
        }
        Basis::Sustained {
            drop,
            after_drop_bytes: 0,
        } => {
            format!(
                ". It fits into the burst, which lasts for {} and {} in this size.",
                time(drop.at_s),
                units::bytes(drop.bytes)
            )
        }
        Basis::Sustained {
            drop,
            after_drop_bytes,
        } => format!(
            ". In this size the rate drops after {} and {} from {} to {}: {} come at the lower rate.",
            time(drop.at_s),
            units::bytes(drop.bytes),
            units::rate_mb(drop.before_bytes_per_s),
            units::rate_mb(drop.after_bytes_per_s),
            units::bytes(after_drop_bytes)
        ),
    }
}

/// `118 GB in 3 min 20 s (one run: 3 min 15 s to 3 min 27 s), $0.0210 if it ran on Fargate`
pub(crate) fn in_brief(prediction: &Prediction) -> String {
    let within = prediction
        .interval
        .map_or_else(String::new, |interval| one_run(&interval));
    let price = prediction.cost.as_ref().map_or_else(
        || ", price not known".to_owned(),
        |cost| {
            format!(
                ", {}{}",
                usd(cost.usd_total()),
                if cost.is_hypothetical {
                    " if it ran on Fargate"
                } else {
                    ""
                }
            )
        },
    );
    format!(
        "{} {}{within}{price}",
        what_in(prediction),
        time(prediction.seconds)
    )
}

/// What a prediction rests on: the rate, its parts and what a reader must know.
pub(crate) fn rests_on(prediction: &Prediction) -> String {
    let rate = basis(prediction);
    let parts: Vec<String> = prediction
        .parts
        .iter()
        .map(|(phase, seconds)| {
            format!(
                "{} {} s",
                notes::phase(*phase),
                units::three_digits(*seconds)
            )
        })
        .collect();
    let mut sentences = vec![sentence(rate.trim_start_matches([',', '.', ' ']))];
    if !parts.is_empty() {
        sentences.push(format!("Parts: {}.", parts.join(", ")));
    }
    let notes = prediction.notes.iter().map(notes::of_prediction);
    sentences.extend(notes.map(|note| sentence(&note)));
    sentences.join(" ")
}
