//! The settings of `doctor`.

use std::path::PathBuf;

use super::fetching::egress;
use super::reader::SettingReader;
use super::shown::{FORMATS, Format};
use super::source::{access, bucket_name, inherited};
use super::sweep::SweepInput;
use crate::cli::Raw;
use crate::doctor::{Examination, TasksPlace};
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
}

/// Settings of the source's access, as far as a sweep has them too.
const SHARED: [&str; 8] = [
    "endpoint-url",
    "virtual-host",
    "region",
    "profile",
    "no-sign-request",
    "request-payer",
    "ca-bundle",
    "egress",
];

/// The settings of `doctor`.
pub fn doctor(raw: &Raw) -> Result<DoctorSettings, Failure> {
    let reader = SettingReader(raw);
    let source = place(raw, ("bucket", "prefix"), "--prefix says which of its keys")?;
    // Used with a source alone, and checked in every case.
    egress(&reader)?;
    let sweep = source
        .as_ref()
        .map(|source| sweep(raw, source))
        .transpose()?;
    Ok(DoctorSettings {
        examination: Examination {
            access: access(raw)?,
            inherited: inherited(raw),
            results: place(
                raw,
                ("result-bucket", "result-prefix"),
                "--result-prefix goes in front of the results' names",
            )?,
            out: reader.path("out"),
            tasks: reader
                .text("stack")
                .map(TasksPlace::Stack)
                .or_else(|| reader.text("cluster").map(TasksPlace::Cluster)),
            source,
            sweep,
        },
        prices: reader.path("prices"),
        output: reader.one_of("output", FORMATS)?.unwrap_or_default(),
    })
}

/// The place that these settings name: the cli has put the word of a source into them.
fn place(raw: &Raw, (bucket, prefix): (&str, &str), hint: &str) -> Result<Option<S3Uri>, Failure> {
    let Some(given) = raw.get(bucket) else {
        return Ok(None);
    };
    Ok(Some(S3Uri {
        bucket: bucket_name(given, hint)?,
        key: SettingReader(raw).text(prefix).unwrap_or_default(),
    }))
}

/// A sweep of the source with nothing else set.
fn sweep(raw: &Raw, source: &S3Uri) -> Result<crate::sweep::SweepJob, Failure> {
    let mut plain = Raw::default();
    plain.below(
        "the source",
        [
            ("bucket", source.bucket.clone()),
            ("prefix", source.key.clone()),
        ],
    );
    for flag in SHARED {
        let given = raw.get(flag);
        plain.below(
            given.map_or("", |given| given.name),
            given.map(|given| (flag, given.value.clone())),
        );
    }
    super::sweep::sweep(
        &plain,
        SweepInput {
            urls: None,
            plan: None,
            id: "doctor",
        },
    )
    .map(|settings| settings.job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, Unparsed, Variables, parse};
    use crate::exit::Exit;

    fn settings<const N: usize>(
        words: &[&str],
        variables: [(&str, &str); N],
    ) -> Result<DoctorSettings, Failure> {
        let arguments = ["parfetch", "doctor"]
            .iter()
            .chain(words)
            .map(|word| (*word).into());
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
        assert_eq!(
            (
                job.plan.bucket.as_str(),
                job.plan.prefix.as_str(),
                job.plan.repeat
            ),
            ("images", "2024/", 6)
        );
        assert_eq!(
            of(&["-b", "images", "-r", "results", "--result-prefix", "p/"])
                .results
                .unwrap()
                .to_string(),
            "s3://results/p/"
        );
        assert!(of(&[]).source.is_none() && of(&[]).sweep.is_none());
        let container = settings(
            &[],
            [
                ("BUCKET_NAME", "images"),
                ("RESULT_BUCKET_NAME", "results"),
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ],
        );
        let container = container.unwrap().examination;
        assert_eq!(container.source.unwrap().to_string(), "s3://images/");
        assert_eq!(
            container.sweep.unwrap().access.endpoint_url,
            container.access.endpoint_url
        );
    }

    #[test]
    fn a_line_to_paste_needs_no_flag_that_the_environment_has() {
        let variables = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_REGION", "us-east-1"),
        ];
        let of = |words: &[&str]| settings(words, variables).unwrap().examination;
        let found = of(&["s3://images"]);
        assert_eq!(found.inherited, ["endpoint-url", "region"]);
        assert!(found.access.without(&found.inherited).words().is_empty());
        let typed = of(&["s3://images", "--region", "eu-west-1"]);
        assert_eq!(
            typed.access.without(&typed.inherited).words(),
            ["--region", "eu-west-1"]
        );
    }

    #[test]
    fn wrong_words_are_one_line_and_a_hint() {
        for words in [
            "images",
            "s3://",
            "s3://a s3://b",
            "s3://a -r s3://",
            "s3://a -r a/b",
            "s3://a --output xml",
            "s3://a --egress moon",
        ] {
            let failure = settings(&words.split(' ').collect::<Vec<_>>(), []).unwrap_err();
            assert!(
                failure.exit == Exit::Usage
                    && failure.hint.is_some()
                    && !failure.message.contains('\n'),
                "{words}: {failure}"
            );
        }
        let failure = settings(&["s3://a", "-b", "b"], []).unwrap_err();
        assert_eq!(
            failure.message, "SOURCE is `s3://a`, and --bucket names another place",
            "as for a run"
        );
        // A variable gives way to the word, and is no news where it names the same.
        let typed = settings(&["s3://a"], [("BUCKET_NAME", "b")]).unwrap();
        assert_eq!(typed.examination.source.unwrap().to_string(), "s3://a/");
    }
}
