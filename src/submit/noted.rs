//! Stores what a job is into its folder, before and after it is submitted.

use super::document::{FILE_NAME, JobDocument};
use super::job::BatchJob;
use super::wait::JobWatch;
use crate::event::JobEvent;
use crate::exit::{Exit, Failure};
use crate::store::{Bucket, Replace};

pub(super) async fn store(
    job: &BatchJob,
    results: &mut Bucket,
    document: &JobDocument,
) -> Result<(), Failure> {
    let text = text_of(document)?;
    Ok(results
        .store(&job.key(FILE_NAME), text, Replace::Yes)
        .await?)
}

/// The document as it is stored.
pub(super) fn text_of(document: &JobDocument) -> Result<Vec<u8>, Failure> {
    document
        .to_json()
        .map(String::into_bytes)
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))
}

/// Writes down the id of a job.
pub(super) async fn note_id(
    job: &BatchJob,
    (results, document): (&mut Bucket, &JobDocument),
    watch: &mut JobWatch<'_>,
) {
    if let Err(error) = store(job, results, document).await {
        // The same command finds it by its name.
        (watch.on_event)(&JobEvent::Warning(format!(
            "the id of the job is not written down: {}",
            error.message
        )));
    }
}
