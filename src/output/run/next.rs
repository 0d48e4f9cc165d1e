//! What to type next: lines that do what they say as they stand.

use super::said::{Said, Tone};
use super::view::RunView;
use crate::plan::{KeySource, Mode, Order, S3Uri, Work};
use crate::results::summary::Summary;
use crate::shell;

/// A sweep over the same objects, read in the same way, with other factors. None where nobody could start it: for a shard, which is part of a job, and for
/// an embedded server whose options are not known.
pub(super) fn sweep(summary: &Summary, view: &RunView<'_>, factors: &[String]) -> Option<Said> {
    let settings = &summary.settings;
    if settings.selection.shard.is_some() || settings.http.is_some() {
        return None;
    }
    let mut words = vec!["parfetch".to_owned(), "sweep".to_owned()];
    if summary.server.is_some() {
        let options = view.embedded?;
        words.push(if options.is_empty() {
            "--embedded".to_owned()
        } else {
            format!("--embedded={options}")
        });
    } else {
        words.push(source(summary));
        words.extend(settings.access.without(view.inherited).words());
        words.extend(keys(&settings.selection.source)?);
    }
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    if settings.order != Order::Listed {
        add("--order", settings.order.to_string());
    }
    if let Some(size) = settings.part_size_bytes {
        add("--part-size", size.to_string());
    }
    if settings.work != Work::None {
        add("--work", settings.work.to_string());
    }
    words.extend_from_slice(factors);
    Some(Said {
        tone: Tone::Command,
        text: shell::line(words.iter().map(String::as_str)),
    })
}

/// Numbers of workers, as many times those of the run as the mode takes; none where not even a second number is taken.
pub(super) fn workers(summary: &Summary, times: &[u32]) -> Option<Vec<String>> {
    let settings = &summary.settings;
    let all = times
        .iter()
        .filter_map(|times| settings.concurrency.checked_mul(*times));
    let taken: Vec<u32> = all
        .filter(|number| *number <= settings.mode.max_concurrency())
        .collect();
    if taken.len() < times.len().min(2) {
        return None;
    }
    let most = taken.iter().copied().max()?;
    // A sweep has all modes, of which some do not take so many.
    let is_too_many = Mode::ALL
        .into_iter()
        .any(|mode| mode.max_concurrency() < most);
    let mode = if is_too_many {
        vec!["-m".to_owned(), settings.mode.to_string()]
    } else {
        Vec::new()
    };
    let numbers: Vec<String> = taken.iter().map(u32::to_string).collect();
    Some([mode, vec!["-c".to_owned(), numbers.join(",")]].concat())
}

/// `s3://images/2024/`
pub(super) fn source(summary: &Summary) -> String {
    let prefix = &summary.settings.selection.prefix;
    format!(
        "s3://{}{}{prefix}",
        summary.settings.bucket,
        if prefix.is_empty() { "" } else { "/" }
    )
}

/// The setting of the keys; none where a sweep has no such source.
fn keys(source: &KeySource) -> Option<Vec<String>> {
    let value = match source {
        KeySource::Listing => return Some(Vec::new()),
        KeySource::File(path) => path.to_string_lossy().into_owned(),
        KeySource::Object(S3Uri { bucket, key }) => format!("s3://{bucket}/{key}"),
        KeySource::Folder(_) => return None,
    };
    Some(vec!["--keys".to_owned(), value])
}
