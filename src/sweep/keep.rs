//! A sweep's folder in the results bucket as well: nothing that is here is missing there, unless it says so.

use std::path::{Path, PathBuf};

use super::folder::{Folder, SWEEP_FILE};
use super::job::{SweepEnd, SweepJob};
use super::setup::ReadySweep;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::results::record::FILE_NAME;
use crate::store::Replace;

/// Proves that the results bucket can be written, before hours go by, and stores what an earlier part of the sweep could not.
pub(super) async fn store_begun(
    ready: &mut ReadySweep<'_>,
    (job, folder): (&SweepJob, &Folder),
    done: &[PathBuf],
    ended: &mut SweepEnd,
) -> Result<(), Failure> {
    let Some(uri) = &job.results else {
        return Ok(());
    };
    let key = |relative: &str| format!("{}sweeps/{}/{relative}", uri.key, job.id);
    match &mut ready.results {
        Some(bucket) => {
            bucket
                .store_file(
                    &key(SWEEP_FILE),
                    &folder.root().join(SWEEP_FILE),
                    Replace::Yes,
                )
                .await?;
        }
        None => return Ok(()),
    }
    if let (Some(stored), Some(bucket)) = (&ready.stored, &mut ready.results) {
        // The list never changes, and may be large.
        if bucket.exists(&stored.keys_key()).await? != Some(true) {
            bucket
                .store_file(&stored.keys_key(), &folder.keys_path(), Replace::Yes)
                .await?;
        }
    }
    for dir in done {
        store_again(ready, (job, folder), dir, ended).await?;
    }
    Ok(())
}

/// Stores a repetition of an earlier command, where its record is not in the results bucket.
pub(super) async fn store_again(
    ready: &mut ReadySweep<'_>,
    (job, folder): (&SweepJob, &Folder),
    dir: &Path,
    ended: &mut SweepEnd,
) -> Result<(), Failure> {
    let (Some(uri), Some(bucket)) = (&job.results, &mut ready.results) else {
        return Ok(());
    };
    let relative = dir
        .strip_prefix(folder.root())
        .unwrap_or(dir)
        .join(FILE_NAME);
    let key = format!(
        "{}sweeps/{}/{}",
        uri.key,
        job.id,
        relative.to_string_lossy()
    );
    // Of an object that is not there, S3 says «denied» to whoever may list below a prefix alone.
    if bucket.exists(&key).await? != Some(true) {
        store(ready, (job, folder), dir, ended).await;
    }
    Ok(())
}

/// Stores a document of the whole sweep in the results bucket, if there is one.
pub(super) async fn store_document(
    ready: &mut ReadySweep<'_>,
    (job, folder): (&SweepJob, &Folder),
    name: &str,
    ended: &mut SweepEnd,
) {
    let (Some(bucket), Some(uri)) = (&mut ready.results, &job.results) else {
        return;
    };
    let key = format!("{}sweeps/{}/{name}", uri.key, job.id);
    let path = folder.root().join(name);
    if let Err(error) = bucket.store_file(&key, &path, Replace::Yes).await {
        ended.exit = Exit::NotStored;
        ready.event(&SweepEvent::Warning(format!(
            "not stored: {}; it is kept in {}",
            error.message,
            path.display()
        )));
    }
}

/// Stores a repetition in the results bucket, if there is one. What is not stored stays in the folder.
pub(super) async fn store(
    ready: &mut ReadySweep<'_>,
    (job, folder): (&SweepJob, &Folder),
    dir: &Path,
    ended: &mut SweepEnd,
) {
    let (Some(bucket), Some(uri)) = (&mut ready.results, &job.results) else {
        return;
    };
    let relative = dir.strip_prefix(folder.root()).unwrap_or(dir).display();
    let files = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    // What a task found it has stored itself.
    let stores_itself = ready.stored.is_some();
    let is_stored = |path: &Path| stores_itself && !path.ends_with(FILE_NAME);
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.is_file() && !is_stored(path))
        .collect();
    // The record last: where it stands, the rest stands.
    files.sort_by_key(|path| path.ends_with(FILE_NAME));
    let mut left = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let key = format!("{}sweeps/{}/{relative}/{name}", uri.key, job.id);
        if let Err(error) = bucket.store_file(&key, &path, Replace::No).await {
            left.push(format!(
                "not stored: {}; it is kept in {}",
                error.message,
                path.display()
            ));
        }
    }
    if !left.is_empty() {
        ended.exit = Exit::NotStored;
    }
    for message in left {
        ready.event(&SweepEvent::Warning(message));
    }
}
