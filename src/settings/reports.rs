//! What `report` and `compare` were asked for.

use std::path::PathBuf;

use super::fetching::egress;
use super::reader::{SettingReader, usage};
use super::source::{access, inherited};
use crate::analysis::Metric;
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::guess;
use crate::plan::{Access, S3Uri};
use crate::price::Egress;
use crate::render::Extent;
use crate::results::DEFAULT_OUT;

/// Where results are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultSource {
    /// A file or a folder.
    Path(PathBuf),
    /// Everything below a prefix of a bucket.
    S3(S3Uri),
}

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportFormat {
    /// For a terminal.
    #[default]
    Text,
    /// Markdown.
    Markdown,
    /// One row a cell.
    Csv,
    /// Everything, for programs.
    Json,
    /// One page.
    Html,
}

/// What is read and how, for both commands.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// How S3 is reached.
    pub access: Access,
    /// What of it the environment has, and no line to paste needs.
    pub inherited: Vec<&'static str>,
    /// A price list instead of the built-in one.
    pub prices: Option<PathBuf>,
    /// Where the bytes went that were read.
    pub egress: Egress,
    /// Where the results that are read were stored, `s3://bucket/prefix`, where a command knows; else it follows from the places.
    pub results: Option<String>,
}

/// Everything `report` was asked for.
#[derive(Clone, Debug)]
pub struct ReportSettings {
    /// What is read.
    pub places: Vec<ResultSource>,
    /// How it is read.
    pub sources: SourceSettings,
    /// The form.
    pub format: ReportFormat,
    /// Tables, in their order.
    pub metrics: Vec<Metric>,
    /// How much of it, as text.
    pub extent: Extent,
    /// A file instead of stdout.
    pub out: Option<PathBuf>,
    /// A file for the page as well.
    pub html: Option<PathBuf>,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
}

/// Everything `compare` was asked for.
#[derive(Clone, Debug)]
pub struct CompareSettings {
    /// What was before.
    pub base: ResultSource,
    /// What is now; `None` for two programs of `base`.
    pub new: Option<ResultSource>,
    /// The programs that are compared, where they are not each compared with itself.
    pub programs: Option<(String, String)>,
    /// How both are read.
    pub sources: SourceSettings,
    /// What is compared.
    pub metric: Metric,
    /// Per cent of a significant loss that are too many.
    pub fail_over: Option<f64>,
    /// The form; never [`ReportFormat::Html`].
    pub format: ReportFormat,
    /// How much of it, as text and Markdown.
    pub extent: Extent,
    /// A file instead of stdout.
    pub out: Option<PathBuf>,
}

const FORMATS: [(&str, ReportFormat); 5] = [
    ("text", ReportFormat::Text),
    ("md", ReportFormat::Markdown),
    ("csv", ReportFormat::Csv),
    ("json", ReportFormat::Json),
    ("html", ReportFormat::Html),
];

/// The settings of `report`.
pub fn report(raw: &Raw) -> Result<ReportSettings, Failure> {
    let reader = SettingReader(raw);
    let format = reader.one_of("format", &FORMATS)?.unwrap_or_default();
    let all = reader.switch("all")?;
    let mut warnings = Vec::new();
    let metrics = match (raw.get("metric"), all) {
        (Some(given), _) => metrics(given)?,
        (None, true) => Metric::ALL.to_vec(),
        (None, false) => vec![Metric::Throughput],
    };
    for flag in ["metric", "all"] {
        match raw.get(flag) {
            Some(given) if !matches!(format, ReportFormat::Text | ReportFormat::Markdown) => {
                warnings.push(format!(
                    "{} is not used: --format {} holds everything",
                    given.name,
                    name(format)
                ));
            }
            _ => {}
        }
    }
    let sources = sources(raw)?;
    let named = raw.words.iter().map(|word| place(word));
    let mut places: Vec<ResultSource> = named.collect::<Result<_, _>>()?;
    if places.is_empty() {
        places.push(ResultSource::Path(DEFAULT_OUT.into()));
    }
    Ok(ReportSettings {
        places,
        sources,
        format,
        metrics,
        extent: if all { Extent::All } else { Extent::Answer },
        out: reader.path("out"),
        html: reader.path("html"),
        warnings,
    })
}

/// What to type.
const COMPARED: &str = "parfetch compare BASE NEW, or parfetch compare SWEEP --programs OLD,NEW";

