//! Lists of a sweep's factors: `1,4,16`, `1..64`.

use std::collections::HashSet;
use std::fmt::Display;

use super::reader::usage;
use crate::cell::Program;
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::guess;
use crate::plan::ranges::{Gathered, ListForm, RangeError};
use crate::price;
use crate::sweep::factors::{concurrencies, count, modes};
use crate::sweep::matrix::programs;
use crate::sweep::plan::SweepPlan;

/// The values of a list, each once; `example` says how one is written.
pub(super) fn list<T: Clone + PartialEq>(
    raw: &Raw,
    flag: &str,
    example: &str,
    listed: &ListForm<T>,
) -> Result<Option<Vec<T>>, Failure> {
    let Some(Given { value, name }) = raw.get(flag) else {
        return Ok(None);
    };
    let mut gathered = Gathered::empty();
    gathered.add_text(value, listed).map_err(|error| {
        let known = raw.choices(flag);
        let (error, meant) = match &error {
            RangeError::NotAValue(word) if !known.is_empty() => (
                format!(
                    "`{}` is not one of {}",
                    word.escape_debug(),
                    known.join(", ")
                ),
                guess::hint(word, known.iter().copied()),
            ),
            _ => (error.to_string(), None),
        };
        usage(
            format!("{name}: {error}"),
            meant.unwrap_or_else(|| example.to_owned()),
        )
    })?;
    Ok(Some(gathered.into_values()))
}

/// Configurations of a plan, counted before any is made.
pub(super) fn count_cells(plan: &SweepPlan) -> u64 {
    let of_program = |program: Program| {
        let workers = modes(plan, &program).len() * concurrencies(plan, &program).len();
        (workers as u64).saturating_mul(count(plan, &program))
    };
    let programs = programs(plan).map(of_program).fold(0, u64::saturating_add);
    let others = [plan.vcpu.len(), plan.memory.len(), plan.shards.len()];
    others.into_iter().fold(programs, |product, length| {
        product.saturating_mul(length as u64)
    })
}

/// The first value that stands there again.
pub(super) fn given_twice<T: Display>(values: &[T]) -> Option<String> {
    let mut seen = HashSet::new();
    values
        .iter()
        .map(T::to_string)
        .find(|value| !seen.insert(value.clone()))
}

pub(super) fn no_such_pair(vcpu: f64, (units, mib): (u32, u32)) -> Failure {
    let near = price::nearest_sizes(units, mib).into_iter();
    let near: Vec<String> = near
        .map(|(units, mib)| format!("{} vCPU with {mib} MiB", f64::from(units) / 1024.0))
        .collect();
    usage(
        format!("Fargate has no {vcpu} vCPU with {mib} MiB"),
        format!("nearest are {}", near.join(", ")),
    )
}
