//! What `report` and `compare` read: files, folders and prefixes of buckets become studies; and where their text goes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use futures::StreamExt;

use super::console::{WIDTH, print, style_of, warn, width};
use crate::analysis::{self, ProblemKind, Reader, Study};
use crate::exit::{Exit, Failure};
use crate::output::Style;
use crate::plan::{Limits, S3Uri};
use crate::platform::bounded;
use crate::price::PriceList;
use crate::render::{Csv, Json, Markdown, Paint, ReportForm, Role, Terminal};
use crate::sample::KeyRecord;
use crate::settings::{ReportFormat, ResultSource, SourceSettings};
use crate::store::{Bucket, PageQuery, Session, StoreErrorKind, Walk};

/// Documents of a bucket read at once: a job has up to 10,000.
const AT_ONCE: usize = 32;

/// What of a place that holds several sweeps is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WantedSweeps {
    /// Its newest one: a report has one answer.
    Newest,
    /// All of them.
    All,
}

/// Reads everything below these places and analyses it.
pub(super) async fn studies(
    places: &[ResultSource],
    (sources, wanted): (&SourceSettings, WantedSweeps),
) -> Result<Vec<Study>, Failure> {
    let prices = prices(sources.prices.as_deref())?;
    let mut reader = Reader::default();
    let mut taken = BTreeSet::new();
    let mut session = None;
    for place in places {
        match place {
            ResultSource::Path(path) => {
                check(path)?;
                reader.path(path);
            }
            ResultSource::S3(uri) => {
                let session = match &session {
                    Some(session) => session,
                    None => session
                        .insert(Session::load(&sources.access, Limits::default(), None).await?),
                };
                below(session, uri, (&mut reader, &mut taken)).await?;
            }
        }
        if wanted == WantedSweeps::Newest {
            reader.keep_newest_sweep();
        }
    }
    let reading = reader.finish();
    let (twice, problems): (Vec<_>, Vec<_>) = reading
        .problems
        .iter()
        .partition(|problem| problem.kind == ProblemKind::Duplicate);
    for problem in problems {
        warn(&format!("{}: {}", problem.document, problem.what));
    }
    if let Some((first, rest)) = twice.split_first() {
        let more = if rest.is_empty() {
            String::new()
        } else {
            format!("; and {} more", rest.len())
        };
        let failure = Failure::new(
            Exit::Usage,
            format!("{}: {}{more}", first.document, first.what),
        );
        return Err(
            failure.hint("a repetition counts once: name only one of the places that hold it")
        );
    }
    if reading.repetitions() == 0 {
        let names: Vec<String> = places.iter().map(name).collect();
        return Err(Failure::new(
            Exit::Usage,
            format!("there are no results in {}", names.join(", ")),
        )
        .hint(HINT));
    }
    let mut studies = analysis::studies(reading, &prices.with_egress(sources.egress));
    // Where they are read is where they are now: the record may be of another time.
    let results = sources.results.clone().or_else(|| results_place(places));
    for study in studies.iter_mut().filter(|_| results.is_some()) {
        study.facts.results.clone_from(&results);
    }
    Ok(studies)
}

/// Where the sweeps that are read from a bucket put their results: above their folders.
fn results_place(places: &[ResultSource]) -> Option<String> {
    places.iter().find_map(|place| match place {
        ResultSource::S3(uri) => Some(above_sweeps(&uri.to_string())),
        ResultSource::Path(_) => None,
    })
}

/// `s3://results/a/sweeps/first` → `s3://results/a`
pub(super) fn above_sweeps(uri: &str) -> String {
    let end = uri.find("/sweeps").unwrap_or(uri.len());
    uri[..end].trim_end_matches('/').to_owned()
}

/// Pipes and devices may have no end.
fn check(path: &Path) -> Result<(), Failure> {
    let what = match fs::metadata(path) {
        Ok(found) if found.is_file() || found.is_dir() => return Ok(()),
        Ok(_) => "is neither a file nor a folder".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => "does not exist".to_owned(),
        Err(error) => format!("cannot be read: {error}"),
    };
    Err(Failure::new(Exit::Usage, format!("{} {what}", path.display())).hint(HINT))
}

const HINT: &str = "results are JSON files that `parfetch run` and `parfetch sweep` wrote; name the file, its folder, or s3://bucket/prefix";

/// A source as a person writes it.
pub(super) fn name(place: &ResultSource) -> String {
    match place {
        ResultSource::Path(path) => path.display().to_string(),
        ResultSource::S3(uri) => uri.to_string(),
    }
}

