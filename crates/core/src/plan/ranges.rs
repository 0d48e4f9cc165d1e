//! Lists of values as people write them: `1,4,16`, the range `1..64`, or both in one.

use std::fmt;

use crate::price;
use crate::units;

/// What the values of a list are.
#[derive(Clone, Copy, Debug)]
pub struct ListForm<T> {
    /// One value.
    pub value: fn(&str) -> Option<T>,
    /// The values of a range, both ends included; none in an empty one. `None` = there are no ranges of such values.
    pub between: fn(&T, &T) -> Option<Vec<T>>,
}

/// Why a text is no such list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// This is no value.
    NotAValue(String),
    /// This range ends below its start.
    Backwards(String),
    /// This value stands there alone and again.
    Twice(String),
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAValue(word) => write!(f, "`{}` is not a valid value", word.escape_debug()),
            Self::Backwards(word) => write!(
                f,
                "the range `{}` ends below its start",
                word.escape_debug()
            ),
            Self::Twice(word) => write!(f, "`{}` is given twice", word.escape_debug()),
        }
    }
}

/// Values in the order in which they were written, each once.
#[derive(Clone, Debug)]
pub struct Gathered<T> {
    all: Vec<T>,
    /// Those that were written alone: a range may hold them as well.
    alone: Vec<T>,
}

impl<T: Clone + PartialEq> Gathered<T> {
    /// None yet.
    pub fn empty() -> Self {
        Self {
            all: Vec::new(),
            alone: Vec::new(),
        }
    }

    /// Adds a value that was written alone; whether it was not yet.
    pub fn add(&mut self, value: T) -> bool {
        let is_new = !self.alone.contains(&value);
        self.alone.push(value.clone());
        self.add_once(value);
        is_new
    }

    /// Adds every value of `1,4..16`.
    ///
    /// # Errors
    /// When it is no such text.
    pub fn add_text(&mut self, text: &str, listed: &ListForm<T>) -> Result<(), RangeError> {
        for word in text.split(',').map(str::trim) {
            let wrong = || RangeError::NotAValue(word.to_owned());
            let Some((first, last)) = word.split_once("..") else {
                if !self.add((listed.value)(word).ok_or_else(wrong)?) {
                    return Err(RangeError::Twice(word.to_owned()));
                }
                continue;
            };
            let end = |word: &str| (listed.value)(word.trim()).ok_or_else(wrong);
            let values = (listed.between)(&end(first)?, &end(last)?).ok_or_else(wrong)?;
            if values.is_empty() {
                return Err(RangeError::Backwards(word.to_owned()));
            }
            for value in values {
                self.add_once(value);
            }
        }
        Ok(())
    }

    fn add_once(&mut self, value: T) {
        if !self.all.contains(&value) {
            self.all.push(value);
        }
    }

    /// The values, in the order in which they came, each once.
    pub fn into_values(self) -> Vec<T> {
        self.all
    }
}

/// Whole numbers from 1; a range doubles: `1..48` is 1, 2, 4, 8, 16, 32, 48.
pub const WHOLE: ListForm<u32> = ListForm {
    value: |word| word.parse::<u32>().ok().filter(|number| *number > 0),
    between: |first, last| Some(doubling(*first, *last)),
};

/// vCPUs of a task; a range holds every size of Fargate between its ends.
pub const VCPU: ListForm<f64> = ListForm {
    value: |word| word.parse().ok(),
    between: |first, last| Some(sizes_between(*first, *last)),
};

/// MiB of a task's memory as people write it: `2048`, `2GB`, `0.5 GiB`. As in task definitions of Fargate, 1 GB is 1024 MiB, and a number alone is MiB.
pub fn memory_mib(text: &str) -> Option<u32> {
    const MIB: u64 = 1 << 20;
    let text = text.trim().to_ascii_lowercase();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = text.strip_suffix(unit)?;
    let unit = match unit.trim_start() {
        "" | "m" | "mb" | "mi" | "mib" => "MiB",
        "g" | "gb" | "gi" | "gib" => "GiB",
        _ => return None,
    };
    let bytes = units::parse_size(&format!("{number}{unit}")).ok()?;
    let mib = (bytes % MIB == 0).then_some(bytes / MIB)?;
    u32::try_from(mib).ok().filter(|mib| *mib > 0)
}

