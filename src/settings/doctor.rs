//! The settings of `doctor`.

use std::path::PathBuf;

use super::reader::{Reader, usage};
use super::sweep::Beside;
use super::{FORMATS, Format};
use crate::cli::{Given, Raw};
use crate::doctor::Examination;
use crate::exit::Failure;
use crate::plan::S3Uri;

/// Everything `doctor` was asked for.
#[derive(Clone, Debug)]
pub struct DoctorSettings {
    /// What is looked at.
    pub examination: Examination,
    /// A price list instead of the built-in one.
    pub prices: Option<PathBuf>,
    /// The form of the list.
    pub output: Format,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
}

/// Settings of the source's access, as far as a sweep has them too.
const SHARED: [&str; 8] = ["endpoint-url", "virtual-host", "region", "profile", "no-sign-request", "request-payer", "ca-bundle", "egress"];

/// The settings of `doctor`.
pub fn doctor(raw: &Raw) -> Result<DoctorSettings, Failure> {
    let reader = Reader(raw);
    let mut warnings = Vec::new();
    let source = source(raw, &mut warnings)?;
    // Used with a source alone, and checked in every case.
    super::egress(&reader)?;
    let sweep = source.as_ref().map(|source| sweep(raw, source)).transpose()?;
    Ok(DoctorSettings {
        examination: Examination {
            access: super::access(raw)?,
            results: results(raw)?,
            out: reader.path("out"),
            stack: reader.text("stack"),
            source,
            sweep,
        },
        prices: reader.path("prices"),
        output: reader.one_of("output", FORMATS)?.unwrap_or_default(),
        warnings,
    })
}

fn source(raw: &Raw, warnings: &mut Vec<String>) -> Result<Option<S3Uri>, Failure> {
    let hint = "parfetch doctor s3://bucket/prefix";
    match (raw.words.as_slice(), raw.get("bucket")) {
        ([], None) => Ok(None),
        ([], Some(given)) => {
            let bucket = super::bucket_name(given, "--prefix says which of its keys")?;
            Ok(Some(S3Uri { bucket, key: Reader(raw).text("prefix").unwrap_or_default() }))
        }
        ([word], given) => {
            let flags = [given, raw.get("prefix")];
            warnings.extend(flags.into_iter().flatten().map(|given| format!("{} is not used: {word} names the source", given.name)));
            word.parse().map(Some).map_err(|error: String| usage(error, hint))
        }
        _ => Err(usage("more than one source is given", "one source is checked at a time; -r names the results bucket")),
    }
}

fn results(raw: &Raw) -> Result<Option<S3Uri>, Failure> {
    let Some(given @ Given { value, name }) = raw.get("result-bucket") else { return Ok(None) };
    let prefix = Reader(raw).text("result-prefix").unwrap_or_default();
    if value.starts_with("s3://") {
        let uri = value.parse::<S3Uri>().map_err(|error| usage(format!("{name}: {error}"), "write it like s3://bucket/prefix"))?;
        return Ok(Some(S3Uri { key: if uri.key.is_empty() { prefix } else { uri.key }, ..uri }));
    }
    let bucket = super::bucket_name(given, "--result-prefix goes in front of the results' names")?;
    Ok(Some(S3Uri { bucket, key: prefix }))
}

/// A sweep of the source with nothing else set.
fn sweep(raw: &Raw, source: &S3Uri) -> Result<crate::sweep::Job, Failure> {
    let mut plain = Raw::default();
    plain.below("the source", [("bucket", source.bucket.clone()), ("prefix", source.key.clone())]);
    for flag in SHARED {
        let given = raw.get(flag);
        plain.below(given.map_or("", |given| given.name), given.map(|given| (flag, given.value.clone())));
    }
    super::sweep(&plain, Beside { plan: None, id: "doctor" }).map(|settings| settings.job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, Unparsed, Variables, parse};
    use crate::exit::Exit;

    fn settings<const N: usize>(words: &[&str], variables: [(&str, &str); N]) -> Result<DoctorSettings, Failure> {
        let arguments = ["parfetch", "doctor"].iter().chain(words).map(|word| (*word).into());
        match parse(arguments, Variables::from(variables)) {
            Ok(Invocation::Doctor(raw)) => doctor(&raw),
            Err(Unparsed::Wrong(failure)) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn source_and_results_come_from_words_flags_or_variables() {
        let of = |words: &[&str]| settings(words, []).unwrap().examination;
        let typed = of(&["s3://images/2024/", "-r", "s3://results/x/"]);
        assert_eq!(typed.source.unwrap().to_string(), "s3://images/2024/");
        assert_eq!(typed.results.unwrap().to_string(), "s3://results/x/");
        let job = typed.sweep.unwrap();
        assert_eq!((job.plan.bucket.as_str(), job.plan.prefix.as_str(), job.plan.repeat), ("images", "2024/", 6));
        assert_eq!(of(&["-b", "images", "-r", "results", "--result-prefix", "p/"]).results.unwrap().to_string(), "s3://results/p/");
        assert!(of(&[]).source.is_none() && of(&[]).sweep.is_none());
        let container = settings(&[], [("BUCKET_NAME", "images"), ("RESULT_BUCKET_NAME", "results"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]);
        let container = container.unwrap().examination;
        assert_eq!(container.source.unwrap().to_string(), "s3://images/");
        assert_eq!(container.sweep.unwrap().access.endpoint_url, container.access.endpoint_url);
    }

    #[test]
    fn wrong_words_are_one_line_and_a_hint() {
        for words in ["images", "s3://", "s3://a s3://b", "s3://a -r s3://", "s3://a -r a/b", "s3://a --output xml", "s3://a --egress moon"] {
            let failure = settings(&words.split(' ').collect::<Vec<_>>(), []).unwrap_err();
            assert!(failure.exit == Exit::Usage && failure.hint.is_some() && !failure.message.contains('\n'), "{words}: {failure}");
        }
        assert_eq!(settings(&["s3://a", "-b", "b"], []).unwrap().warnings, ["--bucket is not used: s3://a names the source"]);
    }
}
