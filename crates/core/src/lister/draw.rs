//! A random sample of the keys that were listed, in place of them.
//!
//! Three passes over the key file on disk, and none over the bucket: sizes are counted, the size of the sample is found, its keys are copied. Memory does
//! not grow with the number of keys, nor with that of the sample, which stays in the order of the listing.

use std::fs;
use std::io;
use std::path::Path;

use super::error::ListError;
use super::pick::Listed;
use crate::plan::{AUTO_BYTES, AUTO_SECONDS, KeySample, SampleSize};
use crate::platform::cancel::{Cancelled, cancellable};
use crate::platform::fault;
use crate::results::summary::{SIZE_CLASS_BOUNDS, SampleClass, SampleFacts};
use crate::speed::AssumedSpeed;
use crate::spool::keys::{KeyFile, KeyWriter, decode};
use crate::stats::strata::Strata;
use crate::units;

/// Folder beside the key file in which the sample is written.
const FOLDER: &str = "sample";
/// By how much a sample that has too many bytes is made smaller than its excess asks for.
const MARGIN: f64 = 0.99;
/// What to try where no size is known.
const SIZES_HINT: &str = "--sample N takes a number of keys, whatever their sizes";

/// A sample that was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnSample {
    /// The keys of the sample.
    pub listed: Listed,
    /// How it was drawn; `None` when it holds every key.
    pub facts: Option<SampleFacts>,
    /// What a person should know about it.
    pub note: Option<String>,
}

/// Draws a sample of the keys that [`super::list()`] left in `spool`, and leaves it there in their place. `speed` says how large `auto` is. When the future is
/// dropped, the drawing ends at once.
///
/// # Errors
/// When no size is known and one is needed, or the key file cannot be read or written.
pub async fn draw(
    spool: &Path,
    (sample, listed): (KeySample, Listed),
    speed: AssumedSpeed,
) -> Result<DrawnSample, ListError> {
    let spool = spool.to_owned();
    cancellable(move |cancelled| {
        fault::point("draw");
        draw_now(&spool, (sample, listed), &speed, cancelled)
    })
    .await
}

fn draw_now(
    spool: &Path,
    (sample, listed): (KeySample, Listed),
    speed: &AssumedSpeed,
    cancelled: &Cancelled,
) -> Result<DrawnSample, ListError> {
    let keys = KeyFile::open(spool).map_err(ListError::Spool)?;
    let mut strata = Strata::default();
    let mut classes = classes();
    for size in keys.sizes() {
        let size = cancelled.check().and(size).map_err(ListError::Spool)?;
        strata.add(size);
        if let Some(size) = size {
            let class = class_of(&mut classes, size);
            class.of_keys += 1;
            class.of_bytes = class.of_bytes.saturating_add(size);
        }
    }
    let (count, is_too_large) = count((&keys, cancelled), &strata, (sample, speed))?;
    let mut found = Listed {
        keys: 0,
        bytes: Some(0),
        archived: 0,
        ..listed
    };
    if count == strata.keys() {
        return Ok(DrawnSample {
            listed,
            facts: None,
            note: is_too_large.then(|| note(listed.bytes)),
        });
    }
    let keep = Keep {
        spool,
        keys: &keys,
        cancelled,
    };
    keep.copy(&strata, (count, sample.seed), (&mut found, &mut classes))
        .map_err(ListError::Spool)?;
    classes.retain(|class| class.of_keys > 0);
    let facts = SampleFacts {
        asked: asked(sample.size),
        seed: sample.seed,
        keys: found.keys,
        bytes: found.bytes,
        of_keys: listed.keys,
        of_bytes: listed.bytes,
        classes,
    };
    Ok(DrawnSample {
        listed: found,
        facts: Some(facts),
        note: is_too_large.then(|| note(found.bytes)),
    })
}

fn note(bytes: Option<u64>) -> String {
    let bytes = bytes.map_or_else(|| "an unknown size".to_owned(), units::bytes);
    format!(
        "the sample is one key of {bytes}, more than was asked for: no sample is smaller than a key"
    )
}

/// How many keys the sample has, and whether even one has too many bytes.
fn count(
    keys: (&KeyFile, &Cancelled),
    strata: &Strata,
    (sample, speed): (KeySample, &AssumedSpeed),
) -> Result<(u64, bool), ListError> {
    let known = || {
        strata
            .mean_bytes()
            .ok_or_else(|| ListError::Wrong("no size of a key is known".to_owned(), SIZES_HINT))
    };
    let (wanted, most) = match sample.size {
        SampleSize::Keys(count) => return Ok((count.get().min(strata.keys()), false)),
        SampleSize::Bytes(most) => (f64::INFINITY, most.get()),
        SampleSize::Auto => (
            speed.objects_per_s(known()?) * AUTO_SECONDS,
            AUTO_BYTES.get(),
        ),
    };
    let most = most as f64;
    let mut count = whole(
        wanted.ceil().min(most / known()?.max(f64::MIN_POSITIVE)),
        strata.keys(),
    );
    loop {
        let bytes = bytes_of(keys, strata, (count, sample.seed)).map_err(ListError::Spool)? as f64;
        if bytes <= most || count <= 1 {
            return Ok((count, bytes > most));
        }
        count = whole(count as f64 * most / bytes * MARGIN, count - 1);
    }
}

