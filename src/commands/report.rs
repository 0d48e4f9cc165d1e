//! `parfetch report`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::console::warn;
use super::process::{runtime, start_log};
use super::signals::{First, Signals};
use super::sources::{Look, WantedSweeps, deliver, form, name, studies};
use crate::analysis::{Metric, Open, Study};
use crate::cli::Raw;
use crate::exit::{Exit, Failure};
use crate::plan::{Access, Limits, S3Uri};
use crate::render::{Extent, ReportScope, page};
use crate::settings::{self, ReportFormat, ReportSettings, ResultSource, SourceSettings};
use crate::shell;
use crate::store::{Bucket, Session};

pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let settings = settings::report(raw)?;
    start_log(settings::log(raw)?);
    for text in &settings.warnings {
        warn(text);
    }
    let signals = Signals::listen(First::EndsAtOnce, None)?;
    let runtime = runtime()?;
    let studies = runtime.block_on(signals.or(studies(
        &settings.places,
        (&settings.sources, WantedSweeps::Newest),
    )))?;
    let open = |name: &str| open(name, (&runtime, &settings.sources));
    if let Some(file) = &settings.html {
        write_pages(&studies, file, &open)?;
    }
    let text = if settings.format == ReportFormat::Html {
        one_page(&studies, &open)?
    } else {
        rendered(&studies, &settings)
    };
    deliver(&text, settings.out.as_deref())?;
    Ok(Exit::Good)
}

/// The report of a folder: text on stdout, the page beside the results.
pub(super) fn of_folder(
    folder: &Path,
    sources: &SourceSettings,
    signals: &Signals,
) -> Result<PathBuf, Failure> {
    of_place(
        ResultSource::Path(folder.to_owned()),
        (folder, sources),
        signals,
    )
    .map(|(page, _)| page)
}

/// The report of a place: text on stdout, the page, which goes into a folder, and what they show.
pub(super) fn of_place(
    place: ResultSource,
    (folder, sources): (&Path, &SourceSettings),
    signals: &Signals,
) -> Result<(PathBuf, Vec<Study>), Failure> {
    let runtime = runtime()?;
    let places = [place];
    let studies =
        runtime.block_on(signals.or(studies(&places, (sources, WantedSweeps::Newest))))?;
    let file = folder.join("report.html");
    fs::create_dir_all(folder).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot make the folder {}: {error}", folder.display()),
        )
        .hint("choose another --out")
    })?;
    write_pages(&studies, &file, &|name| open(name, (&runtime, sources)))?;
    let settings = ReportSettings {
        places: places.into(),
        sources: sources.clone(),
        format: ReportFormat::Text,
        metrics: vec![Metric::Throughput],
        extent: Extent::Answer,
        out: None,
        html: None,
        warnings: Vec::new(),
    };
    deliver(&rendered(&studies, &settings), None)?;
    Ok((file, studies))
}

/// The page of a folder, beside its results.
pub(super) fn page_of_folder(
    folder: &Path,
    sources: &SourceSettings,
    signals: &Signals,
) -> Result<PathBuf, Failure> {
    let runtime = runtime()?;
    let places = [ResultSource::Path(folder.to_owned())];
    let studies =
        runtime.block_on(signals.or(studies(&places, (sources, WantedSweeps::Newest))))?;
    let file = folder.join("report.html");
    write_pages(&studies, &file, &|name| open(name, (&runtime, sources)))?;
    Ok(file)
}

fn rendered(studies: &[Study], settings: &ReportSettings) -> String {
    let look = Look::of(settings.out.as_deref());
    let paint = |role, text: &str| look.paint(role, text);
    let is_web = !studies.is_empty() && studies.iter().all(|study| study.workload.http.is_some());
    // Where nothing else was asked for: what web servers are compared by.
    let metrics = match settings.metrics.as_slice() {
        [Metric::Throughput] if is_web => vec![Metric::RequestsPerS],
        all if is_web && *all == Metric::ALL => of_web_servers(),
        metrics => metrics.to_vec(),
    };
    let asked = ReportScope {
        metrics: &metrics,
        extent: settings.extent,
        in_full: &in_full(settings),
    };
    form(settings.format, &look, &paint).report(studies, &asked)
}

/// Every metric that says something of a web server.
fn of_web_servers() -> Vec<Metric> {
    let others = Metric::ALL
        .into_iter()
        .filter(|metric| !metric.is_of_bytes() && *metric != Metric::RequestsPerS);
    std::iter::once(Metric::RequestsPerS)
        .chain(others)
        .collect()
}

/// The command that shows all of these places.
fn in_full(settings: &ReportSettings) -> String {
    format!("{} --all", command(&settings.places, &settings.sources))
}

/// The command that shows these places again.
pub(super) fn command(places: &[ResultSource], sources: &SourceSettings) -> String {
    let is_stored = places
        .iter()
        .any(|place| matches!(place, ResultSource::S3(_)));
    // Whoever asked for objects pays for them; results are the reader's own.
    let access = if is_stored {
        Access {
            request_payer: false,
            ..sources.access.without(&sources.inherited)
        }
        .words()
    } else {
        Vec::new()
    };
    let words: Vec<String> = places.iter().map(name).chain(access).collect();
    shell::line(
        ["parfetch", "report"]
            .into_iter()
            .chain(words.iter().map(String::as_str)),
    )
}

/// One page a study: they share no figure. The first takes the name, the others a number behind it.
fn write_pages(studies: &[Study], file: &Path, open: Open<'_>) -> Result<(), Failure> {
    for (number, study) in (1..).zip(studies) {
        let path = if number == 1 {
            file.to_owned()
        } else {
            numbered(file, number)
        };
        deliver(&page::render(&page::page_of(study, open)), Some(&path))?;
    }
    Ok(())
}

/// `report.html` → `report-2.html`.
fn numbered(file: &Path, number: usize) -> PathBuf {
    let part =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let ending = file
        .extension()
        .map(|ending| format!(".{}", ending.to_string_lossy()))
        .unwrap_or_default();
    file.with_file_name(format!("{}-{number}{ending}", part(file.file_stem())))
}

fn one_page(studies: &[Study], open: Open<'_>) -> Result<String, Failure> {
    match studies {
        [study] => Ok(page::render(&page::page_of(study, open))),
        several => Err(Failure::new(
            Exit::Usage,
            format!(
                "these results are of {} workloads, which do not share a page",
                several.len()
            ),
        )
        .hint("--html FILE.html writes a page each")),
    }
}

/// Opens a document again by the name under which it was read.
fn open(
    name: &str,
    (runtime, sources): (&Runtime, &SourceSettings),
) -> io::Result<Box<dyn io::Read>> {
    if !name.starts_with("s3://") {
        return Ok(Box::new(fs::File::open(name)?));
    }
    let uri: S3Uri = name.parse().map_err(io::Error::other)?;
    let file = tempfile::NamedTempFile::new()?;
    let read = async {
        let session = Session::load(&sources.access, Limits::default(), None).await?;
        Bucket::new(&session, &uri.bucket)
            .read_to_file(&uri.key, file.path())
            .await
    };
    runtime
        .block_on(read)
        .map_err(|error| io::Error::other(error.message))?;
    Ok(Box::new(file.reopen()?))
}
