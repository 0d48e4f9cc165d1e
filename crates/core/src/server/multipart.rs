//! Multipart uploads to the results bucket: parts wait as files until they are joined. Uploads end with the process.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use s3s::dto::{CompletedPart, ETag};
use s3s::{S3Error, S3Result, s3_error};
use tempfile::{NamedTempFile, TempPath};

use super::results::{NamedObject, Overwrite, ResultsBucket, UserMetadata, disk, tag};

/// S3's least size of a part that is not the last.
const LEAST_PART: u64 = 5 << 20;

/// S3's highest part number.
const LAST_PART: i32 = 10_000;

struct UploadedPart {
    path: TempPath,
    size: u64,
    tag: ETag,
}

struct OpenUpload {
    key: String,
    metadata: Option<UserMetadata>,
    parts: BTreeMap<i32, UploadedPart>,
}

/// The uploads under way.
#[derive(Default)]
pub(super) struct Uploads {
    next: AtomicU64,
    open: Mutex<HashMap<String, OpenUpload>>,
}

impl Uploads {
    /// Opens an upload and names it.
    pub(super) fn create(&self, key: String, metadata: Option<UserMetadata>) -> String {
        let id = format!("upload-{:08}", self.next.fetch_add(1, Ordering::Relaxed));
        self.open().insert(
            id.clone(),
            OpenUpload {
                key,
                metadata,
                parts: BTreeMap::new(),
            },
        );
        id
    }

    /// Fails unless the upload is open for that key and the part can be one of it.
    pub(super) fn check(&self, id: &str, key: &str, number: i32) -> S3Result<()> {
        if !(1..=LAST_PART).contains(&number) {
            return Err(s3_error!(
                InvalidArgument,
                "Part number must be an integer between 1 and 10000, inclusive"
            ));
        }
        self.open()
            .get(id)
            .filter(|upload| upload.key == key)
            .map(|_| ())
            .ok_or_else(no_such_upload)
    }

    /// Keeps a received part.
    pub(super) fn add(&self, id: &str, number: i32, file: NamedTempFile) -> S3Result<ETag> {
        let metadata = file.as_file().metadata().map_err(disk)?;
        let part = UploadedPart {
            path: file.into_temp_path(),
            size: metadata.len(),
            tag: tag(&metadata),
        };
        let tag = part.tag.clone();
        self.open()
            .get_mut(id)
            .ok_or_else(no_such_upload)?
            .parts
            .insert(number, part);
        Ok(tag)
    }

    /// Joins the parts named into the object.
    pub(super) fn complete(
        &self,
        id: &str,
        completed: &[CompletedPart],
        store: (&ResultsBucket, Overwrite),
    ) -> S3Result<ETag> {
        let (results, replace) = store;
        let mut open = self.open();
        let upload = open.get(id).ok_or_else(no_such_upload)?;
        let paths = chosen(upload, completed)?;
        let named = NamedObject {
            key: &upload.key,
            replace,
            over: None,
            metadata: upload.metadata.clone(),
        };
        let stored = results.store(results.joined(&paths)?, named)?;
        open.remove(id);
        Ok(stored)
    }

    /// Drops an upload with its parts.
    pub(super) fn abort(&self, id: &str) -> S3Result<()> {
        self.open()
            .remove(id)
            .map(|_| ())
            .ok_or_else(no_such_upload)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, OpenUpload>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files of the parts named, checked as S3 does.
fn chosen(upload: &OpenUpload, completed: &[CompletedPart]) -> S3Result<Vec<PathBuf>> {
    if completed.is_empty() {
        return Err(s3_error!(
            MalformedXML,
            "an upload is completed with at least one part"
        ));
    }
    let mut before = 0;
    let mut paths = Vec::with_capacity(completed.len());
    for (nth, part) in completed.iter().enumerate() {
        let number = part.part_number.unwrap_or(0);
        if number <= before {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order"
            ));
        }
        before = number;
        let kept = upload
            .parts
            .get(&number)
            .filter(|kept| part.e_tag.as_ref().is_none_or(|tag| *tag == kept.tag));
        let kept = kept.ok_or_else(|| {
            s3_error!(
                InvalidPart,
                "part {number} could not be found, or its ETag does not match"
            )
        })?;
        if kept.size < LEAST_PART && nth + 1 < completed.len() {
            return Err(s3_error!(
                EntityTooSmall,
                "part {number} is smaller than the minimum allowed size"
            ));
        }
        paths.push(kept.path.to_path_buf());
    }
    Ok(paths)
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified multipart upload does not exist"
    )
}
