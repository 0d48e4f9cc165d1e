//! Reading `k=v,k=v`: the pairs, and values of every kind. Knows no key by name.

use crate::guess;
use crate::units;

/// The pairs of a text, each key known and given once.
pub(super) struct GivenPairs<'a>(Vec<(&'a str, &'a str)>);

impl<'a> GivenPairs<'a> {
    /// Splits `text`; the empty text holds no pair.
    pub(super) fn read(text: &'a str, names: &[&str]) -> Result<Self, String> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not key=value"))?;
            let (name, value) = (name.trim(), value.trim());
            if !names.contains(&name) {
                let meant = guess::hint(name, names.iter().copied())
                    .unwrap_or_else(|| format!("there are {}", names.join(", ")));
                return Err(format!(
                    "`{name}` is not a key of the embedded server; {meant}"
                ));
            }
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(format!("`{name}` is given twice"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a key, when it is given.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    /// Every pair in the order of the text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        self.0.iter().copied()
    }
}

/// A whole number within bounds.
pub(super) fn whole(value: &str, least: u64, most: u64) -> Result<u64, String> {
    let number: u64 = value
        .replace('_', "")
        .parse()
        .map_err(|_| "is not a whole number".to_owned())?;
    if !(least..=most).contains(&number) {
        return Err(format!("is not from {least} to {most}"));
    }
    Ok(number)
}

/// A number above 0, with or without `/s`.
pub(super) fn amount(value: &str) -> Result<u64, String> {
    whole(value.strip_suffix("/s").unwrap_or(value), 1, u64::MAX)
}

/// `1000`, `256KiB`, `1.5MB`, in bytes.
pub(super) fn size(value: &str, most: u64) -> Result<u64, String> {
    let bytes = units::parse_size(value)
        .map_err(|_| "is not a size such as 1000, 256KiB, 16MiB or 1MB".to_owned())?;
    if bytes > most {
        return Err(format!("is more than {most} bytes"));
    }
    Ok(bytes)
}

/// `90MB/s`, in bytes per second, above 0.
pub(super) fn rate(value: &str) -> Result<u64, String> {
    let bytes = size(value.strip_suffix("/s").unwrap_or(value), u64::MAX)
        .map_err(|_| "is not a rate such as 90MB/s".to_owned())?;
    if bytes == 0 {
        return Err("is not above 0".to_owned());
    }
    Ok(bytes)
}

/// `12ms`, in nanoseconds; at most a year, so that it can be added to any clock.
pub(super) fn time_ns(value: &str) -> Result<u64, String> {
    let time = humantime::parse_duration(value)
        .map_err(|_| "is not a time such as 12ms or 1s".to_owned())?;
    if time > units::LONGEST_TIME {
        Err("is longer than a year".to_owned())
    } else {
        u64::try_from(time.as_nanos()).map_err(|_| "is longer than a year".to_owned())
    }
}

/// A number from 0 to 1.
pub(super) fn probability(value: &str) -> Result<f64, String> {
    let bad = || "is not a number from 0 to 1".to_owned();
    let number: f64 = value.parse().map_err(|_| bad())?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(bad())
    }
}
