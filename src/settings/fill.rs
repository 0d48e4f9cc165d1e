//! The settings of `fill`.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::selection;
use super::shown::{ProgressWhen, progress_when};
use super::source::access;
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::fill::{Consent, Content, Copied, Fill, MOST_BYTES, Made, Missing, Sizes};
use crate::plan::{KeySample, S3Uri, SAMPLE_SEED, SampleSize};
use crate::units;

/// Objects that are made where no number is given, and keys of a sample.
const OBJECTS: (u64, u64) = (1_000, 2_000);
/// Objects at once.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(16).unwrap();
/// Size of an object where none is given, in bytes.
const SIZE: u64 = 256 << 10;
/// Standard deviation of the logarithm where none is given.
const SIGMA: f64 = 1.0;
/// The widest spread of sizes.
const MOST_SIGMA: f64 = 4.0;
/// How the target is given.
const TARGET: &str = "parfetch fill s3://bucket/prefix/ --objects 2000 --size 2.5MiB";

/// Everything `fill` was asked for.
#[derive(Clone, Debug)]
pub struct FillSettings {
    /// What is filled with what.
    pub fill: Fill,
    /// Whether it is only said what would be done.
    pub dry_run: bool,
    /// Progress.
    pub progress: ProgressWhen,
    /// A price list instead of the built-in one.
    pub prices: Option<PathBuf>,
}

/// The settings of `fill`.
pub fn fill(raw: &Raw) -> Result<FillSettings, Failure> {
    let reader = SettingReader(raw);
    let mut notes = Notes::default();
    let target = target(raw, &mut notes)?;
    let content = match raw.get("from") {
        None => Content::Made(made(raw)?),
        Some(given) => Content::Copied(copied(raw, (given, &target))?),
    };
    let concurrency = reader
        .number("concurrency", 1..=256, "objects at once")?
        .and_then(|number| u32::try_from(number).ok());
    let settings = FillSettings {
        fill: Fill {
            target,
            content,
            missing: if reader.switch("create-bucket")? {
                Missing::Create
            } else {
                Missing::Refuse
            },
            consent: if reader.switch("yes")? {
                Consent::Given
            } else {
                Consent::Needed
            },
            concurrency: concurrency.and_then(NonZeroU32::new).unwrap_or(AT_ONCE),
            access: access(raw)?,
        },
        dry_run: reader.switch("dry-run")?,
        progress: progress_when(&reader)?,
        prices: reader.path("prices"),
    };
    // Last: what is missing is said when nothing else is wrong.
    notes.settled().map(|_none| settings)
}

/// The bucket, and a prefix that is empty or a folder; no bucket while it is missing.
fn target(raw: &Raw, notes: &mut Notes) -> Result<S3Uri, Failure> {
    let word = match raw.words.as_slice() {
        [word] => word,
        [] => {
            notes.lacks(usage("no bucket to fill is given", TARGET));
            return Ok(S3Uri {
                bucket: String::new(),
                key: String::new(),
            });
        }
        _ => {
            return Err(usage(
                "more than one bucket to fill is given",
                "one bucket is filled at a time; --from names the bucket to copy from",
            ));
        }
    };
    let mut uri = word
        .parse::<S3Uri>()
        .map_err(|error| usage(error, TARGET))?;
    if !uri.key.is_empty() && !uri.key.ends_with('/') {
        uri.key.push('/');
    }
    Ok(uri)
}

fn made(raw: &Raw) -> Result<Made, Failure> {
    let reader = SettingReader(raw);
    if let Some(Given { name, .. }) = raw.get("sample") {
        return Err(usage(
            format!("{name} is a sample of the objects of --from"),
            "give --from s3://bucket/prefix, or --objects for made ones",
        ));
    }
    let objects = reader
        .number("objects", 1..=10_000_000, "objects to make")?
        .unwrap_or(OBJECTS.0);
    Ok(Made {
        objects: NonZeroU64::new(objects).expect("the range was checked"),
        sizes: raw.get("size").map_or(Ok(Sizes::Fixed(SIZE)), sizes)?,
        seed: seed(&reader)?,
    })
}

fn seed(reader: &SettingReader<'_>) -> Result<u64, Failure> {
    Ok(reader
        .number("seed", 0..=u64::from(u32::MAX), "the seed")?
        .unwrap_or(SAMPLE_SEED))
}

/// `2.5MiB`, `lognormal:256KiB`, `lognormal:256KiB,1.2`
fn sizes(Given { value, name }: &Given) -> Result<Sizes, Failure> {
    let hint = "write it like 2.5MiB, lognormal:256KiB or lognormal:256KiB,1.2";
    let wrong = |what: &str| usage(format!("{name} is `{value}`, {what}"), hint);
    let size = |text: &str| {
        let bytes = units::parse_size(text).map_err(|_| wrong("which is not a size"))?;
        if bytes <= MOST_BYTES {
            Ok(bytes)
        } else {
            Err(wrong(&format!("more than {}", units::bytes(MOST_BYTES))))
        }
    };
    let Some(rest) = value.strip_prefix("lognormal:") else {
        return size(value).map(Sizes::Fixed);
    };
    let (median, sigma) = rest
        .split_once(',')
        .map_or((rest, None), |(median, sigma)| (median, Some(sigma)));
    let sigma = sigma.map_or(Ok(SIGMA), |sigma| {
        let number = sigma
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|sigma| (0.0..=MOST_SIGMA).contains(sigma));
        number.ok_or_else(|| {
            wrong(&format!(
                "whose sigma is not a number from 0 to {MOST_SIGMA}"
            ))
        })
    })?;
    match size(median)? {
        0 => Err(wrong("whose median is 0")),
        median => Ok(Sizes::Lognormal { median, sigma }),
    }
}