/// The settings of `compare`.
pub fn compare(raw: &Raw) -> Result<CompareSettings, Failure> {
    let reader = SettingReader(raw);
    let programs = raw.get("programs").map(two_programs).transpose()?;
    let metric = match raw.get("metric").map(metrics).transpose()?.as_deref() {
        None => Metric::Throughput,
        Some([metric]) => *metric,
        Some(_) => {
            return Err(usage(
                "--metric names several metrics",
                "compare one at a time",
            ));
        }
    };
    let (sources, fail_over) = (
        sources(raw)?,
        raw.get("fail-over").map(percent).transpose()?,
    );
    let format = reader.one_of("format", &FORMATS[..4])?.unwrap_or_default();
    let (base, new) = match (raw.words.as_slice(), &programs) {
        ([base, new], _) => (base, Some(new)),
        ([base], Some(_)) => (base, None),
        ([], _) => return Err(usage("no results are named", COMPARED)),
        ([_], None) => {
            return Err(usage(
                "one set of results is named, and two are compared",
                COMPARED,
            ));
        }
        _ => {
            return Err(usage(
                "more than two sets of results are named, and two are compared",
                COMPARED,
            ));
        }
    };
    Ok(CompareSettings {
        base: place(base)?,
        new: new.map(|new| place(new)).transpose()?,
        programs,
        sources,
        metric,
        fail_over,
        format,
        extent: if reader.switch("all")? {
            Extent::All
        } else {
            Extent::Answer
        },
        out: reader.path("out"),
    })
}

fn sources(raw: &Raw) -> Result<SourceSettings, Failure> {
    Ok(SourceSettings {
        access: access(raw)?,
        inherited: inherited(raw),
        prices: SettingReader(raw).path("prices"),
        egress: egress(&SettingReader(raw))?,
        results: None,
    })
}

fn name(format: ReportFormat) -> &'static str {
    FORMATS
        .iter()
        .find(|(_, known)| *known == format)
        .map_or("", |(name, _)| name)
}

fn place(word: &str) -> Result<ResultSource, Failure> {
    if !word.starts_with("s3://") {
        return Ok(ResultSource::Path(word.into()));
    }
    word.parse().map(ResultSource::S3).map_err(|error: String| {
        usage(
            error,
            "write s3://bucket/prefix, or the path of a file or folder",
        )
    })
}

/// Names as in files, or as in tables, with commas between them; each once.
fn metrics(Given { value, name }: &Given) -> Result<Vec<Metric>, Failure> {
    let known = || Metric::ALL.map(Metric::id).join(", ");
    let mut found = Vec::new();
    for word in value
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let metric = Metric::ALL.into_iter().find(|metric| {
            metric.id() == word.to_ascii_lowercase().replace('-', "_") || metric.name() == word
        });
        let hint = || {
            guess::hint(word, Metric::ALL.map(Metric::id))
                .unwrap_or_else(|| format!("metrics are {}", known()))
        };
        let metric =
            metric.ok_or_else(|| usage(format!("{name}: unknown metric `{word}`"), hint()))?;
        if !found.contains(&metric) {
            found.push(metric);
        }
    }
    if found.is_empty() {
        Err(usage(
            format!("{name} names no metric"),
            format!("metrics are {}", known()),
        ))
    } else {
        Ok(found)
    }
}

/// Two names with a comma between them.
fn two_programs(Given { value, name }: &Given) -> Result<(String, String), Failure> {
    let names: Vec<&str> = value
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    match names.as_slice() {
        [base, new] if base != new => Ok(((*base).to_owned(), (*new).to_owned())),
        _ => Err(usage(
            format!("{name} is `{value}`, which is not two different programs"),
            "write it like old,new: names of contenders, lean or sdk",
        )),
    }
}

