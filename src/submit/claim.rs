//! Which of several commands of one name submits the job: one alone. Batch takes no token, so the job's document decides, by conditional writes.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::document::{FILE_NAME, JobDocument, JobPlan};
use super::job::BatchJob;
use super::noted::{store, text_of};
use crate::exit::{Exit, Failure, same_command};
use crate::platform::bounded::text;
use crate::platform::clock::utc_now;
use crate::store::{Bucket, PageQuery, StoreErrorKind};

/// How long a command may take to submit: its request is tried again for 15 minutes at the most. After that it was killed.
const LIVES: Duration = Duration::minutes(16);

/// A document and the entity tag that it had when it was read.
pub(super) struct StoredJob {
    pub(super) document: JobDocument,
    pub(super) tag: String,
}

/// A random word, by which a command knows what it wrote itself.
pub(super) fn own_word() -> String {
    format!("{:016x}", fastrand::u64(..))
}

/// The document of an earlier command with this name.
pub(super) async fn begun(
    job: &BatchJob,
    results: &mut Bucket,
) -> Result<Option<StoredJob>, Failure> {
    let key = job.key(FILE_NAME);
    // Asked of the listing: whoever may list under a prefix alone is told «denied» of an object that is not there.
    match results.list_page(&PageQuery::of(&key)).await {
        Ok(page) if page.keys.iter().all(|record| record.key != key) => return Ok(None),
        Err(error) if error.kind != StoreErrorKind::Denied => return Err(error.into()),
        _ => {}
    }
    let (document, tag) = match results.read_tagged(&key).await {
        Ok(read) => read,
        Err(error) if error.kind == StoreErrorKind::NoSuchKey => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let uri = job.uri(FILE_NAME);
    let damaged = |what: &dyn std::fmt::Display| {
        Failure::new(Exit::SetUp, format!("cannot read {uri}: {what}")).hint("choose another --id")
    };
    let text = text(document).map_err(|error| damaged(&error))?;
    let document = JobDocument::from_json(&text).map_err(|error| damaged(&error))?;
    if document.shards.is_empty() {
        return Ok(None);
    }
    match document.plan.difference(&JobPlan::of(job)) {
        None => Ok(Some(StoredJob { document, tag })),
        Some(what) => Err(Failure::new(
            Exit::Usage,
            format!("the job {} was planned with other settings: {what}", job.id),
        )
        .hint("choose another --id for another job")),
    }
}

/// Writes down that this command submits the job now. An error when another one does.
pub(super) async fn claim(
    job: &BatchJob,
    results: &mut Bucket,
    stored: &mut StoredJob,
) -> Result<(), Failure> {
    if is_claimed(&stored.document, OffsetDateTime::now_utc()) {
        return Err(taken(job));
    }
    stored.document.submitting_since = Some(utc_now());
    stored.document.planned_by = Some(own_word());
    store_over(job, results, stored).await
}

/// Stores the document in the place of the one that was read. An error when another command has written meanwhile.
pub(super) async fn store_over(
    job: &BatchJob,
    results: &mut Bucket,
    stored: &StoredJob,
) -> Result<(), Failure> {
    let text = text_of(&stored.document)?;
    let key = job.key(FILE_NAME);
    match results.store_over(&key, text, &stored.tag).await {
        Err(error) if error.kind == StoreErrorKind::Exists => Err(taken(job)),
        result => Ok(result?),
    }
}

/// The request failed: whoever comes next may submit.
pub(super) async fn release(job: &BatchJob, results: &mut Bucket, document: &mut JobDocument) {
    document.submitting_since = None;
    if let Err(error) = store(job, results, document).await {
        tracing::warn!(error = %error.message, "the job stays claimed for a while");
    }
}

fn is_claimed(document: &JobDocument, now: OffsetDateTime) -> bool {
    let since = document.submitting_since.as_deref();
    since
        .and_then(|since| OffsetDateTime::parse(since, &Rfc3339).ok())
        .is_some_and(|since| now - since < LIVES)
}

fn taken(job: &BatchJob) -> Failure {
    Failure::new(
        Exit::SetUp,
        format!("another command submits the job {} at the same time", job.id),
    )
    .hint(format!(
        "{} follows that job in a minute; if the other command was killed, it submits the job after {} minutes",
        same_command(&job.id),
        LIVES.whole_minutes()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_was_killed_holds_a_job_for_a_while() {
        let mut document = crate::submit::document::tests::document();
        let at = |text: &str| OffsetDateTime::parse(text, &Rfc3339).unwrap();
        assert!(!is_claimed(&document, at("2026-11-21T00:00:00Z")));
        document.submitting_since = Some("2026-11-21T00:00:00.000Z".to_owned());
        assert!(is_claimed(&document, at("2026-11-21T00:15:59Z")));
        assert!(!is_claimed(&document, at("2026-11-21T00:16:00Z")));
    }
}
