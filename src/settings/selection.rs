//! Which keys a run takes: where they come from, and which part of them is this process's.

use std::num::{NonZeroU32, NonZeroU64};

use super::reader::{SettingReader, usage};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::variables::{SHARD_COUNT, SHARDS_LEFT};
use crate::plan::{
    KeySample, KeySource, S3Uri, SAMPLE_SEED, SampleSize, Selection, Shard, ShardsLeft,
};
use crate::units;

/// Number of a child in an array job, set by AWS Batch.
const ARRAY_INDEX: &str = "AWS_BATCH_JOB_ARRAY_INDEX";
/// Number of a pod in an Indexed Job, set by Kubernetes.
const COMPLETION_INDEX: &str = "JOB_COMPLETION_INDEX";

pub(super) const SAMPLE_VARIABLE: &str = "PARFETCH_SAMPLE";
/// How a sample is given.
pub(super) const SAMPLE_HINT: &str = "a number of keys like 5000, a size like 2GB, auto, or all";

/// The keys of a run.
pub(super) fn selection(raw: &Raw) -> Result<Selection, Failure> {
    let reader = SettingReader(raw);
    let shard = shard(raw)?;
    let sample = sample(raw)?;
    Ok(Selection {
        source: key_source(raw, shard)?,
        prefix: reader.text("prefix").unwrap_or_default(),
        limit: reader.number("limit", 1..=u64::from(u32::MAX), "keys")?,
        sample,
        shard,
    })
}

/// A random sample of the keys; none = all of them, or those of `--limit`.
fn sample(raw: &Raw) -> Result<Option<KeySample>, Failure> {
    let Some(given) = raw.get("sample") else {
        return Ok(None);
    };
    if let Some(limit) = raw.get("limit") {
        return Err(both(given.name, limit.name));
    }
    let seed = SettingReader(raw)
        .number("seed", 0..=u64::from(u32::MAX), "the seed of the sample")?
        .unwrap_or(SAMPLE_SEED);
    let size = sample_size(&given.value)
        .map_err(|wrong| usage(format!("{} {wrong}", given.name), SAMPLE_HINT))?;
    Ok(size.map(|size| KeySample { size, seed }))
}

/// What `--sample` and `--limit` together are.
pub(super) fn both(sample: &str, limit: &str) -> Failure {
    usage(
        format!(
            "{sample} and {limit} exclude each other: a sample is random over all keys, a limit is the first of them"
        ),
        "leave one of them out",
    )
}

/// The size of a sample, none for `all`; or what is wrong with it.
pub(super) fn sample_size(text: &str) -> Result<Option<SampleSize>, String> {
    match text {
        "all" => return Ok(None),
        "auto" => return Ok(Some(SampleSize::Auto)),
        _ => {}
    }
    let count = text
        .parse::<NonZeroU64>()
        .ok()
        .filter(|count| u32::try_from(count.get()).is_ok())
        .map(SampleSize::Keys);
    // A number alone is a number of keys.
    let is_size = !text.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = || {
        units::parse_size(text)
            .ok()
            .filter(|_| is_size)
            .and_then(NonZeroU64::new)
            .map(SampleSize::Bytes)
    };
    count.or_else(bytes).map(Some).ok_or_else(|| {
        format!("is `{text}`, which is neither a number of keys nor a size, auto or all")
    })
}

/// Where the keys come from, when they are not divided yet.
pub(super) fn one_source(raw: &Raw) -> Result<KeySource, Failure> {
    key_source(raw, None)
}

