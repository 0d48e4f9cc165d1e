//! Inputs taken apart at random, for whatever reads what comes from outside. Of tests only.
//!
//! Each case follows from the target's name and its number, so a case that fails can be made again. `PARFETCH_FUZZ` sizes a session: a number of cases
//! (`10000000`), or a time (`30m`). What once broke a reader is kept in `tests/corpus/NAME/` and is tried first, as it is, then as a seed.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

/// Numbers at which arithmetic breaks.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "-0.0",
    "1e-320",
];
/// Longest input: what a mutation doubles must not grow for ever.
const LONGEST: usize = 1 << 16;

/// One reader of outside bytes.
pub struct Target<'a> {
    /// Its name, also of its corpus.
    pub name: &'a str,
    /// Inputs to begin with.
    pub seeds: Vec<Vec<u8>>,
    /// Pieces that matter in its language.
    pub words: &'a [&'a str],
    /// Cases of an ordinary test run: a second or so without optimisation.
    pub cases: u64,
}

/// How long a session lasts.
enum Size {
    Cases(u64),
    Time(Duration),
}

/// A new folder, in memory where there is such a place: millions of cases must not wait for a disk, nor wear it out.
///
/// # Panics
/// Where there is no place for one.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder")
}

impl Target<'_> {
    /// Tries `hold` on the corpus, then on seeds taken apart. `hold` panics where something does not hold.
    ///
    /// # Panics
    /// Where `hold` does, with the number of the case and the file that has its input.
    pub fn run(mut self, hold: impl Fn(&[u8])) {
        for (path, kept) in corpus(self.name) {
            self.attempt(&hold, &kept, &path);
            self.seeds.push(kept);
        }
        let size = asked().unwrap_or(Size::Cases(self.cases));
        let begin = Instant::now();
        let mut number = 0_u64;
        while match size {
            Size::Cases(cases) => number < cases,
            Size::Time(time) => begin.elapsed() < time,
        } {
            let input = self.case(number);
            self.attempt(&hold, &input, &format!("case {number}"));
            number += 1;
        }
    }

    fn attempt(&self, hold: &impl Fn(&[u8]), input: &[u8], what: &str) {
        if catch_unwind(AssertUnwindSafe(|| hold(input))).is_err() {
            let file = std::env::temp_dir().join(format!("parfetch-fuzz-{}", self.name));
            let kept = fs::write(&file, input).map_or_else(
                |error| format!("not kept: {error}"),
                |()| format!("kept in {}", file.display()),
            );
            panic!(
                "{}: {what} does not hold; {kept}:\n{}",
                self.name,
                input.escape_ascii()
            );
        }
    }

    fn case(&self, number: u64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(
            xxh3_64(self.name.as_bytes()) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        );
        let mut bytes = self.seeds[random.usize(..self.seeds.len())].clone();
        for _ in 0..random.usize(1..8) {
            self.mutate(&mut bytes, &mut random);
            bytes.truncate(LONGEST);
        }
        bytes
    }

    fn mutate(&self, bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
        let at = random.usize(..=bytes.len());
        let end = (at + random.usize(..17)).min(bytes.len());
        match random.u8(..11) {
            0 if at < bytes.len() => bytes[at] = random.u8(..),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 if !self.words.is_empty() => {
                drop(bytes.splice(at..at, self.words[random.usize(..self.words.len())].bytes()));
            }
            5 => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            6 => {
                // The end of another seed.
                let other = &self.seeds[random.usize(..self.seeds.len())];
                bytes.truncate(at);
                bytes.extend(&other[random.usize(..=other.len())..]);
            }
            7 | 8 => {
                let digits = run_at(bytes, at, |byte| {
                    byte.is_ascii_digit() || b".-+eE".contains(&byte)
                });
                drop(bytes.splice(digits, NUMBERS[random.usize(..NUMBERS.len())].bytes()));
            }
            9 => drop(bytes.drain(line_at(bytes, at))),
            _ => {
                let line = bytes[line_at(bytes, at)].to_vec();
                let to = line_at(bytes, random.usize(..=bytes.len())).start;
                drop(bytes.splice(to..to, line));
            }
        }
    }
}

/// The next run of bytes of a kind at or behind `at`; empty at the end when there is none.
fn run_at(bytes: &[u8], at: usize, of: impl Fn(u8) -> bool) -> std::ops::Range<usize> {
    let start = at
        + bytes[at..]
            .iter()
            .take_while(|byte| !byte.is_ascii_digit())
            .count();
    start..start + bytes[start..].iter().take_while(|byte| of(**byte)).count()
}

/// The line around `at`, its end included.
fn line_at(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = bytes[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let end = bytes[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |end| at + end + 1);
    start..end
}

/// What is kept for a target: names and contents, in order.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    // The repository, from either crate.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/corpus"))
        .find(|folder| folder.is_dir())
        .expect("the repository of the source")
        .join(name);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut kept: Vec<_> = entries
        .map(|entry| entry.expect("a file of the corpus").path())
        .map(|path| {
            let kept = fs::read(&path).expect("a file of the corpus");
            (path.display().to_string(), kept)
        })
        .collect();
    kept.sort();
    kept
}

#[expect(
    clippy::disallowed_methods,
    reason = "sizes a session of tests; the program never reads it"
)]
fn asked() -> Option<Size> {
    let text = std::env::var("PARFETCH_FUZZ").ok()?;
    let time =
        |_| Size::Time(humantime::parse_duration(&text).expect("PARFETCH_FUZZ is 10000000 or 30m"));
    Some(text.parse().map_or_else(time, Size::Cases))
}