/// At least one key, and no more than `most`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and the number is not negative"
)]
fn whole(count: f64, most: u64) -> u64 {
    (count as u64).clamp(1.min(most), most)
}

/// Bytes of the sample of so many keys.
fn bytes_of(
    (keys, cancelled): (&KeyFile, &Cancelled),
    strata: &Strata,
    (count, seed): (u64, u64),
) -> io::Result<u64> {
    let mut draw = strata.draw(count, seed);
    keys.sizes().try_fold(0_u64, |sum, size| {
        let size = cancelled.check().and(size)?;
        Ok(if draw.takes(size) {
            sum.saturating_add(size.unwrap_or(0))
        } else {
            sum
        })
    })
}

/// Where the keys are.
struct Keep<'a> {
    spool: &'a Path,
    keys: &'a KeyFile,
    cancelled: &'a Cancelled,
}

impl Keep<'_> {
    /// Writes the sample, and puts it in the place of all keys.
    fn copy(
        &self,
        strata: &Strata,
        (count, seed): (u64, u64),
        (found, classes): (&mut Listed, &mut [SampleClass]),
    ) -> io::Result<()> {
        let folder = self.spool.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let mut draw = strata.draw(count, seed);
        let mut writer = KeyWriter::create(&folder)?;
        self.keys.each(|size, bytes| {
            self.cancelled.check()?;
            if !draw.takes(size) {
                return Ok(());
            }
            let (record, _) = decode(bytes)?;
            found.keys += 1;
            found.archived += u64::from(record.is_archived());
            found.bytes = found
                .bytes
                .zip(size)
                .and_then(|(sum, size)| sum.checked_add(size));
            if let Some(size) = size {
                let class = class_of(classes, size);
                class.keys += 1;
                class.bytes = class.bytes.saturating_add(size);
            }
            writer.push(&record)
        })?;
        writer.finish()?;
        KeyFile::put(&folder, self.spool)
    }
}

fn classes() -> Vec<SampleClass> {
    let bounds = SIZE_CLASS_BOUNDS.into_iter().map(Some).chain([None]);
    bounds
        .map(|up_to_bytes| SampleClass {
            up_to_bytes,
            ..SampleClass::default()
        })
        .collect()
}

fn class_of(classes: &mut [SampleClass], size: u64) -> &mut SampleClass {
    &mut classes[SIZE_CLASS_BOUNDS.partition_point(|bound| *bound < size)]
}