fn key_source(raw: &Raw, shard: Option<Shard>) -> Result<KeySource, Failure> {
    let Some(given @ Given { value, name }) = raw.get("keys") else {
        return Ok(KeySource::Listing);
    };
    if !value.starts_with("s3://") {
        return Ok(KeySource::File(value.clone().into()));
    }
    let uri = SettingReader(raw)
        .word::<S3Uri>("keys")?
        .filter(|uri| !uri.key.is_empty());
    let uri = uri.ok_or_else(|| {
        usage(
            format!("{name}: `{value}` names no key"),
            "write s3://bucket/key, or the path of a file",
        )
    })?;
    if uri.key.ends_with('/') {
        folder(given, uri, shard)
    } else {
        Ok(KeySource::Object(uri))
    }
}

fn folder(
    Given { value, name }: &Given,
    uri: S3Uri,
    shard: Option<Shard>,
) -> Result<KeySource, Failure> {
    if shard.is_some() {
        return Ok(KeySource::Folder(uri));
    }
    let hint = "say which with --shard I/N, or name one file of it";
    Err(usage(
        format!("{name}: `{value}` is a folder of key files, one a shard, and there is no shard"),
        hint,
    ))
}

/// What `--shard` says, else the place in an array job of AWS Batch or in an Indexed Job of Kubernetes. Without a count that is refused: each child would
/// fetch everything.
fn shard(raw: &Raw) -> Result<Option<Shard>, Failure> {
    if let Some(shard) = SettingReader(raw).word::<Shard>("shard")? {
        return Ok(Some(shard));
    }
    let index = [(ARRAY_INDEX, "AWS Batch"), (COMPLETION_INDEX, "Kubernetes")]
        .into_iter()
        .find_map(|(name, by)| Some((name, by, raw.variables.get(name)?)));
    let count = raw.variables.get(SHARD_COUNT);
    let whole = |name: &str, text: &str, hint: &str| {
        text.parse::<u32>().map_err(|_| {
            usage(
                format!("{name} is `{text}`, which is not a whole number"),
                hint.to_owned(),
            )
        })
    };
    let hint = format!("{SHARD_COUNT} is the number of children of the array job");
    let count = count
        .map(|text| whole(SHARD_COUNT, text, &hint))
        .transpose()?;
    let count = count
        .map(|count| {
            NonZeroU32::new(count).ok_or_else(|| usage(format!("{SHARD_COUNT} is 0"), &hint))
        })
        .transpose()?;
    let child = index
        .map(|(name, by, text)| whole(name, text, &format!("{by} sets it")))
        .transpose()?;
    match (left(raw, child)?, count) {
        (None, None) => Ok(None),
        (None, Some(count)) if count.get() == 1 => Ok(Some(Shard { index: 0, count })),
        (None, Some(count)) => {
            let message = format!("{SHARD_COUNT} is {count}, and no shard index is set");
            Err(usage(
                message,
                format!(
                    "AWS Batch sets {ARRAY_INDEX} in an array job, and Kubernetes {COMPLETION_INDEX} in an Indexed Job; elsewhere use --shard I/N"
                ),
            ))
        }
        (Some(index), None) => {
            let message = format!(
                "this is child {index} of an array job, and {SHARD_COUNT} is not set: each child would fetch everything"
            );
            Err(usage(message, hint))
        }
        (Some(index), Some(count)) if index >= count.get() => Err(usage(
            format!("this is child {index} of an array job, and {SHARD_COUNT} is {count}"),
            hint,
        )),
        (Some(index), Some(count)) => Ok(Some(Shard { index, count })),
    }
}

