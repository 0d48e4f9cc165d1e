//! Typed values out of what was given, each error with the flag or variable under which a person gave it.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::cli::{Given, Raw};
use crate::exit::{Exit, Failure};
use crate::plan::MIN_PART_SIZE;
use crate::units;

/// A usage failure: what is wrong, and what to try.
pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message).hint(hint)
}

/// The size of a part, or what is wrong with it.
pub(super) fn part_size(text: &str) -> Result<NonZeroU64, String> {
    let size = units::parse_size(text).map_err(|_| format!("is `{text}`, which is not a size"))?;
    NonZeroU64::new(size).filter(|size| size.get() >= MIN_PART_SIZE).ok_or_else(|| format!("is {text}, less than 1 MiB"))
}

/// Reads typed values out of [`Raw`].
pub(super) struct Reader<'a>(pub(super) &'a Raw);

impl Reader<'_> {
    pub(super) fn text(&self, flag: &str) -> Option<String> {
        self.0.get(flag).map(|given| given.value.clone())
    }

    pub(super) fn path(&self, flag: &str) -> Option<PathBuf> {
        self.text(flag).map(PathBuf::from)
    }

    pub(super) fn switch(&self, flag: &str) -> Result<bool, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else { return Ok(false) };
        match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(usage(format!("{name} is `{value}`, which is neither yes nor no"), "use 1, true, yes, on or 0, false, no, off")),
        }
    }

    /// A value of a closed set of words.
    pub(super) fn word<T: FromStr<Err = String>>(&self, flag: &str) -> Result<Option<T>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else { return Ok(None) };
        value.parse().map(Some).map_err(|error| usage(format!("{name}: {error}"), format!("`parfetch run --help` explains --{flag}")))
    }

    pub(super) fn one_of<T: Copy>(&self, flag: &str, words: &[(&str, T)]) -> Result<Option<T>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else { return Ok(None) };
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let found = words.iter().find(|(word, _)| word == value).map(|(_, meaning)| Some(*meaning));
        found.ok_or_else(|| {
            usage(format!("{name} is `{value}`, which is not one of {}", known.join(", ")), format!("leave {name} out for the default"))
        })
    }

    pub(super) fn number(&self, flag: &str, range: std::ops::RangeInclusive<u64>, what: &str) -> Result<Option<u64>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else { return Ok(None) };
        let hint = format!("{what}: a whole number from {} to {}", range.start(), range.end());
        match value.parse::<u64>() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            Ok(_) => Err(usage(format!("{name} is {value}, outside {} to {}", range.start(), range.end()), hint)),
            Err(_) => Err(usage(format!("{name} is `{value}`, which is not a whole number from {} to {}", range.start(), range.end()), hint)),
        }
    }

    /// The size of a part.
    pub(super) fn part_size(&self) -> Result<Option<NonZeroU64>, Failure> {
        let Some(Given { value, name }) = self.0.get("part-size") else { return Ok(None) };
        part_size(value).map(Some).map_err(|wrong| usage(format!("{name} {wrong}"), "write it like 8MiB: parts have 1 MiB at least"))
    }

    pub(super) fn time(&self, flag: &str) -> Result<Option<Duration>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else { return Ok(None) };
        match units::parse_duration(value) {
            Ok(time) if !time.is_zero() => Ok(Some(time)),
            _ => Err(usage(format!("{name} is `{value}`, which is not a length of time"), "write it like 500ms, 10s, 20m or 1h 30m")),
        }
    }
}