fn asked(size: SampleSize) -> String {
    match size {
        SampleSize::Keys(count) => units::plural(count.get(), "key"),
        SampleSize::Bytes(bytes) => format!("at most {}", units::bytes(bytes.get())),
        SampleSize::Auto => {
            format!(
                "auto: about {AUTO_SECONDS} s of the fastest configuration, at most {}",
                units::bytes(AUTO_BYTES.get())
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::sample::KeyRecord;
    use crate::speed::{Configuration, Store};

    fn spool(sizes: &[Option<u64>]) -> (tempfile::TempDir, Listed) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = KeyWriter::create(dir.path()).unwrap();
        for (place, size) in sizes.iter().enumerate() {
            writer
                .push(&KeyRecord {
                    key: format!("k{place:06}"),
                    size: *size,
                    ..KeyRecord::default()
                })
                .unwrap();
        }
        writer.finish().unwrap();
        let bytes = sizes.iter().copied().sum::<Option<u64>>();
        (
            dir,
            Listed {
                keys: sizes.len() as u64,
                bytes,
                pages: 7,
                ..Listed::default()
            },
        )
    }

    fn speed(concurrency: f64) -> AssumedSpeed {
        AssumedSpeed {
            store: Store::Distant,
            configurations: vec![Configuration {
                vcpu: 4.0,
                concurrency,
                shards: 1.0,
            }],
        }
    }

    fn drawn(
        sizes: &[Option<u64>],
        size: SampleSize,
    ) -> Result<(DrawnSample, Vec<KeyRecord>), ListError> {
        let (dir, listed) = spool(sizes);
        let drawn = draw_now(
            dir.path(),
            (KeySample { size, seed: 1 }, listed),
            &speed(16.0),
            &Cancelled::default(),
        )?;
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            2,
            "nothing else is left in the spool folder"
        );
        Ok((
            drawn,
            KeyFile::open(dir.path())
                .unwrap()
                .iter()
                .map(Result::unwrap)
                .collect(),
        ))
    }

    fn some(number: u64) -> NonZeroU64 {
        NonZeroU64::new(number).unwrap()
    }

    #[test]
    fn a_sample_stands_in_place_of_the_keys() {
        let sizes: Vec<Option<u64>> = (0..5_000).map(|place| Some(1_000 + place)).collect();
        let (drawn, keys) = drawn(&sizes, SampleSize::Keys(some(100))).unwrap();
        assert_eq!(
            (
                keys.len(),
                drawn.listed.keys,
                drawn.listed.pages,
                drawn.facts.as_ref().unwrap().of_keys
            ),
            (100, 100, 7, 5_000)
        );
        assert!(
            keys.is_sorted_by(|one, other| one.key < other.key),
            "in the order of the listing"
        );
        assert!(
            keys[0].key.as_str() < "k000300" && keys[99].key.as_str() > "k004700",
            "of all of it: {} {}",
            keys[0].key,
            keys[99].key
        );
        let bytes: u64 = keys.iter().filter_map(|key| key.size).sum();
        let facts = drawn.facts.unwrap();
        assert_eq!(
            (facts.bytes, facts.of_bytes),
            (Some(bytes), sizes.iter().copied().sum())
        );
        let [class] = &facts.classes[..] else {
            panic!("{:?}", facts.classes)
        };
        assert_eq!(
            (class.up_to_bytes, class.keys, class.bytes, class.of_keys),
            (Some(16 << 10), 100, bytes, 5_000)
        );
    }

    #[test]
    fn drawing_that_was_cancelled_leaves_the_keys_as_they_are() {
        let (dir, listed) = spool(&[Some(5); 9]);
        let sample = KeySample {
            size: SampleSize::Keys(some(2)),
            seed: 1,
        };
        let ended = draw_now(
            dir.path(),
            (sample, listed),
            &speed(16.0),
            &Cancelled::already(),
        );
        assert!(
            matches!(ended, Err(ListError::Spool(error)) if error.kind() == io::ErrorKind::Interrupted)
        );
        assert_eq!(KeyFile::open(dir.path()).unwrap().count(), 9);
    }

    #[test]
    fn more_than_there_are_is_all() {
        let sizes = [Some(5), None, Some(7)];
        let (drawn, keys) = drawn(&sizes, SampleSize::Keys(some(9))).unwrap();
        assert_eq!(
            (
                keys.len(),
                drawn.facts,
                drawn.listed.keys,
                drawn.listed.bytes
            ),
            (3, None, 3, None)
        );
    }

    #[test]
    fn a_size_in_bytes_is_never_exceeded() {
        // One in fifty is a thousand times as large.
        let sizes: Vec<Option<u64>> = (0..10_000)
            .map(|place| {
                Some(if place % 50 == 0 {
                    10_000_000
                } else {
                    10_000 + place
                })
            })
            .collect();
        for most in [20_000_000, 100_000_000, 1_000_000_000] {
            let (drawn, _) = drawn(&sizes, SampleSize::Bytes(some(most))).unwrap();
            let bytes = drawn.listed.bytes.unwrap();
            assert!(bytes <= most && bytes * 2 > most, "{bytes} of {most}");
            assert_eq!(drawn.note, None);
        }
        let (giant, _) = drawn(&[Some(900), Some(900)], SampleSize::Bytes(some(5))).unwrap();
        assert_eq!((giant.listed.keys, giant.listed.bytes), (1, Some(900)));
        assert!(
            giant
                .note
                .unwrap()
                .starts_with("the sample is one key of 900 B, more than was asked for")
        );
    }

    #[test]
    fn auto_is_seconds_of_the_fastest_and_never_more_than_its_bytes() {
        // 16 workers, 20 ms each: 5 s are 4,000 objects.
        let (small, _) = drawn(&vec![Some(0); 5_000], SampleSize::Auto).unwrap();
        assert_eq!(small.listed.keys, 4_000);
        let (large, _) = drawn(&vec![Some(900_000_000); 50], SampleSize::Auto).unwrap();
        assert_eq!(
            (large.listed.keys, large.listed.bytes),
            (2, Some(1_800_000_000))
        );
        assert_eq!(
            large.facts.unwrap().asked,
            "auto: about 5 s of the fastest configuration, at most 2.00 GB"
        );
    }

    #[test]
    fn without_sizes_only_a_number_of_keys_can_be_drawn() {
        let error = drawn(&[None, None], SampleSize::Bytes(some(5))).unwrap_err();
        assert_eq!(error.to_string(), "no size of a key is known");
        assert_eq!(
            drawn(&[None, None], SampleSize::Keys(some(1)))
                .unwrap()
                .1
                .len(),
            1
        );
    }
}