/// The shard of a child: its number, or the one at its place among those that are left of a job.
fn left(raw: &Raw, child: Option<u32>) -> Result<Option<u32>, Failure> {
    let Some(text) = raw.variables.get(SHARDS_LEFT) else {
        return Ok(child);
    };
    let hint = "a job that was submitted with --redo-failed sets it";
    let ShardsLeft(left) = text
        .parse()
        .map_err(|error| usage(format!("{SHARDS_LEFT}: {error}"), hint))?;
    let place = child.unwrap_or(0) as usize;
    match left.get(place) {
        Some(shard) if child.is_some() || left.len() == 1 => Ok(Some(*shard)),
        _ => {
            let message = format!("{SHARDS_LEFT} is {text}, and this is child {place} of the job");
            Err(usage(message, hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, Variables, parse};
    use crate::plan::RunPlan;

    fn plan<const N: usize>(
        words: &[&str],
        variables: [(&str, &str); N],
    ) -> Result<RunPlan, Failure> {
        let arguments = ["parfetch", "run", "-b", "b", "-o", "out"]
            .iter()
            .chain(words)
            .map(|word| (*word).into());
        let Ok(Invocation::Run(raw)) = parse(arguments, Variables::from(variables)) else {
            panic!("not a run")
        };
        crate::settings::run(&raw).map(|settings| settings.plan)
    }

    #[test]
    fn a_child_takes_its_shard_from_batch_or_from_kubernetes() {
        let child = plan(&["-t", "all"], [(ARRAY_INDEX, "3"), (SHARD_COUNT, "8")]).unwrap();
        assert_eq!(child.result_stem(), "result_all_async_16.shard-3-of-8");
        let pod = plan(
            &["-t", "all"],
            [(COMPLETION_INDEX, "3"), (SHARD_COUNT, "8")],
        )
        .unwrap();
        assert_eq!(pod.result_stem(), child.result_stem());
        assert_eq!(
            plan(&[], [(COMPLETION_INDEX, "a"), (SHARD_COUNT, "2")])
                .unwrap_err()
                .message,
            "JOB_COMPLETION_INDEX is `a`, which is not a whole number"
        );
        assert_eq!(
            plan(&[], [(SHARD_COUNT, "1")])
                .unwrap()
                .selection
                .shard
                .unwrap()
                .to_string(),
            "0/1",
            "an array of one is a job without index"
        );
        assert_eq!(plan(&[], []).unwrap().selection.shard, None);
        let typed = plan(&["--shard", "0/2"], [(ARRAY_INDEX, "3")]).unwrap();
        assert_eq!(
            typed.selection.shard.unwrap().to_string(),
            "0/2",
            "what a person says wins"
        );
    }

    #[test]
    fn a_child_of_a_job_that_goes_on_takes_a_shard_that_is_left() {
        let shard = |variables: &[(&str, &str)]| {
            let all: Vec<_> = variables
                .iter()
                .copied()
                .chain([(SHARD_COUNT, "8")])
                .collect();
            let [one, two, three] = [0, 1, 2].map(|at| all.get(at).copied().unwrap_or(("X", "")));
            plan(&[], [one, two, three])
                .map(|plan| plan.selection.shard.unwrap().to_string())
                .map_err(|failure| failure.message)
        };
        let list = (SHARDS_LEFT, "2,5-6");
        assert_eq!(shard(&[list, (ARRAY_INDEX, "2")]), Ok("6/8".to_owned()));
        assert_eq!(
            shard(&[(SHARDS_LEFT, "5")]),
            Ok("5/8".to_owned()),
            "no array"
        );
        for wrong in [vec![list], vec![list, (ARRAY_INDEX, "3")]] {
            assert!(shard(&wrong).is_err(), "{wrong:?}");
        }
        assert!(shard(&[(SHARDS_LEFT, "x"), (ARRAY_INDEX, "0")]).is_err());
    }

    #[test]
    fn a_sample_is_a_number_of_keys_a_size_auto_or_all() {
        let size = |text: &str| sample_size(text);
        let some = |number| NonZeroU64::new(number).unwrap();
        assert_eq!(size("5000"), Ok(Some(SampleSize::Keys(some(5_000)))));
        assert_eq!(
            size("2GB"),
            Ok(Some(SampleSize::Bytes(some(2_000_000_000))))
        );
        assert_eq!(
            size("1.5 MiB"),
            Ok(Some(SampleSize::Bytes(some(1_572_864))))
        );
        assert_eq!(
            (size("auto"), size("all")),
            (Ok(Some(SampleSize::Auto)), Ok(None))
        );
        for wrong in ["0", "-1", "0GB", "half", "", "5000000000", "10%"] {
            assert_eq!(
                size(wrong),
                Err(format!(
                    "is `{wrong}`, which is neither a number of keys nor a size, auto or all"
                ))
            );
        }
    }

    #[test]
    fn a_sample_has_a_seed_and_no_limit() {
        let sample = |words: &[&str], variables: [(&str, &str); 1]| {
            plan(words, variables).map(|plan| plan.selection.sample)
        };
        let keys = |seed| {
            Some(KeySample {
                size: SampleSize::Keys(NonZeroU64::new(9).unwrap()),
                seed,
            })
        };
        assert_eq!(
            sample(&["--sample", "9"], [("PARFETCH_SEED", "")]).unwrap(),
            keys(SAMPLE_SEED)
        );
        assert_eq!(
            sample(&["--sample", "9", "--seed", "0"], [("PARFETCH_SEED", "4")]).unwrap(),
            keys(0)
        );
        assert_eq!(
            sample(&[], [("PARFETCH_SAMPLE", "9")]).unwrap(),
            keys(SAMPLE_SEED)
        );
        assert_eq!(
            sample(&["--sample", "all"], [("PARFETCH_SAMPLE", "9")]).unwrap(),
            None,
            "a flag wins"
        );
        let said = sample(&["--sample", "9"], [("PARFETCH_LIMIT", "3")])
            .unwrap_err()
            .message;
        assert_eq!(
            said,
            "--sample and PARFETCH_LIMIT exclude each other: a sample is random over all keys, a limit is the first of them"
        );
        assert_eq!(
            sample(&["--sample", "some"], [("PARFETCH_SEED", "")])
                .unwrap_err()
                .message,
            "--sample is `some`, which is neither a number of keys nor a size, auto or all"
        );
    }

    #[test]
    fn a_child_that_does_not_know_its_part_fetches_nothing() {
        let said = |variables: [(&str, &str); 2]| plan(&[], variables).unwrap_err().message;
        assert_eq!(
            said([(ARRAY_INDEX, "0"), (SHARD_COUNT, "")]),
            "this is child 0 of an array job, and PARFETCH_SHARD_COUNT is not set: each child would fetch everything"
        );
        assert_eq!(
            said([(ARRAY_INDEX, "8"), (SHARD_COUNT, "8")]),
            "this is child 8 of an array job, and PARFETCH_SHARD_COUNT is 8"
        );
        assert_eq!(
            said([(ARRAY_INDEX, ""), (SHARD_COUNT, "2")]),
            "PARFETCH_SHARD_COUNT is 2, and no shard index is set"
        );
        assert_eq!(
            said([(ARRAY_INDEX, "0"), (SHARD_COUNT, "0")]),
            "PARFETCH_SHARD_COUNT is 0"
        );
        assert_eq!(
            said([(ARRAY_INDEX, "a"), (SHARD_COUNT, "2")]),
            "AWS_BATCH_JOB_ARRAY_INDEX is `a`, which is not a whole number"
        );
    }

    #[test]
    fn a_folder_of_key_files_takes_a_shard() {
        let keys = ["--keys", "s3://results/jobs/a/keys/"];
        let child = plan(&keys, [(ARRAY_INDEX, "1"), (SHARD_COUNT, "2")]).unwrap();
        assert_eq!(
            child.selection.source,
            KeySource::Folder("s3://results/jobs/a/keys/".parse().unwrap())
        );
        let error = plan(&keys, []).unwrap_err();
        assert_eq!(
            error.message,
            "--keys: `s3://results/jobs/a/keys/` is a folder of key files, one a shard, and there is no shard"
        );
        assert!(matches!(
            plan(&["--keys", "s3://results/keys.tsv"], [])
                .unwrap()
                .selection
                .source,
            KeySource::Object(_)
        ));
    }
}