pub(super) fn prices(file: Option<&Path>) -> Result<PriceList, Failure> {
    let Some(file) = file else {
        return Ok(PriceList::built_in());
    };
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Usage,
            format!("cannot read the prices {}: {error}", file.display()),
        )
        .hint("the form is that of crates/core/data/prices.toml")
    };
    let text = bounded::read_text(file, bounded::TEXT_BYTES).map_err(|error| failed(&error))?;
    PriceList::parse(&text).map_err(|error| failed(&error))
}

/// Every `.json` below a prefix, each once. One object is named by its whole key.
async fn below(
    session: &Session,
    uri: &S3Uri,
    (reader, known): (&mut Reader, &mut BTreeSet<String>),
) -> Result<(), Failure> {
    let mut bucket = Bucket::new(session, &uri.bucket);
    let mut walk = Walk::new(PageQuery::of(&uri.key));
    while let Some(page) = bucket.next_page(&mut walk).await? {
        let records = page
            .keys
            .into_iter()
            .filter(|record| is_json(&record.key) && is_below(&record.key, &uri.key));
        let new = records
            .map(|record| (bucket.uri(&record.key), record))
            .filter(|(address, _)| known.insert(address.clone()));
        let new: Vec<(String, KeyRecord)> = new.collect();
        let texts = new
            .into_iter()
            .map(|(address, KeyRecord { key, size, .. })| {
                let mut bucket = bucket.clone();
                async move {
                    if size.is_some_and(|size| size > bounded::DOCUMENT_BYTES) {
                        return (
                            address,
                            Ok(Err(bounded::too_large(bounded::DOCUMENT_BYTES))),
                        );
                    }
                    let read = bucket.read_document(&key).await;
                    (address, read.map(bounded::text))
                }
            });
        let mut texts = futures::stream::iter(texts).buffered(AT_ONCE);
        while let Some((address, text)) = texts.next().await {
            match text {
                Ok(Ok(text)) => reader.document(&address, &text),
                Ok(Err(error)) => reader.damaged(&address, error.to_string()),
                // Deleted, or replaced by something else, since it was listed.
                Err(error)
                    if [StoreErrorKind::NoSuchKey, StoreErrorKind::TooLarge]
                        .contains(&error.kind) =>
                {
                    reader.damaged(&address, error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn is_json(key: &str) -> bool {
    Path::new(key)
        .extension()
        .is_some_and(|ending| ending == "json")
}

/// `sweeps/a` is a folder (or an object), not the beginning of `sweeps/ab`.
fn is_below(key: &str, prefix: &str) -> bool {
    let rest = key.strip_prefix(prefix);
    prefix.is_empty()
        || prefix.ends_with('/')
        || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How text looks on stdout, or in a file.
pub(super) struct Look {
    /// Colours.
    pub(super) style: Style,
    /// Columns.
    pub(super) width: usize,
}

impl Look {
    /// A file is plain and has 80 columns.
    pub(super) fn of(out: Option<&Path>) -> Self {
        if out.is_some() {
            return Self {
                style: Style::Plain,
                width: WIDTH,
            };
        }
        Self {
            style: style_of(&io::stdout()),
            width: width(),
        }
    }

    /// A piece of text with the colour of its meaning.
    pub(super) fn paint(&self, role: Role, text: &str) -> String {
        match role {
            Role::Best | Role::Heading => self.style.strong(text),
            Role::Failed => self.style.bad(text),
        }
    }
}

/// The form that was asked for. A page needs the documents as well and is written elsewhere.
pub(super) fn form<'a>(
    format: ReportFormat,
    look: &Look,
    paint: Paint<'a>,
) -> Box<dyn ReportForm + 'a> {
    match format {
        ReportFormat::Text | ReportFormat::Html => Box::new(Terminal {
            width: look.width,
            paint,
        }),
        ReportFormat::Markdown => Box::new(Markdown),
        ReportFormat::Csv => Box::new(Csv),
        ReportFormat::Json => Box::new(Json),
    }
}

/// Writes to a file, or to stdout, where a closed pipe is no failure.
pub(super) fn deliver(text: &str, out: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = out else {
        return print(text).map(drop);
    };
    fs::write(file, text).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot write {}: {error}", file.display()),
        )
        .hint("choose another --out")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_the_next_sweep_go_where_those_of_this_one_are() {
        for uri in ["s3://r/a/sweeps/first/", "s3://r/a/", "s3://r/a"] {
            assert_eq!(above_sweeps(uri), "s3://r/a");
        }
        assert_eq!(above_sweeps("s3://r"), "s3://r");
    }

    #[test]
    fn a_prefix_is_a_folder() {
        assert!(
            is_below("sweeps/a/r01/repetition.json", "sweeps/a")
                && is_below("a.json", "")
                && is_below("a.json", "a.json")
        );
        assert!(
            is_below("sweeps/ab/x.json", "sweeps/") && !is_below("sweeps/ab/x.json", "sweeps/a")
        );
    }
}
