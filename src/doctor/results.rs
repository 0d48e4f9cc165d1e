//! The place of results: proved by what a run does first, and cleaned up.

use std::path::Path;
use std::time::Duration;

use super::check::{CHECK_TIME, Check, CheckOutcome, Examination, no_answer, within};
use super::source::Reached;
use crate::plan::{Destination, RESULTS_ELSEWHERE, S3Uri};
use crate::platform::disk;
use crate::results::place::{PlaceError, ResultsPlace};
use crate::store::{Bucket, Session, StoreErrorKind};

/// Longest time of removing what a check that failed may have stored.
const UNDO_TIME: Duration = Duration::from_secs(5);

/// What stands in the object that proves it.
const PROOF: &str = "{\"written_by\": \"parfetch doctor, which removes it again\"}\n";

/// How names of results begin, and those of what proves their place.
const RESULTS: [&str; 2] = ["result_", "parfetch-doctor-"];

pub(super) fn subject(results: Option<&S3Uri>) -> String {
    results.map_or_else(|| "results".to_owned(), ToString::to_string)
}

/// The bucket, the folder, or both.
pub(super) async fn check(
    session: &Session,
    (what, reached): (&Examination, Reached),
) -> Vec<Check> {
    let mut checks = Vec::new();
    match &what.results {
        Some(results) if reached == Reached::No => {
            checks.push(Check::not_checked(
                "results",
                subject(Some(results)),
                "the endpoint does not answer",
            ));
        }
        // The source is never written: not to look at it either.
        Some(results)
            if what.source.as_ref().is_some_and(|source| {
                RESULTS
                    .iter()
                    .any(|name| results.is_listed_with(name, source))
            }) =>
        {
            let text = "results would go under the listed prefix of the source";
            let check = Check::new(
                "results",
                subject(Some(results)),
                CheckOutcome::Failed,
                text,
            );
            checks.push(check.hint(format!("{RESULTS_ELSEWHERE}; nothing was stored")));
        }
        Some(results) => checks.push(Box::pin(bucket(session, results)).await),
        None if what.out.is_none() => {
            let check = Check::new(
                "results",
                "results",
                CheckOutcome::Warning,
                "not given: results of a source that is typed stay in ./parfetch-results",
            );
            checks.push(
                check.hint(
                    "-r s3://bucket stores results in a bucket, -o DIR keeps them in a folder",
                ),
            );
        }
        None => {}
    }
    checks.extend(what.out.as_deref().map(folder));
    checks
}

/// A name that no result has, and no other doctor.
fn stem() -> String {
    format!("{}{:016x}", RESULTS[1], fastrand::u64(..))
}

fn destination(prefix: &str, out: Option<&Path>) -> Destination {
    // A run without --no-overwrite: nothing has this name.
    Destination {
        bucket: None,
        prefix: prefix.to_owned(),
        out: out.map(Path::to_owned),
        spool_dir: None,
        no_overwrite: false,
    }
}

async fn bucket(session: &Session, results: &S3Uri) -> Check {
    let stem = stem();
    let proved = tokio::time::timeout(CHECK_TIME, Box::pin(proved(session, results, &stem))).await;
    let (failure, may_be_stored) = match proved {
        Ok(Ok(check)) => return check,
        Ok(Err(error)) => {
            let may_be_stored = !is_refusal(&error);
            (error.into(), may_be_stored)
        }
        Err(_) => (
            no_answer(&format!("store results in {results}"), CHECK_TIME),
            true,
        ),
    };
    let subject = subject(Some(results));
    if !may_be_stored {
        return Check::failed("results", subject, failure);
    }
    let key = format!("{}{stem}.json", results.key);
    let at = Bucket::new(session, &results.bucket);
    let removed = within(UNDO_TIME, "remove it again", at.remove(&key)).await;
    let hint = failure.hint.clone();
    let check = Check::failed("results", subject, failure);
    let what = if removed.is_ok() {
        "may have been stored, and was removed again"
    } else {
        "may have been stored: remove it by hand"
    };
    let hint = hint.map_or_else(String::new, |hint| format!("{hint}; "));
    check
        .hint(format!("{hint}s3://{}/{key} {what}", results.bucket))
        .fact("key", key)
        .fact("removed", removed.is_ok())
}

/// Whether the store said no, so that nothing of it is there.
fn is_refusal(error: &PlaceError) -> bool {
    match error {
        PlaceError::Store(error) => matches!(
            error.kind,
            StoreErrorKind::NoCredentials
                | StoreErrorKind::Denied
                | StoreErrorKind::NoSuchBucket
                | StoreErrorKind::Exists
                | StoreErrorKind::OtherRegion
                | StoreErrorKind::NotImplemented
                | StoreErrorKind::Tls
        ),
        PlaceError::Local { .. }
        | PlaceError::Spool(_)
        | PlaceError::Busy { .. }
        | PlaceError::Exists(_) => true,
    }
}

async fn proved(session: &Session, results: &S3Uri, stem: &str) -> Result<Check, PlaceError> {
    let bucket = Bucket::new(session, &results.bucket);
    let (place, _) =
        ResultsPlace::prepare(&destination(&results.key, None), stem, Some(bucket), PROOF).await?;
    let key = format!("{}{stem}.json", results.key);
    let removed = place.proved().remove().await;
    let region = place.region().map(str::to_owned);
    let check = match &removed {
        Ok(()) => Check::new(
            "results",
            subject(Some(results)),
            CheckOutcome::Ok,
            "an object was stored and removed again",
        ),
        Err(error) => Check::new(
            "results",
            subject(Some(results)),
            CheckOutcome::Warning,
            format!("an object was stored; it stays, as removing failed: {error}"),
        )
        .hint(format!(
            "a run removes nothing; remove s3://{}/{key} by hand",
            results.bucket
        )),
    };
    Ok(check
        .fact("region", region)
        .fact("key", key)
        .fact("removed", removed.is_ok()))
}

/// A folder of this machine. One that is made for this is removed again.
pub(super) fn folder(dir: &Path) -> Check {
    let subject = dir.display().to_string();
    let new = disk::missing(dir);
    let proved = std::fs::create_dir_all(dir).and_then(|()| {
        tempfile::Builder::new()
            .prefix(".parfetch-doctor-")
            .tempfile_in(dir)?
            .close()
    });
    for made in new {
        // Somebody else may use it by now.
        let _used = std::fs::remove_dir(made);
    }
    match proved {
        Ok(()) => Check::new(
            "results_folder",
            subject,
            CheckOutcome::Ok,
            "a file was written and removed again",
        ),
        Err(error) => {
            let text = format!("cannot write results to {}: {error}", dir.display());
            Check::new("results_folder", subject, CheckOutcome::Failed, text)
                .hint("choose another folder with --out")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(folder(&dir.path().join("a/b")).outcome, CheckOutcome::Ok);
        assert_eq!(folder(dir.path()).outcome, CheckOutcome::Ok);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        std::fs::write(dir.path().join("file"), "").unwrap();
        let check = folder(&dir.path().join("file/b"));
        assert_eq!(
            (check.outcome, check.hint.as_deref()),
            (
                CheckOutcome::Failed,
                Some("choose another folder with --out")
            )
        );
    }
}
