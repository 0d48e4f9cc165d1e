//! The settings of every subcommand: `-q` and `-v` are other settings in one letter.

use std::collections::HashMap;

use super::raw::Given;
use super::shared::EVERYWHERE;
use crate::exit::{Exit, Failure};
use crate::guess;

/// Levels of `-v`, `-vv` and `-vvv`.
const LEVELS: [&str; 3] = ["info", "debug", "trace"];

/// Puts what `-q` and `-v` stand for into the settings. They win over variables, and must not contradict flags.
pub(super) fn expand(values: &mut HashMap<&'static str, Given>) -> Result<(), Failure> {
    for setting in EVERYWHERE {
        let known = setting.takes.choices();
        if let Some(given) = values
            .get(setting.flag)
            .filter(|given| !known.is_empty() && !known.contains(&given.value.as_str()))
        {
            let message = format!(
                "{} is `{}`, which is not one of {}",
                given.name,
                given.value,
                known.join(", ")
            );
            let hint = guess::hint(&given.value, known.iter().copied())
                .unwrap_or_else(|| format!("leave {} out for the default", given.name));
            return Err(Failure::new(Exit::Usage, message).hint(hint));
        }
    }
    if values.contains_key("quiet") {
        put("--quiet", ("progress", "never"), values)?;
    }
    if let Some(times) = values
        .get("verbose")
        .and_then(|given| given.value.parse::<usize>().ok())
    {
        put(
            "--verbose",
            ("log-level", LEVELS[times.clamp(1, LEVELS.len()) - 1]),
            values,
        )?;
    }
    Ok(())
}

fn put(
    name: &'static str,
    (flag, value): (&'static str, &str),
    values: &mut HashMap<&'static str, Given>,
) -> Result<(), Failure> {
    if let Some(other) = values
        .get(flag)
        .filter(|other| other.is_flag() && other.value != value)
    {
        let message = format!(
            "{name} is --{flag} {value}, and {} is `{}`",
            other.name, other.value
        );
        return Err(Failure::new(Exit::Usage, message).hint("leave one of them out"));
    }
    values.insert(
        flag,
        Given {
            value: value.to_owned(),
            name,
        },
    );
    Ok(())
}

/// Whether a word in front of a subcommand is of the settings that every one has.
pub(super) fn stand_in(word: &str) -> bool {
    let is_long = |word: &str| {
        EVERYWHERE
            .iter()
            .any(|setting| word.split('=').next() == Some(setting.dashed))
    };
    let is_short = |letter: char| {
        EVERYWHERE
            .iter()
            .any(|setting| setting.short == Some(letter))
    };
    is_long(word)
        || word
            .strip_prefix('-')
            .is_some_and(|letters| !letters.is_empty() && letters.chars().all(is_short))
}