fn copied(raw: &Raw, (Given { value, name }, target): (&Given, &S3Uri)) -> Result<Copied, Failure> {
    let from = value.parse::<S3Uri>().map_err(|error| {
        usage(
            format!("{name}: {error}"),
            "write it like s3://bucket/prefix",
        )
    })?;
    for flag in ["objects", "size"] {
        if let Some(given) = raw.get(flag) {
            return Err(usage(
                format!("{} describes made objects, and {name} copies", given.name),
                "leave one of them out; --sample says how many are copied",
            ));
        }
    }
    if from.bucket == target.bucket
        && (from.key.starts_with(&target.key) || target.key.starts_with(&from.key))
    {
        let message = format!("{target} would be filled from itself: {from} overlaps with it");
        return Err(usage(
            message,
            "copy into another bucket, or under a prefix apart from that of the originals",
        ));
    }
    let size = match raw.get("sample") {
        None => NonZeroU64::new(OBJECTS.1).map(SampleSize::Keys),
        Some(Given { value, name }) => selection::sample_size(value)
            .map_err(|wrong| usage(format!("{name} {wrong}"), selection::SAMPLE_HINT))?,
    };
    let seed = seed(&SettingReader(raw))?;
    Ok(Copied {
        from,
        sample: size.map(|size| KeySample { size, seed }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, Variables, parse};
    use crate::exit::Exit;

    fn settings(words: &[&str]) -> Result<FillSettings, Failure> {
        let arguments = ["parfetch", "fill"]
            .iter()
            .chain(words)
            .map(|word| (*word).into());
        let Ok(Invocation::Fill(raw)) = parse(arguments, Variables::default()) else {
            panic!("not a fill")
        };
        fill(&raw)
    }

    #[test]
    fn a_target_is_a_folder() {
        let of = |words: &[&str]| settings(words).unwrap().fill;
        assert_eq!(of(&["s3://bench"]).target.to_string(), "s3://bench/");
        assert_eq!(
            of(&["s3://bench/a/b"]).target.to_string(),
            "s3://bench/a/b/"
        );
        assert_eq!(of(&["s3://bench/a/"]).target.to_string(), "s3://bench/a/");
        let Content::Made(made) = of(&["s3://bench"]).content else {
            panic!()
        };
        assert_eq!(
            made,
            Made {
                objects: 1_000.try_into().unwrap(),
                sizes: Sizes::Fixed(262_144),
                seed: 1
            }
        );
    }

    #[test]
    fn sizes_are_fixed_or_lognormal() {
        let of = |text: &str| match settings(&["s3://b", "--size", text]).unwrap().fill.content {
            Content::Made(made) => made.sizes,
            Content::Copied(_) => panic!(),
        };
        assert_eq!(of("2.5MiB"), Sizes::Fixed(2_621_440));
        assert_eq!(of("0"), Sizes::Fixed(0));
        assert_eq!(
            of("lognormal:1MB"),
            Sizes::Lognormal {
                median: 1_000_000,
                sigma: 1.0
            }
        );
        assert_eq!(
            of("lognormal:1MB,0.5"),
            Sizes::Lognormal {
                median: 1_000_000,
                sigma: 0.5
            }
        );
        for wrong in [
            "",
            "big",
            "lognormal:",
            "lognormal:0",
            "lognormal:1MB,",
            "lognormal:1MB,-1",
            "lognormal:1MB,5",
            "lognormal:1MB,nan",
            "900TB",
        ] {
            let failure = settings(&["s3://b", "--size", wrong]);
            assert!(wrong.is_empty() || failure.is_err_and(|failure| failure.exit == Exit::Usage && failure.hint.is_some()), "{wrong}");
        }
    }

    #[test]
    fn a_copy_goes_to_another_place() {
        let from = |target: &str, from: &str| {
            settings(&[target, "--from", from]).map(|settings| settings.fill.content)
        };
        assert!(
            matches!(from("s3://bench", "s3://images/2024/"), Ok(Content::Copied(copied)) if copied.from.key == "2024/")
        );
        assert!(from("s3://images/copy/", "s3://images/2024/").is_ok());
        for (target, origin) in [
            ("s3://images", "s3://images"),
            ("s3://images", "s3://images/2024/"),
            ("s3://images/copy/", "s3://images"),
            ("s3://images/2024/", "s3://images/20"),
            ("s3://images/2024", "s3://images/2024/05/"),
        ] {
            let failure = from(target, origin).unwrap_err();
            assert!(
                failure.exit == Exit::Usage
                    && failure.message.contains("would be filled from itself"),
                "{target} {origin}: {failure}"
            );
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let message = |words: &[&str]| settings(words).unwrap_err().message;
        assert_eq!(message(&["bench"]), "`bench` does not begin with s3://");
        assert_eq!(
            message(&["s3://a", "s3://b"]),
            "more than one bucket to fill is given"
        );
        assert_eq!(
            message(&["s3://a", "--sample", "5"]),
            "--sample is a sample of the objects of --from"
        );
        assert_eq!(
            message(&["s3://a", "--from", "s3://b", "--size", "5"]),
            "--size describes made objects, and --from copies"
        );
        assert_eq!(
            message(&["s3://a", "--from", "b"]),
            "--from: `b` does not begin with s3://"
        );
        assert_eq!(
            message(&["s3://a", "--objects", "0"]),
            "--objects is 0, outside 1 to 10000000"
        );
        assert_eq!(message(&[]), "no bucket to fill is given");
    }
}