fn percent(Given { value, name }: &Given) -> Result<f64, Failure> {
    let number = value
        .trim()
        .trim_end_matches('%')
        .trim_end()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| {
        usage(
            format!("{name} is `{value}`, which is not a number of per cent from 0"),
            "write it like 5 or 2.5",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{Invocation, Variables, parse};

    fn raw(words: &[&str]) -> Raw {
        let arguments = std::iter::once("parfetch")
            .chain(words.iter().copied())
            .map(OsString::from);
        match parse(arguments, Variables::default()).unwrap() {
            Invocation::Report(raw) | Invocation::Compare(raw) => raw,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_source_it_is_the_folder_that_sweeps_use() {
        let settings = report(&raw(&["report", "--format", "md"])).unwrap();
        assert_eq!(
            settings.places,
            [ResultSource::Path("./parfetch-results".into())]
        );
    }

    #[test]
    fn sources_are_paths_or_prefixes() {
        let settings = report(&raw(&["report", "./out", "s3://results/sweeps/a"])).unwrap();
        assert_eq!(settings.places[0], ResultSource::Path("./out".into()));
        assert_eq!(
            settings.places[1],
            ResultSource::S3(S3Uri {
                bucket: "results".to_owned(),
                key: "sweeps/a".to_owned()
            })
        );
        assert_eq!(
            (settings.metrics, settings.format),
            (vec![Metric::Throughput], ReportFormat::Text)
        );
        assert_eq!(
            report(&raw(&["report", "s3:///a"])).unwrap_err().message,
            "`s3:///a` names no bucket"
        );
    }

    #[test]
    fn metrics_are_named_as_in_files_and_each_once() {
        let settings = report(&raw(&[
            "report",
            "a",
            "--metric",
            "ttfb-p99, cpu_per_gb,TTFB_P99",
        ]))
        .unwrap();
        assert_eq!(settings.metrics, [Metric::TtfbP99, Metric::CpuPerGb]);
        let failure = report(&raw(&["report", "a", "--metric", "speed"])).unwrap_err();
        assert_eq!(failure.message, "--metric: unknown metric `speed`");
        assert_eq!(
            report(&raw(&["report", "a", "--all"]))
                .unwrap()
                .metrics
                .len(),
            Metric::ALL.len()
        );
    }

    #[test]
    fn what_is_typed_wrongly_comes_before_what_is_missing() {
        let said = |words: &[&str]| match raw(words) {
            raw if words[0] == "report" => report(&raw).map(|_| ()),
            raw => compare(&raw).map(|_| ()),
        };
        let said = |words: &[&str]| {
            said(words)
                .map_err(|failure| (failure.message, failure.hint.unwrap()))
                .unwrap_err()
        };
        assert_eq!(
            said(&["report", "--format", "htm"]).1,
            "did you mean `html`?"
        );
        assert_eq!(
            said(&["report", "--metric", "troughput"]),
            (
                "--metric: unknown metric `troughput`".to_owned(),
                "did you mean `throughput`?".to_owned()
            )
        );
        assert_eq!(
            said(&["compare", "--fail-over", "x"]).0,
            "--fail-over is `x`, which is not a number of per cent from 0"
        );
        assert_eq!(said(&["compare"]).0, "no results are named");
        assert_eq!(
            said(&["compare", "a"]).0,
            "one set of results is named, and two are compared"
        );
    }

    #[test]
    fn what_has_no_effect_is_said() {
        let warnings = |words: &[&str]| report(&raw(words)).unwrap().warnings;
        assert_eq!(
            warnings(&["report", "a", "--format", "csv", "--all"]),
            ["--all is not used: --format csv holds everything"]
        );
        assert_eq!(warnings(&["report", "a", "--all"]), Vec::<String>::new());
        let both = report(&raw(&["report", "a", "--metric", "goodput", "--all"])).unwrap();
        assert_eq!(
            (both.metrics, both.extent, both.warnings),
            (vec![Metric::Goodput], Extent::All, Vec::new())
        );
    }

    #[test]
    fn one_place_has_two_programs() {
        let settings = compare(&raw(&["compare", "a", "--programs", "old, new"])).unwrap();
        assert_eq!(
            (settings.new, settings.programs),
            (None, Some(("old".to_owned(), "new".to_owned())))
        );
        for wrong in [
            &["compare", "a"][..],
            &["compare", "a", "--programs", "old"],
            &["compare", "a", "--programs", "old,old"],
        ] {
            assert!(compare(&raw(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn per_cent_are_numbers_from_0() {
        assert_eq!(
            compare(&raw(&["compare", "a", "b", "--fail-over", "2.5"]))
                .unwrap()
                .fail_over,
            Some(2.5)
        );
        assert_eq!(
            compare(&raw(&["compare", "a", "b", "--fail-over", "5 %"]))
                .unwrap()
                .fail_over,
            Some(5.0)
        );
        for wrong in ["-1", "x", "nan", "inf", ""] {
            let outcome = compare(&raw(&["compare", "a", "b", "--fail-over", wrong]));
            assert!(outcome.is_err(), "{wrong}");
        }
        assert!(compare(&raw(&["compare", "a", "b", "--format", "html"])).is_err());
    }
}