/// From `first` on, each twice the one before, and `last`; none where `last` is smaller.
pub fn doubling(first: u32, last: u32) -> Vec<u32> {
    if last < first || first == 0 {
        return Vec::new();
    }
    let below = std::iter::successors(Some(first), |value| value.checked_mul(2))
        .take_while(|value| *value < last);
    below.chain([last]).collect()
}

/// An end that is no size stands there too: whoever knows the sizes refuses it by name.
fn sizes_between(first: f64, last: f64) -> Vec<f64> {
    if last < first {
        return Vec::new();
    }
    let sizes = price::CPU_UNITS
        .into_iter()
        .map(|units| f64::from(units) / 1024.0)
        .filter(|size| *size > first && *size < last);
    let mut all: Vec<f64> = std::iter::once(first).chain(sizes).collect();
    if first < last {
        all.push(last);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Clone + PartialEq>(text: &str, listed: &ListForm<T>) -> Result<Vec<T>, String> {
        let mut gathered = Gathered::empty();
        gathered
            .add_text(text, listed)
            .map_err(|error| error.to_string())?;
        Ok(gathered.into_values())
    }

    #[test]
    fn memory_is_read_as_fargate_writes_it() {
        for (text, mib) in [
            ("512", 512),
            ("2GB", 2_048),
            ("2 GB", 2_048),
            ("2gib", 2_048),
            ("2G", 2_048),
            ("0.5GB", 512),
            ("4096MB", 4_096),
            (" 1 MiB ", 1),
        ] {
            assert_eq!(memory_mib(text), Some(mib), "{text}");
        }
        for text in [
            "",
            "GB",
            "0",
            "0GB",
            "0.0001GB",
            "2TB",
            "-1",
            "2GBs",
            "1.GB",
            "9999999GB",
        ] {
            assert_eq!(memory_mib(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_of_numbers_doubles_and_holds_its_ends() {
        for (text, values) in [
            ("1..64", &[1, 2, 4, 8, 16, 32, 64][..]),
            ("1..48", &[1, 2, 4, 8, 16, 32, 48]),
            ("3..3", &[3]),
            ("3 .. 20", &[3, 6, 12, 20]),
            ("1..8,24", &[1, 2, 4, 8, 24]),
            ("24, 1..8", &[24, 1, 2, 4, 8]),
            ("1..8,8..32", &[1, 2, 4, 8, 16, 32]),
            ("4,1..8", &[4, 1, 2, 8]),
            ("3000000000..4294967295", &[3_000_000_000, 4_294_967_295]),
        ] {
            assert_eq!(read(text, &WHOLE).as_deref(), Ok(values), "{text}");
        }
    }

    #[test]
    fn a_range_of_vcpus_holds_the_sizes_between() {
        assert_eq!(read("0.25..4", &VCPU).unwrap(), [0.25, 0.5, 1.0, 2.0, 4.0]);
        assert_eq!(read("1..1,16", &VCPU).unwrap(), [1.0, 16.0]);
        assert_eq!(
            read("1..3", &VCPU).unwrap(),
            [1.0, 2.0, 3.0],
            "3 is refused by whoever knows the sizes"
        );
    }

    #[test]
    fn what_is_no_list_is_said() {
        for (text, error) in [
            ("0", "`0` is not a valid value"),
            ("", "`` is not a valid value"),
            ("1,,2", "`` is not a valid value"),
            ("1..", "`1..` is not a valid value"),
            ("..8", "`..8` is not a valid value"),
            ("1..8..2", "`1..8..2` is not a valid value"),
            ("1...8", "`1...8` is not a valid value"),
            ("0..4", "`0..4` is not a valid value"),
            ("1..x", "`1..x` is not a valid value"),
            ("1..4294967296", "`1..4294967296` is not a valid value"),
            ("a\u{1b}b", "`a\\u{1b}b` is not a valid value"),
            ("8..1", "the range `8..1` ends below its start"),
            ("8..\n1", "the range `8..\\n1` ends below its start"),
            ("4,4", "`4` is given twice"),
        ] {
            assert_eq!(read(text, &WHOLE).unwrap_err(), error, "{text}");
        }
        assert_eq!(
            read("4..0.25", &VCPU).unwrap_err(),
            "the range `4..0.25` ends below its start"
        );
    }
}
